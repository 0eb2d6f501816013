"""The arrays of many trees as a few: end to end, without what follows from the rest, in the least room that is exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from openbook.errors import ModelError
from openbook.forest.labels import parts_of
from openbook.forest.least import least
from openbook.forest.orders import UNSEEN
from openbook.forest.quantiles import LeafTargets
from openbook.forest.tree import LEAF, Tree

__all__ = ["column", "packed", "packed_targets", "unpacked", "unpacked_targets"]

# What a tree's arrays are in memory. Those of splits are written for splits only: a leaf decides nothing.
_SPLITS = {"feature": np.int32, "threshold": np.float64, "missing_left": np.bool_, "gain": np.float64}
_OF_LEAF = {"feature": LEAF, "threshold": 0.0, "missing_left": False, "gain": 0.0}
_NODES = {"value": np.float64, "weight": np.float64, "samples": np.int64}


def packed(trees: Sequence[Tree], widths: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The trees' arrays, to be written: `sizes` (trees,), `left` (nodes,; 0 for a leaf), what each split and each node has.

    Right children come next after left ones. `widths` says how many classes each output has, nothing for numbers; `weight`
    is left out where it is the sum of the first output's; `orders`, of each tree the places of all levels, where there are
    no categories.
    """
    trees = [tree.side_by_side() for tree in trees]
    inner = np.concatenate([~tree.is_leaf for tree in trees])
    joined = {name: np.concatenate([getattr(tree, name) for tree in trees]) for name in ("left", *_SPLITS, *_NODES)}
    if np.array_equal(joined["weight"], _weights(joined["value"], widths)):
        del joined["weight"]
    for name in _SPLITS:
        joined[name] = joined[name][inner]
    joined["left"] = np.where(inner, joined["left"], 0)
    orders = [tree.orders[f] for tree in trees for f in sorted(tree.orders)]
    if orders:
        joined["orders"] = np.concatenate(orders)
    return {"sizes": np.array([len(tree) for tree in trees], np.int64), **{k: least(v) for k, v in joined.items()}}


def _weights(value: np.ndarray, widths: tuple[int, ...]) -> np.ndarray:
    return value[:, : widths[0] if widths else None].sum(axis=1)


def unpacked(
    arrays: dict[str, np.ndarray], features: int, widths: tuple[int, ...], outputs: int = 1,
    levels: Mapping[int, int] = MappingProxyType({}),
) -> list[Tree]:  # fmt: skip
    """The trees that `packed` was given, validated for `features` features and these classes, or so many numbers in a node;
    `levels` says how many each category has."""
    sizes = column(arrays, "sizes", np.int64, None)
    if not len(sizes) or sizes.min() < 1 or sizes.max() > len(arrays.get("left", ())):
        raise ModelError("the sizes of the trees are none that can be")
    nodes = int(sizes.sum())
    left = column(arrays, "left", np.int32, nodes)
    inner = left != 0
    joined = {name: _of_splits(arrays, name, inner) for name in _SPLITS}
    joined["left"] = np.where(inner, left, LEAF).astype(np.int32)
    joined["right"] = np.where(inner, left + 1, LEAF).astype(np.int32)
    joined["value"] = column(arrays, "value", np.float64, nodes, sum(widths) or outputs)
    joined["samples"] = column(arrays, "samples", np.int64, nodes)
    joined["weight"] = (
        column(arrays, "weight", np.float64, nodes) if "weight" in arrays else _weights(joined["value"], widths)
    )
    for part in parts_of(joined["value"], widths):
        _require_weights(part)
    trees = []
    for size, end, orders in zip(sizes, np.cumsum(sizes), _orders(arrays, len(sizes), levels), strict=True):
        known: dict[str, Any] = {name: array[end - size : end] for name, array in joined.items()}
        trees.append(Tree(**known, orders=orders).validate(features))
    return trees


def _orders(arrays: dict[str, np.ndarray], trees: int, levels: Mapping[int, int]) -> list[dict[int, np.ndarray]]:
    """Of each tree the places of the levels of every category."""
    features, counts = sorted(levels), [levels[f] for f in sorted(levels)]
    if not features:
        return [{}] * trees
    places = column(arrays, "orders", np.int16, trees * sum(counts)).reshape(trees, -1)
    if places.size and not UNSEEN <= places.min() <= places.max() < max(counts):
        raise ModelError("a level has a place that is not there")
    return [dict(zip(features, np.split(own, np.cumsum(counts)[:-1]), strict=True)) for own in places]


def _of_splits(arrays: dict[str, np.ndarray], name: str, inner: np.ndarray) -> np.ndarray:
    whole: np.ndarray = np.full(len(inner), _OF_LEAF[name], _SPLITS[name])
    whole[inner] = column(arrays, name, _SPLITS[name], int(inner.sum()))
    return whole


def column(arrays: dict[str, np.ndarray], name: str, dtype: type, length: int | None, *width: int) -> np.ndarray:
    """An array of a file in the dtype it has in memory: nothing in it may change on the way."""
    array = arrays.get(name)
    if not isinstance(array, np.ndarray):
        raise ModelError(f"the file has no array {name!r}")
    shape = (len(array) if array.ndim and length is None else length, *width)
    if array.shape != shape:
        raise ModelError(f"the array {name!r} has the shape {array.shape}, and the others want {shape}")
    kinds = {"b": "b", "u": "u", "i": "iu", "f": "iuf"}[np.dtype(dtype).kind]
    if array.dtype.kind not in kinds:
        raise ModelError(f"the array {name!r} holds {array.dtype}, which it never does")
    exact: np.ndarray = array.astype(dtype)
    if not np.array_equal(exact, array):
        raise ModelError(f"the array {name!r} holds numbers that are none, or too large")
    return exact


def _require_weights(value: np.ndarray) -> None:
    """Weights of classes that fractions can be made of."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = value.sum(axis=1)
    if not ((value >= 0).all() and (total > 0).all() and np.isfinite(total).all()):
        raise ModelError("the weights of the classes in a node are none that fractions can be made of")


# --- targets in leaves -----------------------------------------------------------------------------------------


def packed_targets(known: LeafTargets, trees: Sequence[Tree]) -> dict[str, np.ndarray]:
    """What a forest knows of the targets in its leaves, to be written: `rows` says how many each leaf has."""
    rows = [np.diff(starts)[tree.is_leaf] for starts, tree in zip(known.starts, trees, strict=True)]
    joined = {"code": np.concatenate(known.code), "share": np.concatenate(known.share), "rows": np.concatenate(rows)}
    return {name: least(array) for name, array in {"numbers": known.numbers, **joined}.items()}


def unpacked_targets(arrays: dict[str, np.ndarray], trees: Sequence[Tree]) -> LeafTargets:
    """The targets that `packed_targets` was given, validated for these trees."""
    numbers, code = column(arrays, "numbers", np.float64, None), column(arrays, "code", np.int32, None)
    share = column(arrays, "share", np.float64, len(code))
    rows = column(arrays, "rows", np.int64, sum(tree.n_leaves for tree in trees))
    if rows.min() < 1 or rows.max() > len(code) or rows.sum() != len(code):
        raise ModelError("the leaves hold other numbers of targets than there are")
    if not 0 <= code.min() <= code.max() < len(numbers):
        raise ModelError("a leaf holds a target that is not there")
    if not (np.isfinite(numbers).all() and (np.diff(numbers) > 0).all()):
        raise ModelError("the targets in the leaves are no numbers in order")
    if not (np.isfinite(share).all() and (share > 0).all()):
        raise ModelError("the shares of the targets in a leaf are none that can be")
    return LeafTargets(numbers, *_by_tree(code, share, rows, trees))


def _by_tree(
    code: np.ndarray, share: np.ndarray, rows: np.ndarray, trees: Sequence[Tree]
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    starts = []
    for tree, own in zip(trees, np.split(rows, np.cumsum([tree.n_leaves for tree in trees])[:-1]), strict=True):
        count = np.zeros(len(tree) + 1, np.int64)
        count[1:][tree.is_leaf] = own
        starts.append(np.cumsum(count))
    ends = np.cumsum([start[-1] for start in starts])[:-1]
    return np.split(code, ends), np.split(share, ends), starts
