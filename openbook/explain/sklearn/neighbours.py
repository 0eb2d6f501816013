"""Nearest neighbours: the distances, and what the nearest training rows say."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from openbook.explain.rows.links import PROBABILITY, from_formula
from openbook.explain.rows.row import class_index
from openbook.explain.sklearn.account import Account, Asked, tells
from openbook.record import Step, Table, Witness, Working, given

__all__: list[str] = []

NEAREST = "The nearest training rows"
_WRITTEN = 10


@tells(KNeighborsClassifier)
def _classifier(model: Any, asked: Asked) -> Account:
    distances, places = _nearest(model, asked)
    codes = np.asarray(model._y, np.float64)[places]
    weights = _weights(model, distances)
    shares = np.bincount(codes.astype(np.intp), weights, len(model.classes_))
    chosen = class_index(model.classes_, asked.of, shares)
    name = str(model.classes_[chosen])
    says = given("v", (codes == chosen).astype(np.float64), f"1 for neighbours that are {name}", PROBABILITY)
    said = [str(c) for c in model.classes_[codes.astype(np.intp)]]
    return _account(model, asked, distances, places, weights, says, "p", said, asked.by(model, "predict_proba", chosen))


@tells(KNeighborsRegressor)
def _regressor(model: Any, asked: Asked) -> Account:
    distances, places = _nearest(model, asked)
    targets = np.ravel(model._y)[places].astype(np.float64)
    says = given("y", targets, "the neighbours' targets", "The prediction")
    weights = _weights(model, distances)
    return _account(model, asked, distances, places, weights, says, "ŷ", targets.tolist(), asked.by(model, "predict"))


def _account(
    model: Any, asked: Asked, distances: np.ndarray, places: np.ndarray, weights: np.ndarray, says: Step, name: str,
    said: list[Any], own: Witness,
) -> Account:  # fmt: skip
    near = _distance_steps(model, asked, distances, places)
    weight = _weight_step(model, near[-1], weights)
    answer = from_formula(name, "sum(w*v)/sum(w)", {"w": weight, "v": says}, "weighted mean", says.part, own)
    rows = tuple(zip(places.tolist(), distances.tolist(), said, weights.tolist(), strict=True))
    working = Working(
        title=f"One row among its {len(places)} nearest neighbours", question="Who is near, and what do they say?",
        steps=(*near, weight, says, answer), result=answer.value,
        tables=(Table(NEAREST, ("training row", "distance", "says", "weight"), rows),),
    )  # fmt: skip
    return Account(working, answer)


def _nearest(model: Any, asked: Asked) -> tuple[np.ndarray, np.ndarray]:
    distances, places = model.kneighbors(asked.rows)
    return np.asarray(distances[0], np.float64), np.asarray(places[0])


def _weights(model: Any, distances: np.ndarray) -> np.ndarray:
    if model.weights == "uniform":
        return np.ones(len(distances))
    if callable(model.weights):
        return np.asarray(model.weights(distances[None])[0], np.float64)
    touching = distances == 0
    return touching.astype(np.float64) if touching.any() else 1 / distances


def _weight_step(model: Any, distances: Step, weights: np.ndarray) -> Step:
    if model.weights == "distance" and np.all(distances.value > 0):
        return from_formula("w", "1/d", {"d": distances}, "nearer counts more", NEAREST)
    why = {"uniform": "all alike", "distance": "only rows at the very place count"}.get(
        str(model.weights), "weights=, a function"
    )
    return given("w", weights, why, NEAREST)


def _distance_steps(model: Any, asked: Asked, distances: np.ndarray, places: np.ndarray) -> list[Step]:
    """The smallest distances, held against a search through every training row; Euclidean ones one by one as well."""

    def searched() -> np.ndarray:
        options = {} if callable(model.effective_metric_) else model.effective_metric_params_
        every = pairwise_distances(asked.rows, model._fit_X, metric=model.effective_metric_, **options)
        return np.sort(every[0])[: len(places)]

    nearest = Step("d", distances, rule="the smallest distances", why=f"by the metric {model.effective_metric_}", part=NEAREST,
                   witnesses=(Witness("a search through all training rows", searched, rtol=1e-7, atol=1e-12),))  # fmt: skip
    if model.effective_metric_ != "euclidean" or hasattr(model._fit_X, "toarray"):
        return [nearest]
    row = given("x", asked.x(model), "the row", NEAREST)
    written = [
        from_formula(f"d_{place}", "norm(x - t)", {"x": row, "t": given(f"x_{place}", np.asarray(model._fit_X[place], np.float64))},
                     "Euclidean distance", NEAREST, why=f"training row {place}")
        for place in places[:_WRITTEN]
    ]  # fmt: skip
    return [row, *written, nearest]
