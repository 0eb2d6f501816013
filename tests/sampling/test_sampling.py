"""Temperature, truncation and draws."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

from openbook.errors import OpenbookError
from openbook.sampling import draw, softmax, temper, truncate

Z = np.array([3.0, 2.0, 1.0, 0.0, -1.0])
LOGITS = st.lists(st.floats(-50, 50), min_size=1, max_size=12)


@settings(max_examples=100)
@given(LOGITS, st.floats(0.05, 50))
def test_softmax_is_scipys(logits: list[float], T: float) -> None:
    np.testing.assert_allclose(softmax(logits, T), scipy.special.softmax(np.array(logits) / T), rtol=1e-12, atol=1e-300)


def test_known_answers_of_the_examination() -> None:
    np.testing.assert_array_equal(np.round(softmax(Z), 4), [0.6364, 0.2341, 0.0861, 0.0317, 0.0117])
    np.testing.assert_array_equal(np.round(softmax(Z, 2.0), 4), [0.4287, 0.2600, 0.1577, 0.0956, 0.0580])


def test_limits() -> None:
    np.testing.assert_array_equal(softmax([1.0, 3.0, 3.0], 0.0), [0, 0.5, 0.5])
    np.testing.assert_array_equal(softmax([1.0, 3.0, -np.inf], np.inf), [0.5, 0.5, 0])
    np.testing.assert_allclose(softmax(Z, 1e-3), softmax(Z, 0.0), atol=1e-12)
    np.testing.assert_allclose(softmax(Z, 1e9), softmax(Z, np.inf), rtol=1e-8)


def test_expected_counts_and_spread() -> None:
    t = temper(Z, 1.0, n=1000)
    np.testing.assert_allclose(t.expected, 1000 * t.p)
    np.testing.assert_allclose(t.spread, np.sqrt(1000 * t.p * (1 - t.p)))


def test_draws_follow_the_distribution() -> None:
    """Chi-square p-values over seeds are uniform enough: nothing near 0 in all of them, their mean near a half."""
    values = [draw(Z, 2000, seed=s).p_value for s in range(40)]
    assert min(values) > 1e-4 and 0.3 < np.mean(values) < 0.7


def test_a_biased_sampler_would_be_noticed() -> None:
    from openbook.sampling.draw import _chi_square

    drawn = draw(Z, 20_000, temperature=1.1, seed=0)
    assert _chi_square(drawn.counts, 20_000 * softmax(Z))[2] < 1e-6


def test_same_seed_same_draws() -> None:
    np.testing.assert_array_equal(draw(Z, 50, seed=9).drawn, draw(Z, 50, seed=9).drawn)


def test_truncation() -> None:
    kept = np.isfinite
    np.testing.assert_array_equal(kept(truncate(Z, top_k=2)), [1, 1, 0, 0, 0])
    np.testing.assert_array_equal(kept(truncate(Z, top_p=0.8)), [1, 1, 0, 0, 0])  # .6364 + .2341 reach .8
    np.testing.assert_array_equal(kept(truncate(Z, min_p=0.1)), [1, 1, 1, 0, 0])
    np.testing.assert_array_equal(kept(truncate([1.0, 2.0, 2.0], top_k=1)), [0, 1, 1])  # ties stay


@pytest.mark.parametrize(
    "call",
    [
        lambda: softmax([]), lambda: softmax([np.nan, 1]), lambda: softmax([np.inf, 1]), lambda: softmax([-np.inf]),
        lambda: softmax(Z, -1.0), lambda: softmax(Z, np.nan), lambda: draw(Z, 0), lambda: truncate(Z, top_k=0),
        lambda: truncate(Z, top_p=0.0), lambda: temper(Z, tokens=["a"]), lambda: temper([[1.0, 2.0]]),
    ],
)  # fmt: skip
def test_nonsense_is_refused(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(OpenbookError):
        call()
