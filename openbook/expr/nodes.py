"""The parts a formula is made of, in the order in which they were written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import numpy as np

__all__ = [
    "Array",
    "Binary",
    "Call",
    "Compare",
    "Derivative",
    "Expr",
    "Index",
    "Name",
    "Negate",
    "Number",
    "Sum",
    "as_expr",
]


class Expr:
    """A formula. Python's operators build larger ones: `as_expr("w") * as_expr("x") + 1`."""

    __slots__ = ()

    def __add__(self, other: Any) -> Expr:
        return Binary("+", self, as_expr(other))

    def __sub__(self, other: Any) -> Expr:
        return Binary("-", self, as_expr(other))

    def __mul__(self, other: Any) -> Expr:
        return Binary("*", self, as_expr(other))

    def __truediv__(self, other: Any) -> Expr:
        return Binary("/", self, as_expr(other))

    def __pow__(self, other: Any) -> Expr:
        return Binary("**", self, as_expr(other))

    def __matmul__(self, other: Any) -> Expr:
        return Binary("@", self, as_expr(other))

    def __neg__(self) -> Expr:
        return Negate(self)

    @property
    def parts(self) -> tuple[Expr, ...]:
        """The formulas this one is directly made of, left to right."""
        return ()

    def walk(self) -> Iterator[Expr]:
        """This formula and all below it, depth first."""
        stack: list[Expr] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.parts))

    def names(self) -> tuple[str, ...]:
        """The names that must be given a value, each once, in the order of first use."""
        found: dict[str, None] = {}
        for node in self.walk():
            if isinstance(node, Name):
                found[node.id] = None
            elif isinstance(node, Derivative):
                found.update(dict.fromkeys(node.by.names()))
        return tuple(found)

    def calls(self) -> tuple[str, ...]:
        """The functions used, each once, in the order of first use."""
        return tuple(dict.fromkeys(node.function for node in self.walk() if isinstance(node, Call)))

    def replace(self, change: Callable[[Expr], Expr | None]) -> Expr:
        """A copy in which every part for which `change` returns a formula is that formula."""
        new = change(self)
        if new is not None:
            return new
        if not self.parts:
            return self
        return self._rebuild(tuple(part.replace(change) for part in self.parts))

    def fill(self, values: Mapping[str, Any]) -> Expr:
        """The formula with numbers (or formulas) in place of the names in `values`; numbers remember which."""

        def put(part: Expr) -> Expr | None:
            if isinstance(part, Derivative):
                return part  # d/dz at z = 1 is no d/d1
            if not isinstance(part, Name) or part.id not in values:
                return None
            value = as_value(values[part.id])
            return replace(value, origin=part.id) if isinstance(value, (Number, Array)) else value

        return self.replace(put)

    def rename(self, names: Mapping[str, str]) -> Expr:
        """The formula with other names, which need not be identifiers (`{"u": "∂L/∂h"}`)."""
        return self.replace(lambda e: Name(names[e.id]) if isinstance(e, Name) and e.id in names else None)

    def _rebuild(self, parts: tuple[Expr, ...]) -> Expr:
        fixed = [getattr(self, f.name) for f in fields(self) if f.metadata.get("fixed")]  # type: ignore[arg-type]
        return type(self)(*fixed, *parts)


def _fixed() -> Any:
    return field(metadata={"fixed": True})


@dataclass(frozen=True, slots=True)
class Number(Expr):
    """A number, with the spelling it was written in where there was one, or the name whose value it is."""

    value: int | float | Fraction | Any
    spelling: str = field(default="", compare=False)
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class Array(Expr):
    """An array of numbers that stands in a formula filled with values."""

    value: np.ndarray
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Name(Expr):
    """A variable. Not only identifiers: `∂L/∂w` is a name too."""

    id: str


@dataclass(frozen=True, slots=True)
class Negate(Expr):
    """A leading minus."""

    operand: Expr

    @property
    def parts(self) -> tuple[Expr, ...]:
        return (self.operand,)


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    """Two formulas joined by one of + - * / ** @."""

    operator: str = _fixed()
    left: Expr = None  # type: ignore[assignment]
    right: Expr = None  # type: ignore[assignment]

    @property
    def parts(self) -> tuple[Expr, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Compare(Expr):
    """A comparison: < <= > >= == !=."""

    operator: str = _fixed()
    left: Expr = None  # type: ignore[assignment]
    right: Expr = None  # type: ignore[assignment]

    @property
    def parts(self) -> tuple[Expr, ...]:
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Call(Expr):
    """A named function of its arguments."""

    function: str = _fixed()
    arguments: tuple[Expr, ...] = ()

    @property
    def parts(self) -> tuple[Expr, ...]:
        return self.arguments

    def _rebuild(self, parts: tuple[Expr, ...]) -> Expr:
        return Call(self.function, parts)


@dataclass(frozen=True, slots=True)
class Index(Expr):
    """An entry of an array: `z[0]`, `W[i, j]`."""

    base: Expr
    indices: tuple[Expr, ...]

    @property
    def parts(self) -> tuple[Expr, ...]:
        return (self.base, *self.indices)

    def _rebuild(self, parts: tuple[Expr, ...]) -> Expr:
        return Index(parts[0], parts[1:])


@dataclass(frozen=True, slots=True)
class Derivative(Expr):
    """A derivative that still has to be found: `diff(f, z)`, read d/dz f. `by` is a name, or an entry of an array."""

    by: Expr = field(default=Name(""), metadata={"fixed": True})
    body: Expr = None  # type: ignore[assignment]

    @property
    def parts(self) -> tuple[Expr, ...]:
        return (self.body,)

    @property
    def order(self) -> int:
        """How often the innermost formula is differentiated by the same variable."""
        inner = self.body
        return 1 + (inner.order if isinstance(inner, Derivative) and inner.by == self.by else 0)

    @property
    def innermost(self) -> Expr:
        """The formula below derivatives by the same variable."""
        inner = self.body
        return inner.innermost if isinstance(inner, Derivative) and inner.by == self.by else inner


@dataclass(frozen=True, slots=True)
class Sum(Expr):
    """A sum over all places of an index: `sum(W[i, k]*x[k], k)`."""

    index: str = _fixed()
    body: Expr = None  # type: ignore[assignment]

    @property
    def parts(self) -> tuple[Expr, ...]:
        return (self.body,)


def as_expr(thing: Any) -> Expr:
    """A formula from a formula, a text (which is read) or a number."""
    if isinstance(thing, Expr):
        return thing
    if isinstance(thing, str):
        from openbook.expr.parser import parse

        return parse(thing)
    return as_value(thing)


def as_value(thing: Any) -> Expr:
    """A number or an array, as it stands in a filled formula."""
    if isinstance(thing, Expr):
        return thing
    if isinstance(thing, np.ndarray) and thing.ndim:
        return Array(thing)
    if isinstance(thing, (bool, np.bool_)):
        return Number(int(thing))
    if isinstance(thing, Integral):
        return Number(int(thing))
    if isinstance(thing, (Real, np.floating, np.ndarray)) and not isinstance(thing, Fraction):
        return Number(float(thing))
    return Number(thing)
