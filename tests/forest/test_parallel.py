"""Work on several threads: results in order, and nothing begun once nobody waits for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from openbook.forest.parallel import on_threads


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_order(threads: int) -> None:
    first = threading.Event()

    def work(item: int) -> int:
        if threads > 1 and not item:
            first.wait(30)  # until a later item is done
        first.set()
        return item * item

    assert list(on_threads(work, range(7), threads)) == [k * k for k in range(7)]
    assert list(on_threads(work, [], threads)) == []


def test_one_thread_is_the_callers() -> None:
    (own,) = on_threads(lambda _: threading.current_thread(), [0], 8)
    assert own is threading.current_thread()
    assert threading.current_thread() not in list(on_threads(lambda _: threading.current_thread(), [0, 1], 2))


@pytest.mark.parametrize("threads", [1, 2])
def test_closing_ends_the_work(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    gate = threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, *args: Any, **options: Any) -> None:
            gate.set()  # what has begun is waited for; all else is cancelled by now
            super().shutdown(*args, **options)

    def work(item: int) -> int:
        begun.append(item)
        if item:
            gate.wait(30)
        return item

    monkeypatch.setattr("openbook.forest.parallel.ThreadPoolExecutor", Pool)
    results = on_threads(work, range(100), threads)
    assert next(results) == 0
    results.close()
    assert len(begun) <= (1 if threads == 1 else 1 + threads)
