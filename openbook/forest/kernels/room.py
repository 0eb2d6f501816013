"""What a tree is grown in: arrays by name."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from openbook.forest.kernels.large_pairs import ABREAST, BINS
from openbook.forest.kernels.rows import EXACT_BELOW, HELD, PICKED, SPOTS

__all__ = ["Nodes", "Room"]


_WAITING = 128  # nodes; each is at most half as large as the one that waits below it


class Nodes(NamedTuple):
    """The arrays of the tree. `low` and `high` are the rows beside a boundary, or for bins b −2 − b; where everything known
    stands against everything missing, `high` is −1. Sums are (W, part) or the weight of each class."""

    feature: Any
    low: Any
    high: Any
    left: Any
    missing_left: Any
    gain: Any
    rows: Any
    sums: Any

    @classmethod
    def of(cls, most: int, width: int) -> Nodes:
        feature, low, high, left, rows = (np.empty(most, np.int32) for _ in range(5))
        sums = np.zeros((most, width), np.int64)
        return cls(feature, low, high, left, np.empty(most, np.bool_), np.empty(most), rows, sums)


class Several(NamedTuple):
    """Features that a small node is looked at by together, with one entry, or row, for each: from which of the `Room.ranked` on the
    ranks of its rows stand, and what is known of these; how many buckets there are (0: none), the sums up to each, the score
    of the boundary after each (see buckets.py)."""

    spots: Any
    lowest: Any
    highest: Any  # of known values
    missed: Any
    few: Any
    varied: Any
    buckets: Any
    sums: Any
    scores: Any

    @classmethod
    def of(cls, most_buckets: int) -> Several:
        spots, lowest, highest, buckets = (np.zeros(ABREAST, np.uint64) for _ in range(4))
        missed, few, varied = (np.zeros(ABREAST, np.bool_) for _ in range(3))
        sums, scores = (np.empty((ABREAST, most_buckets), kind) for kind in (np.uint64, np.float64))
        return cls(spots, lowest, highest, missed, few, varied, buckets, sums, scores)


class Room(NamedTuple):
    """Where the search for a split works."""

    best: Any  # the best split so far (see pairs.py), and its score, left weight and left part
    figures: Any
    total: Any  # weight, part and rows of the node, or
    node: Any  # its weight and sums over classes (see classes.py), and the weight of each class on the left
    left: Any
    features: Any
    swapped: Any
    state: Any
    hist: Any  # by place; None for more than two classes
    hist_part: Any
    sums: Any  # by group: left weight, left part, left rows, rank, score
    bin_hist: Any  # of each bin of several features (see large_pairs.py)
    bin_part: Any
    starts: Any  # empty between the uses, as `seen` and `groups` are: nobody clears them before
    ends: Any
    ordered: Any
    rights: Any  # by place: what `sums` has for the left, for the right; of many classes only
    ranked: Any  # of a small node's rows in one feature: their ranks (see rows.py: SPOTS), and where they stand among
    places: Any  # themselves (see places.py)
    several: Any
    marked: Any  # buckets of one of them (see buckets.py)
    # Ranks within the small node whose subtree is being grown (feature << 12 | place). Two classes need none where few
    # features are tried at each node: theirs are in `held` (see rows.py: fetch_ranks).
    local: Any
    seen: Any
    groups: Any
    before: Any
    held: Any
    stack: Any
    seeds: Any

    @classmethod
    def of(cls, d: int, n: int, most: int, width: int, random: bool = False) -> Room:
        """For d features, n rows in all, of which `most` are in the tree; `random` thresholds need no ranks."""
        few, words, ranked = EXACT_BELOW, (n + EXACT_BELOW) // 64 + 1, 0 if random else d
        pairs, bins = width == 2, ABREAST * int(BINS)
        spots = int(PICKED + SPOTS) if not random else 0
        sums = (np.empty(few), np.empty(few), np.zeros(few, np.int32), np.empty(few, np.int32), np.empty(few))
        return cls(
            np.zeros(8, np.int64), np.zeros(4), np.zeros(3), np.zeros(5, np.int64), np.zeros(width, np.int64),
            np.arange(d), np.empty(d, np.int64), np.zeros(1, np.uint64),
            np.zeros(few, np.uint64) if pairs else None, np.zeros(few, np.int64), sums,
            np.zeros(bins, np.uint64) if pairs else None, np.zeros(bins, np.int64),
            np.zeros(few, np.int32), np.empty(few, np.int32), np.empty(few if pairs else max(most, few), np.uint64),
            np.empty(0 if pairs else few),
            np.zeros(spots, np.uint32 if pairs else np.uint16), np.zeros(spots, np.uint16),
            Several.of(few // 4), np.empty(few // 4, np.uint8), np.empty(ranked << 12, np.uint16), np.zeros(words, np.uint64),
            np.zeros(words // 64 + 1, np.uint8),
            np.empty(max(words, 64), np.uint32), np.empty(ranked * int(HELD), np.uint32), np.empty((_WAITING, 5), np.int64),
            np.empty(_WAITING, np.uint64),
        )  # fmt: skip
