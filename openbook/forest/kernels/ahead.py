"""Two kernels compiled at once, before either is called.

numba compiles one function at a time in a process. So the second kernel goes to a process of its own, which leaves it on disk,
where this one looks before it compiles: whatever happens to the other process costs time and nothing else.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

from numba.core import config

from openbook.forest.kernels import kernels_cached

__all__ = ["compile_both"]

_SECONDS = 60  # to wait for the other process, at most, once this one is done
_one = Lock()  # threads that grow trees come here together


def compile_both(here: Any, arguments: Sequence[Any], beside: Any, its_arguments: Sequence[Any]) -> None:
    """Compile two kernels for these arguments: one here and one in another process; none if any has been compiled before."""
    with _one:
        if config.DISABLE_JIT or here.overloads or beside.overloads or kernels_cached():  # type: ignore[attr-defined]
            return
        other = _python()
        if other is None:
            return
        try:
            _hand_over(other, beside, its_arguments)
            here.compile(_types(here, arguments))
            other.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            other.kill()
            other.wait()


def _python() -> subprocess.Popen[bytes] | None:
    """Another Python that waits for a kernel to compile, if there is a core for it and a Python to start."""
    # Where Python is part of another program, that is what would be started a second time.
    is_python = Path(sys.executable or "").name.lower().startswith("python") and not getattr(sys, "frozen", False)
    if os.cpu_count() == 1 or not is_python:
        return None
    try:
        return subprocess.Popen(
            # -P: nothing from the folder this happens to run in, unless it is on the path here as well
            [sys.executable, "-P", "-c", f"from {__name__} import _compile_for_other; _compile_for_other()"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError:
        return None


def _hand_over(other: subprocess.Popen[bytes], kernel: Any, arguments: Sequence[Any]) -> None:
    """Tell the other Python which kernel to compile, and for which types."""
    function = kernel.py_func
    try:
        with other.stdin as pipe:  # type: ignore[union-attr]
            pickle.dump((function.__module__, function.__name__, _types(kernel, arguments)), pipe)
    except OSError:  # it has ended already
        pass


def _compile_for_other() -> None:
    """What that Python does."""
    module, name, types = pickle.load(sys.stdin.buffer)
    getattr(import_module(module), name).compile(types)


def _types(kernel: Any, arguments: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(map(kernel.typeof_pyval, arguments))
