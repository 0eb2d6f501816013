"""Linear models: weight × value, added up; then whatever link they have."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import linear_model
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.svm import LinearSVC, LinearSVR

from openbook.explain.rows.contributions import bars, table
from openbook.explain.rows.linear import LinearScores, linear_scores, linear_sum
from openbook.explain.rows.links import PROBABILITY, from_formula, shares, sigmoid, softmax
from openbook.explain.sklearn.account import Account, Asked, tells
from openbook.record import Step, Witness, Working

__all__: list[str] = []

_SCORES_NOTE = "This model has no probabilities: the score is its distance from the boundary, in units of its own."
# A linear sum, and nothing after it.
_REGRESSORS = (
    "ARDRegression BayesianRidge ElasticNet ElasticNetCV HuberRegressor Lars LarsCV Lasso LassoCV LassoLars LassoLarsCV "
    "LassoLarsIC LinearRegression OrthogonalMatchingPursuit OrthogonalMatchingPursuitCV PassiveAggressiveRegressor "
    "QuantileRegressor Ridge RidgeCV SGDRegressor TheilSenRegressor"
)
_SCORERS = "PassiveAggressiveClassifier Perceptron RidgeClassifier RidgeClassifierCV"
_LOGARITHMIC = (linear_model.PoissonRegressor, linear_model.GammaRegressor)


def _named(names: str) -> list[type]:
    """The classes of those names that this scikit-learn has."""
    return [getattr(linear_model, name) for name in names.split() if hasattr(linear_model, name)]


@tells(*_named(_REGRESSORS), LinearSVR)
def _regressor(model: Any, asked: Asked) -> Account:
    steps, terms, labels = linear_sum(model, asked.rows, asked.called(model), asked.by(model, "predict"))
    working = Working(
        title="A linear prediction as a sum", question="What does each feature add?", steps=tuple(steps),
        result=steps[-1].value, tables=(table(terms, labels),), displays=(bars(terms, labels, "ŷ (weight × value)"),),
    )  # fmt: skip
    return Account(working, steps[-1])


@tells(*_LOGARITHMIC, linear_model.TweedieRegressor)
def _generalised(model: Any, asked: Asked) -> Account:
    if not isinstance(model, _LOGARITHMIC) and (
        model.link == "identity" or (model.link == "auto" and model.power <= 0)
    ):
        return _regressor(model, asked)
    steps, terms, labels = linear_sum(model, asked.rows, asked.called(model))
    answer = from_formula("ŷ", "exp(z)", {"z": steps[-1]}, "exponential", "The prediction", asked.by(model, "predict"),
                          why="the inverse of the log link")  # fmt: skip
    working = Working(
        title="A generalised linear prediction", question="What does each feature add to the logarithm?",
        steps=(*steps, answer), result=answer.value, tables=(table(terms, labels),),
        displays=(bars(terms, labels, "log ŷ (weight × value)"),),
    )  # fmt: skip
    return Account(working, answer)


@tells(*_named(_SCORERS), LinearSVC)
def _scorer(model: Any, asked: Asked) -> Account:
    z = _scores(model, asked)
    name = str(model.classes_[1 if len(z.scores) == 1 else z.chosen])
    called = Step("call", _label(model.classes_, z.scores), rule="the class of the largest score", part="The call",
                  why="of two classes the second, when its score is above 0", witnesses=(asked.by(model, "predict"),))  # fmt: skip
    working = Working(
        title=f"The score of {name} for one row", question="What does each feature add to the score?",
        steps=(*z.steps, called), result=z.asked.value, tables=(table(z.terms, z.labels),), notes=(_SCORES_NOTE,),
        displays=(bars(z.terms, z.labels, "the score (weight × value)"),),
    )  # fmt: skip
    return Account(working, z.asked, z.asked)


def _label(classes: np.ndarray, scores: list[Step]) -> Any:
    """The class that scores call."""
    values = [s.value for s in scores]
    label = classes[int(values[0] > 0) if len(values) == 1 else int(np.argmax(values))]
    return label.item() if isinstance(label, np.generic) else label


@tells(linear_model.LogisticRegression, linear_model.LogisticRegressionCV, LinearDiscriminantAnalysis)
def _logistic(model: Any, asked: Asked) -> Account:
    z = _scores(model, asked)
    own = asked.by(model, "predict_proba", z.chosen)
    if len(model.classes_) == 2:
        return _probability(model, z, [sigmoid(z.asked, bool(z.chosen), own)])
    # Until scikit-learn 1.8, these fitted each class against the rest.
    apart = getattr(model, "solver", "") == "liblinear" or getattr(model, "multi_class", "") == "ovr"
    return _probability(
        model, z, _against_the_rest(model, z, own) if apart else softmax(z.scores, model.classes_, z.chosen, own)
    )


@tells(linear_model.SGDClassifier)
def _descended(model: Any, asked: Asked) -> Account:
    if model.loss not in ("log_loss", "modified_huber"):
        return _scorer(model, asked)
    z = _scores(model, asked)
    own = asked.by(model, "predict_proba", z.chosen)
    if len(model.classes_) > 2:
        return _probability(model, z, _against_the_rest(model, z, own))
    if model.loss == "log_loss":
        return _probability(model, z, [sigmoid(z.asked, bool(z.chosen), own)])
    formula = "(max(-1, min(1, z)) + 1)/2" if z.chosen else "1 - (max(-1, min(1, z)) + 1)/2"
    return _probability(model, z, [from_formula("p", formula, {"z": z.asked}, "clipped line", PROBABILITY, own,
                                                why="the modified Huber loss")])  # fmt: skip


def _against_the_rest(model: Any, z: LinearScores, own: Witness) -> list[Step]:
    """Each class's own probability against all others, and their shares."""
    formula = "(max(-1, min(1, z)) + 1)/2" if getattr(model, "loss", "") == "modified_huber" else "1/(1 + exp(-z))"
    alone = [
        from_formula(f"s_{c}", formula, {"z": score}, "against the rest", PROBABILITY)
        for c, score in zip(model.classes_, z.scores, strict=True)
    ]
    return [*alone, *shares(alone, z.chosen, own)]


def _scores(model: Any, asked: Asked) -> LinearScores:
    return linear_scores(model, asked.rows, asked.called(model), asked.of, lambda: asked.scores(model))


def _probability(model: Any, z: LinearScores, last: list[Step]) -> Account:
    working = Working(
        title=f"The probability of {model.classes_[z.chosen]} for one row",
        question="What does each feature add to the log-odds, and what probability do they make?",
        steps=(*z.steps, *last), result=last[-1].value, tables=(table(z.terms, z.labels),),
        displays=(bars(z.terms, z.labels, "the log-odds (weight × value)"),),
    )  # fmt: skip
    return Account(working, last[-1], z.asked)
