"""Two kernels compiled at once, one of them by another process (asked of a process that has compiled nothing yet), and what does
not happen meanwhile."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from openbook.forest.kernels.jit import _Uncollected

_SCRIPT = """
import sys
import numpy as np
from openbook.forest.kernels.ahead import compile_both
from openbook.forest.kernels.categories import add_by_level
from openbook.forest.kernels.levels import by_depth

sys.executable = {executable!r}
tree = np.array([1, -1, -1]), np.array([2, -1, -1]), *np.empty((3, 3), np.intp), np.empty(3, np.bool_)
ones, sums = np.ones(2, np.int64), np.zeros((1, 2), np.int64)
levels = np.zeros((1, 2), np.int64), np.arange(2), ones, ones, np.zeros(2, np.int64), ones, sums
for again in range(2):
    compile_both(by_depth, tree, add_by_level, levels)
print("known", len(by_depth.signatures), len(add_by_level.signatures))
by_depth(*tree)
add_by_level(*levels)
print("from disk", sum(by_depth.stats.cache_hits.values()), sum(add_by_level.stats.cache_hits.values()))
print("compiled", sum(by_depth.stats.cache_misses.values()), sum(add_by_level.stats.cache_misses.values()))
print(tree[2].tolist(), sums.tolist())
"""
_RIGHT = "[0, 1, 2] [[2, 2]]"


def run(tmp_path: Path, executable: str) -> list[str]:
    """What the script prints where that is the Python that runs it."""
    return printed(tmp_path, _SCRIPT.format(executable=executable))


def printed(tmp_path: Path, script: str, folder: Path | None = None) -> list[str]:
    env = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], env=env, capture_output=True, text=True, check=True, cwd=folder
    )
    return done.stdout.splitlines()


@pytest.mark.skipif(os.cpu_count() == 1, reason="the other process wants a core")
def test_the_second_kernel_comes_from_the_other_process(tmp_path: Path) -> None:
    assert run(tmp_path, sys.executable) == ["known 1 0", "from disk 0 1", "compiled 1 0", _RIGHT]
    assert run(tmp_path, sys.executable)[1] == "from disk 1 1"


def test_without_another_python_each_is_compiled_when_called(tmp_path: Path) -> None:
    assert run(tmp_path, "/usr/bin/some_program") == ["known 0 0", "from disk 0 0", "compiled 1 1", _RIGHT]
    fails = tmp_path / "python_that_is_none"
    assert run(tmp_path / "b", str(fails)) == ["known 0 0", "from disk 0 0", "compiled 1 1", _RIGHT]


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_whatever_becomes_of_the_other_process_both_work(tmp_path: Path) -> None:
    fails = tmp_path / "python_that_fails"
    fails.write_text("#!/bin/sh\nexit 1\n")
    fails.chmod(0o700)
    assert run(tmp_path, str(fails)) == ["known 1 0", "from disk 0 0", "compiled 1 1", _RIGHT]


@pytest.mark.skipif(os.cpu_count() == 1, reason="the other process wants a core")
def test_the_other_process_runs_nothing_of_the_folder_it_is_in(tmp_path: Path) -> None:
    (tmp_path / "numba.py").write_text("raise SystemExit")
    found = printed(tmp_path / "cache", _SCRIPT.format(executable=sys.executable), tmp_path)
    assert found[:2] == ["known 1 0", "from disk 0 1"]


_FIT = """
import numpy as np
from openbook.forest import RandomForest{kind}
from openbook.forest.kernels.grow import grow_trees
from openbook.forest.kernels.large import split_large

X = np.random.default_rng(0).normal(size=(5000, 5))
RandomForest{kind}(2, n_jobs=2).fit(X, {y})
for kernel in (grow_trees, split_large):
    print(len(kernel.signatures), *(sum(c.values()) for c in (kernel.stats.cache_hits, kernel.stats.cache_misses)))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.cpu_count() == 1, reason="the other process wants a core")
@pytest.mark.parametrize(
    "kind, y", [("Classifier", "X[:, 0] > 0"), ("Classifier", "X[:, 0].round()"), ("Regressor", "X[:, 0]")]
)
def test_a_first_large_table_compiles_each_kernel_once(kind: str, y: str, tmp_path: Path) -> None:
    assert printed(tmp_path, _FIT.format(kind=kind, y=y)) == ["1 0 1", "1 1 0"]


def test_nothing_is_collected_while_a_kernel_is_compiled() -> None:
    listener, states = _Uncollected(), []

    def event(module: str) -> SimpleNamespace:
        return SimpleNamespace(data={"dispatcher": SimpleNamespace(py_func=SimpleNamespace(__module__=module))})

    ours, theirs = event("openbook.forest.kernels.grow"), event("some.user")
    for before in (True, False):
        (gc.enable if before else gc.disable)()
        try:
            for tell, what in ((listener.on_start, theirs), (listener.on_end, theirs), (listener.on_start, ours),
                               (listener.on_start, ours), (listener.on_end, ours), (listener.on_end, ours)):  # fmt: skip
                tell(what)
                states.append(gc.isenabled())
        finally:
            gc.enable()
    assert states == [True, True, False, False, False, True] + [False] * 6
