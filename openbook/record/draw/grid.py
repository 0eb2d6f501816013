"""A table on a terminal: numbers whole, words folded, and columns in blocks below each other where there are too many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openbook.record.draw.lines import table_cell
from openbook.record.draw.terminal import wrapped
from openbook.record.table import Table

__all__ = ["grids"]

_LONGEST = 40  # rows
_APART = 3  # characters between columns
_MARK = "→ "


@dataclass
class _Column:
    """A head and its cells; `least` is the widest word, which is not broken, `most` the longest cell."""

    cells: list[str]
    numeric: bool

    @property
    def least(self) -> int:
        return max((_cells(word) for cell in self.cells for word in cell.split()), default=1)

    @property
    def most(self) -> int:
        return max((_cells(cell) for cell in self.cells), default=1)


def grids(table: Table, width: int) -> Iterator[Any]:
    """The title, the rows, and the note; lines of rich Text."""
    from rich.text import Text

    yield from wrapped(table.title, width, "italic")
    columns = [_column(table, i) for i in range(len(table.columns))]
    marks = [False, *(i in table.marked for i in range(min(len(table.rows), _LONGEST)))]
    room = width - len(_MARK)
    for block in _blocks(columns, room):
        yield Text("")
        yield from _block(block, marks, room)
    if len(table.rows) > _LONGEST:
        yield Text(f"  … {len(table.rows) - _LONGEST} more rows", style="dim")
    if table.note:
        yield from wrapped(table.note, width, "dim")


def _column(table: Table, i: int) -> _Column:
    numeric = any(not isinstance(row[i], (str, type(None))) for row in table.rows)
    return _Column([table.columns[i], *(table_cell(row[i]) for row in table.rows[:_LONGEST])], numeric)


def _blocks(columns: list[_Column], width: int) -> list[list[_Column]]:
    """As many columns side by side as fit without a broken word; the first one heads every block."""
    blocks = [columns[:1]]
    for column in columns[1:]:
        taken = sum(c.least + _APART for c in blocks[-1])
        if taken + column.least > width and len(blocks[-1]) > 1:
            blocks.append(columns[:1])
        blocks[-1] = [*blocks[-1], column]
    return blocks


def _block(columns: list[_Column], marks: list[bool], width: int) -> Iterator[Any]:
    from rich.text import Text

    widths = _widths(columns, width)
    for row, marked in enumerate(marks):
        folded = [wrapped(column.cells[row], w) or [""] for column, w in zip(columns, widths, strict=True)]
        for line in range(max(map(len, folded))):
            cells = [
                _aligned(str(cell[line]) if line < len(cell) else "", w, column.numeric)
                for cell, column, w in zip(folded, columns, widths, strict=True)
            ]
            mark = _MARK if marked and not line else " " * len(_MARK)
            yield Text(mark + (" " * _APART).join(cells), style="bold" if marked or not row else "")
        if not row:
            yield Text(" " * len(_MARK) + "─" * min(width, sum(widths) + _APART * (len(widths) - 1)), style="dim")


def _widths(columns: list[_Column], width: int) -> list[int]:
    """Every column its longest cell, the widest narrowed in turn until all fit; at last words are broken too."""
    widths = [c.most for c in columns]
    room = width - _APART * (len(columns) - 1)
    for floors in ([c.least for c in columns], [1] * len(columns)):
        while sum(widths) > room and any(w > f for w, f in zip(widths, floors, strict=True)):
            k = max(range(len(widths)), key=lambda i: (widths[i] > floors[i], widths[i]))
            widths[k] -= 1
    return widths


def _aligned(text: str, width: int, right: bool) -> str:
    space = " " * (width - _cells(text))
    return space + text if right else text + space


def _cells(text: str) -> int:
    """How wide a text is on a terminal: some letters take two places, accents none."""
    from rich.cells import cell_len

    return cell_len(text)
