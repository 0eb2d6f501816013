"""Which columns of a table are categories, what levels they have, and their rows as codes of these levels.

Frames are read through narwhals, so pandas, polars and Arrow alike. Truth values stay numbers: two levels need no order.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_array

from openbook.errors import InputError
from openbook.forest.columns import is_sparse
from openbook.forest.frames import is_frame, naming_columns, require_plain, table_of

__all__ = ["encoded", "learnt"]

MOST_LEVELS = 10_000
_FEW_ROWS = 8  # of a frame: fewer are read at once
_PLAIN = {int, float, bool, str, type(None)}
Levels = dict[int, np.ndarray]


def learnt(X: Any, categorical_features: Any) -> tuple[Levels, Any]:
    """The different values, in order, of each feature that is a category (missing is no level), and X `encoded` with them;
    X itself where there is none.

    `categorical_features` is None, "from_dtype" (a frame's categories and texts), a mask, or a list of places or of names.
    Raises InputError for names or places that are not there, for sparse tables, and for more than 10,000 levels.
    """
    by_dtype = isinstance(categorical_features, str) and categorical_features == "from_dtype"
    if not is_frame(X) and (categorical_features is None or by_dtype):
        return {}, X
    table = _table(X)
    if categorical_features is None:
        chosen = []
    else:
        chosen = _by_dtype(table) if by_dtype else _asked_for(table, categorical_features)
    require_plain(table, chosen)
    if not chosen:
        return {}, X
    if is_sparse(X):
        raise InputError("a sparse table has no categories here", where="categorical_features",
                         do="pass X.toarray(), or encode its categories")  # fmt: skip
    names, levels = _names(table) or range(table.shape[1]), {}
    with naming_columns(X, chosen):
        made = _numbers(table, chosen)
    for f in chosen:
        factor = Factor.of(table, f)
        levels[f] = factor.levels(names[f])
        made[:, f] = factor.codes(levels[f])
    return levels, made


def encoded(X: Any, levels: Levels) -> Any:
    """X as floats (rows, features): of categories the codes of their levels, NaN where missing or unknown; X itself where there
    is no category."""
    if not levels:
        require_plain(X)
        return X
    table = _few_rows(X) if is_frame(X) and 0 < X.shape[0] < _FEW_ROWS else _table(X)
    require_plain(table, levels)
    with naming_columns(X, levels):
        made = _numbers(table, levels)
    for f, known in levels.items():
        made[:, f] = Factor.of(table, f).codes(known)
    return made


def _numbers(table: Any, categories: Collection[int]) -> np.ndarray:
    """A float table (rows, features) that holds the numbers; nothing stands as yet where the categories are."""
    made, numbers = np.empty(table.shape), [f for f in range(table.shape[1]) if f not in categories]
    if numbers:
        part = table[:, numbers]
        part = part.to_native() if is_frame(table) else part
        made[:, numbers] = check_array(part, dtype=np.float64, ensure_all_finite="allow-nan")
    return made


# --- tables -----------------------------------------------------------------------------------------------------


def _table(X: Any) -> Any:
    """A frame of any kind as narwhals has it, lists as an array that leaves texts and numbers as they are; else X itself."""
    if is_frame(X):
        return table_of(X)
    return X if hasattr(X, "shape") else np.array(X, dtype=object)


def _names(table: Any) -> list[str]:
    return table.columns if is_frame(table) else []


def _few_rows(X: Any) -> Any:
    """A few rows of a frame as an array of Python's values, all at once: to read column by column takes longer than to
    predict. The frame itself, as narwhals has it, where there are values that only their column can turn into floats."""
    import narwhals as nw

    if nw.dependencies.is_pandas_dataframe(X):
        rows = X.to_numpy(dtype=object)  # narwhals would ask each column for its only value
    else:
        rows = np.array(_table(X).rows(), dtype=object)
    return rows if set(map(type, rows.flat)) <= _PLAIN else _table(X)


# --- which ------------------------------------------------------------------------------------------------------


def _by_dtype(table: Any) -> list[int]:
    return [f for f, dtype in enumerate(table.schema.values()) if _is_category(dtype)]


def _is_category(dtype: Any) -> bool:
    import narwhals as nw

    return dtype in (nw.Categorical, nw.Enum, nw.String) or isinstance(dtype, nw.Enum)


def _asked_for(table: Any, wanted: Any) -> list[int]:
    """The places of the features that a mask, places or names ask for."""
    asked, width = np.asarray(wanted), table.shape[1]
    if not asked.size:
        return []
    if asked.ndim != 1 or asked.dtype.kind not in "biuUO":
        raise InputError(f"categorical_features={wanted!r} names no features",
                         do='pass None, "from_dtype", a mask, or a list of places or names')  # fmt: skip
    if asked.dtype.kind == "b":
        if len(asked) != width:
            raise InputError(f"the mask categorical_features has {len(asked)} entries, and X {width} features")
        return np.flatnonzero(asked).tolist()
    places = asked if asked.dtype.kind in "iu" else _places(table, asked)
    if len(places) and not 0 <= places.min() <= places.max() < width:
        raise InputError(f"categorical_features={wanted!r} names features that X, with {width}, has not")
    return np.unique(places).tolist()


def _places(table: Any, asked: np.ndarray) -> np.ndarray:
    names = _names(table)
    strange = [name for name in asked.tolist() if name not in names]
    if strange:
        raise InputError(f"X has no column {strange[0]!r}", where="categorical_features",
                         do=f"choose among {', '.join(map(str, names[:20]))}" if names else "pass a frame, or places")  # fmt: skip
    return np.array([names.index(name) for name in asked.tolist()])


# --- values -----------------------------------------------------------------------------------------------------


class Factor(NamedTuple):
    """A column as its values (some may be missing, or no row's) and the place of each row's value among them."""

    values: list[Any]
    places: np.ndarray

    @classmethod
    def of(cls, table: Any, f: int) -> Factor:
        column = table[:, f]
        if not is_frame(table):
            return cls.of_list((column.astype(np.float64) if column.dtype.kind in "biuf" else column).tolist())
        if column.dtype.is_float():
            return cls.of_list(column.to_numpy().astype(np.float64).tolist())
        return _through_arrow(column) or cls.of_list(column.to_list())

    @classmethod
    def of_list(cls, rows: list[Any]) -> Factor:
        values = list(dict.fromkeys(rows))
        place = {value: k for k, value in enumerate(values)}
        return cls(values, np.fromiter(map(place.__getitem__, rows), np.intp, len(rows)))

    def levels(self, name: Any) -> np.ndarray:
        """The values that rows have, sorted."""
        present = np.flatnonzero(np.bincount(self.places, minlength=len(self.values)))
        known = {self.values[k] for k in present if not _is_missing(self.values[k])}
        if len(known) > MOST_LEVELS:
            raise InputError(
                f"the category {name!r} has {len(known)} levels, more than {MOST_LEVELS}", where="categorical_features",
                do="merge rare levels, leave the column out (is it a key?), or give it as a number",
            )  # fmt: skip
        numbers = all(isinstance(value, int | float) for value in known)
        return np.array(sorted(known, key=lambda v: (type(v).__name__, v)), dtype=None if numbers else object)

    def codes(self, levels: np.ndarray) -> np.ndarray:
        """The code of each row's value among the levels, NaN where it is none of them."""
        code = {level: float(k) for k, level in enumerate(levels.tolist())}
        return np.array([code.get(value, np.nan) for value in self.values])[self.places]


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ == "NAType" or value != value


def _through_arrow(column: Any) -> Factor | None:
    """Texts of a frame, of which only the different ones become Python's: to read them all takes longer than the rest. None
    for anything else, and where Arrow is not installed."""
    try:
        import pyarrow as pa
    except ImportError:
        return None
    if not _is_category(column.dtype):
        return None
    try:
        array = column.to_arrow()
        coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    except (pa.ArrowException, UnicodeError):  # Python's objects of several types, and texts that are no Unicode
        return None
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.unify_dictionaries().combine_chunks()
    if not (pa.types.is_string(coded.type.value_type) or pa.types.is_large_string(coded.type.value_type)):
        return None
    values = coded.dictionary.to_pylist()
    return Factor([*values, None], coded.indices.cast("int32").fill_null(len(values)).to_numpy())
