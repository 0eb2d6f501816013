"""Multi-layer perceptrons: z = Wᵀa + b, layer by layer, and the output as a sum over the last hidden units."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from openbook.errors import ExplainError
from openbook.explain.rows.contributions import Entrywise, added_up, bars, class_scores, table, weighted
from openbook.explain.rows.links import from_formula, sigmoid, softmax
from openbook.explain.rows.row import class_index
from openbook.explain.sklearn.account import Account, Asked, tells
from openbook.record import Step, Witness, Working, given

__all__: list[str] = []

_ACTIVATIONS = {"relu": "max(z, 0)", "tanh": "tanh(z)", "logistic": "1/(1 + exp(-z))", "identity": "z"}
_LARGEST_WRITTEN = 15_000  # weights of a layer whose formula is computed again in fifty digits


@tells(MLPRegressor)
def _regressor(model: Any, asked: Asked) -> Account:
    hidden, terms, units = _hidden(model, asked)
    bias = given("b_out", float(model.intercepts_[-1][0]), part="The output")
    own = asked.by(model, "predict")
    if model.out_activation_ == "identity":
        steps = added_up("ŷ", bias, terms[0], units, "The output", (own,))
    else:
        steps = added_up("z", bias, terms[0], units, "The output")
        steps.append(from_formula("ŷ", "exp(z)", {"z": steps[-1]}, "exponential", "The output", own))
    return Account(_working(model, [*hidden, *steps], terms[0], units, "the prediction"), steps[-1])


@tells(MLPClassifier)
def _classifier(model: Any, asked: Asked) -> Account:
    if model.out_activation_ == "logistic" and model.n_outputs_ > 1:
        raise ExplainError("models of several labels are not explained", do="explain a model of one target")
    hidden, terms, units = _hidden(model, asked)
    biases = np.asarray(model.intercepts_[-1], np.float64)
    classes = [str(c) for c in model.classes_]
    chosen = class_index(
        model.classes_, asked.of, np.array([b + t.values.sum() for b, t in zip(biases, terms, strict=True)])
    )
    own = asked.by(model, "predict_proba", chosen)
    if len(terms) == 1:
        steps = added_up("z", given("b_out", float(biases[0]), part="The output"), terms[0], units, "The output")
        steps.append(sigmoid(steps[-1], bool(chosen), own))
    else:
        steps, scores = class_scores(list(biases), terms, units, classes, chosen)
        steps += softmax(scores, classes, chosen, own)
    term = terms[0 if len(terms) == 1 else chosen]
    return Account(_working(model, [*hidden, *steps], term, units, f"the probability of {classes[chosen]}"), steps[-1])


def _working(model: Any, steps: list[Step], term: Entrywise, units: list[str], asked_about: str) -> Working:
    return Working(
        title=f"One row through the layers of scikit-learn's {type(model).__name__}",
        question=f"How does {asked_about} come about?", steps=tuple(steps), result=steps[-1].value,
        tables=(table(term, units),), displays=(bars(term, units, "the output (weight × activation)"),),
    )  # fmt: skip


def _hidden(model: Any, asked: Asked) -> tuple[list[Step], list[Entrywise], list[str]]:
    """The hidden layers' steps, and the terms of every output with what they are called."""
    x, names = asked.x(model), asked.called(model)
    a = given("a_0", x, "the row", "The input")
    steps = [a]
    for depth, (W, b) in enumerate(zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True), 1):
        z, a = _layer(depth, W, b, a, model.activation)
        steps += [z, a]
    units = names if len(steps) == 1 else [f"unit {i}" for i in range(len(a.value))]
    out = np.asarray(model.coefs_[-1], np.float64)
    return steps, [weighted(out[:, k], a.value) for k in range(out.shape[1])], units


def _layer(depth: int, W: np.ndarray, b: np.ndarray, before: Step, activation: str) -> tuple[Step, Step]:
    """A layer's sums and activations, all units at once."""
    part = f"Layer {depth}"
    weights, bias = (
        given(f"W_{depth}", np.asarray(W, np.float64), part=part),
        given(f"b_{depth}", np.asarray(b, np.float64), part=part),
    )
    why = f"{W.shape[0]} inputs to {W.shape[1]} units"
    if W.size <= _LARGEST_WRITTEN:
        z = from_formula(f"z_{depth}", "transpose(W) @ a + b", {"W": weights, "a": before, "b": bias}, "weights × inputs + bias",
                         part, why=why)  # fmt: skip
    else:
        value = weights.value.T @ before.value + bias.value
        one_by_one = Witness("NumPy, unit by unit", lambda: np.array([np.sum(w * before.value) for w in weights.value.T]) + bias.value,
                             rtol=1e-9)  # fmt: skip
        z = Step(f"z_{depth}", value, rule="weights × inputs + bias", why=why, part=part, witnesses=(one_by_one,))
    return z, from_formula(f"a_{depth}", _ACTIVATIONS[activation], {"z": z}, activation, part)
