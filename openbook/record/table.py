"""A table of values beside the steps of a working."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openbook.errors import ShapeError

__all__ = ["Table"]


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of values under named columns; `marked` are the indices of rows to draw the eye to."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""
    marked: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ShapeError(
                    f"row {index} has {len(row)} entries for {len(self.columns)} columns", where=f"table {self.title!r}"
                )

    def is_numeric(self, column: int) -> bool:
        """Whether a column holds numbers, and so stands to the right."""
        return any(not isinstance(row[column], (str, type(None))) for row in self.rows)
