"""Trees in an ONNX graph: the way of a row through each, and what its leaves add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import ExplainError
from openbook.explain.onnx.nodes import Node, class_labels, floats, formula_step, label_step, operator, scores_step
from openbook.record import Step, given

__all__ = ["Leaf", "leaves_of"]

_TOLD = 5  # trees whose way down is written out

_ASKS = {
    "BRANCH_LEQ": ("≤", np.less_equal), "BRANCH_LT": ("<", np.less), "BRANCH_GTE": ("≥", np.greater_equal),
    "BRANCH_GT": (">", np.greater), "BRANCH_EQ": ("=", np.equal), "BRANCH_NEQ": ("≠", np.not_equal),
}  # fmt: skip
_OTHERWISE = {"≤": ">", "<": "≥", "≥": "<", ">": "≤", "=": "≠", "≠": "="}


@dataclass(frozen=True)
class Leaf:
    """Where a row ends in one tree: the decisions on the way, and what the leaf adds to each output."""

    tree: int
    path: tuple[str, ...]
    adds: tuple[float, ...]


def leaves_of(
    attributes: Mapping[str, Any], x: np.ndarray, names: Sequence[str], prefix: str, outputs: int
) -> list[Leaf]:
    """The leaf of one row (features,) in every tree; `prefix` is what ONNX calls the leaf's numbers: class or target."""
    nodes = list(zip(attributes["nodes_treeids"], attributes["nodes_nodeids"], strict=True))
    place = {key: i for i, key in enumerate(nodes)}
    adds = _weights(attributes, prefix, outputs)
    children = {(t, attributes[f"nodes_{side}nodeids"][i]) for i, (t, _) in enumerate(nodes) for side in ("true", "false")
                if attributes["nodes_modes"][i] != "LEAF"}  # fmt: skip
    roots = [key for key in nodes if key not in children]
    found = []
    for tree, root in roots:
        path, at = _way(attributes, place, (tree, root), x, names)
        found.append(Leaf(tree, tuple(path), tuple(adds.get(at, (0.0,) * outputs))))
    return found


def _weights(attributes: Mapping[str, Any], prefix: str, outputs: int) -> dict[tuple[int, int], list[float]]:
    """What each leaf adds to each output, by tree and node. One sum for two classes names the class it is the sum of."""
    parts = [attributes[f"{prefix}_{name}"] for name in ("treeids", "nodeids", "ids", "weights")]
    found: dict[tuple[int, int], list[float]] = {}
    for tree, node, output, weight in zip(*parts, strict=True):
        found.setdefault((tree, node), [0.0] * outputs)[0 if outputs == 1 else output] += weight
    return found


def _way(
    attributes: Mapping[str, Any],
    place: Mapping[tuple[int, int], int],
    at: tuple[int, int],
    x: np.ndarray,
    names: Sequence[str],
) -> tuple[list[str], tuple[int, int]]:
    path: list[str] = []
    tracks = attributes.get("nodes_missing_value_tracks_true")
    while (mode := attributes["nodes_modes"][place[at]]) != "LEAF":
        if mode not in _ASKS or len(path) > len(place):
            raise ExplainError(f"a tree that asks {mode}, or that never ends, is not explained")
        i = place[at]
        sign, asks = _ASKS[mode]
        feature, threshold = attributes["nodes_featureids"][i], np.float32(attributes["nodes_values"][i])
        missing = bool(np.isnan(x[feature]))
        yes = bool(tracks[i]) if missing and tracks else bool(asks(x[feature], threshold))
        words = f"{names[feature]} {sign if yes else _OTHERWISE[sign]} {threshold:.6g}"
        path.append(f"{words} (missing)" if missing else words)
        at = (at[0], attributes["nodes_truenodeids" if yes else "nodes_falsenodeids"][i])
    return path, at


@operator("TreeEnsembleClassifier")
def _classifier(node: Node) -> Sequence[Step]:
    labels = class_labels(node.attributes)
    used = len(set(node.attributes["class_ids"]))
    sums = _sums(node, "class", 1 if used == 1 and len(labels) == 2 else len(labels), f"{node.outputs[1]} sums")
    scores = scores_step(node, node.outputs[1], sums[-1], len(labels))
    return [*sums, label_step(node.outputs[0], scores, labels), scores]


@operator("TreeEnsembleRegressor")
def _regressor(node: Node) -> Sequence[Step]:
    if node.attributes.get("post_transform", "NONE") != "NONE":
        raise ExplainError(f"the transform {node.attributes['post_transform']} of trees is not explained")
    return _sums(node, "target", int(node.attributes.get("n_targets", 1)), node.outputs[0])


def _sums(node: Node, prefix: str, outputs: int, name: str) -> list[Step]:
    """What the leaves add, a row for each tree; their sum or mean, and the base values."""
    x = node.inputs[0]
    assert x is not None
    row = np.asarray(x.value, np.float32).reshape(-1)
    names = node.columns.get(x.name) or [f"{x.name}[{i}]" for i in range(len(row))]
    leaves = leaves_of(node.attributes, row, names, prefix, outputs)
    added = Step(f"leaves of {name}", floats([leaf.adds for leaf in leaves]), None, (x,), rule="leaf of each tree",
                 why=_told(leaves))  # fmt: skip
    ones = given(f"ones for {name}", np.ones((1, len(leaves)), np.float32), "to add up the trees")
    how = node.attributes.get("aggregate_function", "SUM")
    if how not in ("SUM", "AVERAGE"):
        raise ExplainError(f"trees taken together by {how} are not explained")
    text, inputs = "o @ m" if how == "SUM" else f"o @ m / {len(leaves)}", {"o": ones, "m": added}
    if node.attributes.get("base_values"):
        inputs["b"] = given(
            f"base of {name}", floats(node.attributes["base_values"])[None, :outputs], "before any tree"
        )
        text += " + b"
    return [*inputs.values(), formula_step(name, text, inputs, f"{how.lower()} over the trees")]


def _told(leaves: Sequence[Leaf]) -> str:
    ways = [f"tree {leaf.tree}: {' and '.join(leaf.path) or 'a single leaf'}" for leaf in leaves[:_TOLD]]
    more = [f"and {len(leaves) - _TOLD} trees more"] if len(leaves) > _TOLD else []
    return "; ".join(ways + more)
