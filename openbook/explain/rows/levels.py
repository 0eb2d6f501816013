"""Decisions about categories in words: which levels go to a side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from openbook.forest import Tree

__all__ = ["level_of", "levels_text"]

_NAMED = 4  # levels; of more only their number is said


def levels_text(tree: Tree, node: int, left: bool, levels: Mapping[int, np.ndarray], place: float | None = None) -> str:
    """'in {Local-gov, Private}', or of many 'in 37 of 120 levels'; with a row's `place` in the tree's order, its level too.

    Levels are named by `levels`, or by their codes where it says nothing.
    """
    feature = int(tree.feature[node])
    own = tree.categories(node)[0 if left else 1]
    names = levels.get(feature, np.arange(len(tree.orders[feature])))
    if len(own) <= _NAMED:
        return f"in {{{', '.join(str(names[code]) for code in own)}}}"
    told = f"in {len(own)} of {len(names)} levels"
    if place is None or np.isnan(place):
        return told
    return f"{told}, with {level_of(tree, feature, levels, place)!r}"


def level_of(tree: Tree, feature: int, levels: Mapping[int, np.ndarray], place: float) -> str:
    """The level at a place in the tree's order: its name, or its code where `levels` says nothing."""
    code = int(np.argmax(tree.orders[feature] == place))
    return str(levels[feature][code]) if feature in levels else str(code)
