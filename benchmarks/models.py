"""Claim: a training step of the models in examples/ takes no longer than PyTorch's, on one thread."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from turns import race, table

import openbook as ob

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
STEPS = {"digits_cnn": 10, "names_mlp": 100, "tiny_gpt": 10, "lstm": 5}
TITLES = {
    "digits_cnn": "Digits CNN, Adam, 64 images of 8 × 8",
    "names_mlp": "Names MLP, AdamW, 128 contexts of 3 letters",
    "tiny_gpt": "Tiny GPT, AdamW and clipping, 16 × 32 letters",
    "lstm": "LSTM of two layers, Adam, 32 waves of 40",
}


def example(name: str, library: Any) -> Any:
    """An example as a module, its imports as they stand or PyTorch's."""
    source = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    if library is torch:
        source = source.replace("import openbook as torch", "import torch").replace("import openbook.", "import torch.")
    module = ModuleType(name)
    exec(compile(source, f"{name}.py", "exec"), module.__dict__)
    return module


def batch(name: str, code: Any) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of an example's sizes."""
    random = np.random.default_rng(0)
    if name == "digits_cnn":
        return random.random((64, 1, 8, 8), np.float32), random.integers(0, 10, 64)
    if name == "names_mlp":
        return random.integers(0, 27, (128, code.CONTEXT)), random.integers(0, 27, 128)
    if name == "tiny_gpt":
        return random.integers(0, 65, (16, code.LENGTH)), random.integers(0, 65, (16, code.LENGTH))
    waves = code.waves(random)
    return waves[:, :-1], waves[:, 1:].copy()


def loss_of(name: str, code: Any, model: Any, x: Any, y: Any) -> Any:
    """The loss as the example computes it."""
    if name == "lstm":
        return code.F.mse_loss(model(x), y)
    if name == "tiny_gpt":
        return code.F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    return code.F.cross_entropy(model(x), y)


class Training:
    """An example's training loop on one batch; the same text runs on both libraries."""

    def __init__(self, name: str, library: Any):
        self.name, self.code = name, example(name, library)
        library.manual_seed(0)
        self.model = self.code.build()
        self.x, self.y = (library.from_numpy(a) for a in batch(name, self.code))
        rule = self.code.optim.AdamW if name in ("names_mlp", "tiny_gpt") else self.code.optim.Adam
        fastest = {"fused": True} if library is torch else {}  # PyTorch's quickest eager optimisers
        self.optimizer = rule(self.model.parameters(), lr=1e-3, **fastest)

    def step(self) -> None:
        self.optimizer.zero_grad()
        loss = loss_of(self.name, self.code, self.model, self.x, self.y)
        loss.backward()
        if self.name == "tiny_gpt":
            self.code.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        loss.item()

    def __call__(self) -> None:
        for _ in range(STEPS[self.name]):
            self.step()


def contestants(name: str) -> dict[str, Callable[[], None]]:
    return {"openbook": Training(name, ob), "PyTorch eager": Training(name, torch)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("names", nargs="*", help=", ".join(STEPS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        for name in options.names or STEPS:
            print(table(f"{TITLES[name]}: {STEPS[name]} steps, one thread", race(contestants(name), options.rounds)))
