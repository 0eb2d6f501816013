"""What on a page stands for the same step: hovering one place lights the others.

Every symbol, number, box and cell that is a step carries its number (`data-s`), and everything that belongs to a working
the working's mark (`data-w`), for a page may hold several.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from typing import Any

import numpy as np

from openbook.record.draw.lines import is_exact, shown_value
from openbook.record.step import Step
from openbook.record.working import Working

__all__ = ["Ties"]

_NAMED = re.compile(r' data-name="([^"]*)"')


@dataclass(frozen=True)
class Ties:
    """The numbers of a working's steps, by the step, by the name and by the value."""

    working: Working

    @cached_property
    def mark(self) -> str:
        """Tells this working from others on the page, and is the same every time it is drawn."""
        told = (self.working.title, *(f"{s.name}={shown_value(s.value)}" for s in self.working.steps))
        return f"{zlib.crc32(repr(told).encode()):08x}"

    def number(self, step: Step) -> int:
        """The place of a step in the working; what it was given from outside has places after these."""
        return self._numbers[id(step)]

    def in_step(self, markup: str, step: Step) -> str:
        """A step's formula: its names mean its own inputs, whatever else goes by them elsewhere."""
        return _tied(markup, {s.name: self.number(s) for s in (*step.inputs, step)})

    def anywhere(self, markup: str) -> str:
        """What stands beside the steps (a graph): a name means the last step that has it."""
        return _tied(markup, self._by_name)

    def cell(self, value: Any) -> str:
        """The mark of a table's cell: one that names a step, or whose number is the value of one step and no other.

        Only numbers with more digits than are shown: a half or a two may be the same by accident.
        """
        if isinstance(value, str):
            return _mark(self._by_name.get(value))
        if not isinstance(value, (float, np.floating)) or is_exact(value, 4):
            return ""
        return _mark(self._by_value.get(float(value)))

    @cached_property
    def _numbers(self) -> dict[int, int]:
        steps = self.working.steps
        outside = (i for step in steps for i in step.inputs)
        return {key: place for place, key in enumerate(dict.fromkeys(map(id, (*steps, *outside))))}

    @cached_property
    def _by_name(self) -> dict[str, int]:
        return {step.name: self.number(step) for step in self.working.steps}

    @cached_property
    def _by_value(self) -> dict[float, int]:
        found = {
            i: float(s.value) for i, s in enumerate(self.working.steps) if isinstance(s.value, (float, np.floating))
        }
        times = Counter(found.values())
        return {value: place for place, value in found.items() if times[value] == 1}


def _mark(number: int | None) -> str:
    return "" if number is None else f" data-s={number}"


def _tied(markup: str, numbers: dict[str, int]) -> str:
    return _NAMED.sub(lambda found: _mark(numbers.get(unescape(found[1]))), markup)
