"""How many threads BLAS may use: one, where the same seed must give the same bits on any machine's number of cores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from openbook.errors import InputError

__all__ = ["get_num_threads", "one_blas_thread", "set_num_threads", "use_deterministic_algorithms"]


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Compute matrix products inside on one thread: OpenBLAS gives other bits on two threads than on one."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield


def set_num_threads(num: int) -> None:
    """Let matrix products (of this whole process) use this many threads; with 1, small models learn several times faster.

    Of a small product a second thread computes less than waking it costs, and while it waits it keeps a core busy.
    """
    if isinstance(num, bool) or not isinstance(num, int) or num < 1:
        raise InputError(f"{num!r} is no number of threads", where="set_num_threads", do="give 1 or more")
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=num, user_api="blas")


def get_num_threads() -> int:
    """How many threads matrix products may use."""
    from threadpoolctl import threadpool_info

    return max((pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"), default=1)


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Let the same seed give the same bits, whatever the number of cores: matrix products go by one thread.

    Everything else is repeatable anyway; `mode=False` gives the cores back.
    """
    import os

    set_num_threads(1 if mode else os.cpu_count() or 1)
