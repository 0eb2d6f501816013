"""A working for a terminal, folded to its width."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openbook.expr import text as formula_text
from openbook.record.draw.breaking import broken
from openbook.record.draw.grid import grids
from openbook.record.draw.lines import LONGEST_FORMULA, Line, parts
from openbook.record.draw.terminal import console_of, wrapped
from openbook.record.working import Working

__all__ = ["draw"]

_NAME, _VALUE, _REASON = "bold", "cyan", "dim"
_HANGING, _GAP = 4, 3  # how far a reason is set in; what it keeps from the calculation to its left


def draw(working: Working, width: int = 100, color: bool = False) -> str:
    """Plain text, or with colours for a terminal that shows them."""
    console = console_of(width, color)
    with console.capture() as captured:
        for block in _blocks(working, width):
            console.print(block)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _blocks(working: Working, width: int) -> Iterator[Any]:
    from rich.text import Text

    yield from wrapped(working.title, width, "bold")
    if working.question:
        yield from wrapped(working.question, width, "italic")
    for heading, lines in parts(working):
        yield Text("")
        if heading:
            yield from wrapped(heading, width, "bold blue")
        if all(line.is_bare and not line.said for line in lines):
            yield from _indented(_side_by_side(lines, width - 2), 2)
            continue
        for line in lines:
            yield from _indented(_line(line, width - 2), 2)
    for table in working.tables:
        yield Text("")
        yield from grids(table, width)
    for note in working.notes:
        yield Text("")
        yield from wrapped(note, width)
    verification = working.verification
    yield Text("")
    yield from wrapped(verification.summary(), width, "green" if verification.passed else "bold red")


def _indented(lines: list[Any], by: int) -> Iterator[Any]:
    from rich.text import Text

    for line in lines:
        yield Text.assemble(" " * by, line)


def _side_by_side(lines: list[Line], width: int) -> list[Any]:
    """Values that are merely given, as many to a line as there is room for."""
    from rich.text import Text

    rows: list[Any] = []
    for line in lines:
        calculation = _line(line, width)
        if rows and len(calculation) == 1 and rows[-1].cell_len + _GAP + calculation[0].cell_len <= width:
            rows[-1] = Text.assemble(rows[-1], " " * _GAP, calculation[0])
        else:
            rows += calculation
    return rows


def _line(line: Line, width: int) -> list[Any]:
    """The calculation in one line where it fits, else a line for each equals sign; the reason to the right, or below."""
    from rich.text import Text

    sides = _sides(line)
    name = Text(" " * len(line.step.name) if line.continues else line.step.name, style=_NAME)
    whole = Text.assemble(name, *(part for side in sides for part in (" ", side)))
    rows = [whole] if whole.cell_len <= width else _stacked(line, sides, width)
    if not line.said:
        return rows
    gap = width - rows[-1].cell_len - Text(line.said).cell_len
    if gap >= _GAP:
        return [*rows[:-1], Text.assemble(rows[-1], " " * gap, (line.said, _REASON))]
    return [*rows, *_indented(wrapped(line.said, width - _HANGING, _REASON), _HANGING)]


def _stacked(line: Line, sides: list[Any], width: int) -> list[Any]:
    """Every side below the one before, what is long broken at its operators."""
    from rich.text import Text

    name = line.step.name
    beside = len(name) <= width // 3
    margin = len(name) if beside else _HANGING
    rows = [] if beside or line.continues else [Text(part, style=_NAME) for part in broken(name, width)]
    for side in sides:
        sign, rest = side.plain[:1], side.plain[2:]
        lines = broken(rest, max(width - margin - 3, 1))
        shown = name if beside and not rows and not line.continues else ""
        style = side.spans[0].style if side.spans else ""
        rows.append(Text.assemble((shown.ljust(margin), _NAME), f" {sign} ", (lines[0], style)))
        rows += [Text.assemble(" " * (margin + 3), (more, style)) for more in lines[1:]]
    return rows


def _sides(line: Line) -> list[Any]:
    """What stands behind each equals sign."""
    from rich.text import Text

    sides = []
    for part in (line.formula, line.filled):
        shown = formula_text(part) if part is not None else ""
        if shown and shown != line.value:
            sides.append(Text(f"= {shown if len(shown) <= LONGEST_FORMULA else '…'}"))
    if line.value:
        sides.append(Text.assemble("= " if line.exact else "≈ ", (line.value, _VALUE)))
    return sides
