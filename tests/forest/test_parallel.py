"""Work on several threads: results in order, and nothing begun once nobody waits for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from openbook.forest import RandomForestClassifier
from openbook.forest.parallel import on_threads
from openbook.forest.training import Grower

WORTH_THREADS = Grower.worth_threads


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


def test_one_of_the_threads_is_the_callers() -> None:
    own = threading.current_thread()
    assert list(on_threads(lambda _: threading.current_thread(), [0], 8)) == [own]
    all_at_once = threading.Barrier(3)

    def work(_: int) -> threading.Thread:
        all_at_once.wait(30)
        return threading.current_thread()

    found = set(on_threads(work, range(3), 3))
    assert len(found) == 3 and own in found


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("bad", [0, 1, 6])
def test_what_goes_wrong_is_told_and_ends_the_work(threads: int, bad: int) -> None:
    def work(item: int) -> int:
        if item == bad:
            raise ValueError(f"item {item}")
        return item

    with pytest.raises(ValueError, match=f"item {bad}"):
        list(on_threads(work, range(7), threads))


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_closing_ends_the_work(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    first, gate, own = threading.Event(), threading.Event(), threading.current_thread()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, *args: Any, **options: Any) -> None:
            gate.set()  # what has begun is waited for; all else is cancelled by now
            super().shutdown(*args, **options)

    def work(item: int) -> int:
        begun.append(item)
        if not item:
            first.set()
        elif threading.current_thread() is own:
            first.wait(30)
        else:
            gate.wait(30)
        return item

    monkeypatch.setattr("openbook.forest.parallel.ThreadPoolExecutor", Pool)
    results = on_threads(work, range(100), threads)
    assert next(results) == 0
    results.close()
    assert len(begun) <= (1 if threads == 1 else 1 + threads)


@pytest.mark.parametrize("rows, features, threads", [(75, 2, 1), (1000, 2, 2), (75, 40, 2)])
def test_little_work_is_done_on_one_thread(
    rows: int, features: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[int] = []

    def noted(work: Any, items: Any, threads: int) -> Any:
        used.append(threads)
        return on_threads(work, items, threads)

    monkeypatch.setattr("openbook.forest.training.on_threads", noted)
    monkeypatch.setattr(Grower, "worth_threads", WORTH_THREADS)
    X = np.random.default_rng(0).normal(size=(rows, 40))
    RandomForestClassifier(100, max_features=features, random_state=0, n_jobs=2).fit(X, X[:, 0] > 0)
    assert used == [threads]
