"""Formulas of vectors and matrices written entry by entry: `W @ x` is the sum over k of W[i, k]·x[k].

What stands in entries is an ordinary formula again, so its rules, its derivatives and its proofs are the ordinary ones; to
be judged, it is written out in full for small sizes, every entry a name of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import count, product
from operator import add

from openbook.errors import ExplainError, ShapeError
from openbook.expr import Binary, Call, Derivative, Expr, Index, Name, Negate, Number, Sum, text
from openbook.expr.joining import ZERO

__all__ = ["WHOLE", "Entries"]

WHOLE = {"softmax", "log_softmax", "cross_entropy", "mse", "sum", "mean", "norm", "diag", "transpose"}
_LETTERS = "ijklmqrstuv"
_SIZES = (3, 2, 4)  # of the axes, when a formula is written out to be judged: all different where that is possible
Axis = tuple[str, int]


@dataclass
class Entries:
    """The shapes in one formula, found from how its parts fit together, and its entries.

    Names that begin with a capital are matrices, others vectors, unless they are among `scalars`. `meanings` are names
    that stand for other formulas (p for softmax(z)); the entries of those in `shares` add up to one.
    """

    scalars: Collection[str] = ()
    taken: Collection[str] = ()
    meanings: dict[str, Expr] = field(default_factory=dict)
    shares: set[str] = field(default_factory=set)
    ranges: dict[str, Axis] = field(default_factory=dict)  # which axis an index runs along
    same: dict[Axis, Axis] = field(default_factory=dict)
    known: list[Axis] = field(default_factory=list)  # in the order of first use
    counted: Axis | None = None  # the axis whose length is called n

    # --- shapes ------------------------------------------------------------------------------------------------

    def rank(self, name: str) -> int:
        """How many axes a name has."""
        if name in self.meanings:
            return len(self.axes(self.meanings[name]))
        if name == "n" and self.counted is not None:
            return 0
        return 0 if name in self.scalars or name in ("pi", "inf") else 2 if name[0].isupper() else 1

    def axes(self, expr: Expr) -> tuple[Axis, ...]:
        """The axes of a formula; those that must be of one length are one. Raises ShapeError where they cannot be."""
        match expr:
            case Number():
                return ()
            case Name(id=name) if name in self.meanings:
                return self.axes(self.meanings[name])
            case Name(id=name):
                own = [(name, k) for k in range(self.rank(name))]
                self.known += [axis for axis in own if axis not in self.known]
                return tuple(map(self.root, own))
            case Negate(operand=operand):
                return self.axes(operand)
            case Binary(operator="@", left=left, right=right):
                return self._product_axes(left, right)
            case Binary(left=left, right=right):
                return self._joined(self.axes(left), self.axes(right))
            case Call(function="transpose", arguments=(inner,)):
                return self.axes(inner)[::-1]
            case Call(function="diag", arguments=(inner,)):
                return self.axes(inner) * 2
            case Call(function=function, arguments=arguments):
                found = reduce(self._joined, map(self.axes, arguments))
                return () if function in ("cross_entropy", "mse", "sum", "mean", "norm") else found
        raise ExplainError(f"{text(expr)} is not a formula of whole vectors and matrices")

    def _product_axes(self, left: Expr, right: Expr) -> tuple[Axis, ...]:
        a, b = self.axes(left), self.axes(right)
        if _is_outer(right) and len(a) == len(b) == 1:
            return a + b
        if not a or not b:
            raise ShapeError(f"{text(left)} @ {text(right)} has a single number on one side", do="write * instead of @")
        self._unite(a[-1], b[0])
        return tuple(map(self.root, a[:-1] + b[1:]))

    def _joined(self, a: tuple[Axis, ...], b: tuple[Axis, ...]) -> tuple[Axis, ...]:
        for x, y in zip(reversed(a), reversed(b), strict=False):
            self._unite(x, y)
        return tuple(map(self.root, a if len(a) >= len(b) else b))

    def root(self, axis: Axis) -> Axis:
        while axis in self.same:
            axis = self.same[axis]
        return axis

    def _unite(self, a: Axis, b: Axis) -> None:
        a, b = self.root(a), self.root(b)
        if a != b:
            self.same[b] = a

    # --- entries -----------------------------------------------------------------------------------------------

    def index(self, axis: Axis) -> Name:
        """A letter of its own that runs along an axis."""
        letters = (f"{c}_{round_}" if round_ else c for round_ in count() for c in _LETTERS)
        letter = next(c for c in letters if c not in self.ranges and c not in self.taken)
        self.ranges[letter] = axis
        return Name(letter)

    def entry(self, expr: Expr, at: tuple[Expr, ...]) -> Expr:
        """One entry of a formula, as a formula of entries."""
        match expr:
            case Number():
                return expr
            case Name(id=name):
                rank = self.rank(name)
                return Index(expr, at[len(at) - rank :]) if rank else expr
            case Negate(operand=operand):
                return Negate(self.entry(operand, at))
            case Binary(operator="@", left=left, right=right):
                return self._product(left, right, at)
            case Binary(operator=operator, left=left, right=right):
                return Binary(operator, self._part(left, at), self._part(right, at))
            case Call(function="transpose", arguments=(inner,)):
                return self.entry(inner, at[::-1])
            case Call(function="diag", arguments=(inner,)):
                return Binary("*", Call("delta", at), self.entry(inner, at[:1]))
            case Call(function=function, arguments=arguments) if function in WHOLE:
                return self._whole(function, arguments, at)
            case Call(function=function, arguments=arguments):
                return Call(function, tuple(self._part(a, at) for a in arguments))
        raise ExplainError(f"{text(expr)} is not a formula of whole vectors and matrices")

    def _part(self, expr: Expr, at: tuple[Expr, ...]) -> Expr:
        rank = len(self.axes(expr))
        return self.entry(expr, at[len(at) - rank :])

    def _product(self, left: Expr, right: Expr, at: tuple[Expr, ...]) -> Expr:
        a = self.axes(left)
        if _is_outer(right) and len(a) == len(self.axes(right)) == 1:
            return Binary("*", self.entry(left, at[:1]), self.entry(right, at[1:]))
        k = self.index(self.root(a[-1]))
        rows = len(a) - 1
        return Sum(k.id, Binary("*", self.entry(left, (*at[:rows], k)), self.entry(right, (k, *at[rows:]))))

    def _whole(self, function: str, arguments: tuple[Expr, ...], at: tuple[Expr, ...]) -> Expr:
        """The definitions, entry by entry."""
        first = arguments[0]
        axes = self.axes(first)
        if len(axes) != 1:
            raise ShapeError(f"{function} is derived for one vector, and {text(first)} has {len(axes)} axes")
        if function in ("softmax", "log_softmax"):
            k = self.index(self.root(axes[0]))
            share = Call("exp", (self.entry(first, at),)) / Sum(k.id, Call("exp", (self.entry(first, (k,)),)))
            return share if function == "softmax" else Call("log", (share,))
        k = self.index(self.root(axes[0]))
        if function == "cross_entropy":
            share = Call("log", (self.entry(Call("softmax", (first,)), (k,)),))
            return Negate(Sum(k.id, self.entry(arguments[1], (k,)) * share))
        own = self.entry(first, (k,))
        if function in ("mse", "mean"):
            self.counted = axes[0]
        if function == "mse":
            return Sum(k.id, (own - self._part(arguments[1], (k,))) ** Number(2)) / Name("n")
        if function == "norm":
            return Call("sqrt", (Sum(k.id, own ** Number(2)),))
        return Sum(k.id, own) if function == "sum" else Sum(k.id, own) / Name("n")

    # --- written out -------------------------------------------------------------------------------------------

    def size(self, axis: Axis) -> int:
        """How long an axis is when formulas are written out to be judged."""
        roots = list(dict.fromkeys(map(self.root, self.known)))
        return _SIZES[roots.index(self.root(axis)) % len(_SIZES)]

    def places(self, letters: tuple[str, ...]) -> Iterator[dict[str, int]]:
        """Every value that the free indices of a line can take."""
        for places in product(*(range(self.size(self.ranges[letter])) for letter in letters)):
            yield dict(zip(letters, places, strict=True))

    def written_out(self, expr: Expr, at: Mapping[str, int]) -> Expr:
        """A formula of entries for one place: sums as terms, every entry a name, deltas as 0 and 1."""

        def inner(part: Expr) -> Expr:
            return self.written_out(part, at)

        def place(part: Expr) -> int:
            if isinstance(part, Number):
                return int(part.value)
            assert isinstance(part, Name)
            return at[part.id]

        match expr:
            case Name(id="n") if self.counted is not None:
                return Number(self.size(self.counted))
            case Index(base=Name(id=name), indices=indices):
                return self._named(name, tuple(map(place, indices)))
            case Sum(index=letter, body=body):
                along = range(self.size(self.ranges[letter]))
                return reduce(add, [self.written_out(body, {**at, letter: v}) for v in along])
            case Call(function="delta", arguments=(a, b)):
                return Number(int(place(a) == place(b)))
            case Derivative(by=by, body=body):
                return Derivative(inner(by), inner(body))
        return expr._rebuild(tuple(map(inner, expr.parts))) if expr.parts else expr

    def _named(self, name: str, places: tuple[int, ...]) -> Expr:
        if name in self.meanings:
            letters = set(self.ranges)
            whole = self.written_out(self.entry(self.meanings[name], tuple(map(Number, places))), {})
            self._forget(letters)
            return whole
        if name in self.shares and places[0] == self.size((name, 0)) - 1:  # the last is what the others leave
            others = [Name(f"{name}_{k}") for k in range(places[0])]
            return Number(1) - reduce(add, others, ZERO)
        return Name(f"{name}_{'_'.join(map(str, places))}")

    def _forget(self, letters: Collection[str]) -> None:
        """Let letters be used again that only stood in something written out."""
        for letter in set(self.ranges) - set(letters):
            del self.ranges[letter]


def _is_outer(right: Expr) -> bool:
    return isinstance(right, Call) and right.function == "transpose"
