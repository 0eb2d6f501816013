"""Histogram gradient boosting: like gradient boosting, with missing values and categories of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from openbook.explain.rows.links import from_formula, sigmoid, softmax
from openbook.explain.rows.passages import BOOKED_NOTE, Passage, means_from_below
from openbook.explain.rows.row import class_index
from openbook.explain.sklearn.account import Account, Asked, tells
from openbook.explain.sklearn.stages import START, Ladder, Raised, raised
from openbook.record import Step, Witness, Working, given

__all__: list[str] = []

_LOG_LINKS = ("poisson", "gamma")
_NAMED = 6  # levels of a category


_RATE_NOTE = "A leaf of histogram gradient boosting holds its value times the learning rate already."


@tells(HistGradientBoostingRegressor)
def _regressor(model: Any, asked: Asked) -> Account:
    own = asked.by(model, "predict")
    if model.loss in _LOG_LINKS:
        result = _climbed(model, asked, ["F"], [()], lambda raw: 0)
        answer = from_formula("ŷ", "exp(F)", {"F": result.scores[0]}, "exponential", "The prediction", own,
                              why="the inverse of the log link")  # fmt: skip
        return Account(_working(model, result, [answer], "the prediction"), answer)
    result = _climbed(model, asked, ["ŷ"], [(own,)], lambda raw: 0)
    return Account(_working(model, result, [], "the prediction"), result.scores[0])


@tells(HistGradientBoostingClassifier)
def _classifier(model: Any, asked: Asked) -> Account:
    two = len(model.classes_) == 2
    labels = [str(c) for c in model.classes_]
    scored = [(asked.by(model, "decision_function", *(() if two else (k,))),) for k in range(1 if two else len(labels))]
    names = ["F"] if two else [f"F_{c}" for c in labels]
    result = _climbed(model, asked, names, scored, lambda raw: class_index(model.classes_, asked.of, raw))
    own = asked.by(model, "predict_proba", result.chosen)
    score = result.scores[0 if two else result.chosen]
    last = [sigmoid(score, bool(result.chosen), own)] if two else softmax(result.scores, labels, result.chosen, own)
    working = _working(model, result, last, f"the probability of {model.classes_[result.chosen]}")
    return Account(working, last[-1], score)


def _working(model: Any, result: Raised, last: list[Step], asked_about: str) -> Working:
    steps = (*result.steps, *last)
    return Working(
        title=f"One row through the stages of scikit-learn's {type(model).__name__}",
        question=f"How does {asked_about} come about?", steps=steps,
        result=last[-1].value if last else result.scores[0].value, tables=result.tables, notes=(BOOKED_NOTE, _RATE_NOTE),
        displays=(result.display,),
    )  # fmt: skip


def _climbed(
    model: Any,
    asked: Asked,
    names: Sequence[str],
    own: Sequence[tuple[Witness, ...]],
    choose: Callable[[np.ndarray], int],
) -> Raised:
    """Every class's score, from its start by the leaves of all stages; `choose` the class by them."""
    row = _Encoded.of(model, asked)
    starts = np.ravel(model._baseline_prediction)
    ladders = [
        Ladder(name, given(f"{name}_0", float(starts[k]), "the best constant, found before any tree", START),
               [row.through(stage[k]) for stage in model._predictors], own[k])
        for k, name in enumerate(names)
    ]  # fmt: skip
    return raised(ladders, choose(np.array([ladder.height(1.0) for ladder in ladders])), None, row.names)


@dataclass(frozen=True, eq=False)
class _Encoded:
    """The row as the trees see it: categories as numbers, ahead of the other columns. `categories` are their names by column."""

    x: np.ndarray
    names: list[str]
    categories: dict[int, Sequence[Any]]

    @classmethod
    def of(cls, model: Any, asked: Asked) -> _Encoded:
        x, names = np.asarray(model._preprocess_X(asked.rows, reset=False))[0], asked.called(model)
        if model.is_categorical_ is None:
            return cls(x, names, {})
        encoder = model._preprocessor.named_transformers_["encoder"]
        order = np.argsort(~model.is_categorical_, kind="stable")
        return cls(x, [names[i] for i in order], dict(enumerate(getattr(encoder, "categories_", ()))))

    def through(self, predictor: Any) -> Passage:
        """The row's way through one tree, on which nodes hold the mean of the leaves below."""
        nodes = predictor.nodes
        means = means_from_below(nodes["left"], nodes["right"], nodes["value"], nodes["count"])
        node, way, turns = 0, [0], []
        while not nodes[node]["is_leaf"]:
            turns.append(self._goes_left(predictor, nodes[node]))
            node = int(nodes[node]["left" if turns[-1] else "right"])
            way.append(node)
        asked = nodes[way[:-1]]

        def words() -> tuple[str, ...]:
            return tuple(self._words(predictor, at, left) for at, left in zip(asked, turns, strict=True))

        return Passage(asked["feature_idx"].astype(np.intp), means[way][:, None], words)

    def _goes_left(self, predictor: Any, node: Any) -> bool:
        value = self.x[node["feature_idx"]]
        if np.isnan(value) or (node["is_categorical"] and value < 0):
            return bool(node["missing_go_to_left"])
        if node["is_categorical"]:
            return _holds(predictor.raw_left_cat_bitsets[node["bitset_idx"]], int(value))
        return bool(value <= node["num_threshold"])

    def _words(self, predictor: Any, node: Any, left: bool) -> str:
        feature = int(node["feature_idx"])
        if np.isnan(self.x[feature]):
            return f"{self.names[feature]} is missing"
        if not node["is_categorical"]:
            return f"{self.names[feature]} {'≤' if left else '>'} {node['num_threshold']:.6g}"
        levels = self.categories[feature]
        named = [str(c) for code, c in enumerate(levels)
                 if _holds(predictor.raw_left_cat_bitsets[node["bitset_idx"]], code)]  # fmt: skip
        more = [f"{len(named) - _NAMED} more"] if len(named) > _NAMED else []
        return f"{self.names[feature]} {'∈' if left else '∉'} {{{', '.join([*named[:_NAMED], *more])}}}"


def _holds(bits: np.ndarray, code: int) -> bool:
    """Whether a set of whole numbers, kept as bits in words of 32, holds this one."""
    return bool((int(bits[code // 32]) >> (code % 32)) & 1)
