"""Questions and choices, with Python's own operators on single entries."""

from __future__ import annotations

import math
import operator

import numpy as np

from openbook.testing.twins.registry import filled, twin


def _each(names, of):
    @twin(*names)
    def question(m, *inputs):
        spread = np.broadcast_arrays(*inputs)
        return filled(spread[0].shape, lambda p: of(*(_plain(x[p]) for x in spread)))

    return question


def _plain(x):
    return x.item() if isinstance(x, (np.generic, np.ndarray)) else x


for _name, _of in {
    "eq": operator.eq, "not_equal": operator.ne, "less": operator.lt, "less_equal": operator.le,
    "greater": operator.gt, "greater_equal": operator.ge, "bitwise_and": operator.and_, "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor, "logical_not": operator.not_, "isnan": math.isnan, "isinf": math.isinf,
    "isfinite": math.isfinite,
    "bitwise_not": lambda x: (not x) if isinstance(x, bool) else ~x,
    "logical_and": lambda x, y: bool(x) and bool(y), "logical_or": lambda x, y: bool(x) or bool(y),
    "logical_xor": lambda x, y: bool(x) != bool(y),
    "where": lambda condition, x, y: x if condition else y,
    "heaviside": lambda x, y: (x > 0) + (x == 0) * y,
}.items():  # fmt: skip
    _each([_name], _of)
