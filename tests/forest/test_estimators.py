"""scikit-learn's own checks of estimators."""

from __future__ import annotations

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from openbook.forest import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from openbook.linear import LinearRegression, LogisticRegression

BOOTSTRAP = "a bootstrap draws rows, not weights (scikit-learn's own forests expect the same to fail)"


def expected_failures(estimator: Any) -> dict[str, str]:
    if not getattr(estimator, "bootstrap", False):
        return {}
    return {
        "check_sample_weight_equivalence_on_dense_data": BOOTSTRAP,
        "check_sample_weight_equivalence_on_sparse_data": BOOTSTRAP,
    }


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [
        DecisionTreeClassifier(), DecisionTreeRegressor(), RandomForestClassifier(n_estimators=5),
        RandomForestRegressor(n_estimators=5), ExtraTreesClassifier(n_estimators=5),
        ExtraTreesRegressor(n_estimators=5), LinearRegression(), LogisticRegression(),
    ],
    expected_failed_checks=expected_failures,
)  # fmt: skip
def test_scikit_learn_accepts_it(estimator: Any, check: Any) -> None:
    check(estimator)
