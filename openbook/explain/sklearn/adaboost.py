"""AdaBoost: the votes of weak models, each weighted by how seldom it was wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor

from openbook.explain.rows.links import PROBABILITY, from_formula, sigmoid, softmax
from openbook.explain.rows.row import class_index
from openbook.explain.sklearn.account import Account, Asked, tell, tells
from openbook.explain.sklearn.chorus import MEMBERS, Member, heard
from openbook.record import Step, Table, Working, given

__all__: list[str] = []

SCORE, MEDIAN = "The score", "The median"


@tells(AdaBoostClassifier)
def _classifier(model: Any, asked: Asked) -> Account:
    """SAMME (Zhu, Zou, Rosset & Hastie 2009): a vote counts w for its class, −w/(K − 1) for every other."""
    x, classes = asked.x(model)[None], model.classes_
    codes = np.array([np.searchsorted(classes, m.predict(x)[0]) for m in model.estimators_], np.float64)
    says = given("c", codes, "the class each member calls, by its place among the classes", MEMBERS)
    weights = given(
        "w", np.asarray(model.estimator_weights_[: len(codes)], np.float64), "log of right over wrong", MEMBERS
    )
    count = given("K", len(classes), "classes", SCORE)
    two = len(classes) == 2
    votes = np.bincount(codes.astype(np.intp), weights.value, len(classes))
    chosen = class_index(classes, asked.of, votes)
    scores = [_score(model, asked, says, weights, count, k) for k in ([1] if two else range(len(classes)))]
    own = asked.by(model, "predict_proba", chosen)
    if two:
        last = [sigmoid(scores[0], bool(chosen), own)]
    else:
        eased = [from_formula(f"z_{c}", "F/(K - 1)", {"F": score, "K": count}, "eased", PROBABILITY)
                 for c, score in zip(classes, scores, strict=True)]  # fmt: skip
        last = [*eased, *softmax(eased, classes, chosen, own)]
    working = _working(model, [says, weights, count, *scores, *last], [str(classes[int(c)]) for c in codes],
                       f"the probability of {classes[chosen]}")  # fmt: skip
    return Account(working, last[-1], scores[0 if two else chosen])


def _score(model: Any, asked: Asked, says: Step, weights: Step, count: Step, k: int) -> Step:
    place = given(
        "k" if len(model.classes_) == 2 else f"k_{model.classes_[k]}", k, f"the place of {model.classes_[k]}", SCORE
    )
    inputs = {"w": weights, "c": says, "k": place, "K": count}
    if len(model.classes_) == 2:
        return from_formula("z", "2*sum(w*(2*delta(c, k) - 1))/sum(w)", {i: s for i, s in inputs.items() if i != "K"},
                            "votes for less votes against", SCORE, asked.by(model, "decision_function"))  # fmt: skip
    return from_formula(f"F_{model.classes_[k]}", "sum(w*(K*delta(c, k) - 1))/((K - 1)*sum(w))", inputs,
                        "votes for less votes against", SCORE, asked.by(model, "decision_function", k))  # fmt: skip


def _working(model: Any, steps: list[Step], said: list[str], asked_about: str) -> Working:
    weights = np.asarray(model.estimator_weights_[: len(said)], np.float64)
    order = np.argsort(-weights, kind="stable")[:40]
    rows = tuple((int(i), said[i], float(weights[i])) for i in order)
    note = "" if len(order) == len(said) else f"the {len(order)} heaviest of {len(said)}"
    return Working(
        title=f"One row before the members of scikit-learn's {type(model).__name__}",
        question=f"How does {asked_about} come about?", steps=tuple(steps), result=steps[-1].value,
        tables=(Table(MEMBERS, ("member", "says", "weight"), rows, note=note),),
        notes=("Ask a member by itself, as in ob.explain(model.estimators_[0], row=…), for its own working.",),
    )  # fmt: skip


@tells(AdaBoostRegressor)
def _regressor(model: Any, asked: Asked) -> Account:
    """The weighted median of the members (Drucker 1997)."""
    inside = replace(asked, rows=asked.x(model)[None], names=asked.called(model), index=None)
    accounts = [tell(m, inside) for m in model.estimators_]
    members = [Member(f"member {i}", a, a.answer) for i, a in enumerate(accounts)]
    says = heard("m", members, lambda: np.array([m.predict(inside.rows)[0] for m in model.estimators_]))
    weights = np.asarray(model.estimator_weights_[: len(accounts)], np.float64)
    order = np.argsort(says[-1].value)
    upto = np.cumsum(weights[order])
    middle = int(np.argmax(upto >= 0.5 * upto[-1]))
    every = given("w", weights, "the members' weights", MEDIAN)
    less = given("w_less", weights[order[:middle]], "of the members that come before in order", MEDIAN)
    own = given("w_own", float(weights[order[middle]]), "of the member in the middle", MEDIAN)
    below = from_formula(
        "before", "sum(a)/sum(w)", {"a": less, "w": every}, "share of the weight", MEDIAN, why="under a half"
    )
    through = from_formula("with it", "(sum(a) + b)/sum(w)", {"a": less, "b": own, "w": every}, "share of the weight", MEDIAN,
                           why="at least a half")  # fmt: skip
    answer = from_formula("ŷ", f"m[{order[middle]}]", {"m": says[-1]}, "weighted median", MEDIAN, asked.by(model, "predict"),
                          why=f"what member {order[middle]} says")  # fmt: skip
    steps = [*says, every, less, own, below, through, answer]
    working = _working(model, steps, [f"{v:.6g}" for v in says[-1].value], "the prediction")
    return Account(working, answer)
