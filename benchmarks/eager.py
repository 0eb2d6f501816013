"""Claim: eager training steps of small networks are faster than PyTorch's; of middle-sized ones, a little slower."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from turns import race, table

import openbook as ob

SHAPES = {
    "XOR 2-3-1, 4 rows": ((2, 3, 1), 4),
    "20-64-64-2, 32 rows": ((20, 64, 64, 2), 32),
    "784-256-128-10, 128 rows": ((784, 256, 128, 10), 128),
}


def steps(library: Any, nn: Any, optim: Any, sizes: tuple[int, ...], rows: int, count: int) -> Callable[[], None]:
    """A training loop as everybody writes it; the same text runs on both libraries."""
    random = np.random.default_rng(0)
    X = library.tensor(random.standard_normal((rows, sizes[0])).astype(np.float32))
    classes = sizes[-1] > 1
    y = (
        library.tensor(random.integers(0, sizes[-1], rows))
        if classes
        else library.tensor(random.random((rows, 1)).astype(np.float32))
    )
    layers: list[Any] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.Tanh()]
    model = nn.Sequential(*layers[:-1])
    criterion = nn.CrossEntropyLoss() if classes else nn.MSELoss()
    optimizer = optim.Adam(model.parameters(), lr=1e-3, **({"fused": True} if library is torch else {}))

    def run() -> None:
        for _ in range(count):
            optimizer.zero_grad()
            loss = criterion(model(X), y)
            loss.backward()
            optimizer.step()

    return run


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        for name, (sizes, rows) in SHAPES.items():
            count = 20 if sizes[0] > 100 else 200
            times = race({
                "openbook": steps(ob, ob.nn, ob.optim, sizes, rows, count),
                "PyTorch eager": steps(torch, torch.nn, torch.optim, sizes, rows, count),
            }, options.rounds)  # fmt: skip
            print(table(f"{name}: {count} steps of Adam, one thread", times))
