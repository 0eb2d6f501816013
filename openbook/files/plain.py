"""Python values as JSON and back, exactly: numbers, texts, lists, tuples, dictionaries; arrays stand beside by name."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import ModelError

__all__ = ["from_plain", "to_plain"]


def to_plain(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """The value in JSON's words; an array of numbers goes into `arrays`, under `name`.

    Raises ModelError for what JSON has no word for (functions, random generators, objects of one's own).
    """
    if isinstance(value, np.generic):
        value = value.item()
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else {"float": str(value)}
        case list():
            return _each(value, name, arrays)
        case tuple():
            return {"tuple": _each(value, name, arrays)}
        case dict():
            return {"pairs": [_pair(key, entry, name, arrays) for key, entry in value.items()]}
        case np.ndarray() if value.dtype.kind in "biuf":
            arrays[name] = value
            return {"array": name}
        case np.ndarray() if value.ndim == 1 and all(isinstance(text, str) for text in value.tolist()):
            return {"texts": value.tolist(), "dtype": "object" if value.dtype.kind == "O" else "str"}
    raise ModelError(
        f"{name} is a {type(value).__name__}, which a file cannot hold", where="save",
        do=f"give {name} as numbers, texts, lists or dictionaries of them (a seed, not a generator)",
    )  # fmt: skip


def _each(values: Any, name: str, arrays: dict[str, np.ndarray]) -> list[Any]:
    return [to_plain(value, f"{name}.{i}", arrays) for i, value in enumerate(values)]


def _pair(key: Any, entry: Any, name: str, arrays: dict[str, np.ndarray]) -> list[Any]:
    return [to_plain(key, f"{name}.key", arrays), to_plain(entry, f"{name}.{key}", arrays)]


def from_plain(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The value that `to_plain` was given; raises ModelError for what it never writes."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [from_plain(part, arrays) for part in value]
        case {"float": "nan" | "inf" | "-inf" as text}:
            return float(text)
        case {"tuple": list(parts)}:
            return tuple(from_plain(part, arrays) for part in parts)
        case {"pairs": list(pairs)} if all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            try:
                return {from_plain(key, arrays): from_plain(entry, arrays) for key, entry in pairs}
            except TypeError as problem:
                raise ModelError("a dictionary in the file has a key that cannot be one") from problem
        case {"array": str(name)} if name in arrays:
            return arrays[name]
        case {"texts": list(texts), "dtype": "object" | "str" as dtype} if all(isinstance(t, str) for t in texts):
            return np.array(texts, dtype=dtype)
    raise ModelError(f"{str(value)[:60]} in the file stands for nothing")
