"""What several checks look at: the layers on the way, and the loss along a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.diagnose.case import Case, calm, quietly
from openbook.diagnose.sample import Sample
from openbook.diagnose.trial import joint_norm

__all__ = [
    "Layer",
    "Passed",
    "along",
    "joint_norm",
    "last_operation",
    "norm_by_differences",
    "pass_through",
    "redrawn",
    "swapped",
]

_MOVES = frozenset({
    "reshape", "view", "unsafe_view", "squeeze", "unsqueeze", "permute", "transpose", "t", "clone", "alias", "expand",
    "broadcast_to", "getitem", "select", "slice", "cast", "to_copy", "_to_copy",
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class Layer:
    """One call of a module on the way forward."""

    path: str
    module: Any
    fed: Any
    output: Any

    @property
    def weighted(self) -> bool:
        """Whether it multiplies by a matrix of weights (linear, convolution)."""
        kind = type(self.module).__name__
        weight = getattr(self.module, "weight", None)
        return weight is not None and len(weight.shape) >= 2 and "Embedding" not in kind and "Norm" not in kind

    @property
    def channels_first(self) -> bool:
        return any(part in type(self.module).__name__ for part in ("Conv", "Norm", "Pool"))


@dataclass(frozen=True, eq=False)
class Passed:
    """One recorded pass: the loss, the outputs, every leaf module's call in order, the operations behind the outputs."""

    value: Any
    outputs: Any
    layers: tuple[Layer, ...]
    model: Any


def pass_through(case: Case, sample: Sample | None = None) -> Passed:
    """Send rows through a copy without dropout, and keep what every module was fed and gave."""
    model, loss, _ = case.copies()
    rows = sample or case.sample
    seen: list[Layer] = []
    calm(model)
    for path, module in model.named_modules():
        if not list(module.children()):
            module.register_forward_hook(_noting(seen, path))
    with case.engine.recording(), case.engine.seeded(0), quietly():
        outputs = case.forward(model, rows)
        value = loss(outputs, case.engine.tensor(rows.targets))
        value = value if value.ndim == 0 else value.mean()
    return Passed(value, outputs, tuple(seen), model)


def _noting(seen: list[Layer], path: str) -> Any:
    def hook(module: Any, inputs: tuple[Any, ...], output: Any) -> None:
        seen.append(Layer(path or type(module).__name__, module, inputs[0] if inputs else None, output))

    return hook


def last_operation(case: Case, outputs: Any) -> str:
    """The operation that made the outputs, past those that only move entries about."""
    names = [o.name for o in case.engine.operations(outputs) if o.name not in _MOVES and o.name != "accumulate_grad"]
    return names[-1] if names else ""


# --- along a line ----------------------------------------------------------------------------------------------------


def along(case: Case, names: Sequence[str], direction: Sequence[np.ndarray], h: float) -> float:
    """The loss of a copy moved by h along a direction of some of its parameters."""
    model = case.fresh()
    found = dict(model.named_parameters())
    for name, d in zip(names, direction, strict=True):
        case.engine.write(found[name], case.engine.array(found[name]) + h * d)
    return case.measure(model)


def norm_by_differences(case: Case, names: Sequence[str], gradients: Sequence[np.ndarray]) -> float:
    """‖g‖ once more: the loss's central difference along g/‖g‖, without autograd."""
    norm = joint_norm(gradients)
    if norm == 0:
        return 0.0
    direction = [g / norm for g in gradients]
    size = np.sqrt(sum(np.sum(np.square(case.engine.array(p))) for n, p in case.model.named_parameters() if n in names))
    h = 1e-5 * max(1.0, float(size))
    return (along(case, names, direction, h) - along(case, names, direction, -h)) / (2 * h)


# --- changes -----------------------------------------------------------------------------------------------------------


def redrawn(case: Case, paths: Sequence[str] = (), scheme: str = "") -> Case:
    """New initial weights: the layers' own (`reset_parameters`), or "xavier" or "kaiming" with biases at 0."""

    def edit(model: Any, optimizer: Any) -> None:
        del optimizer
        init = case.engine.nn.init
        for path, module in model.named_modules():
            if paths and path not in paths:
                continue
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
            weight = getattr(module, "weight", None)
            if not scheme or weight is None or len(weight.shape) < 2 or "Embedding" in type(module).__name__:
                continue
            if scheme == "xavier":
                init.xavier_uniform_(weight)
            else:
                init.kaiming_uniform_(weight, nonlinearity="relu")
            if getattr(module, "bias", None) is not None:
                init.zeros_(module.bias)

    return case.edited(edit)


def swapped(case: Case, kinds: Sequence[str], by: str, *arguments: Any, spare: str = "") -> Case:
    """Other activations in the place of modules of some kinds; the one at the path `spare` stays."""

    def edit(model: Any, optimizer: Any) -> None:
        del optimizer
        for prefix, parent in list(model.named_modules()):
            for name, child in list(parent.named_children()):
                path = f"{prefix}.{name}" if prefix else name
                if type(child).__name__ in kinds and path != spare:
                    setattr(parent, name, getattr(case.engine.nn, by)(*arguments))

    return case.edited(edit)
