"""Which dtype several inputs come to: PyTorch's rule, in which a single number does not widen an array of its kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import DTypeError
from openbook.ops.op import Op

__all__ = ["default_float", "promoted", "require_kinds", "require_one_dtype", "result_type", "set_default_float"]

_default = np.dtype(np.float32)
_RANK = {"b": 0, "u": 1, "i": 1, "f": 2}


def default_float() -> np.dtype:
    """The dtype of Python's floats, and of results that must be real."""
    return _default


def set_default_float(kind: np.dtype) -> None:
    """Let it be another."""
    global _default
    _default = kind


def result_type(values: list[Any]) -> np.dtype:
    """The dtype of an elementwise result.

    Arrays with axes come first, then arrays of a single number, then Python numbers; a later kind counts only where it is
    of a higher category (bool < whole < real) than all before it.
    """
    found: np.dtype | None = None
    for group in (_with_axes(values), _single(values), _plain(values)):
        if not group:
            continue
        real = [dtype for dtype in group if dtype.kind == "f"]
        dtype = np.result_type(*(real or group))  # whole numbers do not widen real ones
        if found is None or _RANK[dtype.kind] > _RANK[found.kind]:
            found = dtype
    return found if found is not None else _default


def promoted(values: list[Any], dtype: np.dtype) -> list[Any]:
    """Real arrays in the result's dtype; whole numbers and truth values stay as they are."""
    if dtype.kind != "f":
        return values
    return [
        v.astype(dtype) if isinstance(v, np.ndarray) and v.dtype.kind == "f" and v.dtype != dtype else v for v in values
    ]


def _with_axes(values: list[Any]) -> list[np.dtype]:
    return [v.dtype for v in values if isinstance(v, np.ndarray) and v.ndim]


def _single(values: list[Any]) -> list[np.dtype]:
    return [v.dtype for v in values if isinstance(v, np.ndarray) and not v.ndim]


def _plain(values: list[Any]) -> list[np.dtype]:
    kinds = {bool: np.dtype(np.bool_), int: np.dtype(np.int64), float: _default}
    return [kinds[type(v)] for v in values if type(v) in kinds]


def require_kinds(op: type[Op], dtype: np.dtype, values: list[Any]) -> None:
    """A DTypeError where an operation is not of such entries; a difference is not even with one side of truth values."""
    wrong = dtype.kind in op.refuses
    if op.name == "sub":
        wrong = any(np.asarray(v).dtype.kind == "b" for v in values)
    if wrong:
        kind = "truth values" if dtype.kind == "b" or op.name == "sub" else f"whole numbers ({dtype})"
        raise DTypeError(f"{op.name} is not of {kind}", do="cast first: x.float(), or ~x for the opposite of a mask")


def require_one_dtype(op: type[Op], values: list[Any]) -> None:
    """A DTypeError where the inputs of a product of matrices have different dtypes, or are truth values."""
    found = [v.dtype for v in values if isinstance(v, np.ndarray)]
    if len(set(found)) > 1:
        raise DTypeError(
            f"{op.name} takes one dtype, not {' and '.join(str(d) for d in found)}",
            do=f"cast one side first, for instance with .to({found[0]})",
        )
    if found and found[0].kind == "b":
        raise DTypeError(f"{op.name} is not of truth values", do="cast them to numbers first")
