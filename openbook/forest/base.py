"""What trees and forests, for classes and numbers, share: their parameters, fitting, walking down, importances."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin
from sklearn.utils import check_array, check_random_state, check_X_y
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from openbook.errors import InputError
from openbook.forest.columns import is_sparse
from openbook.forest.exchange import Exchanges
from openbook.forest.frames import is_frame, naming_columns
from openbook.forest.levels import encoded, learnt
from openbook.forest.parameters import count, features, monotonic, one_of, whole, within
from openbook.forest.prediction import Walk, leaves_of, walk_of
from openbook.forest.pruning import made_smaller
from openbook.forest.training import CRITERIA, Growth, Sample, Target, grow_trees
from openbook.record import Explains

__all__ = ["TreeBased"]

_LARGEST_SEED = np.iinfo(np.int64).max
_ASKED: dict[str, Any] = {"dtype": [np.float64, np.float32], "ensure_all_finite": "allow-nan"}
Callback = Callable[[int, int], Any]


@dataclass(eq=False, repr=False, kw_only=True)
class TreeBased(Explains, Exchanges, MultiOutputMixin, BaseEstimator):
    """What trees and forests share. The fields are scikit-learn's parameters; a class that has another default says so."""

    max_depth: int | None = None
    min_samples_split: float = 2
    min_samples_leaf: float = 1
    min_weight_fraction_leaf: float = 0.0
    max_features: Any = None
    max_leaf_nodes: int | None = None
    min_impurity_decrease: float = 0.0
    random_state: Any = None
    ccp_alpha: float = 0.0
    monotonic_cst: Any = None
    categorical_features: Any = "from_dtype"
    min_samples_level: int = 5

    # --- fitting -----------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None, callback: Callback | None = None) -> TreeBased:
        """Grow from X (rows, features) and y (rows,) or (rows, outputs); NaN in X is missing, and each split learns where it
        goes.

        X may be a frame, or one of SciPy's sparse matrices; float32 and float64 are not copied. `categorical_features` says
        which features are categories ("from_dtype": a frame's texts and categories). `callback(done, of)` is called after
        each tree, and no more are grown once it returns False. Raises InputError (a ValueError) for bad parameters or data.
        """
        X, y = self._table(X, y)
        weight = self._weights(X, sample_weight)
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
        self.n_rows_ = X.shape[0]
        targets = self._targets(y, weight)
        self._grow(X, targets, self._growth(X.shape[1], targets), callback)
        return self

    def _table(self, X: Any, y: Any) -> tuple[Any, np.ndarray]:
        if is_sparse(y):
            raise InputError("sparse multilabel-indicator for y is not supported", do="pass y.toarray()")
        levels, table = learnt(X, self.categorical_features)
        asked = {**_ASKED, "multi_output": True}
        if levels or is_frame(X):
            validate_data(self, X, y, skip_check_array=True)
            with naming_columns(table):
                X, y = check_X_y(table, y, **asked, estimator=self)
        else:
            X, y = validate_data(self, X, y, **asked, accept_sparse="csc")
        self.categories_ = [levels.get(f) for f in range(self.n_features_in_)]
        return _plainly_sparse(X), column_or_1d(y, warn=True) if y.ndim == 1 or y.shape[1] == 1 else y

    @staticmethod
    def _weights(X: Any, sample_weight: Any) -> np.ndarray:
        if sample_weight is None:
            return np.broadcast_to(1.0, X.shape[0])
        weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True, dtype=np.float64)
        if not weight.any():
            raise InputError("every sample weight is zero", where="sample_weight", do="give some row a positive weight")
        return weight

    def _targets(self, y: np.ndarray, weight: np.ndarray) -> tuple[Target, ...]:
        """One target for each output."""
        raise TypeError("said by the classifier or the regressor")

    def _grow(self, X: Any, targets: tuple[Target, ...], growth: Growth, callback: Callback | None) -> None:
        """Learn `trees_` and `seeds_`."""
        raise TypeError("said by the tree or the forest")

    def _seeds(self, n: int) -> list[int]:
        random = check_random_state(self.random_state)
        return [int(seed) for seed in random.randint(_LARGEST_SEED, size=n, dtype=np.int64)]

    def _grown(
        self,
        X: Any,
        targets: tuple[Target, ...],
        growth: Growth,
        seeds: list[int],
        sample: Sample,
        as_kept: bool = False,
    ) -> Generator[Any, None, None]:
        """Trees, one after the other, made as small as `max_leaf_nodes` and `ccp_alpha` want them; see `grow_trees`."""
        alpha = within("ccp_alpha", self.ccp_alpha, 0.0, np.inf)
        most = None if self.max_leaf_nodes is None else whole("max_leaf_nodes", self.max_leaf_nodes, 2)
        as_kept = as_kept and most is None and alpha == 0
        with closing(grow_trees(X, targets, growth, sample, seeds, self._threads(), as_kept)) as trees:
            yield from trees if as_kept else (made_smaller(tree, most, alpha) for tree in trees)

    def _threads(self) -> int:
        return 1

    def _criteria(self) -> tuple[str, ...]:
        raise TypeError("said by the classifier or the regressor")

    def _growth(self, n_features: int, targets: tuple[Target, ...]) -> Growth:
        criterion = CRITERIA[one_of("criterion", self.criterion, self._criteria())]
        n = self.n_rows_
        self.max_features_ = features(self.max_features, n_features)
        if self.monotonic_cst is not None and len(targets) > 1:
            raise InputError("Monotonicity constraints are not supported with multiple outputs")
        signs, levels = monotonic(self.monotonic_cst, n_features), self.levels()
        if signs and targets[0].classes > 2:
            raise InputError("Monotonicity constraints are not supported with multiclass classification")
        if signs and any(signs[f] for f in levels):
            raise InputError("Categorical features cannot have monotonic constraints", where="monotonic_cst",
                             do="give 0 for each category")  # fmt: skip
        return Growth(
            criterion=criterion,
            max_depth=2**31 if self.max_depth is None else whole("max_depth", self.max_depth, 1),
            min_samples_split=count("min_samples_split", self.min_samples_split, n, 2),
            min_samples_leaf=count("min_samples_leaf", self.min_samples_leaf, n, 1),
            min_weight_leaf=within("min_weight_fraction_leaf", self.min_weight_fraction_leaf, 0.0, 0.5),
            max_features=self.max_features_,
            min_impurity_decrease=within("min_impurity_decrease", self.min_impurity_decrease, 0.0, np.inf),
            random=self._thresholds_are_drawn(),
            monotonic=signs if any(signs) and targets[0].classes != 1 else (),
            levels=tuple(len(levels.get(f, ())) for f in range(n_features)) if levels else (),
            min_samples_level=whole("min_samples_level", self.min_samples_level, 1),
        )

    def _thresholds_are_drawn(self) -> bool:
        return False

    # --- using -------------------------------------------------------------------------------------------------

    def levels(self) -> dict[int, np.ndarray]:
        """The levels of each feature that is a category, in the order of their codes."""
        # A forest that was scikit-learn's has learnt of none.
        return {f: known for f, known in enumerate(getattr(self, "categories_", ())) if known is not None}

    def encoded(self, X: Any) -> Any:
        """The rows as trees take them (rows, features): floats, of categories the codes of their levels.

        A level that was not there in fitting is NaN, as missing values are.
        """
        if self._as_fitted(X):
            return X
        check_is_fitted(self)
        levels = self.levels()
        if not (levels or is_frame(X)):
            return _plainly_sparse(validate_data(self, X, **_ASKED, reset=False, accept_sparse="csr"))
        validate_data(self, X, reset=False, skip_check_array=True)
        table = encoded(X, levels)
        with naming_columns(table):
            return check_array(table, **_ASKED, estimator=self)

    def _as_fitted(self, X: Any) -> bool:
        """Whether nothing is to be checked or said, so that scikit-learn's checks, which take longer than a row through a
        hundred trees, are spared: floats, as wide as in fitting, no names and no levels to compare, nothing infinite."""
        known = vars(self)
        alike = (
            type(X) is np.ndarray
            and X.dtype in _ASKED["dtype"]
            and X.ndim == 2
            and X.shape[1] == known.get("n_features_in_")
        )
        named = "feature_names_in_" in known or (alike and self.levels())
        return alike and not named and len(X) > 0 and "trees_" in known and not np.isinf(X).any()

    def _leaves(self, X: Any) -> np.ndarray:
        X = self.encoded(X)
        return leaves_of(self._walk(), X, self._threads())

    def _widths(self) -> tuple[int, ...]:
        """How many classes each output has; empty for numbers."""
        return ()

    def _walk(self) -> Walk:
        return walk_of(self, self.trees_, self.n_features_in_, self._widths())

    @property
    def feature_importances_(self) -> np.ndarray:
        """The share of the impurity each feature took away, over all splits of all trees (Breiman 1984)."""
        check_is_fitted(self)
        total = np.zeros(self.n_features_in_)
        for tree in self.trees_:
            inner = ~tree.is_leaf
            gained = np.bincount(tree.feature[inner], tree.gain[inner], self.n_features_in_)
            total += gained / gained.sum() if gained.sum() > 0 else gained
        return total / total.sum() if total.sum() > 0 else total

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "trees_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        return tags


def _plainly_sparse(X: Any) -> Any:
    """Sparse matrices of one kind only: SciPy's newer arrays answer some selections differently."""
    if not is_sparse(X):
        return X
    from scipy.sparse import csc_matrix, csr_matrix

    return csc_matrix(X) if X.format == "csc" else csr_matrix(X)
