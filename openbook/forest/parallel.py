"""Work on several threads, with the results in order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["on_threads"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def on_threads(work: Callable[[Item], Result], items: Sequence[Item], threads: int) -> Generator[Result, None, None]:
    """What `work` makes of each item, in their order; the caller's own thread is one of the threads, and works while it waits.

    Whoever closes the iterator early gets no more done than has begun.
    """
    threads = min(threads, len(items))
    if threads <= 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads - 1) as pool:
        tasks = [pool.submit(work, item) for item in items]
        taken = (k for k, task in enumerate(tasks) if task.cancel())  # what no other thread has begun
        own: dict[int, Result] = {}
        try:
            for k, task in enumerate(tasks):
                while k not in own and not task.done() and (free := next(taken, None)) is not None:
                    own[free] = work(items[free])
                yield own.pop(k) if k in own else task.result()
        finally:
            for task in tasks:
                task.cancel()
