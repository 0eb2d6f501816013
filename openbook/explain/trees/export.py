"""A tree as plain JSON values."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.explain.trees.scene import Scene
from openbook.record.draw.json import plain

__all__ = ["as_dict"]


def as_dict(scene: Scene, title: str) -> dict[str, Any]:
    """Every node that is shown, with its question or that it is a leaf, and what it holds; numbers in full."""
    names, tree = scene.names, scene.tree
    return {
        "title": title,
        "features": list(names.features),
        "classes": list(names.classes),
        "nodes": [_node(scene, node) for node in scene.outline.nodes],
        "left_out": len(tree) - len(scene.outline.nodes),
        "row": None if scene.row is None else plain(scene.row.tolist()),
        "path": list(scene.outline.path),
    }


def _node(scene: Scene, node: int) -> dict[str, Any]:
    tree, names = scene.tree, scene.names
    value = tree.value[node]
    told: dict[str, Any] = {"node": node, "rows": int(tree.samples[node]), "weight": float(tree.weight[node])}
    if names.classes:
        told |= {"counts": value.tolist(), "fractions": (value / value.sum()).tolist()}
    else:
        told |= {names.centre: float(value[0])}
    if scene.outline.is_leaf(node):
        return told
    feature = int(tree.feature[node])
    if feature in tree.orders:
        called = names.levels.get(feature, np.arange(len(tree.orders[feature])))
        told["levels"] = [[str(called[code]) for code in side] for side in tree.categories(node)]
    return told | {
        "feature": names.features[feature],
        "threshold": plain(float(tree.threshold[node])),
        "missing": "left" if tree.missing_left[node] else "right",
        "left": int(tree.left[node]),
        "right": int(tree.right[node]),
    }
