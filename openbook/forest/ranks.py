"""Prediction by ranks: where a value stands among the thresholds that a forest asks its feature about.

A decision then compares two small whole numbers; a node is one word instead of two, a row a quarter as wide, and the answer
the same to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from openbook.forest.prediction import Walk

__all__ = ["Ranks"]

_MOST_THRESHOLDS = 65_534  # of one feature: ranks have 16 bits, and no rank exceeds a leaf's
_MOST_FEATURES = 8_191
_LEAF = np.uint64(0xFFFF)
_AHEAD = 8  # thresholds that `encode` may look at past the last
_CELLS = (16, 8192)


@dataclass(frozen=True, eq=False)
class Ranks:
    """What `kernels/ranked.py` reads: the thresholds of each feature, sorted, a grid over them, and nodes of one word.

    `cuts` holds the thresholds of all features, those of f from `begins[f]` on, each followed by ∞. `grid[f, cell]` is how
    many of them lie below a cell of equal width (`low`, `scale`). A node is its left child (32 bits; the right one
    follows it), the rank of its threshold (16), and eight times its feature (16).
    """

    cuts: np.ndarray
    begins: np.ndarray
    low: np.ndarray
    scale: np.ndarray
    grid: np.ndarray
    nodes: np.ndarray

    @classmethod
    def of(cls, walk: Walk, n_features: int) -> Ranks | None:
        """None where a feature has too many thresholds, or there are too many features, for 16 bits."""
        child, feature = walk.links & np.uint64(0xFFFFFFFF), (walk.links >> np.uint64(33)).astype(np.int64)
        leaf = child == np.arange(len(child), dtype=np.uint64)
        if n_features > _MOST_FEATURES:
            return None
        rank = np.full(len(child), _LEAF)
        order = np.argsort(np.where(leaf, n_features, feature), kind="stable")
        ends = np.cumsum(np.bincount(feature[~leaf], minlength=n_features))
        cuts = []
        for asked in np.split(order, ends)[:n_features]:
            different, place = np.unique(walk.thresholds[asked], return_inverse=True)
            if len(different) > _MOST_THRESHOLDS:
                return None
            rank[asked] = place.astype(np.uint64)
            cuts.append(different)
        eightfold = np.where(leaf, 0, feature).astype(np.uint64) << np.uint64(3)
        nodes = child | (rank << np.uint64(32)) | (eightfold << np.uint64(48))
        padded = [np.concatenate([c, np.full(_AHEAD, np.inf)]) for c in cuts]
        begins = np.cumsum([0, *(len(p) for p in padded[:-1])])
        low, scale, grid = _grid(cuts)
        return cls(np.concatenate(padded), begins, low, scale, grid, nodes)

    def add_up(self, X: np.ndarray, values: np.ndarray, starts: np.ndarray, sums: np.ndarray) -> bool:
        """Add each row's leaves into `sums`; False, and nothing done, where a value is missing."""
        from openbook.forest.kernels.ranked import LANES, encode, walk_ranked

        codes = np.zeros((-(-len(X) // LANES), X.shape[1], LANES), np.uint16)
        if not encode(X, self.cuts, self.begins, self.low, self.scale, self.grid, codes):
            return False
        walk_ranked(codes.reshape(-1), X.shape[1], len(X), self.nodes, starts, values, sums)
        return True


def _grid(cuts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells of equal width from each feature's first threshold to its last, about one for each threshold."""
    most = max((len(c) for c in cuts), default=1)
    cells = int(np.clip(1 << (most - 1).bit_length(), *_CELLS)) if most else _CELLS[0]
    finite = [c[np.isfinite(c)] for c in cuts]
    low = np.array([c[0] if len(c) else 0.0 for c in finite])
    with np.errstate(over="ignore", divide="ignore"):
        scale = (cells - 1) / np.array([c[-1] - c[0] if len(c) > 1 else np.inf for c in finite])
    scale[~np.isfinite(scale)] = 0.0  # one cell for all: they are found by halving
    grid = np.empty((len(cuts), cells + 1), np.uint16)
    for f, c in enumerate(cuts):
        with np.errstate(over="ignore", invalid="ignore"):
            own = np.clip(np.nan_to_num((c - low[f]) * scale[f]), 0, cells - 1).astype(np.int64)
        grid[f] = np.searchsorted(own, np.arange(cells + 1))
    return low, scale, grid
