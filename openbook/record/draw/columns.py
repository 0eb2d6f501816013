"""The columns of a table, for what has a certain width: side by side as many as fit, the rest in blocks below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openbook.record.draw.lines import table_cell
from openbook.record.table import Table

__all__ = ["LONGEST_TABLE", "Column", "columns_of", "in_blocks"]

LONGEST_TABLE = 40  # rows on a terminal and on paper


@dataclass(frozen=True)
class Column:
    """The head, and the cells of the first rows, as texts."""

    head: str
    cells: tuple[str, ...]
    numeric: bool


def columns_of(table: Table) -> list[Column]:
    """All columns of a table, down to `LONGEST_TABLE` rows."""
    rows = table.rows[:LONGEST_TABLE]
    return [
        Column(head, tuple(table_cell(row[i]) for row in rows), table.is_numeric(i))
        for i, head in enumerate(table.columns)
    ]


def in_blocks(columns: Sequence[Column], widths: Sequence[int], apart: int, width: int) -> list[list[Column]]:
    """As many columns beside each other as fit when they are this wide and that far apart; the first heads every block."""
    blocks, taken = [[columns[0]]], widths[0]
    for column, own in zip(columns[1:], widths[1:], strict=True):
        if taken + apart + own > width and len(blocks[-1]) > 1:
            blocks.append([columns[0]])
            taken = widths[0]
        blocks[-1].append(column)
        taken += apart + own
    return blocks
