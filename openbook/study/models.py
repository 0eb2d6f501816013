"""The three models of a study, fitted and calibrated, behind one face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from openbook import nn
from openbook.decide import TemperatureScaling
from openbook.forest import RandomForestClassifier, RandomForestRegressor
from openbook.linear import LinearRegression, LogisticRegression
from openbook.study.network import History, NetworkPlan, build, criterion_for, logits_of, train
from openbook.study.options import Options
from openbook.study.prepare import Rows, Task

__all__ = ["Fitted", "Network", "fit_forest", "fit_linear", "fit_network"]

Progress = Callable[[int, int], None]
_LEAST_LIKELY = 1e-6  # a forest's 0 means "none of these trees", not "never": its logarithm is taken from here


@dataclass(eq=False)
class Fitted:
    """A model with its calibration: `predict(rows)` gives calibrated probabilities (rows, classes), or numbers."""

    name: str
    how: str
    model: Any
    raw: Callable[[Rows], np.ndarray]  # logits (rows, classes), or predicted numbers
    scaling: TemperatureScaling | None = None

    def predict(self, rows: Rows) -> np.ndarray:
        out = self.raw(rows)
        return self.scaling(out) if self.scaling is not None else out

    def calibrate(self, task: Task) -> Fitted:
        """Choose the temperature on the validation rows."""
        if task.kind != "regression":
            self.scaling = TemperatureScaling.learn(self.raw(task.validation), task.validation.y)
        return self


@dataclass(eq=False)
class Network:
    """A trained net with what is needed to use it again: its losses, and the scale of a numeric target."""

    net: nn.Sequential
    plan: NetworkPlan
    criterion: Callable[[Any, Any], Any]
    history: History = field(default_factory=History)
    centre: float = 0.0
    scale: float = 1.0

    def targets(self, y: np.ndarray, kind: str, dtype: Any = np.float32) -> np.ndarray:
        """Targets as the criterion takes them."""
        if kind == "many":
            return y.astype(np.int64)
        return ((y - self.centre) / self.scale).astype(dtype)[:, None]


def fit_linear(task: Task, options: Options, progress: Progress) -> Fitted:
    """A straight model by Newton steps: least squares, or logistic regression."""
    rows = task.train
    if task.kind == "regression":
        line = LinearRegression(ridge=1e-6).fit(rows.design, rows.y)
        how = "least squares in one Newton step on standardised columns, a trace of ridge (1e-6) against collinear ones"
        return Fitted("linear", how, line, lambda r: line.predict(r.design))
    logistic = LogisticRegression().fit(rows.design, rows.y)
    progress(1, 1)

    def raw(r: Rows) -> np.ndarray:
        z = logistic.decision_function(r.design)
        return np.column_stack([np.zeros(len(z)), z]) if z.ndim == 1 else z

    how = f"logistic regression by {logistic.n_iter_} Newton steps on standardised columns, C = 1"
    return Fitted("linear", how, logistic, raw)


def fit_forest(task: Task, options: Options, progress: Progress, threads: int) -> Fitted:
    """A random forest; leaves of several rows where there are enough, for steadier probabilities."""
    n = len(task.train.y)
    trees = 50 if options.quick else 300
    leaf = 5 if n >= 5000 else 2
    common: dict[str, Any] = {
        "n_estimators": trees, "min_samples_leaf": leaf, "oob_score": True, "random_state": options.seed, "n_jobs": threads,
    }  # fmt: skip
    forest: Any
    if task.kind == "regression":
        forest = RandomForestRegressor(max_features=1 / 3, **common)
    else:
        forest = RandomForestClassifier(criterion="entropy", **common)
    forest.fit(task.train.tree, task.train.y, callback=progress)
    how = f"{trees} trees, leaves of at least {leaf} rows (steadier probabilities than single rows), "
    if task.kind == "regression":
        how += "a third of the columns tried at each split (Breiman's rule for numbers)"
        return Fitted("forest", how, forest, lambda r: forest.predict(r.tree))
    how += "splits by entropy (the log loss of the leaves' own fractions), √columns tried at each split"
    return Fitted("forest", how, forest, lambda r: np.log(np.maximum(forest.predict_proba(r.tree), _LEAST_LIKELY)))


def fit_network(task: Task, options: Options, progress: Progress, straight: bool = False) -> Fitted:
    """A net on our own Tensor; `straight` leaves its activations out, the rest the same."""
    plan = NetworkPlan.for_rows(len(task.train.y), options.quick, options.seed, nn.Identity if straight else nn.ReLU)
    outputs = task.target.classes if task.kind == "many" else 1
    network = Network(
        build(task.train.design.shape[1], outputs, plan), plan, criterion_for(task.target.task, task.target.classes)
    )
    if task.kind == "regression":
        network.centre, network.scale = float(task.train.y.mean()), float(task.train.y.std()) or 1.0
    both = [(r.design.astype(np.float32), network.targets(r.y, task.kind)) for r in (task.train, task.validation)]
    network.history = train(network.net, network.criterion, both[0], both[1], plan,
                            lambda epoch, epochs, loss: progress(epoch, epochs))  # fmt: skip

    def raw(r: Rows) -> np.ndarray:
        z = logits_of(network.net, r.design.astype(np.float32))
        if task.kind == "regression":
            return z[:, 0] * network.scale + network.centre
        return np.column_stack([np.zeros(len(z)), z[:, 0]]) if task.kind == "two" else z

    layers = "–".join(map(str, plan.hidden))
    how = (
        f"hidden layers {layers}, {'no activation' if straight else 'ReLU'}, dropout {plan.dropout:g}, AdamW at {plan.lr:g} with a "
        f"cosine schedule; the weights of epoch {network.history.best + 1}, where the validation loss was least"
    )
    return Fitted("straight net" if straight else "network", how, network, raw)
