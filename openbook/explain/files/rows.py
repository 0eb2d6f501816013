"""The row of a table that a model is asked about: its columns found by the model's names, or by their places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.data.table import Table, read_rows, unknown_column
from openbook.errors import ColumnError, InputError, TableError

__all__ = ["Row", "row_of"]


@dataclass(frozen=True, eq=False)
class Row:
    """The entries a model takes (numbers, NaN where missing, and texts), in its order, what they are called, and the columns
    of the table that it does not take."""

    entries: tuple[Any, ...]
    names: tuple[str, ...]
    unused: tuple[str, ...]
    source: str

    @property
    def numbers(self) -> np.ndarray:
        """The entries, for a model that takes numbers only; ColumnError names a text."""
        for name, entry in zip(self.names, self.entries, strict=True):
            if isinstance(entry, str):
                raise ColumnError(f"column {name!r} holds text ({entry!r}), and the model takes numbers", where=self.source,
                                  do=f"encode it as it was for the fit; if it is the target, say --target {name}")  # fmt: skip
        return np.array(self.entries, np.float64)


def row_of(path: str, index: int, known: list[str] | None, count: int | None, target: str | None) -> Row:
    """Row `index` (from 0) of the table in a file, for a model that knows its columns by name, or only how many they are.

    Raises ColumnError for a column that is missing, TableError where the count is wrong, InputError for a row
    that is not there.
    """
    table = read_rows(path)
    if not 0 <= index < len(table):
        raise InputError(f"the table has {len(table)} rows, counted from 0: there is no row {index}", where="--row",
                         do=f"choose 0 to {len(table) - 1}")  # fmt: skip
    features = table.without((target,)) if target else table
    names = tuple(known) if known else features.names
    if known:
        absent = [name for name in known if name not in features.columns]
        if absent:
            raise _absent(absent, features)
    elif count is not None and count != len(names):
        raise TableError(
            f"the model takes {count} columns and knows no names, and the table has {len(names)}", where=table.source,
            do="name the target with --target, and leave out columns that are no features",
        )  # fmt: skip
    unused = tuple(name for name in features.names if name not in names)
    return Row(tuple(_entry(features.columns[name][index]) for name in names), names, unused, table.source)


def _entry(value: Any) -> Any:
    return value if isinstance(value, str) else np.nan if value is None else float(value)


def _absent(absent: list[str], table: Table) -> ColumnError:
    one = unknown_column(absent[0], table)
    more = f" (nor {', '.join(absent[1:])})" if len(absent) > 1 else ""
    return ColumnError(f"{one.what}{more}, which the model was fitted with", where=table.source, do=one.do)
