"""Claim: what models are made of takes no more than about three times PyTorch's time in float32, forward and backward."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import openbook as ob

SHAPES = ((128, 256), (64, 4096))
LAYERS: dict[str, Callable[[Any], Any]] = {
    **{
        name: lambda F, name=name: getattr(F, name) for name in ("gelu", "silu", "mish", "softplus", "elu", "hardswish")
    },
    "gelu_tanh": lambda F: lambda x: F.gelu(x, approximate="tanh"),
    "sigmoid": lambda F: lambda x: x.sigmoid(),
    "tanh": lambda F: lambda x: x.tanh(),
    "softmax": lambda F: lambda x: F.softmax(x, dim=-1),
    "log_softmax": lambda F: lambda x: F.log_softmax(x, dim=-1),
    "layer_norm": lambda F: lambda x: F.layer_norm(x, (x.shape[-1],)),
}


def passes(library: Any, layer: Callable[[Any], Any], shape: tuple[int, ...], repeat: int) -> Callable[[], Any]:
    """Seconds of a forward and of a backward pass, each the shortest of a few."""
    random = np.random.default_rng(0)
    x = library.tensor(random.standard_normal(shape).astype(np.float32), requires_grad=True)
    g = library.tensor(random.standard_normal(shape).astype(np.float32))
    function = layer(library.nn.functional)

    def run() -> tuple[float, float]:
        forward, backward = [], []
        for _ in range(repeat):
            x.grad = None
            began = time.perf_counter()
            y = function(x)
            between = time.perf_counter()
            y.backward(g)
            backward.append(time.perf_counter() - between)
            forward.append(between - began)
        return min(forward), min(backward)

    return run


def compare(name: str, shape: tuple[int, ...], rounds: int) -> str:
    """One line: the medians of the rounds, in which the two libraries take turns, and of their ratios."""
    runs = [passes(library, LAYERS[name], shape, 5) for library in (ob, torch)]
    times = np.array([[run() for run in runs] for _ in range(rounds + 1)])[1:]  # round, library, direction
    cells = []
    for direction in (0, 1):
        ours, theirs = times[:, 0, direction], times[:, 1, direction]
        ratio = statistics.median(ours / theirs)
        cells.append(f"{np.median(ours) * 1e6:.0f} | {np.median(theirs) * 1e6:.0f} | {ratio:.2f}")
    return f"| {name} | {shape[0]} × {shape[1]} | {' | '.join(cells)} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("names", nargs="*", help="some of the operations instead of all")
    options = parser.parse_args()
    torch.set_num_threads(1)
    from threadpoolctl import threadpool_limits

    print("Microseconds, float32, one thread.\n")
    print("| | shape | forward | PyTorch | times as long | backward | PyTorch | times as long |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    with threadpool_limits(1):
        for name in options.names or sorted(LAYERS):
            for shape in SHAPES:
                print(compare(name, shape, options.rounds), flush=True)
