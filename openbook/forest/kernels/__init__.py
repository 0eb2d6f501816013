"""The numba kernels. This file loads no numba; it knows where compiled kernels wait on disk.

numba looks at one file when it judges whether a compiled kernel is still good; a kernel calls others of these files. So
`forget_stale` takes away what was compiled before any of them changed.
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
    return any(p.stat().st_mtime >= newest for p in _folder().glob("grow.grow_tree-*.nbc"))


def forget_stale() -> None:
    """Remove the lists of compiled kernels that are older than any source file here; numba then compiles anew."""
    newest = _newest()
    for listed in _folder().glob("*.nbi"):
        if listed.stat().st_mtime < newest:
            listed.unlink(missing_ok=True)


def _newest() -> float:
    return max(p.stat().st_mtime for p in _HERE.glob("*.py"))


def _folder() -> Path:
    """Where numba keeps what it compiles of the functions in this folder."""
    from numba.core.caching import CompileResultCacheImpl

    return Path(CompileResultCacheImpl(_newest).locator.get_cache_path())
