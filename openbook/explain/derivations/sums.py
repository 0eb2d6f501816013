"""What a person does with sums over indices: pull out what stays, let a delta keep one term, read entries as matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce
from operator import mul

from openbook.expr import Binary, Call, Derivative, Expr, Index, Name, Negate, Number, Sum, substitute, tidy
from openbook.expr.joining import ONE, ZERO, is_number, minus, negative, over, plus, times

__all__ = ["apart", "as_matrices", "factored", "factors", "joined", "multiplied", "sifted", "terms", "uses"]


def terms(expr: Expr) -> Iterator[tuple[bool, Expr]]:
    """The terms of a sum, each with whether it is subtracted."""
    match expr:
        case Binary(operator="+" | "-" as operator, left=left, right=right):
            yield from terms(left)
            yield from ((minus_ != (operator == "-"), term) for minus_, term in terms(right))
        case Negate(operand=operand):
            yield from ((not minus_, term) for minus_, term in terms(operand))
        case _:
            yield False, expr


def joined(parts: list[tuple[bool, Expr]]) -> Expr:
    """Terms with their signs, added up; a positive one leads where there is one."""
    total: Expr = ZERO
    for subtracted, term in sorted(parts, key=lambda p: p[0]) if parts and parts[0][0] else parts:
        total = minus(total, term) if subtracted else plus(total, term)
    return total


def factors(expr: Expr) -> list[Expr]:
    """The factors of a product; a quotient is its numerator's and one over its denominator."""
    match expr:
        case Binary(operator="*", left=left, right=right):
            return factors(left) + factors(right)
        case Binary(operator="/", left=left, right=right):
            above = [f for f in factors(left) if not is_number(f, 1)]
            return above + [over(ONE, f) for f in factors(right)]
    return [expr]


def multiplied(parts: list[Expr]) -> Expr:
    """Factors joined, those of the denominator below one bar."""
    above: Expr = ONE
    below: Expr = ONE
    for part in parts:
        if isinstance(part, Binary) and part.operator == "/" and is_number(part.left, 1):
            below = times(below, part.right)
        else:
            above = times(above, part)
    return over(above, below)


def uses(expr: Expr, letter: str) -> bool:
    """Whether an index stands in a formula."""
    return letter in expr.names()


# --- sums over an index ----------------------------------------------------------------------------------------


def sifted(expr: Expr) -> Expr:
    """Every sum worked on: taken apart into terms, what does not change pulled out, deltas keeping the one term they name."""
    if isinstance(expr, Sum):
        return _sum(expr.index, sifted(expr.body))
    return expr._rebuild(tuple(map(sifted, expr.parts))) if expr.parts and not isinstance(expr, Index) else expr


def _sum(letter: str, body: Expr) -> Expr:
    parts = [(sign != subtracted, term) for subtracted, part in terms(body) for sign, term in _expanded(part)]
    if len(parts) > 1 or parts[0][0]:
        return joined([(subtracted, _sum(letter, term)) for subtracted, term in parts])
    inside = [f for f in factors(parts[0][1]) if uses(f, letter)]
    outside = [f for f in factors(parts[0][1]) if not uses(f, letter)]
    for factor in inside:
        if isinstance(factor, Call) and factor.function == "delta":
            (other,) = [a for a in factor.arguments if a != Name(letter)] or [Name(letter)]
            kept = [f for f in inside if f is not factor]
            put = [substitute(f, Name(letter), other) for f in kept]
            return multiplied([*outside, *put])
    total = Sum(letter, multiplied(inside))
    return multiplied([*outside, total])


def _expanded(term: Expr) -> Iterator[tuple[bool, Expr]]:
    """A product multiplied out over a factor in which deltas are added to something else."""
    parts = factors(term)
    for place, factor in enumerate(parts):
        inner = list(terms(factor))
        if len(inner) > 1 and "delta" in factor.calls():
            for subtracted, part in inner:
                yield subtracted, multiplied([*parts[:place], part, *parts[place + 1 :]])
            return
    yield False, term


def apart(expr: Expr) -> Expr:
    """(a − b)/c as a/c − b/c, each reduced."""
    match expr:
        case Negate(operand=operand):
            return negative(apart(operand))
        case Binary(operator="/", left=left, right=right) if len(list(terms(left))) > 1:
            return joined([(subtracted, tidy(over(term, right))) for subtracted, term in terms(left)])
    return expr


def factored(expr: Expr) -> Expr:
    """What all terms have in common, in front of a bracket."""
    parts = list(terms(expr))
    if len(parts) < 2:
        return expr
    shared = [f for f in factors(parts[0][1]) if all(f in factors(term) for _, term in parts[1:])]
    if not shared or all(isinstance(f, Number) for f in shared):
        return expr
    rest = []
    for subtracted, term in parts:
        left = factors(term)
        for factor in shared:
            left.remove(factor)
        rest.append((subtracted, multiplied(left)))
    return times(multiplied(shared), joined(rest))


# --- entries as matrices ---------------------------------------------------------------------------------------


def as_matrices(expr: Expr, at: tuple[str, ...], rank: Callable[[str], int]) -> Expr | None:
    """The vector or matrix whose entry at these indices this is; None where it does not read as one."""
    if any(isinstance(part, Derivative) for part in expr.walk()):
        return None
    match expr:
        case Binary(operator="+" | "-" as operator, left=left, right=right):
            a, b = as_matrices(left, at, rank), as_matrices(right, at, rank)
            return None if a is None or b is None else Binary(operator, a, b)
        case Negate(operand=operand):
            inner = as_matrices(operand, at, rank)
            return None if inner is None else negative(inner)
        case Call(function=function, arguments=(inner_,)) if function not in ("delta", "sum") and len(at) < 2:
            inside = as_matrices(inner_, at, rank)
            return None if inside is None else Call(function, (inside,))
        case Binary(operator="**", left=base, right=Number() as power) if len(at) == 1:
            inside = as_matrices(base, at, rank)
            return None if inside is None else Binary("**", inside, power)
        case Number() | Name():
            return expr
    return _single(expr, at) or _of_factors(expr, at, rank)


def _single(expr: Expr, at: tuple[str, ...]) -> Expr | None:
    """An entry of one name: A[i, j] is A, A[j, i] its transpose."""
    if not isinstance(expr, Index):
        return None
    if expr.indices == tuple(map(Name, at)):
        return expr.base
    if len(at) == 2 and expr.indices == (Name(at[1]), Name(at[0])):
        return Call("transpose", (expr.base,))
    return None


def _of_factors(expr: Expr, at: tuple[str, ...], rank: Callable[[str], int]) -> Expr | None:
    alone: list[Expr] = []
    by_index: dict[tuple[str, ...], list[Expr]] = {}
    for factor in factors(expr):
        used = tuple(letter for letter in at if uses(factor, letter))
        (by_index.setdefault(used, []) if used else alone).append(factor)
    parts = [_matrix_of(multiplied(group), used, rank) for used, group in by_index.items() if len(used) < 2]
    both = [f for used, group in by_index.items() if len(used) == 2 for f in group]
    if any(part is None for part in parts) or any(any(isinstance(p, (Index, Sum)) for p in a.walk()) for a in alone):
        return None
    vectors = [part for part in parts if part is not None]
    whole = _put_together(vectors, both, list(by_index), at, rank)
    if whole is None:
        return None
    number = multiplied(alone)
    return whole if is_number(number, 1) else Binary("*", number, whole)


def _matrix_of(expr: Expr, at: tuple[str, ...], rank: Callable[[str], int]) -> Expr | None:
    parts = factors(expr)
    if len(parts) == 1:
        return _contracted(expr, at[0]) if isinstance(expr, Sum) else as_matrices(expr, at, rank)
    read = [_matrix_of(part, at, rank) for part in parts]
    return None if any(part is None for part in read) else reduce(mul, [part for part in read if part is not None])


def _put_together(
    vectors: list[Expr], both: list[Expr], order: list[tuple[str, ...]], at: tuple[str, ...], rank: Callable[[str], int]
) -> Expr | None:
    """One index: the vector. Two: an outer product, a matrix, or a diagonal one."""
    if not both:
        if len(at) == 1 and len(vectors) == 1:
            return vectors[0]
        if len(at) == 2 and len(vectors) == 2:
            rows, columns = vectors if order[0] == (at[0],) else vectors[::-1]
            return Binary("@", rows, Call("transpose", (columns,)))
        return None
    if len(both) == 1 and isinstance(both[0], Call) and both[0].function == "delta":
        return Call("diag", (vectors[0] if len(vectors) == 1 else Name("1"),)) if len(vectors) == 1 else None
    if len(both) == 1 and not vectors:
        return _single(both[0], at)
    return None


def _contracted(total: Sum, at: str) -> Expr | None:
    """Σ_i X[i, j]·r[i] is entry j of Xᵀr."""
    matrices = [f for f in factors(total.body) if uses(f, at)]
    rest = [f for f in factors(total.body) if not uses(f, at)]
    if len(matrices) != 1 or not isinstance(matrices[0], Index) or not rest:
        return None
    vector = _matrix_of(multiplied(rest), (total.index,), lambda name: 1)
    matrix = _single(matrices[0], (total.index, at))
    if vector is None or matrix is None:
        return None
    return Binary("@", Call("transpose", (matrix,)) if isinstance(matrix, Name) else _plain(matrix), vector)


def _plain(transposed: Expr) -> Expr:
    assert isinstance(transposed, Call)
    return transposed.arguments[0]
