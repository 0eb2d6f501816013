"""The numba kernels. This file loads no numba; it knows where compiled kernels wait on disk.

numba looks at one file when it judges whether a compiled kernel is still good; a kernel calls others of these files. So
`forget_stale` takes away what was compiled before any of them changed. Other processes may be doing the same, and may have
compiled anew already: a file that is gone is as old as can be, and losing a new one costs compiling once more.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["forget_stale", "kernels_cached"]

_HERE = Path(__file__).resolve().parent


def kernels_cached() -> bool:
    """Whether an earlier run has left compiled kernels for this numba: if not, the first fit compiles them.

    Looks at files only; takes milliseconds and never compiles.
    """
    if os.environ.get("NUMBA_DISABLE_JIT") == "1":
        return True
    newest = _newest()
    return any(_written(p) >= newest for p in _folder().glob("grow.grow_trees-*.nbc"))


def forget_stale() -> None:
    """Remove compiled kernels, and the lists of them, that are older than any source file here; numba then compiles anew.

    The kernels too: numba writes the new list before the new kernel, under the old name, so that another process could read
    that list and the old kernel.
    """
    newest = _newest()
    for kind in ("*.nbi", "*.nbc"):
        for cached in _folder().glob(kind):
            if _written(cached) < newest:
                cached.unlink(missing_ok=True)


def _newest() -> float:
    return max(_written(p) for p in _HERE.glob("*.py"))


def _written(path: Path) -> float:
    """When a file was last written, or 0 if it is no longer there."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _folder() -> Path:
    """Where numba keeps what it compiles of the functions in this folder."""
    from numba.core.caching import CompileResultCacheImpl

    return Path(CompileResultCacheImpl(_newest).locator.get_cache_path())
