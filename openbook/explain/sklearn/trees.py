"""Trees, forests and extra-trees: leaf counts → fraction → mean, beside the hard vote, and what each feature adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from openbook.errors import ExplainError
from openbook.explain.rows.passages import Passage
from openbook.explain.rows.row import class_index
from openbook.explain.rows.votes import Ballot, explain_ballots, explain_means, mean_fractions
from openbook.explain.sklearn.account import Account, Asked, tells

__all__ = ["passage", "way_down"]


@tells(DecisionTreeClassifier, DecisionTreeRegressor)
@tells(RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
def _forest(model: Any, asked: Asked) -> Account:
    x, names = asked.x(model).astype(np.float32), asked.called(model)
    trees = getattr(model, "estimators_", [model])
    unseen = _unseen(model, asked.index)
    ballots = [_ballot(t, tree.tree_, x, names, unseen[t] if unseen else None) for t, tree in enumerate(trees)]
    title = f"One row through scikit-learn's {type(model).__name__}"
    if not hasattr(model, "classes_"):
        working = explain_means(ballots, lambda: asked.said(model, "predict"), names, title)
        return Account(working, working["ŷ"])
    chosen = class_index(model.classes_, asked.of, mean_fractions(ballots))
    classes = [str(c) for c in model.classes_]
    working = explain_ballots(
        ballots, classes, chosen, lambda: asked.said(model, "predict_proba", chosen), names, title
    )
    return Account(working, working["p"])


def _unseen(model: Any, index: int | None) -> list[bool] | None:
    if index is None:
        return None
    if not getattr(model, "bootstrap", False):
        raise ExplainError("without bootstrap every tree has seen every row", do="leave index= out")
    return [index not in set(sample) for sample in model.estimators_samples_]


def _ballot(t: int, tree: Any, x: np.ndarray, names: Sequence[str], unseen: bool | None) -> Ballot:
    nodes, _ = way_down(tree, x)
    held = tree.value[nodes, 0]
    if held.shape[1] > 1 or tree.max_n_classes > 1:
        # Since 1.3 a node stores fractions; times its weight they are the counts again.
        held = held / held.sum(axis=1, keepdims=True) * tree.weighted_n_node_samples[nodes, None]
        held = np.round(held, 9)
    return Ballot(t, passage(tree, x, held, names), int(tree.n_node_samples[nodes[-1]]), unseen)


def passage(tree: Any, x: np.ndarray, held: np.ndarray, names: Sequence[str]) -> Passage:
    """The row's way through one of scikit-learn's trees; `held` is what its nodes hold."""
    nodes, left = way_down(tree, x)
    features = tree.feature[nodes[:-1]]

    def words() -> tuple[str, ...]:
        thresholds = tree.threshold[nodes[:-1]]
        return tuple(
            f"{names[f]} {'≤' if to_left else '>'} {threshold:.6g}" + (" (missing)" if np.isnan(x[f]) else "")
            for f, to_left, threshold in zip(features, left, thresholds, strict=True)
        )

    return Passage(features, held, words)


def way_down(tree: Any, x: np.ndarray) -> tuple[list[int], list[bool]]:
    """The nodes from the root to a float32 row's leaf, and at which of them it turned left."""
    first, second, feature, threshold = tree.children_left, tree.children_right, tree.feature, tree.threshold
    missing = tree.missing_go_to_left if np.isnan(x).any() else None
    node, nodes, turns = 0, [0], []
    while first[node] >= 0:
        value = x[feature[node]]
        left = bool(missing[node]) if missing is not None and np.isnan(value) else bool(value <= threshold[node])
        node = int(first[node] if left else second[node])
        nodes.append(node)
        turns.append(left)
    return nodes, turns
