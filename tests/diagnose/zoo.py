"""Training setups, faulty and healthy, built in openbook or in PyTorch by the same lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

import openbook as ob

__all__ = ["FAULTS", "HEALTHY", "Library", "Setup", "library"]


@dataclass
class Library:
    """openbook or torch, under the names they share."""

    name: str
    nn: Any
    F: Any
    optim: Any
    seed: Any
    tensor: Any


def library(name: str) -> Library:
    if name == "openbook":
        return Library(name, ob.nn, ob.nn.functional, ob.optim, ob.manual_seed, ob.tensor)
    torch = import_module("torch")
    torch.set_num_threads(1)  # several threads on arrays this small only wait for one another
    return Library(name, torch.nn, torch.nn.functional, torch.optim, torch.manual_seed, torch.tensor)


@dataclass
class Setup:
    """What `diagnose` is given."""

    model: Any
    data: Any
    loss: Any
    optimizer: Any = None
    options: dict[str, Any] = field(default_factory=dict)

    def diagnose(self, **more: Any) -> ob.diagnose.Diagnosis:
        return ob.diagnose(self.model, self.data, self.loss, self.optimizer, **self.options, **more)


# --- data ------------------------------------------------------------------------------------------------------------


def two_classes(seed: int, n: int = 300, d: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Two classes that a curved boundary parts."""
    r = np.random.default_rng(seed)
    x = r.normal(size=(n, d)).astype(np.float32)
    return x, (x[:, 0] * x[:, 1] + x[:, 2] + 0.2 * r.normal(size=n) > 0).astype(np.int64)


def three_classes(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Three overlapping clouds, in an order that means nothing."""
    r = np.random.default_rng(seed)
    y = r.integers(0, 3, n)
    centres = np.array([[1.5, 0], [-1.5, 0.5], [0, 2.0]])[[1, 0, 2]]
    return (centres[y] + 0.7 * r.normal(size=(n, 2))).astype(np.float32), y.astype(np.int64)


def five_classes(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Five clouds around a circle, numbered in an order that means nothing."""
    r = np.random.default_rng(seed)
    y = r.integers(0, 5, n)
    angle = 2 * np.pi * np.array([0, 2, 4, 1, 3])[y] / 5
    x = np.stack([2 * np.cos(angle), 2 * np.sin(angle)], 1) + 0.5 * r.normal(size=(n, 2))
    return x.astype(np.float32), y.astype(np.int64)


def ring(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """A cloud inside a ring."""
    r = np.random.default_rng(seed)
    y = r.integers(0, 2, n)
    radius, angle = np.where(y, 2.0, 0.6) + 0.2 * r.normal(size=n), r.uniform(0, 2 * np.pi, n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32), y.astype(np.int64)


def curve(seed: int, n: int = 300, d: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """A number that depends on the inputs in a curved way."""
    r = np.random.default_rng(seed)
    x = r.normal(size=(n, d)).astype(np.float32)
    y = np.sin(x[:, :1]) + 0.5 * x[:, 1:2] * x[:, 2:3] + 0.1 * r.normal(size=(n, 1))
    return x, y.astype(np.float32)


def pictures(seed: int, n: int = 200, k: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Bars that lie or stand."""
    r = np.random.default_rng(seed)
    x = 0.3 * r.normal(size=(n, 1, k, k))
    y = r.integers(0, 2, n)
    for i, place in enumerate(r.integers(0, k, n)):
        if y[i]:
            x[i, 0, place, :] += 1.0
        else:
            x[i, 0, :, place] += 1.0
    return x.astype(np.float32), y.astype(np.int64)


def series(seed: int, n: int = 200, length: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Whether a series sums to more than nothing."""
    r = np.random.default_rng(seed)
    x = r.normal(size=(n, length, 1)).astype(np.float32)
    return x, (x.sum(axis=(1, 2)) > 0).astype(np.int64)


def mlp(lib: Library, *widths: int, act: str = "ReLU", seed: int = 0, last: tuple[Any, ...] = ()) -> Any:
    lib.seed(seed)
    parts: list[Any] = []
    for i, (a, b) in enumerate(pairwise(widths)):
        parts.append(lib.nn.Linear(a, b))
        if i < len(widths) - 2 and act:
            parts.append(getattr(lib.nn, act)())
    return lib.nn.Sequential(*parts, *last)


def adam(lib: Library, model: Any, lr: float = 0.01) -> Any:
    return lib.optim.Adam(model.parameters(), lr=lr)


def sgd(lib: Library, model: Any, lr: float = 0.1, momentum: float = 0.0) -> Any:
    return lib.optim.SGD(model.parameters(), lr=lr, momentum=momentum)


def ce_step(lib: Library, clear: bool = True, backward: bool = True) -> Any:
    def train_step(model: Any, optimizer: Any, x: Any, y: Any) -> Any:
        if clear:
            optimizer.zero_grad()
        loss = lib.F.cross_entropy(model(x), y)
        if backward:
            loss.backward()
        optimizer.step()
        return loss

    return train_step


def trained(lib: Library, model: Any, data: Any, loss: Any, steps: int = 200, lr: float = 0.01) -> Any:
    optimizer = adam(lib, model, lr)
    x, y = (lib.tensor(a) for a in data)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
    optimizer.zero_grad()
    return optimizer


def last_step_of(lib: Library) -> Any:
    """A model that reads the last output of a recurrent layer."""

    class Reader(lib.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self, kind: str, hidden: int = 16):
            super().__init__()
            self.rnn = getattr(lib.nn, kind)(1, hidden, batch_first=True)
            self.head = lib.nn.Linear(hidden, 2)

        def forward(self, x: Any) -> Any:
            return self.head(self.rnn(x)[0][:, -1])

    return Reader


# --- faults ------------------------------------------------------------------------------------------------------------


def affine(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 2, 16, 16, 2, act="", seed=seed)
    return Setup(model, ring(seed), lib.nn.CrossEntropyLoss(), adam(lib, model))


def affine_sigmoid(lib: Library, seed: int) -> Setup:
    x, y = ring(seed)
    model = mlp(lib, 2, 16, 1, act="", seed=seed, last=(lib.nn.Sigmoid(),))
    return Setup(model, (x, y[:, None].astype(np.float32)), lib.nn.BCELoss(), adam(lib, model))


def not_cleared(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 6, 32, 2, seed=seed)
    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(), sgd(lib, model, 0.5, 0.9),
                 {"train_step": ce_step(lib, clear=False)})  # fmt: skip


def softmax_twice(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 2, 32, 3, seed=seed, last=(lib.nn.Softmax(1),))
    return Setup(model, three_classes(seed), lib.nn.CrossEntropyLoss(), adam(lib, model))


def sigmoid_twice(lib: Library, seed: int) -> Setup:
    x, y = two_classes(seed)
    model = mlp(lib, 6, 32, 1, seed=seed, last=(lib.nn.Sigmoid(),))
    return Setup(model, (x, y[:, None].astype(np.float32)), lib.nn.BCEWithLogitsLoss(), adam(lib, model))


def functional_softmax(lib: Library, seed: int) -> Setup:
    class Net(lib.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = lib.nn.Linear(2, 32), lib.nn.Linear(32, 3)

        def forward(self, x: Any) -> Any:
            return lib.F.softmax(self.b(lib.F.relu(self.a(x))), 1)

    lib.seed(seed)
    model = Net()
    return Setup(model, three_classes(seed), lib.nn.CrossEntropyLoss(), sgd(lib, model, 0.1, 0.9))


def broadcast(lib: Library, seed: int) -> Setup:
    x, y = curve(seed)
    model = mlp(lib, 4, 32, 1, seed=seed)
    return Setup(model, (x, y[:, 0]), lambda p, t: ((p - t) ** 2).mean(), adam(lib, model))


def broadcast_loss(lib: Library, seed: int) -> Setup:
    x, y = curve(seed)
    model = mlp(lib, 4, 32, 1, seed=seed)
    return Setup(model, (x, y[:, 0]), lib.nn.MSELoss(), adam(lib, model))


def outside(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 6, 32, 2, seed=seed)
    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(), lib.optim.Adam(model[2].parameters(), lr=0.003))


def another_models(lib: Library, seed: int) -> Setup:
    model, other = mlp(lib, 6, 32, 2, seed=seed), mlp(lib, 6, 32, 2, seed=seed + 1)
    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(), adam(lib, other))


def dead(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 6, 32, 32, 2, seed=seed)
    model[2].bias.data[...] = -20.0
    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(), adam(lib, model))


def saturated(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 6, 32, 2, act="Tanh", seed=seed)
    model[0].weight.data[...] = model[0].weight.data * 100
    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(), sgd(lib, model, 0.1, 0.9))


def vanishing(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 6, *[24] * 8, 2, act="Sigmoid", seed=seed)
    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(), adam(lib, model))


def exploding(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 6, *[24] * 6, 2, seed=seed)
    for i in range(0, 13, 2):
        model[i].weight.data[...] = model[i].weight.data * 12
    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(), sgd(lib, model, 0.01))


def too_large(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 4, 32, 1, seed=seed)
    return Setup(model, curve(seed), lib.nn.MSELoss(), sgd(lib, model, 5.0))


def too_large_adam(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 6, 32, 32, 2, seed=seed)
    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(), adam(lib, model, 3.0))


def too_small(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 6, 32, 2, seed=seed)
    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(), sgd(lib, model, 1e-5))


def squares_on_classes(lib: Library, seed: int) -> Setup:
    x, y = five_classes(seed)
    model = mlp(lib, 2, 32, 1, seed=seed)
    return Setup(model, (x, y[:, None].astype(np.float32)), lib.nn.MSELoss(), adam(lib, model))


def classes_on_numbers(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 4, 32, 1, seed=seed)
    return Setup(model, curve(seed), lib.nn.CrossEntropyLoss(), adam(lib, model))


def one_hot_rows(lib: Library, seed: int) -> Setup:
    x, y = three_classes(seed)
    model = mlp(lib, 2, 32, 3, seed=seed)
    return Setup(model, (x, np.eye(3, dtype=np.int64)[y]), lib.nn.CrossEntropyLoss(), adam(lib, model))


def logits_to_nll(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 2, 32, 3, seed=seed)
    return Setup(model, three_classes(seed), lib.nn.NLLLoss(), adam(lib, model))


def minus_one(lib: Library, seed: int) -> Setup:
    x, y = two_classes(seed)
    model = mlp(lib, 6, 32, 1, seed=seed)
    return Setup(model, (x, (2.0 * y[:, None] - 1).astype(np.float32)), lib.nn.BCEWithLogitsLoss(), adam(lib, model))


def leaking(lib: Library, seed: int) -> Setup:
    x, y = two_classes(seed)
    x[:, 4] = y + 0.01 * np.random.default_rng(seed).normal(size=len(y))
    model = mlp(lib, 6, 32, 2, seed=seed)
    return Setup(model, (x, y), lib.nn.CrossEntropyLoss(), adam(lib, model))


def shifted(lib: Library, seed: int) -> Setup:
    x, y = two_classes(seed)
    model = mlp(lib, 6, 32, 2, seed=seed)
    return Setup(model, (x, np.roll(y, 1)), lib.nn.CrossEntropyLoss(), adam(lib, model))


def shuffled(lib: Library, seed: int) -> Setup:
    x, y = two_classes(seed)
    model = mlp(lib, 6, 32, 2, seed=seed)
    return Setup(
        model, (x, np.random.default_rng(seed + 99).permutation(y)), lib.nn.CrossEntropyLoss(), adam(lib, model)
    )


def unscaled(lib: Library, seed: int) -> Setup:
    x, y = two_classes(seed)
    x = x * np.array([1, 1000, 1, 0.01, 1, 1], np.float32) + np.array([0, 5000, 0, 0, 0, 0], np.float32)
    model = mlp(lib, 6, 32, 2, seed=seed)
    return Setup(model, (x, y), lib.nn.CrossEntropyLoss(), adam(lib, model))


def unscaled_targets(lib: Library, seed: int) -> Setup:
    x, y = curve(seed)
    model = mlp(lib, 4, 32, 1, seed=seed)
    return Setup(model, (x, 5e4 + 2e4 * y), lib.nn.MSELoss(), adam(lib, model))


def imbalanced(lib: Library, seed: int) -> Setup:
    r = np.random.default_rng(seed)
    y = (r.uniform(size=1000) < 0.1).astype(np.int64)
    x = r.normal(size=(1000, 4)).astype(np.float32)
    x[:, 0] += 1.3 * y
    model = mlp(lib, 4, 4, 2, seed=seed)
    return Setup(model, (x, y), lib.nn.CrossEntropyLoss(), adam(lib, model, 0.003))


def trained_in_eval(lib: Library, seed: int) -> Setup:
    x, y = two_classes(seed)
    lib.seed(seed)
    nn = lib.nn
    model = nn.Sequential(nn.Linear(6, 32), nn.BatchNorm1d(32), nn.Sigmoid(), nn.Linear(32, 32), nn.BatchNorm1d(32),
                          nn.Sigmoid(), nn.Linear(32, 2))  # fmt: skip
    model.eval()
    return Setup(model, (x, y), nn.CrossEntropyLoss(), sgd(lib, model, 0.3), {"train_step": ce_step(lib)})


def predicts_in_train(lib: Library, seed: int) -> Setup:
    data = two_classes(seed)
    lib.seed(seed)
    nn = lib.nn
    model = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 2))
    optimizer = trained(lib, model, data, nn.CrossEntropyLoss())
    return Setup(model, data, nn.CrossEntropyLoss(), optimizer, {"predict": lambda m, x: m(x)})


def log_of_zero(lib: Library, seed: int) -> Setup:
    x, y = two_classes(seed)
    x = np.exp(x)
    x[5, 2] = 0.0

    class Net(lib.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp(lib, 6, 32, 2, seed=seed)

        def forward(self, x: Any) -> Any:
            return self.net(x.log())

    model = Net()
    return Setup(model, (x, y), lib.nn.CrossEntropyLoss(), adam(lib, model))


def root_of_zero(lib: Library, seed: int) -> Setup:
    class Net(lib.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp(lib, 6, 32, 16, seed=seed)
            self.head = lib.nn.Linear(16, 2)

        def forward(self, x: Any) -> Any:
            h = self.net(x)
            h = h - h[:1]  # the first row's own distance to itself is 0
            return self.head((h * h).sqrt())  # the slope of the root is infinite there, and 0·∞ is NaN

    model = Net()
    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(), adam(lib, model))


def nan_in_data(lib: Library, seed: int) -> Setup:
    x, y = two_classes(seed)
    x[17, 3] = np.nan
    model = mlp(lib, 6, 32, 2, seed=seed)
    return Setup(model, (x, y), lib.nn.CrossEntropyLoss(), adam(lib, model))


def nothing_moves(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 6, 32, 2, seed=seed)

    def train_step(model: Any, optimizer: Any, x: Any, y: Any) -> None:
        lib.F.cross_entropy(model(x), y).backward()
        optimizer.zero_grad()  # a line too late
        optimizer.step()

    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(), sgd(lib, model, 0.5), {"train_step": train_step})


# Each planted fault, and the code it must be named with.
FAULTS: dict[str, tuple[Any, str]] = {
    "affine": (affine, "OB001"), "affine, sigmoid": (affine_sigmoid, "OB001"), "not cleared": (not_cleared, "OB002"),
    "softmax twice": (softmax_twice, "OB003"), "sigmoid twice": (sigmoid_twice, "OB003"),
    "softmax in forward": (functional_softmax, "OB003"), "broadcast": (broadcast, "OB004"),
    "broadcast, MSELoss": (broadcast_loss, "OB004"), "outside": (outside, "OB005"),
    "another model's": (another_models, "OB005"), "dead": (dead, "OB006"), "saturated": (saturated, "OB007"),
    "vanishing": (vanishing, "OB008"), "exploding": (exploding, "OB009"), "too large": (too_large, "OB010"),
    "too large, Adam": (too_large_adam, "OB010"), "too small": (too_small, "OB011"),
    "squares on classes": (squares_on_classes, "OB012"), "classes on numbers": (classes_on_numbers, "OB012"),
    "one-hot rows": (one_hot_rows, "OB012"), "logits to NLL": (logits_to_nll, "OB012"), "−1 and 1": (minus_one, "OB012"),
    "leaking": (leaking, "OB013"), "shifted": (shifted, "OB014"), "shuffled": (shuffled, "OB014"),
    "unscaled": (unscaled, "OB015"), "unscaled targets": (unscaled_targets, "OB016"), "imbalanced": (imbalanced, "OB017"),
    "trained in eval": (trained_in_eval, "OB018"), "predicts in train": (predicts_in_train, "OB018"),
    "log of zero": (log_of_zero, "OB019"), "root of zero": (root_of_zero, "OB019"), "NaN in data": (nan_in_data, "OB019"),
    "nothing moves": (nothing_moves, "OB020"),
}  # fmt: skip


# --- healthy ------------------------------------------------------------------------------------------------------------


def _classifier(act: str = "ReLU", widths: tuple[int, ...] = (6, 32, 2), data: Any = two_classes, **how: Any) -> Any:
    def build(lib: Library, seed: int) -> Setup:
        model = mlp(lib, *widths, act=act, seed=seed)
        optimizer = sgd(lib, model, **how) if "lr" in how else adam(lib, model)
        return Setup(model, data(seed), lib.nn.CrossEntropyLoss(), optimizer)

    return build


def _regression(loss: str = "MSELoss", act: str = "ReLU", lr: float = 0.01) -> Any:
    def build(lib: Library, seed: int) -> Setup:
        model = mlp(lib, 4, 32, 1, act=act, seed=seed)
        return Setup(model, curve(seed), getattr(lib.nn, loss)(), adam(lib, model, lr))

    return build


def logistic(lib: Library, seed: int) -> Setup:
    r = np.random.default_rng(seed)
    x = r.normal(size=(300, 5)).astype(np.float32)
    y = (x @ r.normal(size=5) + 0.5 * r.normal(size=300) > 0).astype(np.float32)[:, None]
    model = mlp(lib, 5, 1, seed=seed)
    return Setup(model, (x, y), lib.nn.BCEWithLogitsLoss(), sgd(lib, model, 0.5))


def straight(lib: Library, seed: int) -> Setup:
    r = np.random.default_rng(seed)
    x = r.normal(size=(300, 5)).astype(np.float32)
    y = (x @ r.normal(size=(5, 1)) + 0.3 * r.normal(size=(300, 1))).astype(np.float32)
    model = mlp(lib, 5, 1, seed=seed)
    return Setup(model, (x, y), lib.nn.MSELoss(), sgd(lib, model, 0.1))


def xor(lib: Library, seed: int) -> Setup:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    model = mlp(lib, 2, 8, 1, act="Tanh", seed=seed)
    return Setup(model, (x, np.array([[0], [1], [1], [0]], np.float32)), lib.nn.MSELoss(), sgd(lib, model, 0.1, 0.9))


def probabilities(lib: Library, seed: int) -> Setup:
    x, y = two_classes(seed)
    model = mlp(lib, 6, 32, 1, seed=seed, last=(lib.nn.Sigmoid(),))
    return Setup(model, (x, y[:, None].astype(np.float32)), lib.nn.BCELoss(), adam(lib, model))


def log_probabilities(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 2, 32, 3, seed=seed, last=(lib.nn.LogSoftmax(1),))
    return Setup(model, three_classes(seed), lib.nn.NLLLoss(), adam(lib, model))


def cnn(lib: Library, seed: int) -> Setup:
    lib.seed(seed)
    nn = lib.nn
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, padding=1),
                          nn.ReLU(), nn.Flatten(), nn.Linear(128, 2))  # fmt: skip
    return Setup(model, pictures(seed), nn.CrossEntropyLoss(), adam(lib, model, 0.005))


def cnn_with_norm(lib: Library, seed: int) -> Setup:
    lib.seed(seed)
    nn = lib.nn
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                          nn.Dropout(0.2), nn.Linear(128, 2))  # fmt: skip
    return Setup(model, pictures(seed), nn.CrossEntropyLoss(), adam(lib, model, 0.005))


def _recurrent(kind: str) -> Any:
    def build(lib: Library, seed: int) -> Setup:
        lib.seed(seed)
        model = last_step_of(lib)(kind)
        return Setup(model, series(seed), lib.nn.CrossEntropyLoss(), adam(lib, model))

    return build


def with_dropout(lib: Library, seed: int) -> Setup:
    lib.seed(seed)
    nn = lib.nn
    model = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 2))
    return Setup(model, two_classes(seed), nn.CrossEntropyLoss(), adam(lib, model), {"train_step": ce_step(lib)})


def with_norm(lib: Library, seed: int) -> Setup:
    lib.seed(seed)
    nn = lib.nn
    model = nn.Sequential(nn.Linear(6, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2))
    return Setup(model, two_classes(seed), nn.CrossEntropyLoss(), sgd(lib, model, 0.1, 0.9))


def with_layer_norm(lib: Library, seed: int) -> Setup:
    lib.seed(seed)
    nn = lib.nn
    model = nn.Sequential(nn.Linear(6, 32), nn.LayerNorm(32), nn.GELU(), nn.Linear(32, 32), nn.GELU(), nn.Linear(32, 2))
    return Setup(model, two_classes(seed), nn.CrossEntropyLoss(), adam(lib, model, 0.005))


def already_trained(lib: Library, seed: int) -> Setup:
    data = two_classes(seed)
    model = mlp(lib, 6, 32, 2, seed=seed)
    optimizer = trained(lib, model, data, lib.nn.CrossEntropyLoss())
    return Setup(model, data, lib.nn.CrossEntropyLoss(), optimizer)


def trained_with_norm(lib: Library, seed: int) -> Setup:
    data = two_classes(seed)
    lib.seed(seed)
    nn = lib.nn
    model = nn.Sequential(nn.Linear(6, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 2))
    optimizer = trained(lib, model, data, nn.CrossEntropyLoss())
    model.eval()
    return Setup(model, data, nn.CrossEntropyLoss(), optimizer, {"predict": lambda m, x: m(x)})


def imbalanced_but_fine(lib: Library, seed: int) -> Setup:
    r = np.random.default_rng(seed)
    y = (r.uniform(size=600) < 0.15).astype(np.int64)
    x = r.normal(size=(600, 4)).astype(np.float32)
    x[:, 0] += 4.0 * y
    model = mlp(lib, 4, 16, 2, seed=seed)
    return Setup(model, (x, y), lib.nn.CrossEntropyLoss(), adam(lib, model))


def frozen(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 6, 64, 32, 2, seed=seed)
    for p in model[0].parameters():
        p.requires_grad_(False)
    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(),
                 lib.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.01))  # fmt: skip


def gathered(lib: Library, seed: int) -> Setup:
    """Gradients of three batches gathered on purpose."""
    model = mlp(lib, 6, 32, 2, seed=seed)
    count = [0]

    def train_step(model: Any, optimizer: Any, x: Any, y: Any) -> None:
        (lib.F.cross_entropy(model(x), y) / 3).backward()
        count[0] += 1
        if count[0] % 3 == 0:
            optimizer.step()
            optimizer.zero_grad()

    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(), adam(lib, model), {"train_step": train_step})


def cleared_afterwards(lib: Library, seed: int) -> Setup:
    """Gradients cleared after the step, ready for the next."""
    model = mlp(lib, 6, 32, 2, seed=seed)

    def train_step(model: Any, optimizer: Any, x: Any, y: Any) -> None:
        lib.F.cross_entropy(model(x), y).backward()
        optimizer.step()
        optimizer.zero_grad()

    return Setup(model, two_classes(seed), lib.nn.CrossEntropyLoss(), adam(lib, model), {"train_step": train_step})


def embedded(lib: Library, seed: int) -> Setup:
    r = np.random.default_rng(seed)
    x = r.integers(0, 20, (300, 5))
    y = ((x < 7).sum(axis=1) > 1).astype(np.int64)
    lib.seed(seed)
    nn = lib.nn
    model = nn.Sequential(nn.Embedding(20, 8), nn.Flatten(), nn.Linear(40, 32), nn.ReLU(), nn.Linear(32, 2))
    return Setup(model, (x, y), nn.CrossEntropyLoss(), adam(lib, model))


def several_targets(lib: Library, seed: int) -> Setup:
    x, y = curve(seed)
    model = mlp(lib, 4, 32, 2, act="Tanh", seed=seed)
    return Setup(model, (x, np.hstack([y, x[:, 3:4] ** 2 - 1])), lib.nn.MSELoss(), adam(lib, model))


def counts(lib: Library, seed: int) -> Setup:
    """Whole numbers that are numbers: distances between them mean something."""
    x, y = curve(seed)
    model = mlp(lib, 4, 32, 1, seed=seed)
    return Setup(model, (x, np.clip(np.round(3 * y + 4), 0, 8).astype(np.float32)), lib.nn.MSELoss(), adam(lib, model))


def squares_by_hand(lib: Library, seed: int) -> Setup:
    model = mlp(lib, 4, 32, 1, seed=seed)
    return Setup(model, curve(seed), lambda p, t: ((p - t) ** 2).mean(), adam(lib, model))


def loader(lib: Library, seed: int) -> Setup:
    home = import_module("torch" if lib.name == "torch" else "openbook").utils.data
    x, y = two_classes(seed)
    model = mlp(lib, 6, 32, 2, seed=seed)
    data = home.DataLoader(home.TensorDataset(lib.tensor(x), lib.tensor(y)), batch_size=32, shuffle=True)
    return Setup(model, data, lib.nn.CrossEntropyLoss(), adam(lib, model, 0.005))


HEALTHY: dict[str, Any] = {
    "two classes": _classifier(), "tanh": _classifier("Tanh"), "sigmoid": _classifier("Sigmoid"), "gelu": _classifier("GELU"),
    "deep": _classifier(widths=(6, 32, 32, 32, 32, 2)), "three classes": _classifier(widths=(2, 32, 3), data=three_classes),
    "ring": _classifier(widths=(2, 32, 2), data=ring), "momentum": _classifier(lr=0.1, momentum=0.9),
    "plain SGD": _classifier(lr=0.3), "regression": _regression(), "L1": _regression("L1Loss"),
    "Huber": _regression("HuberLoss", "Tanh"), "logistic": logistic, "straight": straight, "xor": xor,
    "probabilities": probabilities, "log-probabilities": log_probabilities, "cnn": cnn, "cnn with norm": cnn_with_norm,
    "LSTM": _recurrent("LSTM"), "GRU": _recurrent("GRU"), "dropout": with_dropout, "batch norm": with_norm,
    "layer norm": with_layer_norm, "already trained": already_trained, "trained with norm": trained_with_norm,
    "imbalanced but fine": imbalanced_but_fine, "frozen": frozen, "gathered": gathered,
    "cleared afterwards": cleared_afterwards, "embedding": embedded,
    "several targets": several_targets, "counts": counts, "squares by hand": squares_by_hand, "loader": loader,
}  # fmt: skip
