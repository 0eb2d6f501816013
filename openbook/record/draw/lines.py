"""A working as lines to set: the parts in order, each step with what stands between its equals signs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, cast

import numpy as np

from openbook.expr import Expr, array_text, number_text, text
from openbook.record.step import Step
from openbook.record.working import Working

__all__ = ["LONGEST_FORMULA", "Line", "is_exact", "parts", "shown_value", "table_cell"]

LONGEST_FORMULA = 300  # characters: a longer one is "…" in the line of its step
_LARGEST = 64  # entries: larger arrays are not shown in full


@dataclass(frozen=True)
class Line:
    """A step ready to be set: `filled` is left out where it would repeat the formula or the value."""

    step: Step
    formula: Expr | None
    filled: Expr | None
    value: str
    exact: bool
    said: str
    digits: int  # decimals that may be shown: those on which the derivations agree
    continues: bool = False  # the name of the line before again: it need not be written twice

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing behind it: no formula, no second derivation."""
        return self.formula is None and not self.step.witnesses


def parts(working: Working) -> Iterator[tuple[str, list[Line]]]:
    """The headings of a working with the lines below each, in order."""
    for heading, steps in groupby(working.steps, key=lambda step: step.part):
        lines: list[Line] = []
        for step in steps:
            lines.append(_line(working, step, bool(lines) and lines[-1].step.name == step.name))
        yield heading, lines


def _line(working: Working, step: Step, continues: bool) -> Line:
    digits = working.digits(step)
    value = shown_value(step.value, digits)
    filled = step.filled
    if filled is not None and (not step.inputs or filled == step.formula or _plain_number(filled)):
        filled = None
    return Line(step, step.formula, filled, value, is_exact(step.value, digits), _said(step), digits, continues)


def _plain_number(expr: Expr) -> bool:
    return not expr.parts


def _said(step: Step) -> str:
    rule = "" if step.rule in ("given", "") else step.rule
    return f"{rule}: {step.why}" if rule and step.why else rule or step.why


def is_exact(value: Any, digits: int) -> bool:
    """Whether the number as shown is the number, not a rounding of it."""
    if isinstance(value, np.ndarray):
        return value.size <= _LARGEST and all(is_exact(v, digits) for v in value.ravel())
    if isinstance(value, (str, bool, int, np.integer)) or not np.isscalar(value):
        return True
    return float(number_text(value, digits).replace("∞", "inf").replace("−", "-")) == float(cast(float, value))


def shown_value(value: Any, digits: int = 4) -> str:
    """A value as people read it."""
    if isinstance(value, (str, bool)) or value is None:
        return "" if value is None else str(value)
    if isinstance(value, Expr):
        return text(value)
    if isinstance(value, np.ndarray):
        return array_text(value, digits)
    return number_text(value, digits).replace("-", "−")


def table_cell(value: Any) -> str:
    """An entry of a table."""
    return shown_value(value)
