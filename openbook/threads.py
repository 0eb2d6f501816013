"""BLAS under one thread, so that the same seed gives the same bits on any machine's number of cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["one_blas_thread"]


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Compute matrix products inside on one thread: OpenBLAS gives other bits on two threads than on one."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield
