"""A formula with numbers: its value forward, its gradients backward, the slopes it uses proved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openbook.errors import ExplainError, FormulaError, InputError
from openbook.explain.derivations.proof import slope_steps
from openbook.explain.dispatch import explains
from openbook.explain.ledgers.ledger import FORWARD, Assignment, Ledger, scalar_ledger
from openbook.expr import FUNCTIONS, Arithmetic, Call, Expr, Function, Name, Number, evaluate, parse, text
from openbook.ops import OPS, apply
from openbook.record import Step, Witness, Working
from openbook.tensor import Tensor, central_differences, grad

__all__ = ["ON_TENSORS", "explain_formula"]


@explains(str)
def explain_formula(formula: str, wrt: Sequence[str] | str | None = None, **values: float) -> Working:
    """Work a formula out by hand: `explain("0.5*(y - tanh(w*x + b))**2", x=2, y=1, w=0.5, b=0, wrt="w,b")`.

    Several lines are separated by `;`, each `name = formula`; the last is what is differentiated. By default with
    respect to every given value. Raises FormulaError for what cannot be read, InputError for values that are missing,
    too many, or not finite numbers.
    """
    assignments = _assignments(formula, set(values))
    _require_values(assignments, values)
    wanted = _wanted(wrt, values)
    numbers = {name: float(value) for name, value in values.items()}

    computed = _compute(assignments, numbers)
    root = assignments[-1].name
    _require_finite(assignments, computed)

    def witnesses(name: str) -> tuple[Witness, ...]:
        def f(x: Tensor) -> Tensor:
            return _tensors(assignments, {**numbers, name: x})[root]

        here = np.asarray(numbers[name])
        return (
            Witness("autograd", lambda: float(grad(f)(here)), rtol=1e-12, atol=1e-15),
            Witness("central differences", lambda: float(central_differences(f, here)), rtol=1e-6, atol=1e-8),
        )

    shown = {name: int(v) if isinstance(v, int) else float(v) for name, v in values.items()}
    ledger = scalar_ledger(shown, assignments, computed, wanted, witnesses)
    proofs = _proofs(assignments, ledger)
    steps = tuple(_in_order(ledger, proofs))
    result = {root: computed[root]} | {s.name: s.value for n, s in ledger.gradients.items() if n in wanted}
    return Working(
        title=f"{root} = {text(parse(formula.rpartition(';')[2].partition('=')[2] or formula))}",
        question=f"What is {root}, and how does it change with {', '.join(wanted)}?",
        steps=steps,
        result=result,
        notes=tuple(_notes(ledger, assignments)),
        graph=ledger.graph,
    )


# --- reading ---------------------------------------------------------------------------------------------------


def _assignments(formula: str, taken: set[str]) -> list[Assignment]:
    """The lines of a formula; a single one is split at its functions into z = …, h = tanh(z), L = …."""
    lines = [line for line in formula.split(";") if line.strip()]
    if not lines:
        raise FormulaError("the formula is empty", do='write it like "0.5*(y - tanh(w*x + b))**2"')
    if len(lines) == 1 and not _is_assignment(lines[0]):
        return _split_at_functions(parse(lines[0]), taken)
    made: list[Assignment] = []
    for line in lines:
        name, equals, right = line.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise FormulaError(
                f"{line.strip()!r} is no assignment", do='write "z = w*x + b; h = tanh(z); L = (y - h)**2"'
            )
        if name in taken or any(a.name == name for a in made):
            raise FormulaError(f"{name!r} is given a value twice", do="give every line a name of its own")
        made.append(Assignment(name, parse(right), _rule(parse(right))))
    return made


def _is_assignment(line: str) -> bool:
    name, equals, right = line.partition("=")
    return bool(equals) and name.strip().isidentifier() and not right.startswith("=")


def _split_at_functions(expr: Expr, taken: set[str]) -> list[Assignment]:
    used = set(taken) | set(expr.names())
    made: list[Assignment] = []
    arguments, functions = _fresh("z", used), _fresh("h", used)

    def named(part: Expr, names: Any) -> Name:
        for a in made:
            if a.formula == part:
                return Name(a.name)
        made.append(Assignment(next(names), part, _rule(part)))
        return Name(made[-1].name)

    def split(part: Expr, outermost: bool) -> Expr:
        if not isinstance(part, Call) or part.function == "where":
            return part if not part.parts else part._rebuild(tuple(split(p, False) for p in part.parts))
        inner = [split(a, False) for a in part.arguments]
        inner = [a if isinstance(a, (Name, Number)) else named(a, arguments) for a in inner]
        call = Call(part.function, tuple(inner))
        return call if outermost else named(call, functions)

    last = split(expr, True)
    made.append(Assignment(next(_fresh("L", used)), last, _rule(last)))
    _number_if_many(made)
    return made


def _fresh(letter: str, used: set[str]) -> Any:
    """letter, letter2, letter3, … without those in use."""
    for count in range(1, 10_000):
        name = letter if count == 1 else f"{letter}_{count}"
        if name not in used:
            used.add(name)
            yield name


def _number_if_many(made: list[Assignment]) -> None:
    """z, z_2 reads worse than z_1, z_2; a z that was given keeps its name."""
    names = {a.name for a in made}
    first = {x: f"{x}_1" for x in ("z", "h") if {x, f"{x}_2"} <= names}
    made[:] = [Assignment(first.get(a.name, a.name), a.formula.rename(first), a.rule) for a in made]


def _rule(expr: Expr) -> str:
    """A function's steps carry its name; a formula of + − × ÷ needs none."""
    return expr.function if isinstance(expr, Call) else ""


def _require_values(assignments: list[Assignment], values: Mapping[str, Any]) -> None:
    made = {a.name for a in assignments}
    needed = dict.fromkeys(n for a in assignments for n in a.formula.names() if n not in made and n not in ("pi",))
    missing = [n for n in needed if n not in values]
    if missing:
        raise InputError(
            f"{', '.join(missing)} has no value" if len(missing) == 1 else f"{', '.join(missing)} have no values",
            where="the formula",
            do=f"give one to each, like {' '.join(f'{n}=1' for n in missing)}",
        )
    extra = [n for n in values if n not in needed]
    if extra:
        raise InputError(f"the formula does not use {', '.join(extra)}", do="leave it out, or use it in the formula")
    for name, value in values.items():
        if isinstance(value, (str, bool)) or not hasattr(value, "__float__") or not math.isfinite(float(value)):
            raise InputError(f"{name} is {value!r}", where="the values", do="give a finite number")


def _wanted(wrt: Sequence[str] | str | None, values: Mapping[str, Any]) -> list[str]:
    names = list(values) if wrt is None else [n.strip() for n in wrt.split(",")] if isinstance(wrt, str) else list(wrt)
    unknown = [n for n in names if n not in values]
    if unknown or not names:
        raise ExplainError(
            f"there is no given value called {', '.join(unknown) or '(nothing)'} to differentiate by",
            do=f"choose from {', '.join(values) or 'none: the formula has no values'}",
        )
    return names


# --- computing -------------------------------------------------------------------------------------------------


def _tensors(assignments: Sequence[Assignment], values: Mapping[str, Any]) -> dict[str, Tensor]:
    """Run the assignments on our own Tensors, in float64."""
    known = {n: v if isinstance(v, Tensor) else Tensor(np.asarray(v, np.float64)) for n, v in values.items()}
    for a in assignments:
        known[a.name] = evaluate(a.formula, known, ON_TENSORS)
    return known


def _operation(name: str) -> Any:
    """The operation of that name, applied to Tensors; None where the formula itself says what to do."""
    return (lambda *inputs: apply(OPS[name], *inputs)) if name in OPS else None


def _no_operation(function: Function) -> Any:
    known = ", ".join(sorted(n for n, op in OPS.items() if op.elementwise and n in FUNCTIONS))
    raise FormulaError(f"no operation computes {function.name} on Tensors yet", do=f"choose one of {known}")


def _constant(value: Any) -> Any:
    return value if isinstance(value, Tensor) else Tensor(np.asarray(float(value), np.float64))


ON_TENSORS = Arithmetic(_constant, _no_operation, own=_operation)


def _compute(assignments: Sequence[Assignment], numbers: Mapping[str, float]) -> dict[str, float]:
    with np.errstate(all="ignore"):
        known = _tensors(assignments, numbers)
    return {a.name: float(known[a.name]) for a in assignments}


def _require_finite(assignments: Sequence[Assignment], computed: Mapping[str, float]) -> None:
    for a in assignments:
        if not math.isfinite(computed[a.name]):
            raise InputError(
                f"{a.name} = {text(a.formula)} is {computed[a.name]} for these values",
                do="choose values for which every part of the formula is a finite number",
            )


# --- telling ---------------------------------------------------------------------------------------------------


def _proofs(assignments: Sequence[Assignment], ledger: Ledger) -> list[Step]:
    """For every function whose slope is used: why it is what it is."""
    steps: list[Step] = []
    seen: set[str] = set()
    for a in assignments:
        match a.formula:
            case Call(function=function, arguments=(Name(id=argument),)) if function not in seen:
                seen.add(function)
                if a.name in ledger.gradients:
                    steps += slope_steps(
                        function, ledger.values[argument], f"Why the slope of {function} is what it is"
                    )
    return steps


def _in_order(ledger: Ledger, proofs: list[Step]) -> list[Step]:
    """Given and forward, then the proofs, then slopes and gradients."""
    last = max((i for i, s in enumerate(ledger.steps) if s.part in ("Given", FORWARD)), default=-1)
    return [*ledger.steps[: last + 1], *proofs, *ledger.steps[last + 1 :]]


def _notes(ledger: Ledger, assignments: Sequence[Assignment]) -> list[str]:
    """What the numbers say about how well gradients get through."""
    notes = []
    for a in assignments:
        if isinstance(a.formula, Call) and a.formula.function in ("tanh", "sigmoid") and a.name in ledger.gradients:
            slope = next((s.value for s in ledger.steps if s.name.startswith(f"∂{a.name}/∂")), None)
            largest = 1.0 if a.formula.function == "tanh" else 0.25
            if slope is not None and slope < 0.75 * largest:
                notes.append(
                    f"{a.formula.function} is partly saturated here: its slope is {slope:.4f}, at most it could be "
                    f"{largest:g}, and every gradient behind it is that much smaller."
                )
    return notes
