"""Tidy a formula as a person would: numbers multiplied out, equal factors and like terms gathered, nothing expanded.

Factors and terms stay in the order in which they first stand. Equal means equal wherever both sides have a value:
x/x becomes 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from openbook.expr.joining import ONE, decimal, is_number, minus, negative, over, plus, raised, times
from openbook.expr.nodes import Binary, Call, Compare, Expr, Negate, Number

__all__ = ["tidy"]

_HIGHEST = 64  # powers of numbers beyond this stay as they are written
Factors = dict[Expr, Expr]  # base → exponent


def tidy(expr: Expr) -> Expr:
    """The formula with numbers joined, equal factors and like terms gathered, common factors cancelled."""
    decimals = any(isinstance(part, Number) and _is_decimal(part) for part in expr.walk())
    return _Tidier(decimals).tidy(expr)


def _is_decimal(number: Number) -> bool:
    return isinstance(number.value, float) or "." in number.spelling


def _exact(expr: Expr) -> Fraction | None:
    """A number as a fraction: 0.1 is a tenth."""
    if isinstance(expr, Negate):
        inner = _exact(expr.operand)
        return None if inner is None else -inner
    if isinstance(expr, Binary) and expr.operator == "/":
        above, below = _exact(expr.left), _exact(expr.right)
        return above / below if above is not None and below else None
    if not isinstance(expr, Number):
        return None
    try:
        return expr.value if isinstance(expr.value, Fraction) else Fraction(str(expr.value))
    except ValueError:  # inf, nan
        return None


class _Tidier:
    def __init__(self, decimals: bool):
        self.decimals = decimals  # whether numbers are written as decimals here: 0.5, not 1/2

    def tidy(self, expr: Expr) -> Expr:
        match expr:
            case Negate(operand=operand):
                return negative(self.tidy(operand))
            case Binary(operator="+" | "-"):
                return self._sum(expr)
            case Binary(operator="*" | "/" | "**") | Call(function="exp" | "sqrt"):
                return self._product(expr)
            case Compare() | Binary():
                return expr._rebuild(tuple(map(self.tidy, expr.parts)))
            case Call(function="where", arguments=(test, body, orelse)):
                body, orelse = self.tidy(body), self.tidy(orelse)
                return body if body == orelse else Call("where", (self.tidy(test), body, orelse))
        return expr._rebuild(tuple(map(self.tidy, expr.parts))) if expr.parts else expr

    # --- sums --------------------------------------------------------------------------------------------------

    def _sum(self, expr: Expr) -> Expr:
        gathered: dict[frozenset[tuple[Expr, Expr]], tuple[Fraction, Factors]] = {}
        for coefficient, factors in self._terms(expr, Fraction(1)):
            key = frozenset(factors.items())
            before = gathered.get(key, (Fraction(0), factors))[0]
            gathered[key] = (before + coefficient, factors)
        total: Expr = Number(0)
        kept = [term for term in gathered.values() if term[0]]
        lead = next((i for i, term in enumerate(kept) if term[0] > 0), 0)  # y − x rather than −x + y
        for coefficient, factors in [*kept[lead : lead + 1], *kept[:lead], *kept[lead + 1 :]]:
            term = self._written(abs(coefficient), factors)
            total = plus(total, term) if coefficient > 0 else minus(total, term)
        return total

    def _terms(self, expr: Expr, sign: Fraction) -> Iterable[tuple[Fraction, Factors]]:
        match expr:
            case Binary(operator="+" | "-" as operator, left=left, right=right):
                yield from self._terms(left, sign)
                yield from self._terms(right, sign if operator == "+" else -sign)
                return
            case Negate(operand=operand):
                yield from self._terms(operand, -sign)
                return
        coefficient, factors = self._factors(expr)
        alone = next(iter(factors)) if len(factors) == 1 else None
        if alone is not None and is_number(factors[alone], 1) and abs(coefficient) == 1 and _is_sum(alone):
            yield from self._terms(alone, sign * coefficient)
        else:
            yield sign * coefficient, factors

    # --- products ----------------------------------------------------------------------------------------------

    def _product(self, expr: Expr) -> Expr:
        coefficient, factors = self._factors(expr)
        written = self._written(abs(coefficient), factors)
        return negative(written) if coefficient < 0 else written

    def _factors(self, expr: Expr) -> tuple[Fraction, Factors]:
        """The number in front, and the exponent of every base, in the order of first appearance."""
        factors: Factors = {}
        coefficient = self._collect(expr, ONE, factors)
        for base in [b for b in factors if _exact(b) and _is_whole(factors[b])]:  # √2·√2
            coefficient *= self._collect(base, factors.pop(base), factors)
        if not coefficient:
            return Fraction(0), {}
        return coefficient, {base: e for base, e in factors.items() if not is_number(e, 0)}

    def _collect(self, expr: Expr, exponent: Expr, factors: Factors) -> Fraction:
        number = _exact(expr)
        whole = _exact(exponent)
        if number is not None and whole is not None and whole.denominator == 1 and abs(whole) <= _HIGHEST:
            if number or whole > 0:
                return number ** int(whole)
            return self._gather(expr, exponent, factors)  # 1/0 stays for all to see
        match expr:
            case Negate(operand=operand) if whole is not None and whole.denominator == 1:
                return self._collect(operand, exponent, factors) * (-1) ** (int(whole) % 2)
            case Binary(operator="*", left=left, right=right) if _is_whole(exponent):
                return self._collect(left, exponent, factors) * self._collect(right, exponent, factors)
            case Binary(operator="/", left=left, right=right) if _is_whole(exponent):
                above = self._collect(left, exponent, factors)
                return above * self._collect(right, self.tidy(negative(exponent)), factors)
            case Binary(operator="**", left=base, right=power) if _is_whole(exponent):
                return self._collect(base, self.tidy(times(power, exponent)), factors)
            case Call(function="sqrt", arguments=(inside,)) if _is_whole(exponent):
                return self._gather(self.tidy(inside), self.tidy(over(exponent, Number(2))), factors)
            case Call(function="exp", arguments=(inside,)) if _is_whole(exponent):
                return self._exponential(self.tidy(inside), exponent, factors)
        if expr.parts:
            inner = self._inside(expr)
            if inner != expr:
                return self._collect(inner, exponent, factors)
        return self._gather(expr, exponent, factors)

    def _inside(self, expr: Expr) -> Expr:
        if isinstance(expr, (Negate, Binary)) and not (isinstance(expr, Binary) and expr.operator in "*/**"):
            return self.tidy(expr)
        return expr._rebuild(tuple(map(self.tidy, expr.parts)))

    def _exponential(self, inside: Expr, exponent: Expr, factors: Factors) -> Fraction:
        """exp(−u) is exp(u) to the power −1, so that the two cancel."""
        if isinstance(inside, Negate):
            return self._gather(Call("exp", (inside.operand,)), self.tidy(negative(exponent)), factors)
        return self._gather(Call("exp", (inside,)), exponent, factors)

    def _gather(self, base: Expr, exponent: Expr, factors: Factors) -> Fraction:
        factors[base] = self.tidy(plus(factors[base], exponent)) if base in factors else exponent
        return Fraction(1)

    def _written(self, coefficient: Fraction, factors: Factors) -> Expr:
        above, below = self._numbers(coefficient)
        for base, exponent in factors.items():
            power = _exact(exponent)
            if isinstance(base, Call) and base.function == "exp":
                above = _beside(above, Call("exp", (self.tidy(times(exponent, base.arguments[0])),)))
            elif power is not None and power < 0:
                below = _beside(below, _powered(base, -power))
            else:
                above = _beside(above, _powered(base, power) if power is not None else raised(base, exponent))
        return over(above, below)

    def _numbers(self, coefficient: Fraction) -> tuple[Expr, Expr]:
        if self.decimals and coefficient.denominator > 1 and Fraction(repr(float(coefficient))) == coefficient:
            return decimal(coefficient), ONE
        return Number(coefficient.numerator), Number(coefficient.denominator)


def _beside(product: Expr, factor: Expr) -> Expr:
    return factor if is_number(product, 1) else Binary("*", product, factor)


def _powered(base: Expr, power: Fraction) -> Expr:
    """base ** power; halves as roots."""
    if power == Fraction(1, 2):
        return Call("sqrt", (base,))
    if power.denominator == 1:
        return raised(base, Number(int(power)))
    written = decimal(power)
    return raised(base, written if written.spelling else Number(power.numerator) / Number(power.denominator))


def _is_sum(expr: Expr) -> bool:
    return isinstance(expr, Negate) or (isinstance(expr, Binary) and expr.operator in "+-")


def _is_whole(exponent: Expr) -> bool:
    number = _exact(exponent)
    return number is not None and number.denominator == 1
