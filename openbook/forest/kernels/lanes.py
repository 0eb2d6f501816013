"""Eight features of a table at once, row by row, in registers: the compiler does not find this by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

__all__ = ["LANES", "bounds_of_eight", "sums_of_eight"]

LANES = 8

if config.DISABLE_JIT:  # type: ignore[attr-defined]

    def bounds_of_eight(table: Any, rows: Any, f: Any, low: Any, high: Any) -> None:
        """The smallest and the largest values that these rows have of eight features, from f on."""
        here = slice(int(f), int(f) + LANES)
        low[here], high[here] = table[rows, here].min(axis=0), table[rows, here].max(axis=0)

    def sums_of_eight(table: Any, rows: Any, f: Any, cut: Any, amounts: Any, sums: Any) -> None:
        """How many of these rows lie below the thresholds of eight features, from f on, and the sums of their two amounts."""
        here = slice(int(f), int(f) + LANES)
        goes = table[rows, here] <= cut[here]
        sums[0, here], sums[1:, here] = goes.sum(axis=0), amounts[:, : len(rows)] @ goes

else:
    _EIGHT = ir.VectorType(ir.DoubleType(), LANES)
    _FIRST = ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)

    def _all(value: float) -> Any:
        return ir.Constant(_EIGHT, [value] * LANES)

    class _Array:
        """An array argument as the builder of an intrinsic sees it: C order, one or two axes."""

        def __init__(self, context: Any, builder: Any, kind: Any, value: Any):
            made = make_array(kind)(context, builder, value)
            self.builder, self.data, self.size = builder, made.data, kind.dtype.bitwidth // 8
            self.rows, *width = cgutils.unpack_tuple(builder, made.shape)
            self.width = width[0] if width else None

        def place(self, row: Any, column: Any) -> Any:
            return self.builder.gep(self.data, [self.builder.add(self.builder.mul(row, self.width), column)])

        def eight(self, place: Any) -> Any:
            """Eight doubles from a place on, read from an array of floats of either size."""
            kind = ir.VectorType(place.type.pointee, LANES)
            found = self.builder.load(self.builder.bitcast(place, kind.as_pointer()))
            found.align = self.size
            return found if self.size == 8 else self.builder.fpext(found, _EIGHT)

        def put(self, vector: Any, place: Any) -> None:
            self.builder.store(vector, self.builder.bitcast(place, _EIGHT.as_pointer())).align = self.size

    def _arrays(context: Any, builder: Any, signature: Any, args: Any) -> list[_Array]:
        """The arguments that are arrays."""
        both = zip(signature.args, args, strict=True)
        return [_Array(context, builder, kind, value) for kind, value in both if isinstance(kind, types.Array)]

    def _alike(builder: Any, number: Any) -> Any:
        """A vector of one number."""
        return builder.shuffle_vector(
            builder.insert_element(ir.Constant(_EIGHT, ir.Undefined), number, ir.IntType(32)(0)),
            ir.Constant(_EIGHT, ir.Undefined), _FIRST,
        )  # fmt: skip

    def _kept(builder: Any, *start: float) -> list[Any]:
        """Vectors that a loop changes."""
        places = [cgutils.alloca_once(builder, _EIGHT) for _ in start]
        for place, value in zip(places, start, strict=True):
            builder.store(_all(value), place)
        return places

    @intrinsic
    def bounds_of_eight(typing: Any, table: Any, rows: Any, f: Any, low: Any, high: Any) -> Any:
        """The smallest and the largest values that these rows have of eight features, from f on."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            table, rows, *bounds = _arrays(context, builder, signature, args)
            kept = _kept(builder, np.inf, -np.inf)
            with cgutils.for_range(builder, rows.rows) as loop:
                row = builder.zext(builder.load(builder.gep(rows.data, [loop.index])), ir.IntType(64))
                x = table.eight(table.place(row, args[2]))
                for place, sign in zip(kept, "<>", strict=True):
                    sofar = builder.load(place)
                    builder.store(builder.select(builder.fcmp_ordered(sign, x, sofar), x, sofar), place)
            for place, bound in zip(kept, bounds, strict=True):
                bound.put(builder.load(place), builder.gep(bound.data, [args[2]]))
            return context.get_dummy_value()

        return types.none(table, rows, types.uint64, low, high), build

    @intrinsic
    def sums_of_eight(typing: Any, table: Any, rows: Any, f: Any, cut: Any, amounts: Any, sums: Any) -> Any:
        """How many of these rows lie below the thresholds of eight features, from f on, and the sums of their two amounts."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            table, rows, cut, amounts, sums = _arrays(context, builder, signature, args)
            bound, i64 = cut.eight(builder.gep(cut.data, [args[2]])), ir.IntType(64)
            kept = _kept(builder, 0.0, 0.0, 0.0)
            with cgutils.for_range(builder, rows.rows) as loop:
                row = builder.zext(builder.load(builder.gep(rows.data, [loop.index])), i64)
                goes = builder.fcmp_ordered("<=", table.eight(table.place(row, args[2])), bound)
                each = [_all(1.0)]
                each += [_alike(builder, builder.load(amounts.place(i64(line), loop.index))) for line in range(2)]
                for place, amount in zip(kept, each, strict=True):
                    builder.store(builder.fadd(builder.load(place), builder.select(goes, amount, _all(0.0))), place)
            for line, place in enumerate(kept):
                sums.put(builder.load(place), sums.place(i64(line), args[2]))
            return context.get_dummy_value()

        return types.none(table, rows, types.uint64, cut, amounts, sums), build
