"""Trees and forests as scikit-learn estimators.

Each class is a dataclass: its fields, and those of what it is made of, are its parameters, each written down once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from openbook.errors import InputError
from openbook.forest.classifying import Classifies, balanced
from openbook.forest.forests import Forest
from openbook.forest.labels import each_classes, parts_of
from openbook.forest.quantiles import Quantiles
from openbook.forest.regressing import Regresses
from openbook.forest.single import SingleTree
from openbook.forest.training import Sample, Target

__all__ = ["DecisionTreeClassifier", "DecisionTreeRegressor", "RandomForestClassifier", "RandomForestRegressor"]


@dataclass(eq=False, repr=False, kw_only=True)
class DecisionTreeClassifier(Classifies, SingleTree):
    """A tree that asks one question at a time until its leaves are pure; probabilities are the leaves' class fractions.

    Parameters mean what they mean in scikit-learn. Missing values (NaN) are learnt.
    """


@dataclass(eq=False, repr=False, kw_only=True)
class DecisionTreeRegressor(Regresses, SingleTree):
    """A tree that asks one question at a time; its prediction is the mean target of a leaf.

    Parameters mean what they mean in scikit-learn. Missing values (NaN) are learnt.
    """


@dataclass(eq=False, repr=False, kw_only=True)
class RandomForestClassifier(Classifies, Forest):
    """Trees over bootstrap samples, each split choosing among a few random features (Breiman 2001).

    `voting` says what `predict_proba` is: "soft", the mean of the trees' leaf fractions (as in scikit-learn), or "hard",
    the share of trees voting for a class. With `oob_score=True`, `oob_decision_function_` holds for each training row
    the probabilities from the trees that did not see it (NaN where every tree did). `max_time` (seconds) and `max_memory`
    (bytes of the trees' arrays) end growing early, with a StoppedWarning and the reason in `stopped_`. The other parameters
    mean what they mean in scikit-learn. The same `random_state` gives the same forest on any number of threads (`n_jobs`).
    """

    max_features: Any = "sqrt"
    voting: str = "soft"

    _single: ClassVar[type] = DecisionTreeClassifier

    def _named_class_weights(self) -> tuple[str, ...]:
        return "balanced", "balanced_subsample"

    def _by_class(self, y: np.ndarray, targets: tuple[Target, ...]) -> np.ndarray:
        return targets[0].weight if self._balances_samples() else super()._by_class(y, targets)

    def _balances_samples(self) -> bool:
        return self.bootstrap and isinstance(self.class_weight, str) and self.class_weight == "balanced_subsample"

    def _sampling(self, targets: tuple[Target, ...]) -> Sample:
        counts = super()._sampling(targets)
        if not self._balances_samples():
            return counts
        return lambda seed: counts(seed) * balanced(targets, counts(seed))

    def _keep_oob(self, means: np.ndarray, targets: tuple[Target, ...]) -> None:
        widths = self._widths()
        if len(set(widths)) > 1 or (len(widths) > 1 and widths[0] > 2):
            raise InputError(
                "The type of target cannot be used to compute OOB estimates: several outputs of more than two classes",
                where="oob_score", do="fit one forest for each output",
            )  # fmt: skip
        by_output = np.stack(parts_of(means, widths), axis=2)  # rows, classes, outputs
        self.oob_decision_function_ = by_output[..., 0] if len(widths) == 1 else by_output
        seen = ~np.isnan(means[:, 0])
        winners = np.argmax(by_output[seen], axis=1)
        classes = each_classes(self.classes_)
        told = np.stack([c[winners[:, o]] for o, c in enumerate(classes)], axis=1)
        true = np.stack([c[t.y[seen]] for c, t in zip(classes, targets, strict=True)], axis=1)
        self.oob_score_ = self._oob_figure(true, told)

    def _oob_figure(self, true: np.ndarray, told: np.ndarray) -> float:
        if callable(self.oob_score):
            return float(self.oob_score(*(a[:, 0] if a.shape[1] == 1 else a for a in (true, told))))
        return float(np.mean((true == told).all(axis=1)))

    def _losses(self, tree: Any, X: np.ndarray, y: np.ndarray) -> float:
        return float(np.mean(tree._predicted(X).reshape(y.shape) != y))


@dataclass(eq=False, repr=False, kw_only=True)
class RandomForestRegressor(Quantiles, Regresses, Forest):
    """The mean of trees over bootstrap samples (Breiman 2001).

    With `oob_score=True`, `oob_prediction_` holds each training row's mean over the trees that did not see it (NaN where
    every tree did), `oob_score_` their R². With `keep_targets=True` the forest knows the targets in each leaf, for
    `predict_quantiles`. `max_time` (seconds) and `max_memory` (bytes of the trees' arrays) end growing early, with a
    StoppedWarning and the reason in `stopped_`. The other parameters mean what they mean in scikit-learn.
    """

    max_features: Any = 1.0

    _single: ClassVar[type] = DecisionTreeRegressor

    def _keep_oob(self, means: np.ndarray, targets: tuple[Target, ...]) -> None:
        from sklearn.metrics import r2_score

        self.oob_prediction_ = means[:, 0] if means.shape[1] == 1 else means
        true = np.stack([target.y for target in targets], axis=1)
        self.oob_residuals_ = (true - means)[:, 0] if means.shape[1] == 1 else true - means
        seen = ~np.isnan(means[:, 0])
        measure = self.oob_score if callable(self.oob_score) else r2_score
        self.oob_score_ = float(measure(*(a[seen, 0] if a.shape[1] == 1 else a[seen] for a in (true, means))))

    def _losses(self, tree: Any, X: np.ndarray, y: np.ndarray) -> float:
        return float(np.mean((tree._predicted(X).reshape(y.shape) - y) ** 2))
