"""Learning classes: targets, class weights, probabilities, votes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from openbook.forest.base import TreeBased
from openbook.forest.labels import by_output, counted, widths_of, winners
from openbook.forest.parameters import one_of
from openbook.forest.prediction import leaf_values, means_at_once, vote_shares
from openbook.forest.training import Target

__all__ = ["Classifies", "balanced"]


@dataclass(eq=False, repr=False, kw_only=True)
class Classifies(ClassifierMixin, TreeBased):
    """Learning classes. With several outputs, what holds for one is a list with an entry for each."""

    criterion: str = "gini"
    class_weight: Any = None

    def _criteria(self) -> tuple[str, ...]:
        return "gini", "entropy", "log_loss"

    def _targets(self, y: np.ndarray, weight: np.ndarray) -> tuple[Target, ...]:
        check_classification_targets(y)
        columns = [y] if y.ndim == 1 else list(y.T)
        found = [np.unique(column) for column in columns]
        self.classes_ = found if self.n_outputs_ > 1 else found[0]
        self.n_classes_ = counted(self.classes_)
        targets = tuple(
            Target(np.searchsorted(classes, column).astype(np.int32), weight, len(classes))
            for classes, column in zip(found, columns, strict=True)
        )
        weight = self._by_class(y, targets)
        return tuple(replace(target, weight=weight) for target in targets)

    def _by_class(self, y: np.ndarray, targets: tuple[Target, ...]) -> np.ndarray:
        """The weight of each row, its class's weight included."""
        weight = targets[0].weight
        if self.class_weight is None:
            return weight
        if isinstance(self.class_weight, str):
            one_of("class_weight", self.class_weight, self._named_class_weights())
            return weight * balanced(targets)
        return weight * compute_sample_weight(self.class_weight, y)

    def _named_class_weights(self) -> tuple[str, ...]:
        return ("balanced",)

    def _widths(self) -> tuple[int, ...]:
        return widths_of(self.classes_)

    def predict_proba(self, X: Any, voting: str | None = None) -> Any:
        """The probability of each class (rows, classes), in the order of `classes_`.

        "soft": the mean of the leaves' class fractions. "hard": the share of trees whose leaf's largest class it is.
        """
        means = means_at_once(self, X) if voting is None else None
        return self._probabilities(self.encoded(X), voting) if means is None else means

    def _probabilities(self, X: Any, voting: str | None = None) -> Any:
        voting = one_of("voting", voting or getattr(self, "voting", "soft"), ("soft", "hard"))
        shares = (vote_shares if voting == "hard" else leaf_values)(self._walk(), X, self._threads())
        return by_output(shares, self.classes_)

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of `predict_proba`; −∞ where a probability is 0."""
        with np.errstate(divide="ignore"):
            found = self.predict_proba(X)
            return [np.log(p) for p in found] if isinstance(found, list) else np.log(found)

    def votes(self, X: Any) -> Any:
        """How many trees vote for each class (rows, classes)."""
        X = self.encoded(X)
        shares = vote_shares(self._walk(), X, self._threads())
        return by_output(np.rint(shares * len(self.trees_)).astype(np.int64), self.classes_)

    def predict(self, X: Any) -> np.ndarray:
        """The class with the largest probability; of equal ones, the first. (rows,), or (rows, outputs)."""
        return winners(self.predict_proba(X), self.classes_)

    def _predicted(self, X: Any) -> np.ndarray:
        return winners(self._probabilities(X), self.classes_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def balanced(targets: tuple[Target, ...], drawn: np.ndarray | None = None) -> np.ndarray:
    """Factors that make all classes weigh the same: weight of all / (classes × weight of the class); over several outputs
    their product. `drawn` says how often each row counts."""
    factor = np.ones(len(targets[0].y))
    for target in targets:
        weight = target.weight if drawn is None else drawn
        by_class = np.bincount(target.y, weight, target.classes)
        present = int((by_class > 0).sum())
        with np.errstate(divide="ignore"):
            factor *= (weight.sum() / (present * by_class))[target.y]
    return np.where(np.isfinite(factor), factor, 0.0)
