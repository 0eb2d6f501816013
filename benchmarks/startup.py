"""Claim: the import is light, `--help` answers at once, and kernels are compiled once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from turns import race, table


def call(*arguments: str, **environment: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env={**os.environ, **environment})
    return time.perf_counter() - began


if __name__ == "__main__":
    times = race({
        "openbook": lambda: call("-c", "import openbook"),
        "Python alone": lambda: call("-c", "pass"),
        "NumPy alone": lambda: call("-c", "import numpy"),
        "openbook --help": lambda: call("-m", "openbook", "--help"),
        "scikit-learn's forests": lambda: call("-c", "import sklearn.ensemble"),
    }, rounds=7)  # fmt: skip
    print(table("Starting", times))
    cache = Path(tempfile.mkdtemp())
    study = ("-m", "openbook", "study", "--quick", "--out", str(cache / "report.html"))
    first = call(*study, NUMBA_CACHE_DIR=str(cache))
    second = call(*study, NUMBA_CACHE_DIR=str(cache))
    print(f"first study on a fresh cache {first:.1f} s, second {second:.1f} s")
    shutil.rmtree(cache)
