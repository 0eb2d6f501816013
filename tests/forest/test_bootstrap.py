"""Which rows are drawn, and how often."""

from __future__ import annotations

import numpy as np
import pytest

from openbook.forest.bootstrap import Bootstrap


@pytest.mark.parametrize("rows, size", [(1, 5), (2, 1), (3, 8), (4096, 1001), (10_007, 10_007)])
@pytest.mark.parametrize("weighted", [False, True])
def test_counts_are_of_the_draws(rows: int, size: int, weighted: bool) -> None:
    bootstrap = Bootstrap(rows, size, np.arange(1.0, rows + 1) if weighted else None)
    counted = np.bincount(bootstrap.drawn(7), minlength=rows)
    np.testing.assert_array_equal(bootstrap.counts(7), counted, strict=True)
    np.testing.assert_array_equal(bootstrap.left_out(7), np.setdiff1d(np.arange(rows), bootstrap.drawn(7)))
