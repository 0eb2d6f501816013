"""docs/operations.md: written from the worst of many points (10,000; OPENBOOK_POINTS says how many else), and complete."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from openbook.ops import OPS
from openbook.testing.exact import Truth
from openbook.testing.measures import Worst, worst_second, worst_slope, worst_value
from openbook.testing.oracle import Worst as WorstPoint
from openbook.testing.oracle import errors, require_within_budget
from openbook.testing.samples import samples_of
from tests.ops.table import operations_page
from tests.ops.test_elementwise import SMOOTH

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
POINTS, DRAWS = int(os.environ.get("OPENBOOK_POINTS", "10000")), 30
ARRAYS = sorted(set(OPS) - set(SMOOTH))


def of_points(name: str) -> dict[tuple[str, ...], WorstPoint]:
    return errors(OPS[name], POINTS)


def of_draws(name: str) -> list[Worst]:
    """The worst value, slope and second derivative over many draws of every sample."""
    op = OPS[name]
    truths = [Truth(op, sample, variant) for sample in samples_of(op) for variant in range(1, DRAWS + 1)]
    kinds = [worst_value, *([worst_slope, worst_second] if op.differentiable else [])]
    return [
        max((kind(op, t) for t in truths if t.slopes or kind is worst_value), key=lambda w: w.share) for kind in kinds
    ]


@pytest.mark.slow
def test_many_points_each() -> None:
    """With OPENBOOK_WRITE_DOCS=1 the figures become docs/operations.md."""
    with ProcessPoolExecutor() as pool:
        points = dict(zip(SMOOTH, pool.map(of_points, SMOOTH), strict=True))
        draws = dict(zip(ARRAYS, pool.map(of_draws, ARRAYS), strict=True))
    if os.environ.get("OPENBOOK_WRITE_DOCS") == "1":
        PAGE.write_text(operations_page(points, draws, POINTS, DRAWS), encoding="utf-8")
    for name, worsts in points.items():
        require_within_budget(OPS[name], worsts)
    assert [(name, w) for name, found in draws.items() for w in found if w.share > 1] == []


def test_the_page_is_complete() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in OPS if f"| `{name}` |" not in page] == []
