"""Draws from the generator that `manual_seed` seeds: their distributions by SciPy's tests, their seeds, their errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import openbook as ob
from openbook.errors import InputError, ShapeError

N = 20_000
FILLED: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "uniform_": (lambda x: x.uniform_(-1.0, 3.0), stats.uniform(-1, 4)),
    "normal_": (lambda x: x.normal_(2.0, 0.5), stats.norm(2, 0.5)),
    "log_normal_": (lambda x: x.log_normal_(0.5, 0.8), stats.lognorm(0.8, scale=np.exp(0.5))),
    "exponential_": (lambda x: x.exponential_(2.0), stats.expon(scale=0.5)),
    "cauchy_": (lambda x: x.cauchy_(1.0, 2.0), stats.cauchy(1, 2)),
    "normal": (lambda x: ob.normal(x * 0 + 2.0, x * 0 + 0.5), stats.norm(2, 0.5)),
}


@pytest.mark.parametrize("name", FILLED)
def test_distribution(name: str) -> None:
    """Kolmogorov and Smirnov's test does not tell the draws from the distribution, and tells them from a shifted one."""
    ob.manual_seed(5)
    fill, distribution = FILLED[name]
    drawn = fill(ob.zeros(N, dtype=ob.float64)).numpy()
    assert stats.kstest(drawn, distribution.cdf).pvalue > 1e-3
    assert stats.kstest(drawn + 0.2, distribution.cdf).pvalue < 1e-6


@pytest.mark.parametrize("name", FILLED)
def test_the_same_seed_draws_the_same(name: str) -> None:
    fill = FILLED[name][0]
    ob.manual_seed(7)
    first = fill(ob.zeros(9)).tolist()
    second = fill(ob.zeros(9)).tolist()
    ob.manual_seed(7)
    assert fill(ob.zeros(9)).tolist() == first != second


def require_counts(places: np.ndarray, shares: np.ndarray) -> None:
    counts = np.bincount(places.ravel(), minlength=len(shares))
    assert counts[shares == 0].sum() == 0
    seen = shares > 0
    assert stats.chisquare(counts[seen], counts.sum() * shares[seen] / shares.sum()).pvalue > 1e-3


def test_multinomial() -> None:
    ob.manual_seed(1)
    weights = np.array([1.0, 0.0, 3.0, 4.0])
    require_counts(ob.multinomial(ob.tensor(weights), N, replacement=True).numpy(), weights)
    rows = ob.multinomial(ob.tensor(np.tile(weights, (N, 1))), 3).numpy()
    assert rows.shape == (N, 3) and all(sorted(r) == [0, 2, 3] for r in rows)
    require_counts(rows[:, 0], weights)  # the first drawn is as with replacement


def test_bernoulli_poisson_and_geometric() -> None:
    ob.manual_seed(2)
    require_counts(ob.bernoulli(ob.zeros(N) + 0.3).numpy().astype(int), np.array([0.7, 0.3]))
    require_counts(ob.zeros(N).bernoulli_(0.3).numpy().astype(int), np.array([0.7, 0.3]))
    tries = ob.zeros(N).geometric_(0.4).numpy().astype(int)
    require_counts(
        np.minimum(tries, 5), np.array([0, *(stats.geom(0.4).pmf(k) for k in range(1, 5)), stats.geom(0.4).sf(4)])
    )
    counts = ob.poisson(ob.zeros(N) + 2.5).numpy().astype(int)
    require_counts(
        np.minimum(counts, 6), np.array([*(stats.poisson(2.5).pmf(k) for k in range(6)), stats.poisson(2.5).sf(5)])
    )


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(InputError, match="replacement=True"):
        ob.multinomial(ob.tensor([1.0, 0.0]), 2)
    with pytest.raises(InputError, match="not negative"):
        ob.multinomial(ob.tensor([1.0, -1.0]), 1)
    with pytest.raises(InputError, match="probabilities"):
        ob.bernoulli(ob.tensor([1.5]))
    with pytest.raises(InputError, match="interval"):
        ob.zeros(3).uniform_(1.0, 0.0)
    with pytest.raises(ShapeError, match="how many"):
        ob.normal(0.0, 1.0)
