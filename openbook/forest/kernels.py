"""Finding out, without compiling, whether the compiled kernels are waiting on disk."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["kernels_cached"]


def kernels_cached() -> bool:
    """Whether an earlier run has left compiled kernels for this numba: if not, the first fit compiles them.

    Looks at files only; takes milliseconds and never compiles.
    """
    if os.environ.get("NUMBA_DISABLE_JIT") == "1":
        return True
    from numba.core.caching import CompileResultCacheImpl

    from openbook.forest import grow

    locator = CompileResultCacheImpl(grow.grow_tree.py_func).locator
    folder = Path(locator.get_cache_path())
    newest = Path(grow.__file__).stat().st_mtime
    return any(p.stat().st_mtime >= newest for p in folder.glob("grow.grow_tree-*.nbc")) if folder.is_dir() else False
