"""The words in which gradient rules are written. Each takes arrays or Tensors, and gives back the same kind.

Every operation is a word under its own name, without being written down here: `exp(x)` applies the operation `exp`. A
word is looked up when it is first called, so that rules may speak of operations that are defined later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.ops.op import OPS, dispatch

# Names that Python has taken for other things.
_RENAMED = {
    "absolute": "abs",
    "gather_entries": "getitem",
    "power": "pow",
    "scatter_entries": "scatter",
    "total": "sum",
}


def __getattr__(name: str) -> Callable[..., Any]:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    word = globals()[name] = _word(_RENAMED.get(name, name))
    return word


def _word(name: str) -> Callable[..., Any]:
    array = np.ndarray

    def word(*inputs: Any, **parameters: Any) -> Any:
        op, first = OPS[name], inputs[0]
        if type(first) is not array and hasattr(first, "__openbook_apply__"):
            return first.__openbook_apply__(op, inputs, parameters)
        for value in inputs:
            if type(value) is not array:
                return dispatch(op, inputs, parameters)
        return op.forward(*inputs, **parameters)

    word.__name__ = name
    return word


def swap(x: Any) -> Any:
    """The matrix (or stack of matrices) with its last two axes exchanged."""
    axes = (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)
    return __getattr__("permute")(x, axes=axes)


def product(x: Any, y: Any) -> Any:
    """The product of two matrices: of arrays without any detour, for rules need it at every layer."""
    return x.dot(y) if type(x) is np.ndarray else __getattr__("matmul")(x, y)


def stopped(g: Any, where: Any) -> Any:
    """A cotangent with 0 in some places, whatever it is there: 0·∞ would be NaN, and would go on."""
    if type(g) is not np.ndarray or g.dtype.char not in _BITS:
        return __getattr__("where")(where, 0.0, g)
    kind = _BITS[g.dtype.char]
    bits = where.astype(kind)
    bits -= 1  # all bits where it goes on, none where it stops: three times as fast as choosing
    bits &= g.view(kind)
    return bits.view(g.dtype)


_BITS = {"f": np.int32, "d": np.int64}
