"""What stands around a model: pipelines, searches, frozen models, transformed targets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from openbook.errors import ExplainError
from openbook.explain.rows.links import from_formula
from openbook.explain.sklearn.account import Account, Asked, tell, tells
from openbook.explain.sklearn.chorus import Member, under
from openbook.record import Step, given

__all__: list[str] = []

BACK = "Back to the target"
_INVERSES = {
    np.exp: "exp(z)",
    np.expm1: "exp(z) - 1",
    np.square: "z**2",
    np.log: "log(z)",
    np.log1p: "log(1 + z)",
    np.sqrt: "sqrt(z)",
}


@tells(Pipeline)
def _pipeline(model: Pipeline, asked: Asked) -> Account:
    """The last step, for the row as the steps before it leave it."""
    before, last = model[:-1], model[-1]
    if last == "passthrough" or not hasattr(last, "predict"):
        raise ExplainError("this pipeline ends in no model", do="explain one that ends in a classifier or a regressor")
    if not len(before):
        return tell(last, asked)
    rows = before.transform(asked.rows)
    return tell(last, asked.about(rows, last, _names_out(before, asked)))


def _names_out(before: Pipeline, asked: Asked) -> Any:
    """The names of the columns that reach the last step, where the steps know them."""
    if not all(step == "passthrough" or hasattr(step, "get_feature_names_out") for _, step in before.steps):
        return asked.names
    names = None if hasattr(before, "feature_names_in_") else asked.names
    return [str(n) for n in before.get_feature_names_out(names)]


@tells(GridSearchCV, RandomizedSearchCV)
def _search(model: Any, asked: Asked) -> Account:
    if not hasattr(model, "best_estimator_"):
        raise ExplainError("this search kept no model", do="search with refit=True")
    account = tell(model.best_estimator_, asked.inside(model.best_estimator_))
    note = f"The best of {len(model.cv_results_['params'])} candidates: {model.best_params_}."
    return replace(account, working=replace(account.working, notes=(*account.working.notes, note)))


@tells(TransformedTargetRegressor)
def _transformed(model: Any, asked: Asked) -> Account:
    """The inner model's number, and the way back."""
    account = tell(model.regressor_, asked.inside(model.regressor_))
    steps, z = under(type(model.regressor_).__name__, Member("", account, account.answer))
    own = asked.by(model, "predict")
    transformer = model.transformer_
    if isinstance(transformer, FunctionTransformer) and transformer.inverse_func in _INVERSES:
        back = [
            from_formula(
                "y", _INVERSES[transformer.inverse_func], {"z": z}, transformer.inverse_func.__name__, BACK, own
            )
        ]
    elif isinstance(transformer, StandardScaler) and transformer.with_mean and transformer.with_std:
        mean, scale = (
            given("mean", float(transformer.mean_[0]), part=BACK),
            given("scale", float(transformer.scale_[0]), part=BACK),
        )
        back = [mean, scale, from_formula("y", "z*s + m", {"z": z, "s": scale, "m": mean}, "unscaled", BACK, own)]
    else:
        value = float(np.ravel(transformer.inverse_transform(np.array([[z.value]])))[0])
        back = [Step("y", value, rule=f"inverse of {type(transformer).__name__}", part=BACK, witnesses=(own,))]
    working = replace(account.working, steps=(*steps, *back), result=back[-1].value,
                      title=f"{account.working.title}, and the target turned back")  # fmt: skip
    return Account(working, back[-1])


@tells(FrozenEstimator)
def _frozen(model: Any, asked: Asked) -> Account:
    return tell(model.estimator, asked.inside(model.estimator))
