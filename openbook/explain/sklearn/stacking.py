"""Stacking: what the first models say is the row of the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.ensemble import StackingClassifier, StackingRegressor

from openbook.errors import ExplainError
from openbook.explain.rows.row import class_index
from openbook.explain.sklearn.account import Account, Asked, tell, tells
from openbook.explain.sklearn.chorus import MEMBERS, Member, heard, under
from openbook.expr import Name
from openbook.record import Step, Table, Witness, Working

__all__: list[str] = []

LAST = "The last model"


@tells(StackingRegressor)
def _regressor(model: Any, asked: Asked) -> Account:
    return _stacked(model, asked, None, asked.by(model, "predict"))


@tells(StackingClassifier)
def _classifier(model: Any, asked: Asked) -> Account:
    method = "predict_proba" if hasattr(model, "predict_proba") else "decision_function"
    said = np.asarray(getattr(model, method)(asked.rows))[0]
    chosen = class_index(model.classes_, asked.of, said)
    return _stacked(model, asked, chosen, asked.by(model, method, *((chosen,) if np.ndim(said) else ())))


def _stacked(model: Any, asked: Asked, chosen: int | None, own: Witness) -> Account:
    columns = np.asarray(model.transform(asked.rows), np.float64)
    names = [
        str(n)
        for n in model.get_feature_names_out(None if hasattr(model, "feature_names_in_") else asked.called(model))
    ]
    members = _members(model, asked, names)
    says = heard("a", members, lambda: columns[0, : len(members)], "the row of the last model")
    final = model.final_estimator_
    last = tell(final, Asked(columns, names, None if chosen is None else final.classes_[chosen]))
    steps, number = under(LAST, Member(LAST, last, last.answer))
    symbol = "ŷ" if chosen is None else "p"
    answer = Step(
        symbol, number.value, Name(number.name), (number,), rule="what the last model says", part=LAST, witnesses=(own,)
    )
    rows = tuple((m.label, float(m.step.value)) for m in members)
    working = Working(
        title=f"One row through the two floors of scikit-learn's {type(model).__name__}",
        question="What do the first models say, and what does the last make of it?", steps=(*says, *steps, answer),
        result=answer.value, tables=(Table(MEMBERS, ("column", "value"), rows), *last.working.tables),
        notes=("Ask a member by itself, as in ob.explain(model.estimators_[0], row=…), for all of its working.",),
        displays=last.working.displays,
    )  # fmt: skip
    return Account(working, answer)


def _members(model: Any, asked: Asked, names: Sequence[str]) -> list[Member]:
    """What fills each column of the last model's row, but for those of the row itself."""
    members: list[Member] = []
    for inner, method in zip(model.estimators_, model.stack_method_, strict=True):
        question = asked.inside(inner)
        for of in _columns(inner, method):
            account = tell(inner, replace(question, of=of))
            step = account.score if method == "decision_function" else account.answer
            if step is None:
                raise ExplainError(f"no step of this {type(inner).__name__} is its {method}", do="explain it by itself")
            members.append(Member(names[len(members)], account, step))
    return members


def _columns(inner: Any, method: str) -> list[Any]:
    """The classes a member has columns for; None where it has one that needs no class."""
    if not hasattr(inner, "classes_"):
        return [None]
    if method == "predict":
        raise ExplainError("members of which only the call is used are not explained", do="explain them one by one")
    return [inner.classes_[1]] if len(inner.classes_) == 2 else list(inner.classes_)
