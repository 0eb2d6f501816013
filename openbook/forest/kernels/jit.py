"""How kernels are compiled, and the machine instructions that NumPy has no word for.

A kernel chooses its variant by which arguments are None: numba then leaves the other branches out, so that a variant nobody
uses is never compiled. (A function as an argument would be compiled afresh in every process.) No fast-math anywhere: the
sums are whole numbers and the scores IEEE doubles, so that `textbook.py` can say them to the last bit.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils, config
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from openbook.forest.kernels import forget_stale

__all__ = ["LANES", "bare", "count_smaller", "grower", "inlined", "inner", "jit", "largest", "ones", "prefetch", "trailing_zeros",
           "u64"]  # fmt: skip

if not config.DISABLE_JIT:  # type: ignore[attr-defined]
    forget_stale()

# "numpy": a division does not branch to look for zero, which would keep loops from being vectorised.
_compiled: Any = partial(njit, nogil=True, error_model="numpy")
jit = _compiled(cache=True)
# Growing allocates nothing, so it goes without counts of references, which two threads would fight over (and which cost a
# sixth of the time even in one); and a wrapper for Python, for what only kernels call, would take a third of the compiling.
_lean: Any = partial(_compiled, _nrt=False, no_cfunc_wrapper=True)
grower = _lean(cache=True)
inner = _lean(no_cpython_wrapper=True)
# An array is seven words, and each is handed over with every call: where a kernel calls for each feature of each node, that
# would cost more than the work.
inlined = _lean(no_cpython_wrapper=True, forceinline=True)
u64 = np.uint64  # unsigned indices: numba then leaves out what Python's negative ones would need
LANES = 32  # ranks that `count_smaller` compares at once
_DOUBLES = 8  # that `largest` compares at once


if config.DISABLE_JIT:  # type: ignore[attr-defined]

    def trailing_zeros(x: Any) -> Any:
        """The place of the lowest bit that is set; 64 for 0."""
        x = int(x)
        return u64((x & -x).bit_length() - 1 if x else 64)

    def ones(x: Any) -> Any:
        """How many bits are set."""
        return u64(int(x).bit_count())

    def prefetch(array: Any, k: Any) -> None:
        """Ask for `array[k]` before it is needed; does nothing else."""

    def count_smaller(ranks: Any, begin: Any, end: Any, at: Any, counts: Any) -> None:
        """Into `counts[at : at + LANES]`: how many of `ranks[begin:end]` are smaller than each of `ranks[at : at + LANES]`."""
        for k in range(int(at), int(at) + LANES):
            counts[k] = np.count_nonzero(ranks[int(begin) : int(end)] < ranks[k])

    def largest(numbers: Any, count: Any) -> Any:
        """The largest of the first `count` doubles, −inf if there are none."""
        return numbers[: int(count)].max(initial=-np.inf)

    def bare(array: Any) -> Any:
        """The array without its count of references, which two threads would fight over (and which costs a sixth of the
        time even in one). The caller keeps the array alive."""
        return array

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

    @intrinsic
    def prefetch(typing: Any, array: Any, k: Any) -> Any:
        """Ask for `array.flat[k]` (C order) before it is needed; does nothing else."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = make_array(signature.args[0])(context, builder, args[0]).data
            place = builder.bitcast(builder.gep(data, [args[1]]), cgutils.voidptr_t)
            i32 = ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, i32, i32, i32])
            ask = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
            builder.call(ask, [place, i32(0), i32(3), i32(1)])
            return context.get_dummy_value()

        return types.none(array, types.uint64), build

    @intrinsic
    def count_smaller(typing: Any, ranks: Any, begin: Any, end: Any, at: Any, counts: Any) -> Any:
        """Into `counts[at : at + LANES]`: how many of `ranks[begin:end]` are smaller than each of `ranks[at : at + LANES]`.

        Both are u16 arrays (C order). All against all, but without a branch: up to some sixty, nothing sorts as fast.
        """

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            lanes = ir.VectorType(ir.IntType(16), LANES)
            data = make_array(signature.args[0])(context, builder, args[0]).data
            out = make_array(signature.args[4])(context, builder, args[4]).data
            own = builder.load(builder.bitcast(builder.gep(data, [args[3]]), lanes.as_pointer()), align=2)
            counted = cgutils.alloca_once_value(builder, ir.Constant(lanes, [0] * LANES))
            nowhere = ir.Constant(lanes, ir.Undefined)
            all_first = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
            with cgutils.for_range_slice(builder, args[1], args[2], ir.Constant(args[1].type, 1), inc=True) as (k, _):
                other = builder.insert_element(nowhere, builder.load(builder.gep(data, [k])), ir.Constant(ir.IntType(32), 0))
                smaller = builder.icmp_unsigned("<", builder.shuffle_vector(other, nowhere, all_first), own)
                builder.store(builder.add(builder.load(counted), builder.zext(smaller, lanes)), counted)
            builder.store(
                builder.load(counted), builder.bitcast(builder.gep(out, [args[3]]), lanes.as_pointer()), align=2
            )
            return context.get_dummy_value()

        return types.none(ranks, types.uint64, types.uint64, types.uint64, counts), build

    @intrinsic
    def largest(typing: Any, numbers: Any, count: Any) -> Any:
        """The largest of the first `count` doubles, −inf if there are none.

        LLVM would compare them one after the other: it must not change what a NaN does, and here is none.
        """

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            lanes, i64 = ir.VectorType(ir.DoubleType(), _DOUBLES), args[1].type
            data = make_array(signature.args[0])(context, builder, args[0]).data
            larger = lambda x, y: builder.select(builder.fcmp_ordered(">", x, y), x, y)
            tops = cgutils.alloca_once_value(builder, ir.Constant(lanes, [-np.inf] * _DOUBLES))
            whole = builder.and_(args[1], ir.Constant(i64, -_DOUBLES))
            zero, one, step = (ir.Constant(i64, k) for k in (0, 1, _DOUBLES))
            with cgutils.for_range_slice(builder, zero, whole, step, inc=True) as (k, _):
                here = builder.load(builder.bitcast(builder.gep(data, [k]), lanes.as_pointer()), align=8)
                builder.store(larger(here, builder.load(tops)), tops)
            found = builder.load(tops)
            for half in (4, 2, 1):
                places = [(k + half) % _DOUBLES for k in range(_DOUBLES)]
                other = builder.shuffle_vector(found, found, ir.Constant(ir.VectorType(ir.IntType(32), _DOUBLES), places))
                found = larger(other, found)
            top = cgutils.alloca_once_value(builder, builder.extract_element(found, ir.Constant(ir.IntType(32), 0)))
            with cgutils.for_range_slice(builder, whole, args[1], one, inc=True) as (k, _):
                builder.store(larger(builder.load(builder.gep(data, [k])), builder.load(top)), top)
            return builder.load(top)

        return types.float64(numbers, types.uint64), build

    @intrinsic
    def bare(typing: Any, array: Any) -> Any:
        """The array without its count of references, which two threads would fight over (and which costs a sixth of the
        time even in one). The caller keeps the array alive."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            made = make_array(signature.return_type)(context, builder, args[0])
            made.meminfo = cgutils.get_null_value(made.meminfo.type)
            made.parent = cgutils.get_null_value(made.parent.type)
            return made._getvalue()

        return array(array), build
