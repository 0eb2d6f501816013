"""What single trees can do beside predicting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from openbook.forest.base import Callback, TreeBased
from openbook.forest.measured import MeasuredTree
from openbook.forest.parameters import one_of
from openbook.forest.paths import decision_paths
from openbook.forest.pruning import pruning_path
from openbook.forest.training import Growth, Target
from openbook.forest.tree import Tree

__all__ = ["SingleTree"]


@dataclass(eq=False, repr=False, kw_only=True)
class SingleTree(TreeBased):
    """One tree, over all rows."""

    splitter: str = "best"

    def _grow(self, X: Any, targets: tuple[Target, ...], growth: Growth, callback: Callback | None) -> None:
        self.seeds_ = self._seeds(1)
        (tree,) = self._grown(X, targets, growth, self.seeds_, lambda seed: None)
        self.trees_: list[Tree] = [MeasuredTree.of(tree, self.criterion, X, targets)]
        if callback is not None:
            callback(1, 1)

    def _thresholds_are_drawn(self) -> bool:
        return one_of("splitter", self.splitter, ("best", "random")) == "random"

    def cost_complexity_pruning_path(self, X: Any, y: Any, sample_weight: Any = None) -> Bunch:
        """The `ccp_alphas` at which pruning makes this tree smaller, and the `impurities` of its leaves after each step."""
        grown = clone(self).set_params(ccp_alpha=0.0).fit(X, y, sample_weight)
        alphas, impurities = pruning_path(grown.tree_, float(grown.tree_.impurity[0]))
        return Bunch(ccp_alphas=alphas, impurities=impurities)

    def apply(self, X: Any) -> np.ndarray:
        """The leaf each row ends in (rows,)."""
        return self._leaves(X)[:, 0]

    def decision_path(self, X: Any) -> Any:
        """Which nodes each row passes: a sparse matrix (rows, nodes) of ones."""
        return decision_paths(self.trees_, self._leaves(X))[0]

    @property
    def tree_(self) -> Tree:
        """The grown tree."""
        check_is_fitted(self)
        return self.trees_[0]

    def get_depth(self) -> int:
        """The number of decisions on the longest way down."""
        return self.tree_.depth

    def get_n_leaves(self) -> int:
        """The number of leaves."""
        return int(self.tree_.is_leaf.sum())
