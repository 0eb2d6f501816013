"""What can be said of a case before anything is suspected: the kind of its loss, of its targets, and what chance gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from openbook.diagnose.case import Case, calm, quietly

__all__ = ["Facts", "entropy", "facts_of", "one_hot", "surprise"]

_BY_NAME = {
    "CrossEntropyLoss": "cross_entropy", "NLLLoss": "nll_loss", "BCELoss": "bce", "BCEWithLogitsLoss": "bce_with_logits",
    "MSELoss": "mse_loss", "L1Loss": "l1_loss", "HuberLoss": "huber_loss", "SmoothL1Loss": "smooth_l1_loss",
    "cross_entropy": "cross_entropy", "nll_loss": "nll_loss", "binary_cross_entropy": "bce",
    "binary_cross_entropy_with_logits": "bce_with_logits", "mse_loss": "mse_loss", "l1_loss": "l1_loss",
    "huber_loss": "huber_loss", "smooth_l1_loss": "smooth_l1_loss",
}  # fmt: skip
KINDS = frozenset(_BY_NAME.values())
REGRESSION = ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss")
_MOST_CLASSES = 50


@dataclass(frozen=True, eq=False)
class Facts:
    """Facts about one case, each found when first asked for."""

    case: Case

    @cached_property
    def outputs(self) -> np.ndarray | None:
        """What the model gives on all rows; None where it fails."""
        try:
            found = self.case.outputs()
        except Exception:
            return None
        return found if isinstance(found, np.ndarray) else None

    @cached_property
    def problem(self) -> str:
        """What the loss says when it refuses outputs and targets; empty where it gives a number."""
        try:
            self.case.measure(self.case.fresh())
        except Exception as problem:
            return str(problem).split("\n")[0] or type(problem).__name__
        return ""

    @cached_property
    def loss_kind(self) -> str:
        """The loss, under the name its operation has here, or "" for one that nobody knows."""
        loss = self.case.loss
        name = _BY_NAME.get(type(loss).__name__) or _BY_NAME.get(getattr(loss, "__name__", ""), "")
        return name or self._by_record() or self._by_value()

    def _by_record(self) -> str:
        """A loss of the user's own, by the operations it records between the outputs and its value."""
        case = self.case
        try:
            with quietly(), case.engine.recording(), case.engine.seeded(0):
                outputs = case.forward(calm(case.fresh()), case.sample)
                value = case.loss(outputs, case.engine.tensor(case.sample.targets))
                operations = case.engine.operations(value)
                behind = {o.key for o in case.engine.operations(outputs)}
        except Exception:
            return ""
        names = {o.name for o in operations if o.key not in behind}
        if {"nll_loss", "log_softmax"} <= names:
            return "cross_entropy"
        known = names & KINDS
        return known.pop() if len(known) == 1 else ""

    def _by_value(self) -> str:
        """A loss of the user's own, by the number it gives."""
        outputs, targets = self.outputs, self.case.sample.targets
        if outputs is None or self.problem or outputs.size != targets.size:
            return ""
        value = self.case.measure(self.case.fresh())
        for pairing in (outputs - targets.reshape(outputs.shape), _broadcast_difference(outputs, targets)):
            if pairing is None:
                continue
            for kind, entries in (("mse_loss", pairing**2), ("l1_loss", np.abs(pairing))):
                if np.isclose(value, np.mean(entries, dtype=np.float64), rtol=1e-4):
                    return kind
        return ""

    # --- targets -----------------------------------------------------------------------------------------------

    @cached_property
    def whole(self) -> bool:
        """Whether all targets are whole numbers, in whatever dtype."""
        y = self.case.sample.targets
        return y.dtype.kind in "iub" or bool(np.all(y == np.round(y)))

    @cached_property
    def one_hot(self) -> bool:
        """Whether every row of the targets holds a single 1 among zeros."""
        y = self.case.sample.targets
        if y.ndim != 2 or y.shape[1] < 2:
            return False
        return bool(np.all((y == 0) | (y == 1)) and np.all(y.sum(axis=1) == 1))

    @cached_property
    def labels(self) -> np.ndarray | None:
        """The class of each row, from 0, where the targets are classes; None for real numbers and several targets."""
        y = self.case.sample.targets
        if self.one_hot:
            return y.argmax(axis=1)
        flat = y.reshape(len(y), -1)
        if flat.shape[1] != 1 or not self.whole:
            return None
        found, labels = np.unique(flat[:, 0], return_inverse=True)
        return labels.reshape(-1) if 2 <= len(found) <= min(_MOST_CLASSES, max(2, len(y) // 4)) else None

    @cached_property
    def classes(self) -> int:
        return 0 if self.labels is None else int(self.labels.max()) + 1

    @cached_property
    def probabilities(self) -> np.ndarray | None:
        """Of each class, from the outputs by the loss's own reading; None where it reads none."""
        return probabilities(self.loss_kind, self.outputs, self.classes)

    @cached_property
    def chance(self) -> float:
        """The loss of the best constant answer; the loss as it stands, where the kind of loss is not known."""
        y, kind = self.case.sample.targets.astype(np.float64), self.loss_kind
        if kind in ("cross_entropy", "nll_loss", "bce", "bce_with_logits") and self.labels is not None:
            return entropy(self.labels)
        if kind in ("mse_loss", "huber_loss", "smooth_l1_loss"):
            return float(np.mean(np.var(y, axis=0)))
        if kind == "l1_loss":
            return float(np.mean(np.abs(y - np.median(y, axis=0))))
        return self.now

    @cached_property
    def now(self) -> float:
        """The loss as it stands; ∞ where there is none."""
        return np.inf if self.problem else self.case.measure(self.case.fresh())


def _broadcast_difference(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray | None:
    try:
        return outputs - targets
    except ValueError:
        return None


def facts_of(case: Case) -> Facts:
    """The facts of a case, found once: they live with the case."""
    if "facts" not in case.notes:
        case.notes["facts"] = Facts(case)
    return case.notes["facts"]


def entropy(labels: np.ndarray) -> float:
    """−Σ p ln p of the classes' shares: the log loss of always saying these shares."""
    share = np.bincount(labels) / len(labels)
    share = share[share > 0]
    return float(-np.sum(share * np.log(share)))


def one_hot(labels: np.ndarray) -> np.ndarray:
    """A column for each class."""
    return np.eye(int(labels.max()) + 1)[labels]


def probabilities(kind: str, outputs: Any, classes: int) -> np.ndarray | None:
    """(rows, classes) by the reading of a loss: softmax, exp, sigmoid or as they are."""
    if outputs is None or outputs.ndim not in (1, 2) or classes < 2:
        return None
    scores = outputs.reshape(len(outputs), -1).astype(np.float64)
    if kind in ("cross_entropy", "nll_loss") and scores.shape[1] >= classes:
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    if kind in ("bce", "bce_with_logits") and scores.shape[1] == 1 and classes == 2:
        p = scores[:, 0] if kind == "bce" else 0.5 * (1 + np.tanh(scores[:, 0] / 2))
        return np.column_stack([1 - p, p])
    return None


def surprise(given: np.ndarray, labels: np.ndarray) -> float:
    """The mean of −ln of the probability given to what is true."""
    likely = np.clip(given[np.arange(len(labels)), labels], 1e-12, 1.0)
    return float(-np.mean(np.log(likely)))
