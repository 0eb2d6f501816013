"""Which rows are drawn: the very ones of NumPy's generator, whatever counts them."""

from __future__ import annotations

import numpy as np
import pytest

from openbook.forest.bootstrap import Bootstrap

# Of 3 · 2³⁰ rows one number in four is refused and drawn anew.
SIZES = [(1, 5), (2, 1), (3, 8), (150, 150), (4096, 1001), (10_007, 10_007), (3 * 2**30, 2000), (2**32 - 1, 2000)]
SEEDS = [0, 1, 2**32, 2**63 - 2]


@pytest.mark.parametrize("rows, size", SIZES)
@pytest.mark.parametrize("seed", SEEDS)
def test_numpys_draws(rows: int, size: int, seed: int) -> None:
    expected = np.random.default_rng(seed).integers(0, rows, size)
    np.testing.assert_array_equal(Bootstrap(rows, size).drawn(seed), expected, strict=True)


@pytest.mark.parametrize("rows, size", [sizes for sizes in SIZES if sizes[0] < 2**16])
@pytest.mark.parametrize("weighted", [False, True])
def test_counts_are_of_the_draws(rows: int, size: int, weighted: bool) -> None:
    bootstrap = Bootstrap(rows, size, np.arange(1.0, rows + 1) if weighted else None)
    counted = np.bincount(bootstrap.drawn(7), minlength=rows)
    np.testing.assert_array_equal(bootstrap.counts(7), counted, strict=True)
    np.testing.assert_array_equal(bootstrap.left_out(7), np.setdiff1d(np.arange(rows), bootstrap.drawn(7)))
