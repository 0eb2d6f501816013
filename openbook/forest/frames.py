"""Frames of any kind (pandas, polars, Arrow): what their columns may hold, and which one it is that holds something else."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from openbook.errors import ColumnError, InputError

__all__ = ["is_frame", "naming_columns", "require_plain", "table_of"]


def is_frame(X: Any) -> bool:
    """Whether X is a frame: a table whose columns have names."""
    return hasattr(X, "columns") or hasattr(X, "column_names")


def table_of(frame: Any) -> Any:
    """The frame as narwhals has it; raises ColumnError where two columns have the same name."""
    import narwhals as nw

    try:
        return nw.from_native(frame, eager_only=True)
    except nw.exceptions.DuplicateError as error:
        names = [*map(str, getattr(frame, "column_names", frame.columns))]
        twice = next(name for name in names if names.count(name) > 1)
        raise ColumnError(f"two columns are named {twice!r}", do="rename one of them") from error


def require_plain(table: Any, categories: Collection[int] = ()) -> None:
    """Raise ColumnError for a column (but for `categories`) that holds dates, times or nested values.

    A date is a number only once somebody says of what and since when. Tables that are no frames are let through.
    """
    import narwhals as nw

    if not is_frame(table):
        return
    strange = (nw.Date, nw.Datetime, nw.Time, nw.Duration, nw.Binary, nw.List, nw.Array, nw.Struct)
    for f, (name, dtype) in enumerate(table_of(table).schema.items()):
        if f not in categories and isinstance(dtype, strange):
            raise ColumnError(
                f"the column {name!r} holds {type(dtype).__name__.lower()} values, neither numbers nor texts",
                do="make numbers of them, such as days since a date, or leave the column out",
            )


@contextmanager
def naming_columns(X: Any, categories: Collection[int] = ()) -> Iterator[None]:
    """Where values of a frame turn out to be no numbers, say which (ColumnError); columns at `categories` need not be any."""
    try:
        yield
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        found = _no_number(X, categories) if is_frame(X) else None
        if found is None:
            raise
        name, row, value = found
        raise ColumnError(
            f"the column {name!r} holds {value!r}, which is no number", where=f"row {row}",
            do=f"make all its values numbers, or fit with categorical_features=[{name!r}]",
        ) from error  # fmt: skip


def _no_number(frame: Any, categories: Collection[int]) -> tuple[str, int, Any] | None:
    """The first value of a frame that is neither a number nor missing: its column, its row, and itself."""
    table = table_of(frame)
    for f, name in enumerate(table.columns):
        if f not in categories:
            for row, value in enumerate(table[name].to_list()):
                if not _is_number(value):
                    return name, row, value
    return None


def _is_number(value: Any) -> bool:
    """Whether a value can be a float: what is missing is NaN."""
    try:
        float("nan" if value is None or type(value).__name__ == "NAType" else value)
    except (TypeError, ValueError):
        return False
    return True
