"""Ranks and bins of tables: the ranks are SciPy's, and bins are runs of ranks with about equally many rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import rankdata

from openbook.forest.columns import MISSING, Columns
from openbook.forest.kernels.rows import EXACT_BELOW

RANDOM = np.random.default_rng(0)
LARGEST = float(np.finfo(np.float64).max)
COLUMNS = {
    "spread": RANDOM.normal(size=5000),
    "skewed": np.exp(20 * RANDOM.normal(size=5000)),
    "clusters": np.where(RANDOM.random(5000) < 0.5, -1e12, 1e12) + RANDOM.random(5000),
    "far from zero": 1e9 + RANDOM.random(5000) * 1e-3,
    "one step apart": np.nextafter(0.1, 1) * (1 + np.arange(5000)[::-1] * 2.0**-52),
    "smallest": RANDOM.integers(-50, 50, 5000) * 5e-324,
    "extremes": RANDOM.choice([-np.inf, -LARGEST, -5e-324, -0.0, 0.0, 5e-324, LARGEST, np.inf], 5000),
    "whole": np.round(RANDOM.normal(0, 300, 5000)),
    "few": RANDOM.integers(0, 7, 5000).astype(float),
    "heavy": np.where(RANDOM.random(5000) < 0.7, 2.0, RANDOM.normal(size=5000)),
    "gaps": np.where(RANDOM.random(5000) < 0.3, np.nan, RANDOM.normal(size=5000)),
    "signed gaps": np.where(RANDOM.random(5000) < 0.3, np.copysign(np.nan, -1.0), RANDOM.normal(size=5000)),
    "nothing": np.full(5000, np.nan),
    "constant": np.full(5000, -3.5),
    "both zeros": np.where(np.arange(5000) % 2, 0.0, -0.0),
    "one row": np.array([1.5]),
    "one gap": np.array([np.nan]),
    "two rows": np.array([2.0, -1.0]),
}


def require_ranks(made: Columns, f: int, column: np.ndarray) -> None:
    known = ~np.isnan(column)
    ranks = rankdata(column[known], method="dense") - 1
    np.testing.assert_array_equal(made.rank[known, f], ranks)
    assert made.missing_rank[f] == len(np.unique(column[known]))
    assert (made.rank[~known, f] == made.missing_rank[f]).all()


def require_bins(made: Columns, f: int, column: np.ndarray) -> None:
    known = ~np.isnan(column)
    assert (made.bin[f][~known] == MISSING).all()
    bins = made.bin[f][known]
    used = np.unique(bins)
    np.testing.assert_array_equal(used, np.arange(len(used)))
    different, rows = np.unique(column[known], return_counts=True)
    assert len(used) == len(different) if len(different) <= 255 else len(used) <= 255
    for b in used:
        inside = column[known][bins == b]
        assert (made.first[f, b], made.last[f, b]) == (inside.min(), inside.max())
        if len(different) > 255:
            assert len(inside) <= known.sum() / 255 + rows[different == inside.max()]
    np.testing.assert_array_equal(np.argsort(made.first[f, : len(used)]), used)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", COLUMNS)
def test_ranks_are_scipys_and_bins_are_runs_of_them(name: str, dtype: type) -> None:
    with np.errstate(over="ignore", under="ignore"):
        column = COLUMNS[name].astype(dtype)
    made = Columns.of(column[:, None])
    require_ranks(made, 0, column)
    require_bins(made, 0, column)


def test_bins_hold_equally_many_rows_where_values_differ() -> None:
    made = Columns.of(COLUMNS["skewed"][:, None])
    assert np.ptp(np.bincount(made.bin[0])) <= 1


@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, sparse.csc_matrix, sparse.csr_array])
@pytest.mark.parametrize("threads", [1, 2, 3, 50])
def test_columns_do_not_know_of_each_other(threads: int, form: Any) -> None:
    table = np.stack([column for column in COLUMNS.values() if len(column) == 5000], axis=1)
    made = Columns.of(form(table), threads)
    for f, column in enumerate(table.T):
        require_ranks(made, f, column)
    one = Columns.of(table)
    for name in ("rank", "bin", "missing_rank", "first", "last"):
        np.testing.assert_array_equal(getattr(made, name), getattr(one, name))


@pytest.mark.parametrize("rows, binned", [(EXACT_BELOW - 1, False), (EXACT_BELOW, True)])
def test_bins_are_made_where_a_node_may_ask_for_them(rows: int, binned: bool) -> None:
    table = 1 + np.random.default_rng(0).random((rows, 2))
    made, whole = Columns.for_growing(table, random=False, threads=1, levels=()), Columns.of(table)
    np.testing.assert_array_equal(made.rank, whole.rank)
    assert made.last.any() == made.first.any() == binned
    if binned:
        np.testing.assert_array_equal(made.bin, whole.bin)


@pytest.mark.parametrize("threads", [1, 2])
def test_only_the_features_asked_for_are_ranked(threads: int) -> None:
    table = np.stack([column for column in COLUMNS.values() if len(column) == 5000], axis=1)
    asked = np.array([1, 4, 7])
    some = Columns.of(table, threads, asked)
    for f in asked:
        require_ranks(some, f, table[:, f])
        require_bins(some, f, table[:, f])
    others = np.delete(np.arange(table.shape[1]), asked)
    assert not some.missing_rank[others].any() and not some.last[others].any()


def test_no_rows_have_no_ranks() -> None:
    made = Columns.of(np.empty((0, 3)))
    assert made.rank.shape == (0, 3) and made.bin.shape == (3, 0) and not made.missing_rank.any()
