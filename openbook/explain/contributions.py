"""Rows of linear models, ours and scikit-learn's: coefficient × value, added up, and squashed into a probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.errors import ExplainError
from openbook.explain.displays.contributions import ContributionBars
from openbook.expr import Expr, Name, parse
from openbook.record import Step, Table, Witness, Working, given

__all__ = ["as_fitted", "checked_row", "explain_linear_row", "explain_logistic_row", "feature_names"]

_SHOWN = 8
SUM, PROBABILITY = "The sum", "The probability"


def checked_row(row: Any, features: int) -> np.ndarray:
    """One row as float64 (features,); from a list, an array, a pandas or polars row."""
    values = np.asarray(row, dtype=np.float64).ravel()
    if values.shape != (features,):
        raise ExplainError(f"the row has {len(values)} entries, the model {features} features",
                           do="pass one row, such as X[0]")  # fmt: skip
    return values


def feature_names(model: Any, names: Sequence[str] | None, features: int) -> list[str]:
    """The names given, else those the model was fitted with, else x_1, x_2, …."""
    known = names if names is not None else getattr(model, "feature_names_in_", None)
    return [str(n) for n in known] if known is not None else [f"x_{i + 1}" for i in range(features)]


def _sum(title: str, coef: np.ndarray, intercept: float, x: np.ndarray, names: list[str], owner: Witness) -> list[Step]:
    """The largest contributions one by one, the others together, and their sum."""
    products = coef * x
    order = np.argsort(-np.abs(products), kind="stable")
    steps, terms = [], []
    for i in order[:_SHOWN]:
        w, v = given(f"w({names[i]})", float(coef[i]), part=SUM), given(names[i], float(x[i]), part=SUM)
        term = Step(
            f"from {names[i]}", float(products[i]), Name(w.name) * Name(v.name), (w, v), rule="weight × value", part=SUM
        )
        steps += [term]
        terms.append(term)
    rest = order[_SHOWN:]
    if len(rest):
        terms.append(Step(f"from {len(rest)} others", float(products[rest].sum()), rule="sum", part=SUM,
                          why="each smaller than those above"))  # fmt: skip
        steps.append(terms[-1])
    shift = given("intercept", intercept, part=SUM)
    formula: Expr = Name("intercept")
    for term in terms:
        formula = formula + Name(term.name)
    value = float(products.sum() + intercept)
    return [*steps, shift, Step(title, value, formula, (shift, *terms), rule="sum", part=SUM, witnesses=(owner,))]


def _table(coef: np.ndarray, x: np.ndarray, names: list[str]) -> Table:
    order = np.argsort(-np.abs(coef * x), kind="stable")
    rows = tuple((names[i], float(coef[i]), float(x[i]), float(coef[i] * x[i])) for i in order if coef[i] * x[i] != 0)
    return Table("Contributions", ("feature", "weight", "value", "weight × value"), rows)


def _bars(coef: np.ndarray, x: np.ndarray, names: list[str], total: str) -> ContributionBars:
    acting = np.flatnonzero(coef * x)
    return ContributionBars([names[i] for i in acting], [float(coef[i] * x[i]) for i in acting], total)


def explain_linear_row(model: Any, row: Any, names: Sequence[str] | None = None) -> Working:
    """A linear regression's prediction for one row, ours or scikit-learn's."""
    coef = np.ravel(model.coef_)
    x, labels = checked_row(row, len(coef)), feature_names(model, names, len(coef))
    owner = Witness(
        "the model's own predict", lambda: float(np.ravel(model.predict(as_fitted(model, x)))[0]), rtol=1e-9, atol=1e-12
    )
    steps = _sum("ŷ", coef, float(np.ravel(model.intercept_)[0]), x, labels, owner)
    return Working(
        title="A linear prediction as a sum", question="What does each feature add?", steps=tuple(steps),
        result=steps[-1].value, tables=(_table(coef, x, labels),), displays=(_bars(coef, x, labels, "ŷ"),),
    )  # fmt: skip


def explain_logistic_row(model: Any, row: Any, names: Sequence[str] | None = None, of: Any = None) -> Working:
    """A logistic regression's probability for one row, ours or scikit-learn's; `of` names the class (default: the
    positive one of two, else the likeliest)."""
    features = model.coef_.shape[1]
    x, labels = checked_row(row, features), feature_names(model, names, features)
    frame = as_fitted(model, x)
    classes = list(model.classes_)
    chosen = _class_of(model, frame, classes, of)
    if len(classes) == 2:
        steps = _binary(model, x, labels, frame, chosen)
        weights = model.coef_[0]
    else:
        steps = _many(model, x, labels, frame, chosen)
        weights = model.coef_[chosen]
    return Working(
        title=f"The probability of {classes[chosen]} for one row",
        question="What does each feature add to the log-odds, and what probability do they make?",
        steps=tuple(steps), result=steps[-1].value, tables=(_table(weights, x, labels),),
        displays=(_bars(weights, x, labels, "the log-odds"),),
    )  # fmt: skip


def as_fitted(model: Any, x: np.ndarray) -> Any:
    """The row in the form the model was fitted on, so that scikit-learn does not warn about names."""
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return x[None, :]
    import pandas as pd

    return pd.DataFrame(x[None, :], columns=names)


def _class_of(model: Any, frame: Any, classes: list[Any], of: Any) -> int:
    if of is not None:
        matches = [i for i, c in enumerate(classes) if str(c) == str(of)]
        if not matches:
            raise ExplainError(f"the model has no class {of!r}", do=f"choose one of {', '.join(map(str, classes))}")
        return matches[0]
    return 1 if len(classes) == 2 else int(np.argmax(model.predict_proba(frame)[0]))


def _binary(model: Any, x: np.ndarray, names: list[str], frame: Any, chosen: int) -> list[Step]:
    odds = Witness(
        "the model's own decision_function", lambda: float(model.decision_function(frame)[0]), rtol=1e-9, atol=1e-12
    )
    steps = _sum("z", model.coef_[0], float(np.ravel(model.intercept_)[0]), x, names, odds)
    z = steps[-1]
    own = Witness("the model's own predict_proba", lambda: float(model.predict_proba(frame)[0, chosen]), rtol=1e-9)
    formula = parse("1/(1 + exp(-z))" if chosen == 1 else "1/(1 + exp(z))")
    p = float(1 / (1 + np.exp(-z.value if chosen == 1 else z.value)))
    return [
        *steps,
        Step("p", p, formula, (z,), rule="sigmoid", why="log-odds to probability", part=PROBABILITY, witnesses=(own,)),
    ]


def _many(model: Any, x: np.ndarray, names: list[str], frame: Any, chosen: int) -> list[Step]:
    sums = model.coef_ @ x + np.ravel(model.intercept_)
    own = model.decision_function(frame)[0]
    witness = Witness("the model's own decision_function", lambda: float(own[chosen]), rtol=1e-9, atol=1e-12)
    main = f"z_{model.classes_[chosen]}"
    steps = _sum(main, model.coef_[chosen], float(np.ravel(model.intercept_)[chosen]), x, names, witness)
    others = [
        steps[-1] if i == chosen else given(f"z_{c}", float(sums[i]), "the same sum for this class", PROBABILITY)
        for i, c in enumerate(model.classes_)
    ]
    top = float(sums.max())
    shift = given("z_max", top, "taken off every z so that nothing overflows; it cancels", PROBABILITY)
    exps = [
        Step(f"e_{c}", float(np.exp(z.value - top)), parse("exp(a - b)").rename({"a": z.name, "b": shift.name}), (z, shift),
             rule="exponential", part=PROBABILITY)
        for c, z in zip(model.classes_, others, strict=True)
    ]  # fmt: skip
    formula: Expr = Name(exps[0].name)
    for e in exps[1:]:
        formula = formula + Name(e.name)
    Z = Step("Z", float(sum(e.value for e in exps)), formula, tuple(exps), rule="sum", part=PROBABILITY)
    proba = Witness("the model's own predict_proba", lambda: float(model.predict_proba(frame)[0, chosen]), rtol=1e-9)
    p = Step("p", exps[chosen].value / Z.value, Name(exps[chosen].name) / Name("Z"), (exps[chosen], Z), rule="softmax",
             part=PROBABILITY, witnesses=(proba,))  # fmt: skip
    return [*steps, *(z for i, z in enumerate(others) if i != chosen), shift, *exps, Z, p]
