"""A whole study: three models on one table, calibrated, compared on rows none of them has seen."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from openbook.decide import BestThreshold, Judgement, Metric, best_threshold, score_table
from openbook.decide.threshold import at_thresholds
from openbook.study.models import Fitted, fit_forest, fit_linear, fit_network
from openbook.study.options import Options
from openbook.study.prepare import Rows, Task, prepare
from openbook.threads import one_blas_thread

__all__ = ["Study", "Watcher", "run"]

_JUDGE = {"two": "log loss", "many": "log loss", "regression": "RMSE"}  # what picks the model, on validation rows


class Watcher:
    """Told what is going on; does nothing with it. The command line shows it."""

    def say(self, sentence: str) -> None:
        """A sentence for the reader."""

    def stage(self, name: str) -> Callable[[int, int], None]:
        """A stage begins; the function returned is told how far it is."""
        return lambda done, of: None


@dataclass(frozen=True, eq=False)
class Study:
    """Models by name, their scores on the held-out rows, thresholds (two classes), and the row that is followed."""

    options: Options
    task: Task
    models: Mapping[str, Fitted]
    straight: Fitted
    judgements: Mapping[str, Judgement]
    scores: Mapping[str, Mapping[str, float]]
    thresholds: Mapping[str, BestThreshold]
    chosen: str
    row: int
    seconds: Mapping[str, float]

    @property
    def best(self) -> Fitted:
        """The model that did best on the validation rows."""
        return self.models[self.chosen]

    def predictions(self, name: str, rows: Rows | None = None) -> np.ndarray:
        """Calibrated predictions of one model (on the test rows by default)."""
        return self.models[name].predict(self.task.test if rows is None else rows)


def run(options: Options, watcher: Watcher | None = None) -> Study:
    """Prepare, fit, calibrate, choose thresholds, compare. Deterministic for a seed, whatever the number of threads."""
    watch = watcher or Watcher()
    metric = Metric(options.metric)  # a misspelt metric should not cost a minute of training
    task = prepare(options)
    for guess in task.guesses:
        watch.say(str(guess))
    threads = options.threads or os.cpu_count() or 1
    seconds: dict[str, float] = {}

    def timed(name: str, fit: Callable[[Callable[[int, int], None]], Fitted]) -> Fitted:
        began = time.perf_counter()
        fitted = fit(watch.stage(name)).calibrate(task)
        seconds[name] = time.perf_counter() - began
        return fitted

    with one_blas_thread():
        models = {
            "linear": timed("linear", lambda p: fit_linear(task, options, p)),
            "network": timed("network", lambda p: fit_network(task, options, p)),
            "forest": timed("forest", lambda p: fit_forest(task, options, p, threads)),
        }
        straight = timed("network without activations", lambda p: fit_network(task, options, p, straight=True))
        steering = {name: m.predict(task.validation) for name, m in models.items()}
        judging = {name: m.predict(task.test) for name, m in (*models.items(), ("straight net", straight))}
        thresholds = _thresholds(task, steering, metric)
        judgements = {name: Judgement(task.kind, task.test.y, given) for name, given in judging.items()}
        scores = {name: _scores(judged, thresholds.get(name)) for name, judged in judgements.items()}
        row = _telling_row(task, judging["forest"])
    return Study(options, task, models, straight, judgements, scores, thresholds, _choose(task, steering), row, seconds)


def _thresholds(task: Task, steering: Mapping[str, np.ndarray], metric: Metric) -> dict[str, BestThreshold]:
    """The best threshold of each model on the validation rows; two classes only."""
    if task.kind != "two":
        return {}
    return {name: best_threshold(task.validation.y, p[:, 1], metric) for name, p in steering.items()}


def _scores(judged: Judgement, threshold: BestThreshold | None) -> dict[str, float]:
    scores = dict(judged.values)
    if threshold is not None:
        outcome = at_thresholds(judged.y, judged.given[:, 1], [threshold.threshold], threshold.metric).rows[0]
        scores[f"{threshold.metric} at T"] = outcome.value
        scores["T"] = threshold.threshold
    return scores


def _choose(task: Task, steering: Mapping[str, np.ndarray]) -> str:
    """The model with the least loss on the validation rows."""
    judge = _JUDGE[task.kind]
    losses = {name: score_table(task.kind, task.validation.y, p)[judge] for name, p in steering.items()}
    return min(losses, key=lambda name: losses[name])


def _telling_row(task: Task, forest: np.ndarray) -> int:
    """A test row about which the forest is neither sure nor at a loss: there is something to see."""
    if task.kind == "regression":
        return int(np.argsort(forest, kind="stable")[len(forest) // 2])
    largest = forest.max(axis=1)
    return int(np.argmin(np.abs(largest - 0.73)))
