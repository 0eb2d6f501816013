"""Gradient boosting: a start, learning rate × leaf for every stage, and the link from score to probability."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from openbook.explain.rows.links import from_formula, sigmoid, softmax
from openbook.explain.rows.passages import BOOKED_NOTE, Passage, means_from_below
from openbook.explain.rows.row import class_index
from openbook.explain.sklearn.account import Account, Asked, tells
from openbook.explain.sklearn.stages import STAGES, START, Ladder, raised
from openbook.explain.sklearn.trees import passage, way_down
from openbook.record import Step, Working, given

__all__: list[str] = []


@tells(GradientBoostingRegressor)
def _regressor(model: Any, asked: Asked) -> Account:
    start = given("ŷ_0", _start(model, asked)[0], "the best constant, found before any tree", START)
    ladder = Ladder("ŷ", start, _ways(model, asked, 0), (asked.by(model, "predict"),))
    result = raised([ladder], 0, _rate(model), asked.called(model))
    answer = result.scores[0]
    working = Working(
        title=f"One row through the stages of scikit-learn's {type(model).__name__}",
        question="What does every stage add to the prediction?", steps=tuple(result.steps), result=answer.value,
        tables=result.tables, notes=(BOOKED_NOTE,), displays=(result.display,),
    )  # fmt: skip
    return Account(working, answer)


@tells(GradientBoostingClassifier)
def _classifier(model: Any, asked: Asked) -> Account:
    two = len(model.classes_) == 2
    labels = [str(c) for c in model.classes_]
    names = ["F"] if two else [f"F_{c}" for c in labels]
    shares, starts = _starts(model, asked, names)
    ladders = [
        Ladder(name, start, _ways(model, asked, k), (asked.by(model, "decision_function", *(() if two else (k,))),))
        for k, (name, start) in enumerate(zip(names, starts, strict=True))
    ]
    chosen = class_index(model.classes_, asked.of, np.array([ladder.height(model.learning_rate) for ladder in ladders]))
    result = raised(ladders, chosen, _rate(model), asked.called(model))
    own = asked.by(model, "predict_proba", chosen)
    if model.loss == "exponential":
        formula = "1/(1 + exp(-2*z))" if chosen else "1/(1 + exp(2*z))"
        last = [from_formula("p", formula, {"z": result.scores[0]}, "sigmoid", "The probability", own,
                             why="the score of the exponential loss is half the log-odds")]  # fmt: skip
    else:
        last = [sigmoid(result.scores[0], bool(chosen), own)] if two else softmax(result.scores, labels, chosen, own)
    working = Working(
        title=f"One row through the stages of scikit-learn's {type(model).__name__}",
        question=f"How does the probability of {model.classes_[chosen]} come about?",
        steps=(*shares, *result.steps, *last),
        result=last[-1].value, tables=result.tables, notes=(BOOKED_NOTE,), displays=(result.display,),
    )  # fmt: skip
    return Account(working, last[-1], result.scores[0 if two else chosen])


def _rate(model: Any) -> Step:
    return given("ν", float(model.learning_rate), "the learning rate", STAGES)


def _start(model: Any, asked: Asked) -> np.ndarray:
    """The score of every class before the first stage."""
    return np.asarray(model._raw_predict_init(asked.x(model)[None]), np.float64)[0]


def _starts(model: Any, asked: Asked, scores: list[str]) -> tuple[list[Step], list[Step]]:
    """The shares of the classes, where the start is made of them, and the start of every score."""
    names = [f"{score}_0" for score in scores]
    if not isinstance(model.init_, DummyClassifier):
        why = "init='zero'" if isinstance(model.init_, str) else "what the model given as init= says"
        return [], [given(name, float(v), why, START) for name, v in zip(names, _start(model, asked), strict=True)]
    prior = given("q", np.asarray(model.init_.class_prior_), "the share of each class among the training rows", START)
    if len(names) > 1:
        return [prior], [
            from_formula(
                name, f"log(q[{k}]) - mean(log(q))", {"q": prior}, "log share", START, why="less the mean log share"
            )
            for k, name in enumerate(names)
        ]
    formula = "log(q[1]/q[0])/2" if model.loss == "exponential" else "log(q[1]/q[0])"
    return [prior], [from_formula(names[0], formula, {"q": prior}, "log-odds of the classes", START)]


def _ways(model: Any, asked: Asked, k: int) -> list[Passage]:
    """The row's way through each stage's tree for class k."""
    x, names = asked.x(model).astype(np.float32), asked.called(model)
    ways = []
    for stage in model.estimators_:
        tree = stage[k].tree_
        means = means_from_below(tree.children_left, tree.children_right, tree.value[:, 0, 0], tree.n_node_samples)
        nodes, _ = way_down(tree, x)
        ways.append(passage(tree, x, means[nodes, None], names))
    return ways
