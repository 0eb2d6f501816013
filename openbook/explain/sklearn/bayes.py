"""Naive Bayes: a prior and one likelihood for every feature, added up as logarithms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

from openbook.explain.rows.contributions import Entrywise, bars, class_scores, table
from openbook.explain.rows.links import softmax
from openbook.explain.rows.row import class_index
from openbook.explain.sklearn.account import Account, Asked, tells
from openbook.record import Witness, Working

__all__: list[str] = []


@tells(GaussianNB)
def _gaussian(model: Any, asked: Asked) -> Account:
    x = asked.x(model)
    return _account(model, asked, np.log(model.class_prior_), lambda c: Entrywise(
        "-log(2*pi*v)/2 - (x - m)**2/(2*v)", {"x": x, "m": model.theta_[c], "v": model.var_[c]}, "log density",
    ))  # fmt: skip


@tells(MultinomialNB, ComplementNB)
def _multinomial(model: Any, asked: Asked) -> Account:
    x = asked.x(model)
    priors = model.class_log_prior_ if isinstance(model, MultinomialNB) else np.zeros(len(model.classes_))
    return _account(
        model,
        asked,
        priors,
        lambda c: Entrywise("w*x", {"w": model.feature_log_prob_[c], "x": x}, "log likelihood × count"),
    )


@tells(BernoulliNB)
def _bernoulli(model: Any, asked: Asked) -> Account:
    x = asked.x(model)
    x = x if model.binarize is None else (x > model.binarize).astype(np.float64)
    return _account(model, asked, model.class_log_prior_, lambda c: Entrywise(
        "x*w + (1 - x)*log(1 - exp(w))", {"x": x, "w": model.feature_log_prob_[c]}, "log likelihood",
    ))  # fmt: skip


@tells(CategoricalNB)
def _categorical(model: Any, asked: Asked) -> Account:
    levels = asked.x(model).astype(np.intp)
    return _account(model, asked, model.class_log_prior_, lambda c: Entrywise(
        "w", {"w": np.array([table[c, level] for table, level in zip(model.feature_log_prob_, levels, strict=True)])},
        "log likelihood of the category",
    ))  # fmt: skip


def _account(model: Any, asked: Asked, priors: np.ndarray, of_class: Callable[[int], Entrywise]) -> Account:
    terms = [of_class(c) for c in range(len(model.classes_))]
    names = asked.called(model)
    chosen = class_index(
        model.classes_, asked.of, np.array([p + t.values.sum() for p, t in zip(priors, terms, strict=True)])
    )
    joint = Witness("the model's own predict_joint_log_proba", lambda: asked.said(model, "predict_joint_log_proba", chosen),
                    rtol=1e-9, atol=1e-12)  # fmt: skip
    classes = [str(c) for c in model.classes_]
    steps, scores = class_scores(list(priors), terms, names, classes, chosen, joint)
    last = softmax(scores, classes, chosen, asked.by(model, "predict_proba", chosen))
    working = Working(
        title=f"The probability of {classes[chosen]} for one row",
        question="What does each feature's likelihood add to the prior, in logarithms?", steps=(*steps, *last),
        result=last[-1].value, tables=(table(terms[chosen], names),),
        notes=("Naive: each feature's likelihood is added as if features said nothing about each other.",),
        displays=(bars(terms[chosen], names, f"the log likelihood of {classes[chosen]}"),),
    )  # fmt: skip
    return Account(working, last[-1])
