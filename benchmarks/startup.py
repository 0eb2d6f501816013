"""Claim: `import openbook` takes 0.05 s at most beyond NumPy's own, `--help` answers at once, kernels are compiled once."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from turns import race, table

CACHE = Path(tempfile.mkdtemp())
# Bytecode is written once and read from then on, as it is for whoever installs the package.
BYTECODE = {"PYTHONPYCACHEPREFIX": str(CACHE / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}


def call(*arguments: str, **environment: str) -> float:
    everything = {**os.environ, **BYTECODE, **environment}
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=everything)
    return time.perf_counter() - began


if __name__ == "__main__":
    times = race({
        "openbook": lambda: call("-c", "import openbook"),
        "Python alone": lambda: call("-c", "pass"),
        "NumPy alone": lambda: call("-c", "import numpy"),
        "openbook --help": lambda: call("-m", "openbook", "--help"),
        "scikit-learn's forests": lambda: call("-c", "import sklearn.ensemble"),
    }, rounds=15)  # fmt: skip
    print(table("Starting", times))
    beyond = [ours - numpys for ours, numpys in zip(times["openbook"], times["NumPy alone"], strict=True)]
    print(f"openbook beyond NumPy: {statistics.median(beyond) * 1e3:.0f} ms (median of same-round differences)\n")
    study = ("-m", "openbook", "study", "--quick", "--out", str(CACHE / "report.html"))
    first = call(*study, NUMBA_CACHE_DIR=str(CACHE))
    second = call(*study, NUMBA_CACHE_DIR=str(CACHE))
    print(f"first study on a fresh cache {first:.1f} s, second {second:.1f} s")
    shutil.rmtree(CACHE)
