"""A derivative line by line, as a teacher writes it: one named rule a line, the slopes of the parts, then tidied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from openbook.expr import (
    FUNCTIONS,
    Binary,
    Call,
    Derivative,
    Expr,
    Index,
    Name,
    Negate,
    Number,
    Sum,
    derivative,
    differentiate,
    parse,
    substitute,
    text,
    tidy,
)
from openbook.expr.derive import depends, slope_of
from openbook.expr.joining import ONE, TWO, is_number, negative, rejoined

__all__ = ["Line", "by_rules", "definition", "derivation", "next_line"]

_MOST_LINES = 200
_LISTED = 3  # slopes of parts named beside their line


@dataclass(frozen=True)
class Line:
    """One line of a derivation: what stands there, and the rule that gave it."""

    formula: Expr
    rule: str
    why: str = ""


def definition(function: str) -> Expr | None:
    """The formula in x that a proof about this function starts from, if it has one."""
    known = FUNCTIONS.get(function)
    if known is None:
        return None
    stated = getattr(known, "definition", "")
    formula = parse(stated) if stated else getattr(known, "formula", None)
    parameters = getattr(known, "parameters", ("x",))
    if formula is None or len(parameters) != 1:
        return None
    return formula.rename({parameters[0]: "x"})


def derivation(expr: Expr, by: Expr) -> list[Line]:
    """The lines from d/dz f to the derivative as it is used; each equals the one before.

    A function by itself is proved from its definition; inside a larger formula its slope is known.
    """
    lines: list[Line] = []
    current: Expr = Derivative(by, expr)
    start = _start(expr, by)
    if start is not None:
        assert isinstance(expr, Call)
        current = Derivative(by, start)
        lines.append(Line(current, f"definition of {expr.function}", f"{text(expr)} = {text(start)}"))
    lines += by_rules(current, by)
    lines += _finished(lines[-1].formula, expr, by, start)
    return lines


def _start(expr: Expr, by: Expr) -> Expr | None:
    """The definition that the derivation of a function of the variable itself starts from."""
    if not isinstance(expr, Call) or expr.arguments != (by,):
        return None
    start = definition(expr.function)
    return None if start is None else rejoined(start.replace(lambda part: by if part == Name("x") else None))


def next_line(current: Expr) -> Line | None:
    """What one rule makes of a line in which a derivative still stands; None where there is none."""
    pending = _pending(current)
    return _one_rule(current, pending) if pending else None


# --- one rule a line -------------------------------------------------------------------------------------------


def by_rules(current: Expr, by: Expr) -> Iterator[Line]:
    """Work on what is outermost; when only simple slopes are left, write them all in."""
    first = True
    for _ in range(_MOST_LINES):
        pending = _pending(current)
        if not pending:
            return
        hard = [d for d in pending if first or not _is_simple(d.body, d.by)]
        line = _one_rule(current, hard) if hard else _slopes_of_parts(current, pending)
        first = False
        current = line.formula
        yield line


def _pending(expr: Expr) -> list[Derivative]:
    """Derivatives still to be found, those with none inside them."""
    found = [d for d in expr.walk() if isinstance(d, Derivative)]
    return [d for d in dict.fromkeys(found) if not any(isinstance(inner, Derivative) for inner in d.body.walk())]


def _one_rule(current: Expr, pending: list[Derivative]) -> Line:
    """The rule that the first of them calls for, applied to all that call for the same."""

    def left(by: Expr) -> Callable[[Expr], Expr]:
        return lambda part: ONE if part == by else Derivative(by, part)

    ruled = {d: differentiate(d.body, d.by, left(d.by)) for d in pending}
    name = next(iter(ruled.values())).name
    chosen = {d: r for d, r in ruled.items() if r.name == name}
    rules = dict.fromkeys(r.rule for r in chosen.values())
    after = rejoined(current.replace(lambda part: chosen[part].result if part in chosen else None))
    return Line(after, name, "; ".join(list(rules)[:_LISTED]))


def _slopes_of_parts(current: Expr, pending: list[Derivative]) -> Line:
    slopes = {d: derivative(d.body, d.by) for d in pending}
    told = {d: slope for d, slope in slopes.items() if not is_number(slope, 1)} or slopes
    listed = [f"{text(d)} = {text(slope)}" for d, slope in told.items()]
    put = {d: rejoined(slope) for d, slope in slopes.items()}
    after = rejoined(current.replace(lambda part: put.get(part) if isinstance(part, Derivative) else None))
    more = "; …" if len(listed) > _LISTED else ""
    rule = "slope of the part" if len(pending) == 1 else "slopes of the parts"
    return Line(after, rule, "; ".join(listed[:_LISTED]) + more)


def _is_simple(expr: Expr, by: Expr) -> bool:
    """Whether a person writes the slope down at once: multiples and sums of powers, f(z), f(a·z + b)."""
    if not depends(expr, by) or expr == by or isinstance(expr, Index):
        return True
    match expr:
        case Sum(body=body):
            return _is_simple(body, by)
        case Negate(operand=operand):
            return _is_simple(operand, by)
        case Binary(operator="+" | "-", left=left, right=right):
            return _is_simple(left, by) and _is_simple(right, by)
        case Binary(operator="*", left=left, right=right):
            return not (depends(left, by) and depends(right, by)) and _is_simple(left, by) and _is_simple(right, by)
        case Binary(operator="/", left=left, right=right):
            return not depends(right, by) and _is_simple(left, by)
        case Binary(operator="**", left=left, right=right):
            return isinstance(left, (Name, Index)) and not depends(right, by)
        case Call(function="where" | "max" | "min" | "atan2"):
            return False
        case Call(arguments=(inner,)):
            return isinstance(inner, (Name, Index)) or (isinstance(inner, Negate) and inner.operand == by)
    return False


# --- the form it is used in ------------------------------------------------------------------------------------


def _finished(current: Expr, expr: Expr, by: Expr, start: Expr | None) -> Iterator[Line]:
    """Simplified; a function proved from its definition, until it stands in its own terms."""
    for make in (_simplified, _divided, _split, _reduced, _recognised):
        if (line := make(current)) is not None:
            current = line.formula
            yield line
    if not isinstance(expr, Call) or expr.arguments != (by,):
        return
    if start is not None and (line := _folded(current, expr, start)) is not None:
        current = line.formula
        yield line
    known = slope_of(expr.function, "x") if start is None or FUNCTIONS[expr.function].slope else None
    known = known and known.replace(lambda part: by if part == Name("x") else None)
    if known is not None and known != current:
        yield Line(known, "simplify", "the same in the form it is used in")


def _simplified(expr: Expr) -> Line | None:
    tidied = tidy(expr)
    return Line(tidied, "simplify", "gather and cancel") if tidied != expr else None


def _divided(expr: Expr) -> Line | None:
    """(b² − a²)/b² as 1 − (a/b)²."""
    match expr:
        case Binary(
            operator="/",
            left=Binary(operator="-", left=first, right=Binary("**", above, Number(value=2))),
            right=Binary(operator="**", left=below, right=Number(value=2)) as whole,
        ) if first == whole:
            apart = Binary("-", ONE, Binary("**", Binary("/", above, below), TWO))
            return Line(apart, "divide term by term", "the first term of the numerator is the denominator itself")
    return None


def _split(expr: Expr) -> Line | None:
    """w/(1 + w)² as 1/(1 + w) · (1 − 1/(1 + w))."""
    match expr:
        case Binary(
            operator="/",
            left=above,
            right=Binary(operator="**", left=Binary("+", Number(value=1), more) as below, right=Number(value=2)),
        ) if above == more:
            one = Binary("/", ONE, below)
            return Line(
                Binary("*", one, Binary("-", ONE, one)), "split the fraction",
                f"{text(above)} is ({text(below)}) − 1",
            )  # fmt: skip
    return None


def _reduced(expr: Expr) -> Line | None:
    """eᵘ/(1 + eᵘ) as 1/(1 + e⁻ᵘ), which is sigmoid(u)."""
    match expr:
        case Binary(operator="/", left=Call("exp", (inner,)) as above, right=Binary("+", Number(value=1), more)) if (
            above == more
        ):
            below = Binary("+", ONE, Call("exp", (negative(inner),)))
            return Line(Binary("/", ONE, below), "reduce the fraction", f"divide above and below by {text(above)}")
    return None


def _recognised(expr: Expr) -> Line | None:
    """1/(1 + e⁻ᵘ) by the name people know it by."""
    match expr:
        case Binary("/", Number(value=1), Binary("+", Number(value=1), Call("exp", (Negate(operand=inner),)))):
            called = Call("sigmoid", (inner,))
            return Line(called, "definition of sigmoid", f"{text(called)} = {text(expr)}")
    return None


def _folded(current: Expr, call: Call, start: Expr) -> Line | None:
    """The function's own name where its definition stands."""
    for form in dict.fromkeys((start, tidy(start))):
        folded = substitute(current, form, call)
        if folded != current:
            return Line(folded, f"definition of {call.function}", f"{text(form)} is {text(call)}")
    return None
