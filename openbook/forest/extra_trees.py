"""Extremely randomised trees: thresholds are drawn, not searched for (Geurts et al. 2006)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from openbook.forest.estimators import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

__all__ = ["ExtraTreeClassifier", "ExtraTreeRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"]


@dataclass(eq=False, repr=False, kw_only=True)
class ExtraTreeClassifier(DecisionTreeClassifier):
    """One tree of an `ExtraTreesClassifier`."""

    splitter: str = "random"
    max_features: Any = "sqrt"


@dataclass(eq=False, repr=False, kw_only=True)
class ExtraTreeRegressor(DecisionTreeRegressor):
    """One tree of an `ExtraTreesRegressor`."""

    splitter: str = "random"
    max_features: Any = 1.0


@dataclass(eq=False, repr=False, kw_only=True)
class ExtraTreesClassifier(RandomForestClassifier):
    """Trees over all rows, each split the best of one random threshold for each of a few random features (Geurts et al. 2006).

    Parameters mean what they mean in scikit-learn, and in `RandomForestClassifier`. Missing values (NaN) are learnt.
    """

    bootstrap: bool = False

    _single: ClassVar[type] = ExtraTreeClassifier
    _splitter: ClassVar[str] = "random"


@dataclass(eq=False, repr=False, kw_only=True)
class ExtraTreesRegressor(RandomForestRegressor):
    """The mean of trees over all rows, each split the best of one random threshold for each drawn feature (Geurts et al. 2006).

    Parameters mean what they mean in scikit-learn, and in `RandomForestRegressor`. Missing values (NaN) are learnt.
    """

    bootstrap: bool = False

    _single: ClassVar[type] = ExtraTreeRegressor
    _splitter: ClassVar[str] = "random"
