"""The rows of a small node, ranked among themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from openbook.forest.kernels.room import Room
from openbook.forest.kernels.rows import HELD, MISSING_RANK, fetch_ranks, rank_locally


@njit
def ranked(
    ranks: Any, rows: Any, missing_rank: Any, local: Any, seen: Any, groups: Any, before: Any, held: Any
) -> None:
    rank_locally(ranks, rows, missing_rank, local, seen, groups, before, held)


@njit
def fetched(
    ranks: Any, rows: Any, missing_rank: Any, close: Any, held: Any, seen: Any, groups: Any, before: Any
) -> None:
    fetch_ranks(seen, ranks, rows, missing_rank, close, held, seen, groups, before)


@pytest.mark.parametrize("rows", [1, 70, 4095])
def test_ranks_among_few_rows_are_in_the_order_of_those_among_all(rows: int) -> None:
    """Where a column has fewer different values than a small node has ranks, just these; else NumPy's."""
    random = np.random.default_rng(rows)
    different = [1, 7, 4094, 4095, 4096, 9000]
    ranks = np.stack([random.integers(0, count + 1, 9000) for count in different], axis=1).astype(np.uint32)
    chosen, room = random.permutation(9000)[:rows].astype(np.uint32), Room.of(len(different), 9000, rows, 2)
    ranked(ranks, chosen, np.array(different, np.uint32), room.local, room.seen, room.groups, room.before, room.held)
    for f, count in enumerate(different):
        own = ranks[chosen, f]
        expected = own if count <= MISSING_RANK else np.unique(own, return_inverse=True)[1]
        np.testing.assert_array_equal(room.local[f << 12 :][:rows], np.where(own == count, MISSING_RANK, expected))
    assert not room.seen.any() and not room.groups.any()


@pytest.mark.parametrize("close", [False, True])
@pytest.mark.parametrize("features", [1, 3, 4, 6])
@pytest.mark.parametrize("rows", [1, 70, 4095])
def test_ranks_are_in_the_order_of_those_among_all_rows(rows: int, features: int, close: bool) -> None:
    """Whether they are moved or made anew: the missing rank says missing and nothing else, and close ones are NumPy's."""
    random = np.random.default_rng(rows)
    highest, missing = np.array([1, 4095, 4096, 9000, 9000, 9000][:features]), [0, 1, 1, 0, 1, 0][:features]
    ranks = np.stack([random.integers(0, h + m, 9000) for h, m in zip(highest, missing, strict=True)], axis=1)
    chosen, room = random.permutation(9000)[:rows].astype(np.uint32), Room.of(features, 9000, rows, 2)
    fetched(
        ranks.astype(np.uint32),
        chosen,
        highest.astype(np.uint32),
        close,
        room.held,
        room.seen,
        room.groups,
        room.before,
    )
    for f in range(features):
        own, found = ranks[chosen, f], room.held[f * int(HELD) :][:rows]
        known = own < highest[f]
        np.testing.assert_array_equal(found == MISSING_RANK, ~known)
        _, expected = np.unique(own[known], return_inverse=True)
        np.testing.assert_array_equal(np.unique(found[known], return_inverse=True)[1], expected)
        if close:
            np.testing.assert_array_equal(found[known], expected)
    assert not room.seen.any() and not room.groups.any()
