"""The arrays of many trees as a few: end to end, without what follows from the rest, in the least room that is exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from openbook.errors import ModelError
from openbook.forest.orders import UNSEEN
from openbook.forest.tree import LEAF, Tree

__all__ = ["column", "least", "packed", "unpacked"]

# What a tree's arrays are in memory. Those of splits are written for splits only: a leaf decides nothing.
_SPLITS = {"feature": np.int32, "threshold": np.float64, "missing_left": np.bool_, "gain": np.float64}
_OF_LEAF = {"feature": LEAF, "threshold": 0.0, "missing_left": False, "gain": 0.0}
_NODES = {"value": np.float64, "weight": np.float64, "samples": np.int64}


def packed(trees: Sequence[Tree]) -> dict[str, np.ndarray]:
    """The trees' arrays, to be written: `sizes` (trees,), `left` (nodes,; 0 for a leaf), what each split and each node has.

    Right children come next after left ones. `weight` is left out where it is the sum of `value`; `orders`, of each tree the
    places of all levels, where there are no categories.
    """
    trees = [tree.side_by_side() for tree in trees]
    inner = np.concatenate([~tree.is_leaf for tree in trees])
    joined = {name: np.concatenate([getattr(tree, name) for tree in trees]) for name in ("left", *_SPLITS, *_NODES)}
    if np.array_equal(joined["weight"], joined["value"].sum(axis=1)):
        del joined["weight"]
    for name in _SPLITS:
        joined[name] = joined[name][inner]
    joined["left"] = np.where(inner, joined["left"], 0)
    orders = [tree.orders[f] for tree in trees for f in sorted(tree.orders)]
    if orders:
        joined["orders"] = np.concatenate(orders)
    return {"sizes": np.array([len(tree) for tree in trees], np.int64), **{k: least(v) for k, v in joined.items()}}


def least(array: np.ndarray) -> np.ndarray:
    """The same numbers, to the last bit, in the smallest dtype that holds them."""
    if array.dtype.kind == "b" or not array.size:
        return array
    if array.dtype.kind == "f":
        if not (np.array_equal(array, np.abs(np.trunc(array))) and array.max() < 2**32) or np.signbit(array).any():
            with np.errstate(over="ignore"):
                single = array.astype(np.float32)
            return single if np.array_equal(single, array) else array
        array = array.astype(np.int64)
    return array.astype(np.promote_types(np.min_scalar_type(array.min()), np.min_scalar_type(array.max())))


def unpacked(
    arrays: dict[str, np.ndarray], width: int, features: int, levels: Mapping[int, int] = MappingProxyType({})
) -> list[Tree]:
    """The trees that `packed` was given, validated for `features` features and `width` numbers in each node; `levels` says
    how many each category has."""
    sizes = column(arrays, "sizes", np.int64, None)
    if not len(sizes) or sizes.min() < 1 or sizes.max() > len(arrays.get("left", ())):
        raise ModelError("the sizes of the trees are none that can be")
    nodes = int(sizes.sum())
    left = column(arrays, "left", np.int32, nodes)
    inner = left != 0
    joined = {name: _of_splits(arrays, name, inner) for name in _SPLITS}
    joined["left"] = np.where(inner, left, LEAF).astype(np.int32)
    joined["right"] = np.where(inner, left + 1, LEAF).astype(np.int32)
    joined["value"] = column(arrays, "value", np.float64, nodes, width)
    joined["samples"] = column(arrays, "samples", np.int64, nodes)
    joined["weight"] = (
        column(arrays, "weight", np.float64, nodes) if "weight" in arrays else joined["value"].sum(axis=1)
    )
    _require_weights(joined["value"])
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
    if name not in arrays:
        raise ModelError(f"the file has no array {name!r}")
    array = arrays[name]
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
    if value.shape[1] == 1:
        return
    with np.errstate(over="ignore", invalid="ignore"):
        total = value.sum(axis=1)
    if not ((value >= 0).all() and (total > 0).all() and np.isfinite(total).all()):
        raise ModelError("the weights of the classes in a node are none that fractions can be made of")
