"""A result in one line: what it is, its numbers, and its arrays by their shape."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from openbook.expr import Expr, text

__all__ = ["Brief"]

_LONGEST = 40  # characters of a value


class Brief:
    """Mix in to a dataclass with `repr=False` whose arrays may be large."""

    __slots__ = ()

    def __repr__(self) -> str:
        shown = (f"{f.name}={_told(getattr(self, f.name))}" for f in fields(self) if f.repr)  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(shown)})"


def _told(value: Any) -> str:
    if isinstance(value, Expr):
        return text(value)
    if isinstance(value, np.ndarray):
        return f"<{' × '.join(map(str, value.shape)) or 'one'} {value.dtype}>"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (tuple, list, dict)) and len(repr(value)) > _LONGEST:
        return f"<{len(value)}>"
    return repr(value)
