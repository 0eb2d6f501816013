"""Extremely randomised trees: forests whose thresholds are drawn, not searched for."""

from __future__ import annotations

from typing import Any

from openbook.forest.estimators import RandomForestClassifier, RandomForestRegressor

__all__ = ["ExtraTreesClassifier", "ExtraTreesRegressor"]


class ExtraTreesClassifier(RandomForestClassifier):
    """Trees over all rows, each split the best of one random threshold for each of a few random features (Geurts et al. 2006).

    Parameters mean what they mean in scikit-learn, and in `RandomForestClassifier`. Missing values (NaN) are learnt.
    """

    _random = True

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "gini",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = "sqrt",
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = False,
        max_samples: Any = None,
        oob_score: bool = False,
        class_weight: Any = None,
        ccp_alpha: float = 0.0,
        voting: str = "soft",
        n_jobs: int | None = None,
        random_state: Any = None,
    ):
        super().__init__(
            n_estimators, criterion=criterion, max_depth=max_depth, min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf, min_weight_fraction_leaf=min_weight_fraction_leaf, max_features=max_features,
            max_leaf_nodes=max_leaf_nodes, min_impurity_decrease=min_impurity_decrease, bootstrap=bootstrap,
            max_samples=max_samples, oob_score=oob_score, class_weight=class_weight, ccp_alpha=ccp_alpha, voting=voting,
            n_jobs=n_jobs, random_state=random_state,
        )  # fmt: skip


class ExtraTreesRegressor(RandomForestRegressor):
    """The mean of trees over all rows, each split the best of one random threshold for each drawn feature (Geurts et al. 2006).

    Parameters mean what they mean in scikit-learn. Missing values (NaN) are learnt.
    """

    _random = True

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: Any = 1.0,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = False,
        max_samples: Any = None,
        oob_score: bool = False,
        ccp_alpha: float = 0.0,
        n_jobs: int | None = None,
        random_state: Any = None,
    ):
        super().__init__(
            n_estimators, criterion=criterion, max_depth=max_depth, min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf, min_weight_fraction_leaf=min_weight_fraction_leaf, max_features=max_features,
            max_leaf_nodes=max_leaf_nodes, min_impurity_decrease=min_impurity_decrease, bootstrap=bootstrap,
            max_samples=max_samples, oob_score=oob_score, ccp_alpha=ccp_alpha, n_jobs=n_jobs, random_state=random_state,
        )  # fmt: skip
