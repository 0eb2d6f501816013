"""docs/operations.md: every operation, and how far the worst of ten thousand points was from the truth."""

from __future__ import annotations

from collections.abc import Mapping

from openbook.ops import OPS
from openbook.testing.oracle import Worst

HEAD = """# The operations

Written by the test run (`OPENBOOK_WRITE_DOCS=1 pytest -m slow tests/ops/test_elementwise.py`).

## Entry by entry

Beside the formula: how much of its budget of error, 4·max(1, κ) units in the last place of float64, the worst of 10,000
random points used (1 is all of it; κ is the condition number there). The truth is the formula, or its derivative, at
precision doubled until two evaluations agree. Of operations of several arguments the worst derivative is shown.

| operation | formula | value | slope | second derivative |
|---|---|--:|--:|--:|
"""


def operations_page(found: Mapping[str, Mapping[tuple[str, ...], Worst]]) -> str:
    """The page, from the worst points of every smooth elementwise operation."""
    smooth = [_row(name, found[name]) for name in sorted(found)]
    others = sorted(name for name, op in OPS.items() if name not in found)
    rest = "\n".join(f"| `{n}` | `{OPS[n].formula or n}` | {_first_line(n)} |" for n in others)
    return (
        HEAD
        + "\n".join(smooth)
        + "\n\n## On whole arrays, and without a slope\n\n| operation | formula | |\n|---|---|---|\n"
        + rest
        + "\n"
    )


def _row(name: str, worsts: Mapping[tuple[str, ...], Worst]) -> str:
    shares = [max((w.share for orders, w in worsts.items() if len(orders) == k), default=0.0) for k in range(3)]
    formula = OPS[name].formula.replace("|", "\\|")
    return f"| `{name}` | `{formula}` | " + " | ".join(f"{share:.2f}" for share in shares) + " |"


def _first_line(name: str) -> str:
    return (OPS[name].__doc__ or "").strip().splitlines()[0].replace("|", "\\|")
