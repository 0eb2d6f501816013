"""Taking turns: every round times every contestant once, so that a noisy machine is noisy for all of them."""

from __future__ import annotations

import ctypes
import gc
import statistics
import sys
import time
from collections.abc import Callable, Mapping

__all__ = ["race", "table"]


def race(contestants: Mapping[str, Callable[[], object]], rounds: int = 7, warm: int = 1) -> dict[str, list[float]]:
    """Seconds of each contestant in each round, after `warm` rounds that do not count."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for i in range(warm + rounds):
        for name, run in contestants.items():
            tidy()
            began = time.perf_counter()
            run()
            if i >= warm:
                times[name].append(time.perf_counter() - began)
    return times


def tidy() -> None:
    """Collect what others left behind: Python's garbage, and what glibc would otherwise merge on the next one's time (after YDF
    a new thread's first array takes a tenth of a second)."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def table(title: str, times: Mapping[str, list[float]], ours: str = "openbook") -> str:
    """Medians, and how many times as long as ours each peer takes (median of same-round ratios, with their range)."""
    lines = [f"### {title}", "", "| | median | peer / openbook |", "|---|--:|--:|"]
    for name, seconds in times.items():
        ratios = sorted(theirs / own for theirs, own in zip(seconds, times[ours], strict=True))
        ratio = "1" if name == ours else f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"
        lines.append(f"| {name} | {_shown(statistics.median(seconds))} | {ratio} |")
    return "\n".join(lines) + "\n"


def _shown(seconds: float) -> str:
    return (
        f"{seconds:.2f} s"
        if seconds >= 1
        else f"{seconds * 1e3:.1f} ms"
        if seconds >= 1e-3
        else f"{seconds * 1e6:.0f} µs"
    )
