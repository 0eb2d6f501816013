"""Claim: fitting a forest takes less memory than its peers, and the fitted forest less room on disk.

Every contestant fits in a process of its own, which has loaded the rows and the library (by fitting a small forest); what
is reported is how far the peak during the fit lies above what was held before it. Linux only: its kernel lets us ask anew.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import make_classification

FIT = """
import gc, pickle, re, sys, tempfile
from pathlib import Path
import numpy as np
X, y = np.load(sys.argv[1]), np.load(sys.argv[2])
{make}
make(2).fit(X[:5000], y[:5000])
status = lambda name: int(re.search(name + r":\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
gc.collect()
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
before = status("VmRSS")
model = make({trees}).fit(X, y)
grown = status("VmHWM") - before
with tempfile.TemporaryDirectory() as folder:
    {save}
    size = sum(p.stat().st_size for p in Path(folder).iterdir())
print(grown / 2**10, size / 2**20)
"""
PICKLED = 'Path(folder, "model").write_bytes(pickle.dumps(model, protocol=5))'
OURS = "from openbook.forest import RandomForestClassifier\nmake = lambda n: RandomForestClassifier(n, random_state=0)"
THEIRS = (
    "from sklearn.ensemble import RandomForestClassifier\nmake = lambda n: RandomForestClassifier(n, random_state=0)"
)
LIGHTGBM = (
    "from lightgbm import LGBMClassifier\nmake = lambda n: LGBMClassifier(n_estimators=n, boosting_type='rf', bagging_freq=1, "
    "bagging_fraction=0.632, num_leaves=4096, feature_fraction_bynode=0.22, min_child_samples=1, verbose=-1, n_jobs=1)"
)
CONTESTANTS = {
    "openbook": (OURS, 'import openbook; openbook.save(model, Path(folder, "model.safetensors"))'),
    "openbook, compact": (OURS, 'import openbook; openbook.save(model.compact(), Path(folder, "model.safetensors"))'),
    "openbook, pickled": (OURS, PICKLED),
    "scikit-learn": (THEIRS, PICKLED),
    "scikit-learn, joblib compress=3": (THEIRS, 'import joblib; joblib.dump(model, Path(folder, "model"), compress=3)'),
    "LightGBM rf": (LIGHTGBM, 'model.booster_.save_model(str(Path(folder, "model")))'),
}


def measure(make: str, save: str, trees: int, files: list[str]) -> tuple[float, float] | str:
    program = FIT.format(make=make, save=save, trees=trees)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *files], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    grown, size = map(float, done.stdout.split()[-2:])
    return grown, size


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--trees", type=int, default=30)
    options = parser.parse_args()
    X, y = make_classification(options.rows, options.columns, n_informative=10, flip_y=0.05, random_state=0)
    print(
        f"### {options.rows:,} × {options.columns}, {options.trees} trees, one thread; the rows are {X.nbytes / 2**20:.0f} MiB\n"
    )
    print("| | fit raises the peak by | on disk |\n|---|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder, name)) for name in ("X.npy", "y.npy")]
        np.save(files[0], X)
        np.save(files[1], y)
        for who, (make, save) in CONTESTANTS.items():
            found = measure(make, save, options.trees, files)
            print(
                f"| {who} | {found} | |"
                if isinstance(found, str)
                else f"| {who} | {found[0]:.0f} MiB | {found[1]:.1f} MiB |"
            )
