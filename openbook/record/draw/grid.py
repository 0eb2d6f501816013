"""A table on a terminal: numbers whole, words folded, and columns in blocks below each other where there are too many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openbook.record.draw.columns import LONGEST_TABLE, Column, columns_of, in_blocks
from openbook.record.draw.terminal import wrapped
from openbook.record.table import Table

__all__ = ["grids"]

_APART = 3  # characters between columns
_MARK = "→ "


def grids(table: Table, width: int) -> Iterator[Any]:
    """The title, the rows, and the note; lines of rich Text."""
    from rich.text import Text

    yield from wrapped(table.title, width, "italic")
    columns = columns_of(table)
    marks = [False, *(i in table.marked for i in range(min(len(table.rows), LONGEST_TABLE)))]
    room = width - len(_MARK)
    for block in in_blocks(columns, [_widest_word(c) for c in columns], _APART, room):
        yield Text("")
        yield from _block(block, marks, room)
    if len(table.rows) > LONGEST_TABLE:
        yield Text(f"  … {len(table.rows) - LONGEST_TABLE} more rows", style="dim")
    if table.note:
        yield from wrapped(table.note, width, "dim")


def _widest_word(column: Column) -> int:
    """What is not broken as long as there is another way."""
    return max((_cells(word) for cell in (column.head, *column.cells) for word in cell.split()), default=1)


def _widest_cell(column: Column) -> int:
    return max(1, *map(_cells, (column.head, *column.cells)))


def _block(columns: list[Column], marks: list[bool], width: int) -> Iterator[Any]:
    from rich.text import Text

    widths = _widths(columns, width)
    for row, marked in enumerate(marks):
        folded = [
            wrapped((column.head, *column.cells)[row], w) or [""] for column, w in zip(columns, widths, strict=True)
        ]
        for line in range(max(map(len, folded))):
            cells = [
                _aligned(str(cell[line]) if line < len(cell) else "", w, column.numeric)
                for cell, column, w in zip(folded, columns, widths, strict=True)
            ]
            mark = _MARK if marked and not line else " " * len(_MARK)
            yield Text(mark + (" " * _APART).join(cells), style="bold" if marked or not row else "")
        if not row:
            yield Text(" " * len(_MARK) + "─" * min(width, sum(widths) + _APART * (len(widths) - 1)), style="dim")


def _widths(columns: list[Column], width: int) -> list[int]:
    """Every column its longest cell, the widest narrowed in turn until all fit; at last words are broken too."""
    widths = [_widest_cell(c) for c in columns]
    room = width - _APART * (len(columns) - 1)
    for floors in ([_widest_word(c) for c in columns], [1] * len(columns)):
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
