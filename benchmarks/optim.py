"""Claim: optimisers step small networks faster than PyTorch's fused ones; large ones slower than those, on one thread.

Also: a loader that shuffles a table of tensors takes less time than PyTorch's.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from turns import race, table

import openbook as ob

SHAPES = {"XOR 2-3-1": (2, 3, 1), "20-64-64-2": (20, 64, 64, 2), "784-256-128-10": (784, 256, 128, 10)}
RULES: dict[str, dict[str, Any]] = {
    "Adam": {}, "AdamW": {}, "SGD": {"momentum": 0.9}, "RMSprop": {}, "Adagrad": {},
}  # fmt: skip
FUSED = ("Adam", "AdamW", "SGD", "Adagrad")


def steps(library: Any, rule: Any, options: dict[str, Any], sizes: tuple[int, ...], count: int) -> Callable[[], None]:
    """Steps on gradients that are there already; the same text runs on both libraries."""
    random = np.random.default_rng(0)
    params = []
    for a, b in pairwise(sizes):
        for shape in ((b, a), (b,)):
            p = library.tensor(random.standard_normal(shape).astype(np.float32), requires_grad=True)
            p.grad = library.tensor(random.standard_normal(shape).astype(np.float32))
            params.append(p)
    optimizer = rule(params, lr=1e-3, **options)

    def run() -> None:
        for _ in range(count):
            optimizer.step()

    return run


def loading(library: Any, data: Any) -> Callable[[], None]:
    """Once through 20,000 rows, shuffled, 64 at a time."""
    random = np.random.default_rng(0)
    X = library.tensor(random.standard_normal((20_000, 20)).astype(np.float32))
    y = library.tensor(random.integers(0, 2, 20_000))
    loader = data.DataLoader(data.TensorDataset(X, y), batch_size=64, shuffle=True)

    def run() -> None:
        for _ in loader:
            pass

    return run


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        for shape, sizes in SHAPES.items():
            count = 50 if sizes[0] > 100 else 1000
            for rule, more in RULES.items():
                theirs, ours = getattr(torch.optim, rule), getattr(ob.optim, rule)
                contestants = {"openbook": steps(ob, ours, more, sizes, count)}
                if rule in FUSED:
                    contestants["PyTorch fused"] = steps(torch, theirs, {**more, "fused": True}, sizes, count)
                contestants["PyTorch foreach"] = steps(torch, theirs, {**more, "foreach": True}, sizes, count)
                print(table(f"{shape}: {count} steps of {rule}, one thread", race(contestants, options.rounds)))
        contestants = {"openbook": loading(ob, ob.utils.data), "PyTorch": loading(torch, torch.utils.data)}
        print(
            table(
                "DataLoader: 20,000 rows of a TensorDataset, shuffled, 64 at a time", race(contestants, options.rounds)
            )
        )
