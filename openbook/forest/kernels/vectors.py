"""What many numbers at once can do, where LLVM does not see it by itself; with the same in Python beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

__all__ = ["LANES", "SQUARE", "count_smaller", "largest", "turn"]

LANES = 16  # ranks that `count_smaller` compares at once
SQUARE = np.uint64(4)  # rows, and entries of each, that `turn` moves at once
_DOUBLES = 8  # that `largest` compares at once


if config.DISABLE_JIT:  # type: ignore[attr-defined]

    def count_smaller(ranks: Any, begin: Any, end: Any, at: Any, counts: Any) -> None:
        """Into `counts[at : at + LANES]`: how many of `ranks[begin:end]` are smaller than each of `ranks[at : at + LANES]`."""
        for k in range(int(at), int(at) + LANES):
            counts[k] = np.count_nonzero(ranks[int(begin) : int(end)] < ranks[k])

    def largest(numbers: Any, count: Any) -> Any:
        """The largest of the first `count` doubles, −inf if there are none; NaN is passed over."""
        return np.fmax.reduce(numbers[: int(count)], initial=-np.inf)

    def turn(table: Any, a: Any, b: Any, c: Any, d: Any, turned: Any, at: Any, apart: Any) -> None:
        """Four entries of `table` from each of four places on, the first ones into `turned[at : at + 4]`, the next ones
        into `turned[at + apart :]`, and so on."""
        for k, place in enumerate((a, b, c, d)):
            for f in range(4):
                turned[int(at) + f * int(apart) + k] = table[int(place) + f]

else:

    @intrinsic
    def count_smaller(typing: Any, ranks: Any, begin: Any, end: Any, at: Any, counts: Any) -> Any:
        """Into `counts[at : at + LANES]`: how many of `ranks[begin:end]` are smaller than each of `ranks[at : at + LANES]`.

        `counts` are u16 (all arrays C order). All against all, but without a branch: up to some sixty, nothing sorts as fast.
        """

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            width = signature.args[0].dtype.bitwidth
            lanes, narrow = ir.VectorType(ir.IntType(width), LANES), ir.VectorType(ir.IntType(16), LANES)
            data = make_array(signature.args[0])(context, builder, args[0]).data
            out = make_array(signature.args[4])(context, builder, args[4]).data
            own = builder.load(builder.bitcast(builder.gep(data, [args[3]]), lanes.as_pointer()), align=width // 8)
            counted = cgutils.alloca_once_value(builder, ir.Constant(lanes, [0] * LANES))
            nowhere = ir.Constant(lanes, ir.Undefined)
            all_first = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
            with cgutils.for_range_slice(builder, args[1], args[2], ir.Constant(args[1].type, 1), inc=True) as (k, _):
                other = builder.insert_element(
                    nowhere, builder.load(builder.gep(data, [k])), ir.Constant(ir.IntType(32), 0)
                )
                smaller = builder.icmp_unsigned("<", builder.shuffle_vector(other, nowhere, all_first), own)
                builder.store(builder.add(builder.load(counted), builder.zext(smaller, lanes)), counted)
            found = builder.load(counted)
            builder.store(
                builder.trunc(found, narrow) if width > 16 else found,
                builder.bitcast(builder.gep(out, [args[3]]), narrow.as_pointer()),
                align=2,
            )
            return context.get_dummy_value()

        return types.none(ranks, types.uint64, types.uint64, types.uint64, counts), build

    @intrinsic
    def turn(typing: Any, table: Any, a: Any, b: Any, c: Any, d: Any, turned: Any, at: Any, apart: Any) -> Any:
        """Four entries of `table` from each of four places on, the first ones into `turned[at : at + 4]`, the next ones
        into `turned[at + apart :]`, and so on. Both are u32 arrays (C order)."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            i32 = ir.IntType(32)
            four = ir.VectorType(i32, 4).as_pointer()
            data = make_array(signature.args[0])(context, builder, args[0]).data
            out = make_array(signature.args[5])(context, builder, args[5]).data

            def pairs(x: Any, y: Any, places: tuple[int, ...]) -> Any:
                return builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(i32, 4), places))

            rows = [builder.load(builder.bitcast(builder.gep(data, [k]), four), align=4) for k in args[1:5]]
            low = [pairs(x, y, (0, 4, 1, 5)) for x, y in (rows[::2], rows[1::2])]
            high = [pairs(x, y, (2, 6, 3, 7)) for x, y in (rows[::2], rows[1::2])]
            place = args[6]
            for x, y in (low, high):
                for half in ((0, 4, 1, 5), (2, 6, 3, 7)):
                    line = builder.bitcast(builder.gep(out, [place]), four)
                    builder.store(pairs(x, y, half), line, align=4)
                    place = builder.add(place, args[7])
            return context.get_dummy_value()

        places = (types.uint64,) * 4
        return types.none(table, *places, turned, types.uint64, types.uint64), build

    def _larger(builder: Any, x: Any, y: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", x, y), x, y)

    @intrinsic
    def largest(typing: Any, numbers: Any, count: Any) -> Any:
        """The largest of the first `count` doubles, −inf if there are none.

        NaN, which is the score of no split, is passed over. LLVM itself would compare one after the other.
        """

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            lanes, i64 = ir.VectorType(ir.DoubleType(), _DOUBLES), args[1].type
            data = make_array(signature.args[0])(context, builder, args[0]).data
            tops = cgutils.alloca_once_value(builder, ir.Constant(lanes, [-np.inf] * _DOUBLES))
            whole = builder.and_(args[1], ir.Constant(i64, -_DOUBLES))
            zero, one, step = (ir.Constant(i64, k) for k in (0, 1, _DOUBLES))
            with cgutils.for_range_slice(builder, zero, whole, step, inc=True) as (k, _):
                here = builder.load(builder.bitcast(builder.gep(data, [k]), lanes.as_pointer()), align=8)
                builder.store(_larger(builder, here, builder.load(tops)), tops)
            found = builder.load(tops)
            for half in (4, 2, 1):
                places = [(k + half) % _DOUBLES for k in range(_DOUBLES)]
                other = builder.shuffle_vector(
                    found, found, ir.Constant(ir.VectorType(ir.IntType(32), _DOUBLES), places)
                )
                found = _larger(builder, other, found)
            top = cgutils.alloca_once_value(builder, builder.extract_element(found, ir.Constant(ir.IntType(32), 0)))
            with cgutils.for_range_slice(builder, whole, args[1], one, inc=True) as (k, _):
                builder.store(_larger(builder, builder.load(builder.gep(data, [k])), builder.load(top)), top)
            return builder.load(top)

        return types.float64(numbers, types.uint64), build
