"""What leaves say: a row of numbers for each different answer, and which row a node has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from openbook.forest.labels import parts_of
from openbook.forest.tree import Tree

__all__ = ["Leaves"]


@dataclass(frozen=True, eq=False)
class Leaves:
    """Row `which[node]` of `values` is what a leaf says: class fractions (of several outputs, side by side) or mean targets.

    Most leaves of trees grown whole hold one class. They share the first rows of `values`, a row for each class, which then
    stay in the fastest cache. A node that is no leaf has row 0, which nobody asks for.
    """

    values: np.ndarray
    which: np.ndarray
    widths: tuple[int, ...]

    @classmethod
    def of(cls, trees: Sequence[Tree], widths: tuple[int, ...]) -> Leaves:
        """`widths` says how many classes each output has; it is empty for numbers."""
        shared = widths[0] if len(widths) == 1 else 0
        rows, which, known = [np.eye(shared, trees[0].value.shape[1])], [], shared
        for tree in trees:
            own, leaf = np.zeros(len(tree), np.uint32), np.flatnonzero(tree.is_leaf)
            value = np.asarray(tree.value[leaf], np.float64)
            if shared:
                only = _only_class(value)
                own[leaf] = only
                leaf, value = leaf[only == shared], value[only == shared]
            own[leaf] = np.arange(known, known + len(leaf))
            rows.append(value)
            which.append(own)
            known += len(leaf)
        shares = [part / part.sum(axis=1, keepdims=True) for part in parts_of(np.concatenate(rows), widths)]
        return cls(np.concatenate(shares or rows, axis=1 if shares else 0), np.concatenate(which), widths)

    def votes(self) -> np.ndarray:
        """As `values`, with 1 for the largest class (the first, where classes tie), 0 for the others."""
        outputs = parts_of(self.values, self.widths or self.values.shape[1:])
        return np.concatenate([np.eye(part.shape[1])[np.argmax(part, axis=1)] for part in outputs], axis=1)


def _only_class(value: np.ndarray) -> np.ndarray:
    """The class that alone has weight in a leaf; the number of classes where there is more than one, or none."""
    held, last = np.zeros(len(value), np.int64), np.zeros(len(value), np.int64)
    for k, weight in enumerate(value.T):
        held += weight != 0
        last[weight != 0] = k
    return np.where(held == 1, last, value.shape[1])
