"""Which columns of a table are categories, what levels they have, and their rows as codes of these levels.

Frames are read through narwhals, so pandas, polars and Arrow alike. Truth values stay numbers: two levels need no order.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import repeat
from typing import Any

import numpy as np
from sklearn.utils import check_array

from openbook.errors import InputError
from openbook.forest.columns import is_sparse

__all__ = ["encoded", "learnt"]

MOST_LEVELS = 10_000
Levels = dict[int, np.ndarray]


def learnt(X: Any, categorical_features: Any) -> tuple[Levels, Any]:
    """The different values, in order, of each feature that is a category (missing is no level), and X `encoded` with them;
    X itself where there is none.

    `categorical_features` is None, "from_dtype" (a frame's categories and texts), a mask, or a list of places or of names.
    Raises InputError for names or places that are not there, for sparse tables, and for more than 10,000 levels.
    """
    by_dtype = isinstance(categorical_features, str) and categorical_features == "from_dtype"
    if categorical_features is None or (by_dtype and not _is_frame(X)):
        return {}, X
    table = _table(X)
    chosen = _by_dtype(table) if by_dtype else _asked_for(table, categorical_features)
    if not chosen:
        return {}, X
    if is_sparse(X):
        raise InputError("a sparse table has no categories here", where="categorical_features",
                         do="pass X.toarray(), or encode its categories")  # fmt: skip
    names, levels, made = _names(table) or range(table.shape[1]), {}, _numbers(table, chosen)
    for f in chosen:
        column = _column(table, f)  # read once: texts of a frame become Python's, which takes longer than all the rest
        levels[f] = _different(column, names[f])
        made[:, f] = _codes(column, levels[f])
    return levels, made


def encoded(X: Any, levels: Levels) -> np.ndarray:
    """X as floats (rows, features): of categories the codes of their levels, NaN where missing or unknown."""
    table = _table(X)
    made = _numbers(table, levels)
    for f, known in levels.items():
        made[:, f] = _codes(_column(table, f), known)
    return made


def _numbers(table: Any, categories: Collection[int]) -> np.ndarray:
    """A float table (rows, features) that holds the numbers; nothing stands as yet where the categories are."""
    made, numbers = np.empty(table.shape), [f for f in range(table.shape[1]) if f not in categories]
    if numbers:
        part = table[:, numbers]
        part = part.to_native() if _is_frame(table) else part
        made[:, numbers] = check_array(part, dtype=np.float64, ensure_all_finite="allow-nan")
    return made


# --- tables -----------------------------------------------------------------------------------------------------


def _is_frame(X: Any) -> bool:
    """Whether X is a frame: a table whose columns have names."""
    return hasattr(X, "columns") or hasattr(X, "column_names")


def _table(X: Any) -> Any:
    """A frame of any kind as narwhals has it, lists as an array that leaves texts and numbers as they are; else X itself."""
    if not _is_frame(X):
        return X if hasattr(X, "shape") else np.array(X, dtype=object)
    import narwhals as nw

    return nw.from_native(X, eager_only=True)


def _names(table: Any) -> list[str]:
    return table.columns if _is_frame(table) else []


def _column(table: Any, f: int) -> Any:
    """A column's values: an array of floats, or a list of whatever they are."""
    column = table[:, f]
    if _is_frame(table):
        return column.to_numpy().astype(np.float64) if column.dtype.is_float() else column.to_list()
    return column.astype(np.float64) if column.dtype.kind in "biuf" else column.tolist()


# --- which ------------------------------------------------------------------------------------------------------


def _by_dtype(table: Any) -> list[int]:
    import narwhals as nw

    kinds = (nw.Categorical, nw.Enum, nw.String)
    return [f for f, dtype in enumerate(table.schema.values()) if dtype in kinds or isinstance(dtype, nw.Enum)]


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


def _different(column: Any, name: Any) -> np.ndarray:
    """The levels of a column, sorted."""
    if isinstance(column, np.ndarray):
        found = np.unique(column[~np.isnan(column)])
    else:
        values = sorted((v for v in set(column) if not _is_missing(v)), key=lambda v: (type(v).__name__, v))
        numbers = all(isinstance(value, int | float) for value in values)
        found = np.array(values, dtype=None if numbers else object)
    if len(found) > MOST_LEVELS:
        raise InputError(
            f"the category {name!r} has {len(found)} levels, more than {MOST_LEVELS}", where="categorical_features",
            do="merge rare levels, leave the column out (is it a key?), or give it as a number",
        )  # fmt: skip
    return found


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ == "NAType" or value != value


def _codes(column: Any, levels: np.ndarray) -> np.ndarray:
    """The code of each value among the levels, NaN where it is none of them."""
    if not len(levels):
        return np.full(len(column), np.nan)
    if isinstance(column, np.ndarray) and levels.dtype.kind in "biuf":
        place = np.minimum(np.searchsorted(levels, column), len(levels) - 1)
        return np.where(levels[place] == column, place, np.nan)
    code = {level: float(k) for k, level in enumerate(levels.tolist())}
    return np.fromiter(map(code.get, column, repeat(np.nan)), np.float64, len(column))
