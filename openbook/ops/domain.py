"""Where an operation is defined: what tests draw their samples from."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["INF", "NAN", "POSITIVE", "Reals", "reals"]

INF, NAN = math.inf, math.nan


@dataclass(frozen=True)
class Reals:
    """The numbers from `low` to `high`, without those in `kinks`, where there is no slope but a convention."""

    low: float
    high: float
    kinks: tuple[float, ...] = ()

    def __contains__(self, x: float) -> bool:
        return self.low <= x <= self.high and x not in self.kinks


def reals(low: float = -10.0, high: float = 10.0, kinks: tuple[float, ...] = ()) -> Reals:
    """An interval to sample from."""
    return Reals(low, high, kinks)


POSITIVE = reals(1e-3, 50.0)
