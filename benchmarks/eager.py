"""Claim: eager training steps take a quarter of PyTorch's time on the 13-parameter XOR loop, half on a small network, no more on a
middle-sized one; and a backward pass takes at most three times as long as its forward pass."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from turns import race, table

import openbook as ob


@dataclass(frozen=True)
class Work:
    """A network, the rows of a batch, and how it learns; `steps` are timed together."""

    title: str
    sizes: tuple[int, ...]
    rows: int
    activation: str | None
    optimizer: str
    steps: int


WORKS = (
    Work("XOR 2-3-1 as in examples/canonical.py (no activation), SGD, 4 rows", (2, 3, 1), 4, None, "SGD", 200),
    Work("XOR 2-3-1, tanh, Adam, 4 rows", (2, 3, 1), 4, "Tanh", "Adam", 200),
    Work("20-64-64-2, ReLU, Adam, 32 rows", (20, 64, 64, 2), 32, "ReLU", "Adam", 200),
    Work("20-64-64-2, tanh, Adam, 32 rows", (20, 64, 64, 2), 32, "Tanh", "Adam", 200),
    Work("784-256-128-10, ReLU, Adam, 128 rows", (784, 256, 128, 10), 128, "ReLU", "Adam", 20),
    Work("784-256-128-10, tanh, Adam, 128 rows", (784, 256, 128, 10), 128, "Tanh", "Adam", 20),
)


class Training:
    """A training loop as everybody writes it; the same text runs on both libraries."""

    def __init__(self, library: Any, work: Work):
        random = np.random.default_rng(0)
        self.work = work
        self.X = library.tensor(random.standard_normal((work.rows, work.sizes[0])).astype(np.float32))
        classes = work.sizes[-1] > 1
        y = random.integers(0, work.sizes[-1], work.rows) if classes else random.random((work.rows, 1))
        self.y = library.tensor(y if classes else y.astype(np.float32))
        layers: list[Any] = []
        for a, b in pairwise(work.sizes):
            layers.append(library.nn.Linear(a, b))
            if work.activation and len(layers) < 2 * len(work.sizes) - 3:
                layers.append(getattr(library.nn, work.activation)())
        self.model = library.nn.Sequential(*layers)
        self.criterion = library.nn.CrossEntropyLoss() if classes else library.nn.MSELoss()
        rule = getattr(library.optim, work.optimizer)
        fastest = {"fused": True} if library is torch else {}  # PyTorch's quickest eager optimisers
        self.optimizer = rule(self.model.parameters(), lr=1e-3, **fastest)

    def __call__(self) -> None:
        for _ in range(self.work.steps):
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(self.X), self.y)
            loss.backward()
            self.optimizer.step()

    def backward_in_forwards(self, passes: int = 300) -> float:
        """How many forward passes (the loss included) a backward pass takes: the median of the passes' ratios."""
        ratios = []
        for _ in range(passes):
            self.optimizer.zero_grad()
            began = time.perf_counter()
            loss = self.criterion(self.model(self.X), self.y)
            between = time.perf_counter()
            loss.backward()
            ratios.append((time.perf_counter() - between) / (between - began))
        return statistics.median(ratios)


def contestants(work: Work) -> dict[str, Callable[[], None]]:
    return {"openbook": Training(ob, work), "PyTorch eager": Training(torch, work)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    torch.set_num_threads(1)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        for work in WORKS:
            times = race(contestants(work), options.rounds)
            print(table(f"{work.title}: {work.steps} steps, one thread", times))
            print(f"backward / forward: {Training(ob, work).backward_in_forwards():.2f}\n")
