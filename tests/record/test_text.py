"""A working on a terminal: folded to any width with nothing lost and no number broken; plain in a pipe."""

from __future__ import annotations

import io
import re
import sys
from collections import Counter
from dataclasses import replace

import pytest

import openbook as ob
from openbook.record import Table, Working, given
from openbook.record.draw.breaking import broken
from tests.gallery import GALLERY, working

WIDTHS = [*range(40, 201, 20), 61, 79]
NUMBERS = re.compile(r"\d+(?:\.\d+)?(?:e[−-]?\d+)?")


@pytest.mark.parametrize("name", GALLERY)
def test_every_width_holds_the_same(name: str) -> None:
    """No line is longer than the width; letter for letter the same is there, in the same order; numbers are whole.

    Columns that do not fit stand in a block of their own, with the first one once more beside them.
    """
    steps, tables = replace(working(name), tables=()), Working("", (), None, tables=working(name).tables)
    wide, every = steps.text(width=10_000), Counter(NUMBERS.findall(tables.text(width=10_000)))
    for width in WIDTHS:
        shown, drawn = steps.text(width=width), tables.text(width=width)
        assert max(map(len, f"{shown}\n{drawn}".splitlines())) <= width
        assert "".join(shown.split()) == "".join(wide.split())
        assert NUMBERS.findall(shown) == NUMBERS.findall(wide)
        assert every <= Counter(NUMBERS.findall(drawn))


@pytest.mark.parametrize("width", range(8, 60))
def test_names_and_numbers_are_not_broken(width: int) -> None:
    formula = "dL/dz_1[5, 2]·∂z_1[5, 2]/∂w[2, 1] + (−0.03508·0.6334) + 4 other products − 1.5e−9·f([1, −2.5, 3])"
    lines = broken(formula, width)
    assert all(len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(formula.split())
    if width >= 11:
        assert [n for line in lines for n in NUMBERS.findall(line)] == NUMBERS.findall(formula)
    if width >= 26:
        assert not any(line.count("[") != line.count("]") for line in lines)


def test_lines_end_before_an_operator_outside_of_brackets() -> None:
    assert broken("(a + b)·(c + d) + (e + f)·(g + h)", 20) == ["(a + b)·(c + d)", "+ (e + f)·(g + h)"]


def test_a_short_calculation_is_one_line_a_long_one_a_line_for_each_side() -> None:
    w = ob.explain("alpha*beta*gamma*delta1 + alpha", alpha=1.25, beta=2.5, gamma=3.125, delta1=4.0625)
    side = "L = alpha·beta·gamma·delta1 + alpha"
    assert any(line.strip().startswith(f"{side} =") for line in w.text(width=120).splitlines())
    narrow = [line.strip() for line in w.text(width=50).splitlines()]
    assert side in narrow and any(line.startswith("= 1.25·2.5·3.125·4.0625 + 1.25") for line in narrow)


def test_a_long_word_in_a_table_is_cut_only_when_it_must_be() -> None:
    table = Table("t", ("name", "value"), (("supercalifragilistic" * 3, 0.123456),))
    shown = Working("", (), None, tables=(table,)).text(width=40)
    assert max(map(len, shown.splitlines())) <= 40 and "0.1235" in shown
    assert "supercalifragilistic" * 3 in "".join(re.sub(r"0\.1235", "", shown).split())


class Terminal(io.StringIO):
    """A terminal that keeps what it is shown."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "width", "colours"),
    [
        ({"TERM": "xterm-256color"}, 72, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, 72, False),
        ({"TERM": "dumb"}, 80, False),  # whose width nobody knows
    ],
)
def test_printing_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], width: int, colours: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLORTERM", "LINES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**environment, "COLUMNS": "72"}.items():
        monkeypatch.setenv(name, value)
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    print(working("part four"))
    assert ("\x1b[" in screen.getvalue()) is colours
    assert re.sub(r"\x1b\[[\d;]*m", "", screen.getvalue()) == working("part four").text(width) + "\n"


def test_printing_into_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stdout", pipe)
    print(working("part four"))
    assert pipe.getvalue() == working("part four").text() + "\n"
    assert "\x1b" not in pipe.getvalue()


def test_given_values_stand_side_by_side_and_whole() -> None:
    many = tuple(given(f"x_{i}", 10.0**i + 0.5) for i in range(9))
    lines = Working("", many, None).text(width=40).splitlines()
    assert any(line.count(" = ") > 1 for line in lines)
    assert sum(line.count(" = ") for line in lines) == len(many)
