"""Bagging, voting, and one model for each class: what every member says, and their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.ensemble import BaggingClassifier, BaggingRegressor, VotingClassifier, VotingRegressor
from sklearn.multiclass import OneVsRestClassifier

from openbook.errors import ExplainError
from openbook.explain.rows.links import PROBABILITY, from_formula, shares
from openbook.explain.rows.row import class_index
from openbook.explain.sklearn.account import Account, Asked, tell, tells
from openbook.explain.sklearn.chorus import MEMBERS, Member, heard, mean_of
from openbook.record import Step, Table, Working, given

__all__: list[str] = []

MEAN, VOTE = "The mean", "The vote"


@tells(BaggingRegressor, VotingRegressor)
def _regressor(model: Any, asked: Asked) -> Account:
    inner = _inner(model, asked)
    members = [_member(label, tell(member, question)) for label, member, question in inner]
    says = heard("m", members, lambda: np.array([float(np.ravel(m.predict(q.rows))[0]) for _, m, q in inner]))
    steps = [*says, *mean_of("ŷ", says[-1], _weights(model), MEAN, asked.by(model, "predict"))]
    return Account(_working(model, steps, members, "the prediction"), steps[-1])


@tells(BaggingClassifier, VotingClassifier)
def _classifier(model: Any, asked: Asked) -> Account:
    inner = _inner(model, asked)
    if getattr(model, "voting", "soft") == "hard" or not all(hasattr(m, "predict_proba") for _, m, _ in inner):
        return _votes(model, asked, inner)
    chosen = class_index(model.classes_, asked.of, np.asarray(model.predict_proba(asked.rows))[0])
    # Inside, classes are numbers; a member that was fitted without rows of a class does not know it.
    knowing = [(label, m, replace(q, of=chosen)) for label, m, q in inner if chosen in m.classes_]
    members = [_member(label, tell(m, question)) for label, m, question in knowing]

    def own() -> np.ndarray:
        return np.array([m.predict_proba(q.rows)[0, list(m.classes_).index(chosen)] for _, m, q in knowing])

    says = heard("p_members", members, own)
    if len(knowing) < len(inner):
        silent = np.zeros(len(inner))
        silent[[i for i, (_, m, _) in enumerate(inner) if chosen in m.classes_]] = says[-1].value
        says.append(given("p_all", silent, "0 from members that were fitted without this class", MEMBERS))
    mean = mean_of("p", says[-1], _weights(model), MEAN, asked.by(model, "predict_proba", chosen))
    working = _working(model, [*says, *mean], members, f"the probability of {model.classes_[chosen]}")
    return Account(working, mean[-1])


def _member(label: str, account: Account) -> Member:
    return Member(label, account, account.answer)


def _weights(model: Any) -> Sequence[float] | None:
    """Those of the members that were not dropped."""
    return model._weights_not_none if getattr(model, "weights", None) is not None else None


def _inner(model: Any, asked: Asked) -> list[tuple[str, Any, Asked]]:
    """Every member with its name and the question as it is put to it."""
    if hasattr(model, "estimators_features_"):
        x, names = asked.x(model), asked.called(model)
        return [
            (
                f"member {i}",
                member,
                replace(asked, rows=x[None, features], names=[names[f] for f in features], index=None),
            )
            for i, (member, features) in enumerate(zip(model.estimators_, model.estimators_features_, strict=True))
        ]
    return [(name, m, asked.inside(m)) for name, m in model.named_estimators_.items() if m != "drop"]


def _working(model: Any, steps: Sequence[Step], members: Sequence[Member], asked_about: str) -> Working:
    rows = tuple((m.label, float(m.step.value)) for m in members)
    return Working(
        title=f"One row before the members of scikit-learn's {type(model).__name__}",
        question=f"How does {asked_about} come about?", steps=tuple(steps), result=steps[-1].value,
        tables=(Table(MEMBERS, ("member", "says"), rows),),
        notes=("Ask a member by itself, as in ob.explain(model.estimators_[0], row=…), for all of its working.",),
    )  # fmt: skip


def _votes(model: Any, asked: Asked, inner: Sequence[tuple[str, Any, Asked]]) -> Account:
    """The share of the votes, where members have no probabilities or only their calls are counted."""
    codes = np.array([float(np.ravel(m.predict(q.rows))[0]) for _, m, q in inner])
    says = given("c", codes, "the class each member calls, by its place among the classes", VOTE)
    weights = given("w", np.asarray(_weights(model) or np.ones(len(codes)), np.float64), "how much each counts", VOTE)
    votes = np.bincount(codes.astype(np.intp), weights.value, len(model.classes_))
    chosen = class_index(model.classes_, asked.of, votes)
    place = given("k", chosen, f"the place of {model.classes_[chosen]}", VOTE)
    own = (asked.by(model, "predict_proba", chosen),) if hasattr(model, "predict_proba") else ()
    share = from_formula(
        "share", "sum(w*delta(c, k))/sum(w)", {"w": weights, "c": says, "k": place}, "share of votes", VOTE, *own
    )
    winner = model.classes_[int(np.argmax(votes))]
    called = Step("call", winner.item() if isinstance(winner, np.generic) else winner, rule="most votes", part=VOTE,
                  why="of equal numbers, the first class", witnesses=(asked.by(model, "predict"),))  # fmt: skip
    rows = tuple(
        (label, str(model.classes_[int(c)]), float(w))
        for (label, *_), c, w in zip(inner, codes, weights.value, strict=True)
    )
    working = Working(
        title=f"The votes of scikit-learn's {type(model).__name__}", question="Who calls what?",
        steps=(says, weights, place, share, called), result=share.value,
        tables=(Table("The votes", ("member", "calls", "weight"), rows),),
        notes=("Ask a member by itself, as in ob.explain(model.estimators_[0], row=…), for its own working.",),
    )  # fmt: skip
    return Account(working, share)


@tells(OneVsRestClassifier)
def _one_against_the_rest(model: Any, asked: Asked) -> Account:
    if model.multilabel_:
        raise ExplainError("models of several labels are not explained", do="explain one of model.estimators_")
    likely = hasattr(model, "predict_proba")
    own = model.predict_proba(asked.rows)[0] if likely else asked.scores(model)
    chosen = class_index(model.classes_, asked.of, own)
    of_positive = [replace(asked.inside(m), of=None) for m in model.estimators_]
    accounts = [tell(m, question) for m, question in zip(model.estimators_, of_positive, strict=True)]
    members = [
        Member(f"{c} against the rest", a, a.answer)
        for c, a in zip(model.classes_[-len(accounts) :], accounts, strict=True)
    ]

    def inside() -> np.ndarray:
        methods = [m.predict_proba if likely else m.decision_function for m in model.estimators_]
        return np.array([np.ravel(f(q.rows))[-1] for f, q in zip(methods, of_positive, strict=True)])

    says = heard("s", members, inside, "each against the rest")
    if not likely:
        at = min(chosen, len(accounts) - 1)
        method = asked.by(model, "decision_function", *((chosen,) if len(accounts) > 1 else ()))
        answer = from_formula("z", f"s[{at}]", {"s": says[-1]}, "that of the class", "The score", method)
        return Account(
            _working(model, [*says, answer], members, f"the score of {model.classes_[chosen]}"), answer, answer
        )
    witness = asked.by(model, "predict_proba", chosen)
    if len(accounts) == 1:
        last = [
            from_formula("p", "s[0]" if chosen else "1 - s[0]", {"s": says[-1]}, "two classes", PROBABILITY, witness)
        ]
    else:
        alone = [from_formula(f"s_{c}", f"s[{k}]", {"s": says[-1]}, "against the rest", PROBABILITY)
                 for k, c in enumerate(model.classes_)]  # fmt: skip
        last = [*alone, *shares(alone, chosen, witness)]
    return Account(_working(model, [*says, *last], members, f"the probability of {model.classes_[chosen]}"), last[-1])
