"""docs/operations.md: every operation, and how far the worst of many points was from the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openbook.ops import OPS
from openbook.testing import measures
from openbook.testing.oracle import Worst

HEAD = """# The operations

Written by the test run: `OPENBOOK_WRITE_DOCS=1 pytest -m slow tests/ops/test_page.py`.

## Entry by entry

Beside the formula: how much of its budget of error, 4·max(1, κ) units in the last place of float64, the worst of {points:,}
random points used (1 is all of it; κ is the condition number there). The truth is the formula, or its derivative, at
precision doubled until two evaluations agree. Of operations of several arguments the worst derivative is shown.

| operation | formula | value | slope | second derivative |
|---|---|--:|--:|--:|
{rows}

## On whole arrays, and without a slope

Beside the formula: the worst error over {draws} random draws of every sample, in units. The truth is a slow loop over single
numbers in many digits, and differences of it in a hundred digits. A unit is one part in 2⁵² of what the inputs' own rounding
may come to: Σ|x ∂y/∂x| + |y| for a value (entry by entry; of matrices taken apart, for the largest entry); for a gradient
Σ|cotangent ∂y/∂x| and how far a rounding of the inputs moves it; likewise for a product with the second derivatives.
Allowed are {value:g} units for a value, {slope:g} for a slope, {second:g} for a second derivative; for values
and slopes of matrices taken apart twice that, since LAPACK promises as much of the norm, not of each entry.

| operation | formula | value | slope | second derivative | |
|---|---|--:|--:|--:|---|
{others}
"""


def operations_page(
    points: Mapping[str, Mapping[tuple[str, ...], Worst]],
    draws: Mapping[str, Sequence[measures.Worst]],
    count: int,
    variants: int,
) -> str:
    """The page, from the worst points of every smooth elementwise operation and the worst draws of all others."""
    return HEAD.format(
        points=count,
        draws=variants,
        rows="\n".join(_row(name, points[name]) for name in sorted(points)),
        others="\n".join(_other(name, draws[name]) for name in sorted(draws)),
        value=measures.VALUE,
        slope=measures.SLOPE,
        second=measures.SECOND,
    )


def _row(name: str, worsts: Mapping[tuple[str, ...], Worst]) -> str:
    shares = [max((w.share for orders, w in worsts.items() if len(orders) == k), default=0.0) for k in range(3)]
    return f"| `{name}` | `{_formula(name)}` | " + " | ".join(f"{share:.2f}" for share in shares) + " |"


def _other(name: str, found: Sequence[measures.Worst]) -> str:
    units = [f"{w.units:.2f}" if w.units else "0" for w in found] + ["–"] * (3 - len(found))
    return f"| `{name}` | `{_formula(name)}` | " + " | ".join(units) + f" | {_first_line(name)} |"


def _formula(name: str) -> str:
    return (OPS[name].formula or name).replace("|", "\\|")


def _first_line(name: str) -> str:
    return (OPS[name].__doc__ or "").strip().splitlines()[0].replace("|", "\\|")
