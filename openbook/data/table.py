"""Tables from files and frames: columns of text or numbers, with missing entries as such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import ColumnError, FileError, MissingPackageError, TableError

__all__ = ["MISSING_WORDS", "Table", "read_rows", "read_table"]

MISSING_WORDS = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
_TEXT = {".csv": ",", ".tsv": "\t", ".txt": ","}
_ARROW = {".arrow", ".feather", ".ipc"}
_KNOWN = "CSV (.csv, .tsv), Parquet (.parquet) or Arrow (.arrow, .feather)"


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of one length: float64 with NaN for missing, or object arrays of text with None for missing."""

    source: str
    columns: Mapping[str, np.ndarray]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def column(self, name: str) -> np.ndarray:
        """The column of that name; a ColumnError that suggests near names otherwise."""
        if name not in self.columns:
            raise unknown_column(name, self)
        return self.columns[name]

    def without(self, names: tuple[str, ...]) -> Table:
        """The table without some columns."""
        for name in names:
            self.column(name)
        return Table(self.source, {n: c for n, c in self.columns.items() if n not in names})


def unknown_column(name: str, table: Table) -> ColumnError:
    """The error for a column that is not there, with those that sound like it."""
    from difflib import get_close_matches

    near = get_close_matches(name, table.names, n=3, cutoff=0.5)
    shown = near or list(table.names[:12])
    return ColumnError(f"the table has no column {name!r}", where=table.source, do=f"choose one of: {', '.join(shown)}")


def read_table(source: Any) -> Table:
    """Read a table from a file (CSV, TSV, Parquet, Arrow) or from any frame (pandas, polars, pyarrow).

    A column is numeric if all of its entries are numbers; `?`, `NA`, `nan`, `null` and empty entries are missing.
    Raises FileError, TableError or ColumnError saying what to do.
    """
    table = read_rows(source)
    columns = len(table.names)
    if columns < 2:
        raise TableError(
            f"the table has {columns} column, and learning takes a target and something to learn it from",
            where=table.source, do="check the separator: columns are parted by commas (or tabs, in .tsv)",
        )  # fmt: skip
    if len(table) < 2:
        raise TableError(f"the table has {len(table)} row{'' if len(table) == 1 else 's'}", where=table.source,
                         do="give one with more rows")  # fmt: skip
    return table


def read_rows(source: Any) -> Table:
    """The same for a table that nothing is to be learnt from: one row or column is enough."""
    if isinstance(source, (str, Path)):
        frame, name = _read_file(Path(source)), str(source)
    else:
        frame, name = _from_frame(source), type(source).__name__
    return Table(name, {column: _plain(frame[column], name) for column in frame.columns})


# --- files -----------------------------------------------------------------------------------------------------


def _read_file(path: Path) -> Any:
    import polars as pl

    if not path.exists():
        raise FileError(f"there is no file {path}", do="check the spelling and the folder")
    if path.is_dir():
        raise FileError(f"{path} is a folder", do="name a file in it")
    if path.stat().st_size == 0:
        raise TableError("the file is empty", where=str(path), do="give a table with a header line and rows")
    ending = path.suffix.lower()
    try:
        if ending == ".parquet":
            return pl.read_parquet(path)
        if ending in _ARROW:
            return pl.read_ipc(path)
    except OSError as problem:
        raise FileError(f"{path} cannot be read: {problem}", do="check its permissions") from problem
    except pl.exceptions.PolarsError as problem:
        raise TableError(f"this is no {ending} table: {problem}", where=str(path), do=f"give {_KNOWN}") from problem
    if ending not in _TEXT:
        raise TableError(f"tables are not read from {ending or 'nameless'} files", where=str(path), do=f"give {_KNOWN}")
    return _read_csv(path, _TEXT[ending])


def _read_csv(path: Path, separator: str) -> Any:
    import polars as pl

    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise FileError(f"{path} cannot be read: {problem.strerror}", do="check its permissions") from problem
    if b"\x00" in raw[:4096]:
        raise TableError("this is no text, so no CSV table", where=str(path), do=f"give {_KNOWN}")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = raw[: problem.start].count(b"\n") + 1
        raise TableError(f"line {line} is not in UTF-8", where=str(path), do="save the table as UTF-8") from problem
    _require_header(raw, separator, path)
    try:
        # Everything as text first: no column's type is guessed from its first lines.
        # Blank lines at the end are no rows; in the middle they are rows without entries, and reported as such.
        return pl.read_csv(
            raw.rstrip(b"\r\n") + b"\n", separator=separator, infer_schema=False, truncate_ragged_lines=False
        )
    except pl.exceptions.PolarsError as problem:
        raise TableError(
            f"the lines do not all have as many columns as the header: {str(problem).splitlines()[0]}", where=str(path),
            do="repair those lines; text that holds the separator goes in double quotes",
        ) from problem  # fmt: skip


def _require_header(raw: bytes, separator: str, path: Path) -> None:
    import csv

    header = next(csv.reader([raw.split(b"\n", 1)[0].decode("utf-8-sig").rstrip("\r")], delimiter=separator))
    names = [name.strip() for name in header]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        shown = ", ".join(repr(n) for n in twice)
        raise TableError(
            f"several columns are called {shown}", where=str(path), do="give every column a name of its own"
        )
    if "" in names:
        raise TableError(f"column {names.index('') + 1} has no name", where=str(path), do="name it in the first line")
    if all(_is_number(name) for name in names):
        raise TableError("the first line holds numbers, not the names of the columns", where=str(path),
                         do="put a line with the names on top")  # fmt: skip


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


# --- frames ----------------------------------------------------------------------------------------------------


def _from_frame(source: Any) -> Any:
    import narwhals as nw
    import polars as pl

    if isinstance(source, pl.DataFrame):
        return source
    try:
        if hasattr(source, "__arrow_c_stream__"):
            return pl.DataFrame(source)
        return pl.DataFrame(nw.from_native(source, eager_only=True).to_arrow())
    except ImportError as problem:
        raise MissingPackageError(
            f"a {type(source).__module__.partition('.')[0]} frame is handed over through pyarrow, which is not installed",
            do="pip install pyarrow, or give a path to a file",
        ) from problem
    except TypeError as problem:
        raise TableError(
            f"{type(source).__name__} is no table", do=f"give a path to {_KNOWN}, or a pandas, polars or Arrow frame"
        ) from problem


def _plain(series: Any, source: str) -> np.ndarray:
    """A polars column as float64 with NaN, or as text with None."""
    import polars as pl

    kind = series.dtype
    if kind.is_temporal():
        raise dates(series.name, source)
    if kind == pl.Boolean:
        return np.array([None if v is None else str(v).lower() for v in series.to_list()], dtype=object)
    if kind.is_numeric():
        return series.cast(pl.Float64).to_numpy().astype(np.float64)
    if kind not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        raise ColumnError(f"column {series.name!r} holds {kind}, not numbers or text", where=source,
                          do=f"turn it into numbers or text, or leave it out with --drop {series.name}")  # fmt: skip
    text = series.cast(pl.String).str.strip_chars()
    text = text.set(text.is_in(list(MISSING_WORDS)), None)
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() == text.null_count() and text.null_count() < len(text):
        return numbers.fill_null(float("nan")).to_numpy().astype(np.float64)
    return np.array(text.to_list(), dtype=object)


def dates(column: str, source: str) -> ColumnError:
    """The error for columns of dates: nothing sound can be guessed from them."""
    return ColumnError(
        f"column {column!r} holds dates or times, and what they should mean to a model cannot be guessed", where=source,
        do=f"turn it into numbers (year, month, days since an event), or leave it out with --drop {column}",
    )  # fmt: skip
