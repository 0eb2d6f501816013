"""Forests in ONNX: a TreeEnsemble node of ai.onnx.ml, for rows in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from openbook.errors import MissingPackageError, ModelError
from openbook.forest.leaves import Leaves
from openbook.forest.tree import Tree

__all__ = ["to_onnx"]

_ML_VERSION, _VERSION, _IR_VERSION = 3, 17, 8  # what runtimes of 2022 read already


def to_onnx(model: Any) -> Any:
    """A fitted tree or forest as an `onnx.ModelProto`: input X (rows, features) in float32.

    Classifiers give `label` (rows,) and `probabilities` (rows, classes), regressors `prediction` (rows, outputs), in float32.
    Every float32 row ends in the leaves it ends in here: thresholds are rounded down to float32, missing values (NaN) go
    their learnt side. Raises ModelError for classes that are neither whole numbers nor texts, and for those of several
    outputs.
    """
    onnx = _onnx()
    check_is_fitted(model)
    classes = getattr(model, "classes_", None)
    if isinstance(classes, list):
        raise ModelError(f"a classifier of {len(classes)} outputs has no form in ONNX here", where="to_onnx",
                         do="fit one model for each output")  # fmt: skip
    trees = [tree.validate(model.n_features_in_).side_by_side() for tree in model.trees_]
    nodes = _nodes(trees)
    leaves = _leaves(model, trees, nodes)
    x = onnx.helper.make_tensor_value_info("X", onnx.TensorProto.FLOAT, [None, model.n_features_in_])
    steps, outputs, constants = (
        _regressor(onnx, nodes, leaves, model.n_outputs_)
        if classes is None
        else _classifier(onnx, nodes, leaves, classes)
    )
    graph = onnx.helper.make_graph(steps, type(model).__name__, [x], outputs, initializer=constants)
    opsets = [onnx.helper.make_opsetid("ai.onnx.ml", _ML_VERSION), onnx.helper.make_opsetid("", _VERSION)]
    made = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="openbook")
    if hasattr(model, "feature_names_in_"):
        onnx.helper.set_model_props(made, {"feature_names": "\n".join(model.feature_names_in_)})
    onnx.checker.check_model(made)
    return made


def _onnx() -> Any:
    try:
        import onnx
    except ImportError as problem:
        raise MissingPackageError("the package onnx is not installed", where="to_onnx",
                                  do="pip install 'openbook[onnx]'") from problem  # fmt: skip
    return onnx


def _nodes(trees: list[Tree]) -> dict[str, Any]:
    """The attributes that say how rows are led: children by number within each tree."""
    joined = {
        name: np.concatenate([getattr(t, name) for t in trees])
        for name in ("feature", "threshold", "left", "right", "missing_left", "is_leaf")
    }
    leaf = joined["is_leaf"]
    return {
        "nodes_treeids": np.repeat(np.arange(len(trees)), [len(t) for t in trees]).tolist(),
        "nodes_nodeids": np.concatenate([np.arange(len(t)) for t in trees]).tolist(),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_featureids": np.where(leaf, 0, joined["feature"]).tolist(),
        "nodes_values": _floats_below(np.where(leaf, 0.0, joined["threshold"])).tolist(),
        "nodes_truenodeids": np.where(leaf, 0, joined["left"]).tolist(),
        "nodes_falsenodeids": np.where(leaf, 0, joined["right"]).tolist(),
        "nodes_missing_value_tracks_true": joined["missing_left"].astype(int).tolist(),
    }


def _floats_below(thresholds: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above each threshold: for x in float32, x ≤ t is the same question of both."""
    with np.errstate(over="ignore"):
        rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _leaves(model: Any, trees: list[Tree], nodes: dict[str, Any]) -> dict[str, Any]:
    """What each leaf adds to each output: its share of the forest's mean."""
    leaves = Leaves.of(trees, model._widths())
    values = leaves.votes() if getattr(model, "voting", "soft") == "hard" else leaves.values
    at = np.flatnonzero(np.array(nodes["nodes_modes"]) == "LEAF")
    width = values.shape[1]
    return {
        "treeids": np.repeat(np.array(nodes["nodes_treeids"])[at], width).tolist(),
        "nodeids": np.repeat(np.array(nodes["nodes_nodeids"])[at], width).tolist(),
        "ids": np.tile(np.arange(width), len(at)).tolist(),
        "weights": (values[leaves.which[at]] / len(trees)).astype(np.float32).ravel().tolist(),
    }


def _classifier(onnx: Any, nodes: dict[str, Any], leaves: dict[str, Any], classes: np.ndarray) -> tuple[Any, Any, Any]:
    """The probabilities, and the label as the first class with the largest: runtimes do not agree on the node's own label."""
    make, tensor = onnx.helper.make_node, onnx.helper.make_tensor
    if classes.dtype.kind in "biu":
        kind, labels = onnx.TensorProto.INT64, [int(c) for c in classes]
    elif all(isinstance(c, str) for c in classes.tolist()):
        kind, labels = onnx.TensorProto.STRING, [c.encode() for c in classes.tolist()]
    else:
        raise ModelError(f"ONNX names classes by whole numbers or texts, and these are {classes.dtype}", where="to_onnx",
                         do="fit with classes of one of these kinds")  # fmt: skip
    given = {f"class_{name}": value for name, value in leaves.items()}
    trees = make("TreeEnsembleClassifier", ["X"], ["place", "probabilities"], domain="ai.onnx.ml", post_transform="NONE",
                 classlabels_int64s=list(range(len(classes))), **nodes, **given)  # fmt: skip
    chosen = make("ArgMax", ["probabilities"], ["class"], axis=1, keepdims=0)
    named = make("Gather", ["classes", "class"], ["label"])
    value = onnx.helper.make_tensor_value_info
    outputs = [value("label", kind, [None]), value("probabilities", onnx.TensorProto.FLOAT, [None, len(classes)])]
    return [trees, chosen, named], outputs, [tensor("classes", kind, [len(classes)], labels)]


def _regressor(onnx: Any, nodes: dict[str, Any], leaves: dict[str, Any], outputs: int) -> tuple[Any, Any, Any]:
    given = {f"target_{name}": value for name, value in leaves.items()}
    trees = onnx.helper.make_node("TreeEnsembleRegressor", ["X"], ["prediction"], domain="ai.onnx.ml", n_targets=outputs,
                                  post_transform="NONE", **nodes, **given)  # fmt: skip
    return [trees], [onnx.helper.make_tensor_value_info("prediction", onnx.TensorProto.FLOAT, [None, outputs])], []
