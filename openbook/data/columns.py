"""What kind of thing each column holds."""

from __future__ import annotations

import re
from enum import Enum

import numpy as np

from openbook.data.guess import Guess
from openbook.data.table import Table, dates
from openbook.errors import ColumnError

__all__ = ["Kind", "is_missing", "understand"]

_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(:\d{2})?")
_MANY_LEVELS = 0.5  # share of different texts above which a column names rows rather than kinds of rows


class Kind(Enum):
    """A number can be compared; a category only told apart."""

    NUMBER = "number"
    CATEGORY = "category"


def is_missing(column: np.ndarray) -> np.ndarray:
    """Where entries are missing."""
    if column.dtype.kind == "f":
        return np.isnan(column)
    return np.array([v is None for v in column], dtype=bool)


def understand(table: Table, target: str) -> tuple[dict[str, Kind], list[Guess]]:
    """The kind of each feature column, and what was guessed on the way.

    Columns of text that name nearly every row (identifiers) are left out, and that is said. Raises ColumnError for dates
    and for columns without any entry.
    """
    kinds: dict[str, Kind] = {}
    guesses: list[Guess] = []
    for name in table.names:
        if name == target:
            continue
        column = table.columns[name]
        missing = is_missing(column)
        if missing.all():
            raise ColumnError(f"column {name!r} has no entry at all", where=table.source,
                              do=f"leave it out with --drop {name}")  # fmt: skip
        if column.dtype.kind == "f":
            _require_finite(name, column, table)
            kinds[name] = Kind.NUMBER
            continue
        known = column[~missing]
        if _looks_like_dates(known):
            raise dates(name, table.source)
        levels = len(set(known))
        if levels > 50 and levels > _MANY_LEVELS * len(known):
            guesses.append(Guess(f"{name} is left out: {levels} different texts in {len(known)} rows name rows, not kinds",
                                 f"--keep {name}"))  # fmt: skip
            continue
        kinds[name] = Kind.CATEGORY
    if not kinds:
        raise ColumnError("no column is left to learn from", where=table.source, do="keep one with --keep NAME")
    numbers = [n for n, k in kinds.items() if k is Kind.NUMBER]
    guesses.insert(0, Guess(f"{len(numbers)} columns are numbers, {len(kinds) - len(numbers)} are categories",
                            "--categories NAME for numbers that are codes"))  # fmt: skip
    return kinds, guesses


def _looks_like_dates(texts: np.ndarray) -> bool:
    sample = texts[:200]
    return all(_DATE.fullmatch(str(t)) for t in sample)


def _require_finite(name: str, column: np.ndarray, table: Table) -> None:
    endless = np.isinf(column)
    if endless.any():
        raise ColumnError(f"column {name!r} is infinite in row {int(np.argmax(endless)) + 1}", where=table.source,
                          do="replace it by a number, or leave the entry empty")  # fmt: skip
