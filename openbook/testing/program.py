"""A formula as a list of steps, in which what occurs twice is computed once: derivatives repeat themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from openbook.expr import Arithmetic, Binary, Call, Expr, Name, Negate, Number, evaluate
from openbook.expr.functions import Defined, lookup

__all__ = ["Program", "program_of"]


class Program:
    """Run with the values of the names and an arithmetic, it gives what `evaluate` gives."""

    def __init__(self, expr: Expr):
        self.steps: list[tuple[Any, tuple[int, ...]]] = []
        self.places: dict[tuple[Any, ...], int] = {}
        self.last = self._place(expr, {})

    def _step(self, what: Any, of: tuple[int, ...]) -> int:
        key = (what, of)
        if key not in self.places:
            self.places[key] = len(self.steps)
            self.steps.append(key)
        return self.places[key]

    def _place(self, expr: Expr, names: Mapping[str, int]) -> int:
        match expr:
            case Name(id=name) if name in names:
                return names[name]
            case Number() | Name():
                return self._step(expr, ())
            case Negate(operand=operand):
                return self._step("negate", (self._place(operand, names),))
            case Binary(operator=operator, left=left, right=right):
                return self._step(operator, (self._place(left, names), self._place(right, names)))
            case Call(function=name, arguments=arguments) if name != "where":
                function = lookup(name, len(arguments))
                given = tuple(self._place(a, names) for a in arguments)
                if isinstance(function, Defined):
                    return self._place(function.formula, dict(zip(function.parameters, given, strict=True)))
                return self._step(name, given)
        if names:  # a choice inside of a defined function: by its arguments' values
            order = tuple(names)
            return self._step((expr, order), tuple(names[n] for n in order))
        return self._step(expr, ())

    def run(self, point: Mapping[str, Any], arithmetic: Arithmetic) -> Any:
        values: list[Any] = []
        for what, of in self.steps:
            values.append(_value(what, [values[i] for i in of], point, arithmetic))
        return values[self.last]


_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
}


def _value(what: Any, given: list[Any], point: Mapping[str, Any], arithmetic: Arithmetic) -> Any:
    if isinstance(what, str):
        if what == "negate":
            return -given[0]
        if what in _BINARY:
            return _BINARY[what](*given)
        function: Any = lookup(what, len(given))  # a primitive: what is defined by a formula has become its steps
        return arithmetic.function(function)(*given)
    if isinstance(what, tuple):
        expr, order = what
        return evaluate(expr, dict(zip(order, given, strict=True)), arithmetic)
    return evaluate(what, point, arithmetic)


_PROGRAMS: dict[int, tuple[Expr, Program]] = {}


def program_of(expr: Expr) -> Program:
    """The program of this very formula, written once."""
    if id(expr) not in _PROGRAMS:  # held with its program, so that no other formula comes to stand there
        _PROGRAMS[id(expr)] = (expr, Program(expr))
    return _PROGRAMS[id(expr)][1]
