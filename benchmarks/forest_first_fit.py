"""Claim: the first forest of a fresh install waits 12 s at most for its kernels, every later process half a second.

Each line is two new processes that share a folder for compiled kernels, which is empty before the first of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

_FOREST = "RandomForestClassifier(2, n_jobs=1)"
_NUMBERS = "RandomForestRegressor(2, n_jobs=1)"
WORKS = {
    "two classes": (_FOREST, "X[:, 0] > 0"),
    "two classes, entropy": ('RandomForestClassifier(2, n_jobs=1, criterion="entropy")', "X[:, 0] > 0"),
    "more classes": (_FOREST, "np.digitize(X[:, 0], [-1, 0, 1])"),
    "numbers": (_NUMBERS, "X[:, 0]"),
    "random thresholds": ("ExtraTreesClassifier(2, n_jobs=1)", "X[:, 0] > 0"),
}
_PROCESS = """
import time
import numpy as np
from openbook import forest

X = np.random.default_rng(0).normal(size=({rows}, 20))
began = time.perf_counter()
model = forest.{model}.fit(X, {y})
fitted = time.perf_counter()
model.predict(X), model.predict(X[:1])
print(fitted - began, time.perf_counter() - fitted)
"""


def process(model: str, y: str, rows: int, cache: str) -> tuple[float, float]:
    """Seconds that the first fit and the first predictions of a new process take; imports are not in them."""
    script = _PROCESS.format(model=model, y=y, rows=rows)
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True,
                          env={**os.environ, "NUMBA_CACHE_DIR": cache})  # fmt: skip
    fit, predictions = map(float, said.stdout.split())
    return fit, predictions


if __name__ == "__main__":
    print("| | rows | first fit | first predictions | fit in a later process | predictions there |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, (model, y) in WORKS.items():
        for rows in (200, 5000):
            with tempfile.TemporaryDirectory() as cache:
                times = [second for _ in range(2) for second in process(model, y, rows, cache)]
            print(f"| {name} | {rows:,} | " + " | ".join(f"{second:.2f} s" for second in times) + " |", flush=True)
