"""How kernels are compiled, and the two machine instructions that NumPy has no word for.

A kernel chooses its variant by which arguments are None: numba then leaves the other branches out, so that a variant nobody
uses is never compiled. (A function as an argument would be compiled afresh in every process.) No fast-math anywhere: the
sums are whole numbers and the scores IEEE doubles, so that `textbook.py` can say them to the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.core import config
from numba.extending import intrinsic

from openbook.forest.kernels import forget_stale

__all__ = ["jit", "ones", "trailing_zeros", "u64"]

if not config.DISABLE_JIT:  # type: ignore[attr-defined]
    forget_stale()

# "numpy": a division does not branch to look for zero, which would keep loops from being vectorised.
jit = njit(cache=True, nogil=True, error_model="numpy")
u64 = np.uint64  # unsigned indices: numba then leaves out what Python's negative ones would need


if config.DISABLE_JIT:  # type: ignore[attr-defined]

    def trailing_zeros(x: Any) -> Any:
        """The place of the lowest bit that is set; 64 for 0."""
        x = int(x)
        return u64((x & -x).bit_length() - 1 if x else 64)

    def ones(x: Any) -> Any:
        """How many bits are set."""
        return u64(int(x).bit_count())

else:

    @intrinsic
    def trailing_zeros(typing: Any, x: Any) -> Any:
        """The place of the lowest bit that is set; 64 for 0."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.cttz(args[0], context.get_constant(types.boolean, False))

        return types.uint64(types.uint64), build

    @intrinsic
    def ones(typing: Any, x: Any) -> Any:
        """How many bits are set."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.ctpop(args[0])

        return types.uint64(types.uint64), build
