"""How far the choice of a threshold would move on other rows of the same kind: the bootstrap (Efron 1979)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from openbook.decide.cuts import Cuts, judge
from openbook.errors import InputError
from openbook.record import Explains

if TYPE_CHECKING:
    from openbook.decide.threshold import BestThreshold

__all__ = ["Spread", "resampled"]

_FEWEST = 20


@dataclass(frozen=True, eq=False)
class Spread(Explains):
    """The choice made again on resamples of the rows, drawn with replacement.

    For each resample (resamples,): `thresholds` the end `up to` of the interval it chose, NaN where the constraint held
    nowhere; `promised` the metric there on the resample itself; `kept` what that threshold gives on the original rows;
    `here` the metric of the original choice on the resample.
    """

    best: BestThreshold
    thresholds: np.ndarray
    promised: np.ndarray
    kept: np.ndarray
    here: np.ndarray
    seed: int
    coverage: float

    @property
    def threshold_interval(self) -> tuple[float, float]:
        """Between these lie `coverage` of the thresholds chosen."""
        return self._middle(self.thresholds[~np.isnan(self.thresholds)])

    @property
    def value_interval(self) -> tuple[float, float]:
        """Between these lies the metric at the original choice, on `coverage` of the resamples."""
        return self._middle(self.here)

    @property
    def optimism(self) -> float:
        """By how much, on average, a choice promises more than it keeps: the best of many is partly luck."""
        chosen = ~np.isnan(self.thresholds)
        return float(np.mean(self.promised[chosen] - self.kept[chosen]))

    @property
    def failed(self) -> int:
        """Resamples on which no threshold satisfies the constraint."""
        return int(np.isnan(self.thresholds).sum())

    def _middle(self, values: np.ndarray) -> tuple[float, float]:
        """Quantiles that are values themselves, so that +∞ (nothing called positive) stays what it is."""
        tail = round((1 - self.coverage) / 2, 12)  # 0.95 leaves 0.025, not 0.025 and a bit, which is one resample more
        low, high = np.quantile(values, [tail, 1 - tail], method="inverted_cdf")
        return float(low), float(high)


def resampled(best: BestThreshold, resamples: int, seed: int, coverage: float) -> Spread:
    """Choose again on resamples; O(resamples · rows). Raises InputError for too few, or where the constraint never holds."""
    if resamples < _FEWEST:
        raise InputError(f"{resamples} resamples give no interval", where="spread", do=f"ask for {_FEWEST} or more")
    if not 0 < coverage < 1:
        raise InputError(f"coverage is {coverage}", where="spread", do="choose a share between 0 and 1, such as 0.95")
    cuts, n = Cuts.of(best.y, best.p), len(best.y)
    random = np.random.default_rng(seed)
    chosen = int(np.searchsorted(cuts.at, best.upper))
    _, original, _ = best.metric.evaluate(cuts.counts())
    rows = []
    for _ in range(resamples):
        counts = cuts.counts(np.bincount(random.integers(0, n, n), minlength=n))
        _, values, _ = best.metric.evaluate(counts)
        allowed = judge(counts, best.metric, best.constraint)
        place = int(np.argmax(allowed))
        if np.isfinite(allowed[place]):
            rows.append((cuts.at[place], values[place], original[place], values[chosen]))
        else:
            rows.append((np.nan, np.nan, np.nan, values[chosen]))
    thresholds, promised, kept, here = np.array(rows).T
    if np.isnan(thresholds).all():
        raise InputError(f"no resample satisfies {best.constraint}", where="spread", do="ask for less")
    return Spread(best, thresholds, promised, kept, here, seed, coverage)
