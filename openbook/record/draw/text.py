"""A working for a terminal, folded to its width."""

from __future__ import annotations

from typing import Any, cast

from openbook.expr import text as formula_text
from openbook.record.draw.lines import Line, parts, table_cell
from openbook.record.table import Table
from openbook.record.working import Working

__all__ = ["draw"]

_LONGEST_TABLE = 40
_LONGEST_CALCULATION = 300


def draw(working: Working, width: int = 100, color: bool = False) -> str:
    """Plain text, or with colours for a terminal that shows them."""
    from rich.console import Console

    console = Console(
        width=width, force_terminal=color, color_system="standard" if color else None, no_color=not color,
        highlight=False, emoji=False, markup=False, legacy_windows=False, file=cast(Any, _Sink()),
    )  # fmt: skip
    with console.capture() as captured:
        for block in _blocks(working, width):
            console.print(block)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


class _Sink:
    """Where a capturing console would write; nothing arrives."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        """There is nothing to flush."""


def _blocks(working: Working, width: int) -> Any:
    from rich.padding import Padding
    from rich.text import Text

    yield Text(working.title, style="bold")
    if working.question:
        yield Text(working.question, style="italic")
    for heading, lines in parts(working):
        yield Text("")
        if heading:
            yield Text(heading, style="bold blue")
        if all(line.is_given and not line.said for line in lines):
            yield Padding(Text("   ").join(map(_calculation, lines)), (0, 0, 0, 2))
            continue
        for line in lines:
            yield Padding(_line(line, width - 2), (0, 0, 0, 2))
    for table in working.tables:
        yield Text("")
        yield _table(table)
    for note in working.notes:
        yield Text("")
        yield Text(note)
    verification = working.verification
    yield Text("")
    yield Text(verification.summary(), style="green" if verification.passed else "bold red")


def _line(line: Line, width: int) -> Any:
    """One line where it fits: the calculation to the left, the reason to the right; else the reason below."""
    from rich.text import Text

    name, sides = _name(line), _sides(line)
    if len(name) + len(sides) > width:
        return _folded(name, sides, line, width)
    gap = width - len(name) - len(sides) - len(line.said)
    calculation = Text.assemble(name, sides)
    if not line.said:
        return calculation
    if gap >= 3:
        return Text.assemble(calculation, " " * gap, (line.said, "dim"))
    return Text.assemble(calculation, "\n", "    ", (line.said, "dim"))


def _folded(name: Any, sides: Any, line: Line, width: int) -> Any:
    """A calculation of several lines: what follows the first equals sign stands below it, where there is room."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table as Grid
    from rich.text import Text

    said = [Padding(Text(line.said, style="dim"), (0, 0, 0, 4))] if line.said else []
    if len(name) > width // 3:
        return Group(Text.assemble(name, sides), *said)
    grid = Grid.grid()
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    sign, rest = sides[:3], sides[3:]
    grid.add_row(Text.assemble(name, sign), rest)
    return Group(grid, *said)


def _calculation(line: Line) -> Any:
    from rich.text import Text

    return Text.assemble(_name(line), _sides(line))


def _name(line: Line) -> Any:
    from rich.text import Text

    return Text(" " * len(line.step.name) if line.continues else line.step.name, style="bold")


def _sides(line: Line) -> Any:
    from rich.text import Text

    words: list[Any] = []
    for part in (line.formula, line.filled):
        shown = formula_text(part) if part is not None else ""
        if shown and len(shown) <= _LONGEST_CALCULATION and shown != line.value:
            words.append(f" = {shown}")
    sign = "=" if line.exact else "≈"
    if line.value:
        words += [f" {sign} ", (line.value, "cyan")]
    return Text.assemble(*words)


def _table(table: Table) -> Any:
    from rich import box
    from rich.table import Table as Grid

    grid = Grid(
        title=table.title, title_justify="left", box=box.SIMPLE_HEAD, caption=table.note or None, pad_edge=False
    )
    grid.add_column("")
    for i, column in enumerate(table.columns):
        numeric = any(not isinstance(row[i], (str, type(None))) for row in table.rows)
        grid.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for index, row in enumerate(table.rows[:_LONGEST_TABLE]):
        marked = index in table.marked
        grid.add_row("→" if marked else "", *map(table_cell, row), style="bold" if marked else None)
    if len(table.rows) > _LONGEST_TABLE:
        grid.add_row("", f"… {len(table.rows) - _LONGEST_TABLE} more rows", *[""] * (len(table.columns) - 1))
    return grid
