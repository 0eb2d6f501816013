"""What looks on while a forest grows, and may stop it: said aloud, and with the trees that are there."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from openbook.errors import StoppedWarning
from openbook.forest import RandomForestClassifier, watching
from openbook.forest.kept import KeptTrees

X = np.random.default_rng(0).normal(size=(200, 3))
Y = (X[:, 0] > 0).astype(int)
WHOLE = RandomForestClassifier(20, random_state=0).fit(X, Y)


def assert_begins_the_whole(model: RandomForestClassifier, trees: int) -> None:
    assert len(model.trees_) == len(model.seeds_) == trees
    for own, other in zip(model.trees_, WHOLE.trees_, strict=False):
        np.testing.assert_array_equal(own.threshold, other.threshold)
    model.predict(X)


@pytest.mark.parametrize("threads", [1, 4])
def test_a_callback_may_stop(threads: int) -> None:
    seen: list[tuple[int, int]] = []

    def callback(done: int, of: int) -> bool:
        seen.append((done, of))
        return done < 5

    model = RandomForestClassifier(20, random_state=0, n_jobs=threads)
    with pytest.warns(StoppedWarning, match="5 trees instead of 20: the callback said so"):
        model.fit(X, Y, callback=callback)
    assert seen == [(k, 20) for k in range(1, 6)] and "callback" in model.stopped_
    assert_begins_the_whole(model, 5)


def test_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    model = RandomForestClassifier(20, random_state=0, max_time=3)
    with pytest.warns(StoppedWarning, match="max_time=3 seconds are over"):
        model.fit(X, Y)
    assert_begins_the_whole(model, 3)


def test_memory_is_full() -> None:
    most = KeptTrees(WHOLE.trees_[:6]).nbytes
    model = RandomForestClassifier(20, random_state=0, max_memory=most)
    with pytest.warns(StoppedWarning, match="max_memory"):
        model.fit(X, Y)
    assert 1 <= len(model.trees_) <= 6 and model.trees_.nbytes <= most
    assert_begins_the_whole(model, len(model.trees_))


def test_limits_that_are_not_reached_change_nothing(recwarn: pytest.WarningsRecorder) -> None:
    model = RandomForestClassifier(20, random_state=0, max_time=1e6, max_memory=10**12).fit(X, Y)
    assert model.stopped_ is None and not recwarn.list
    assert_begins_the_whole(model, 20)


def test_growing_on_after_a_stop() -> None:
    model = RandomForestClassifier(20, random_state=0, warm_start=True)
    with pytest.warns(StoppedWarning):
        model.fit(X, Y, callback=lambda done, of: done < 5)
    model.fit(X, Y)
    assert model.stopped_ is None
    assert_begins_the_whole(model, 20)


def test_verbose_shows_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    RandomForestClassifier(3, verbose=1).fit(X, Y)
    assert "trees" in capsys.readouterr().err


def test_the_bar_says_when_kernels_must_be_compiled(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal: every state of the bar
    for cached in (True, False):
        monkeypatch.setattr(watching, "kernels_cached", lambda cached=cached: cached)
        RandomForestClassifier(3, verbose=1).fit(X, Y)
        assert ("compiling" in capsys.readouterr().err) is not cached


def test_scikit_learns_callbacks_are_told() -> None:
    pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9 knows no callbacks")

    class Counts:
        """Told of every task; stops after seven trees."""

        def __init__(self) -> None:
            self.tasks: list[str] = []
            self.scores: list[float] = []

        def setup(self, estimator: Any, context: Any) -> None:
            self.tasks.append("setup")

        def teardown(self, estimator: Any, context: Any) -> None:
            self.tasks.append("teardown")

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
            self.tasks.append(context.task_name)

        def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any) -> bool:
            self.scores.append(fitted_estimator.score(X, Y))
            return len(self.scores) == 7

    counts = Counts()
    with pytest.warns(StoppedWarning, match="7 trees instead of 20"):
        model = RandomForestClassifier(20, random_state=0).set_callbacks(counts).fit(X, Y)
    assert counts.tasks == ["setup", "fit", *["tree"] * 7, "teardown"]
    assert len(counts.scores) == 8 and counts.scores[-1] == model.score(X, Y)
    assert_begins_the_whole(model, 7)
