"""One entry of a gradient in a graph of arrays: value → local slope → upstream → product, whoever recorded the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import fsum, sqrt
from operator import add

import numpy as np

from openbook.errors import ExplainError
from openbook.explain.ledgers.picture import Leaf, picture
from openbook.explain.ledgers.replay import Measured, Replay
from openbook.expr import Name
from openbook.record import Step, Witness, Working

__all__ = ["Operation", "Question", "chosen_entry", "entry_name", "explain_entry"]

VALUES, BACKWARD = "Forward: the values on the way", "Backward: local × upstream"
Index = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Operation:
    """One recorded operation, as its owner describes it.

    `inputs` are the keys of what went in (leaves or other operations); `value` the output where it is known; `upstream`
    d loss / d output; `slopes(position, index)` ∂(every entry of the output) / ∂(one entry of that input).
    """

    key: int
    name: str
    rule: str
    inputs: tuple[int, ...]
    value: np.ndarray | None
    upstream: np.ndarray
    slopes: Callable[[int, Index], np.ndarray]
    formula: str = ""
    differences: Callable[[int, Index], Measured | None] | None = None  # the same slopes, by differences of `again`
    again: str = "the operation"
    module: str = ""


@dataclass(frozen=True, eq=False)
class Question:
    """Which entry of which value is asked about: its key and name, the array and its gradient, the spacing of its floats.

    `replay` computes the loss to both sides of any value, where its owner can; `witnesses(index)` are the owner's own
    ways to the gradient of one entry.
    """

    key: int
    name: str
    value: np.ndarray
    gradient: np.ndarray
    eps: float
    replay: Replay | None = None
    witnesses: Callable[[Index], tuple[Witness, ...]] = lambda index: ()

    @property
    def tolerance(self) -> float:
        """How closely differences and gradients in these floats can agree."""
        return max(1e-6, 100 * self.eps)

    def entry(self, at: Index | int | None) -> Index:
        """The index asked for, or that of the largest gradient."""
        return chosen_entry(self.name, self.gradient, at)


def chosen_entry(name: str, array: np.ndarray, at: Index | int | None) -> Index:
    """The index asked for, or that of the entry furthest from 0; an ExplainError where there is none such."""
    if at is None:
        return tuple(int(i) for i in np.unravel_index(int(np.argmax(np.abs(array))), array.shape))
    index = (at,) if isinstance(at, int) else tuple(at)
    inside = len(index) == array.ndim and all(-n <= i < n for i, n in zip(index, array.shape, strict=True))
    if not inside:
        raise ExplainError(
            f"{name} has no entry {index}: its shape is {array.shape}", do="give one index for every axis"
        )
    return tuple(i % n for i, n in zip(index, array.shape, strict=True))


@dataclass(frozen=True, eq=False)
class Term:
    """One of the products that add up to a gradient entry: through which operation, into which of its entries."""

    operation: Operation
    index: Index
    upstream: float
    local: float
    column: float = 0.0  # the largest slope of this operation into any entry: what rounding is measured by
    measured: Measured | None = None

    @property
    def product(self) -> float:
        return self.upstream * self.local


@dataclass(frozen=True, eq=False)
class Rung:
    """One entry on the way from the parameter to the loss: its value, its gradient, the terms that make it up.

    `noise` is about how far rounding may have moved the gradient, `arriving` the gradients it is made of.
    """

    name: str
    value: float | None
    gradient: float
    terms: tuple[Term, ...]
    rule: str = ""
    key: int = 0
    index: Index = ()
    noise: float = 0.0
    arriving: float = 0.0

    @property
    def cancelled(self) -> float:
        """How much of the products takes the rest away: what their own rounding may be."""
        return max(0.0, sum(abs(t.product) for t in self.terms) - abs(self.gradient))


def explain_entry(
    operations: Sequence[Operation],
    loss: float,
    question: Question,
    at: Index | int | None,
    top: int,
    leaves: Mapping[int, Leaf] | None = None,
) -> Working:
    """Show how one entry's gradient comes about, from the loss (the last operation) back to it.

    At each level the `top` largest products are written out, the rest as one sum; followed is the largest.
    """
    index = question.entry(at)
    rungs = _with_noise(_climb(operations, question, index), question.eps)
    last = operations[-1]
    title = entry_name(question.name, index)
    ledger = _ledger(rungs, last, question, top)
    asked = Leaf(question.name, question.value, question.gradient)
    return Working(
        title=f"How d{last.name}/d{title} comes about",
        question=f"What does {title} do to {last.name}?",
        steps=(*_values(rungs, loss, last, question), *ledger),
        result=rungs[0].gradient,
        notes=(_note(rungs), *_spared(question)),
        graph=picture(operations, leaves or {question.key: asked}, rungs, loss),
    )


def entry_name(name: str, index: Index) -> str:
    """`W[3, 7]`; a single number has no index."""
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def _climb(operations: Sequence[Operation], question: Question, index: Index) -> list[Rung]:
    """From the entry up to the loss, at each level along the largest product."""
    consumers: dict[int, list[tuple[Operation, int]]] = {}
    for operation in operations:
        for position, key in enumerate(operation.inputs):
            consumers.setdefault(key, []).append((operation, position))
    rungs: list[Rung] = []
    key, name, rule = question.key, question.name, ""
    value: np.ndarray | None = question.value
    gradient = question.gradient
    while key != operations[-1].key:
        terms = [t for operation, position in consumers.get(key, []) for t in _terms(operation, position, index)]
        terms.sort(key=lambda t: -abs(t.product))
        here = None if value is None else float(value[index])
        rungs.append(Rung(entry_name(name, index), here, float(gradient[index]), tuple(terms), rule, key, index))
        if not terms:
            break
        best = terms[0]
        key, index, name, rule = best.operation.key, best.index, best.operation.name, best.operation.rule
        value, gradient = best.operation.value, best.operation.upstream
    return rungs


def _with_noise(rungs: list[Rung], eps: float) -> list[Rung]:
    """How rounding grows from the loss back: each sum adds its own, and what arrives is weighted by the slopes."""
    found: list[Rung] = []
    arriving = 0.0
    for rung in reversed(rungs):
        weight = sqrt(sum(term.local**2 for term in rung.terms))
        noise = weight * arriving + eps * sum(abs(term.product) for term in rung.terms)
        found.append(replace(rung, noise=noise, arriving=arriving))
        arriving = noise
    return found[::-1]


def _terms(operation: Operation, position: int, index: Index) -> list[Term]:
    """The products through one operation, without those whose slope is exactly zero."""
    column = operation.slopes(position, index)
    entries = [tuple(int(i) for i in e) for e in np.argwhere(column != 0)] if column.ndim else [()]
    largest = float(np.max(np.abs(column), initial=0.0))
    measured = None if operation.differences is None else operation.differences(position, index)
    return [
        Term(
            operation,
            e,
            float(operation.upstream[e]),
            float(column[e]),
            largest,
            None if measured is None else measured.at(e),
        )
        for e in entries
    ]


def _values(rungs: list[Rung], loss: float, last: Operation, question: Question) -> list[Step]:
    def again(key: int, index: Index) -> tuple[Witness, ...]:
        return () if question.replay is None else question.replay.witnesses(key, index, question.eps)

    steps = [
        Step(r.name, r.value, rule=r.rule or "given", part=VALUES, dtype_eps=question.eps,
             why="" if i else "asked about", witnesses=again(r.key, r.index))
        for i, r in enumerate(rungs)
        if r.value is not None
    ]  # fmt: skip
    end = Step(last.name, loss, rule=last.rule, part=VALUES, dtype_eps=question.eps, witnesses=again(last.key, ()))
    return [*steps, end]


def _ledger(rungs: list[Rung], last: Operation, question: Question, top: int) -> list[Step]:
    """From the loss back: each gradient as a sum of upstream × local."""
    steps: list[Step] = []
    reached: dict[str, Step] = {}
    for rung in reversed(rungs):
        made, gradient = _rung_steps(rung, last, reached, top, question)
        doubt = question.tolerance * rung.cancelled + 4 * rung.noise
        gradient = _witnessed(gradient, question, rung.key, rung.index, doubt, always=rung is rungs[0])
        if rung is rungs[0]:
            owners = [replace(w, atol=w.atol + doubt) for w in question.witnesses(rung.index)]
            gradient = replace(gradient, witnesses=(*gradient.witnesses, *owners))
        reached[gradient.name] = gradient
        steps += [*made, gradient]
    return steps


def _witnessed(step: Step, question: Question, key: int, index: Index, doubt: float, always: bool = False) -> Step:
    """A gradient with differences of the loss beside it, as long as the work is affordable."""
    replay = question.replay
    if replay is None or not (always or replay.affords(replay.cost(key))):
        return step
    measured = replay.loss_slope(key, index)  # now: backward() may free the graph, and a step change the weights
    largest = float(np.max(np.abs(question.gradient), initial=0.0))
    floor = 1e-2 * question.tolerance * largest + doubt
    return _beside(step, "central differences of the loss", measured, question, floor)


def _beside(step: Step, method: str, measured: Measured, question: Question, floor: float) -> Step:
    """A step with differences as its witness; where they say nothing, that is said."""
    if not bool(measured.smooth):
        return replace(step, why=f"{step.why}; {measured.reason}".removeprefix("; "))
    found = float(measured.slope)
    floor += 16 * measured.rounding + 4 * question.eps * float(measured.sway)
    return replace(step, witnesses=(*step.witnesses, Witness(method, lambda: found, question.tolerance, floor)))


def _rung_steps(
    rung: Rung, last: Operation, reached: Mapping[str, Step], top: int, question: Question
) -> tuple[list[Step], Step]:
    eps = question.eps
    made: list[Step] = []
    inputs: list[Step] = []
    products = []
    for term in rung.terms[:top]:
        factors, new = _factors(rung, term, last, reached, question)
        made += new
        inputs += factors
        products.append(reduce(lambda a, b: a * b, (Name(f.name) for f in factors)))  # type: ignore[arg-type,return-value]
    if len(rung.terms) > top:
        others = _others([t.product for t in rung.terms[top:]], eps)
        made.append(others)
        inputs.append(others)
        products.append(Name(others.name))
    count = len(rung.terms)
    known_to = eps + rung.noise / abs(rung.gradient) if rung.gradient else eps
    why = "upstream × local" if count == 1 else f"the sum over {count} paths" if count else "nothing leads to the loss"
    gradient = Step(
        f"d{last.name}/d{rung.name}", rung.gradient, reduce(add, products) if products else None, tuple(inputs),
        rule="chain rule", why=why, part=BACKWARD, dtype_eps=known_to,
    )  # fmt: skip
    return made, gradient


def _others(products: list[float], eps: float) -> Step:
    """What is not written out, as one number."""
    exact = Witness("added up exactly", lambda: fsum(products), atol=eps * sum(map(abs, products)))
    return Step(f"{len(products)} other products", sum(products), rule="sum", part=BACKWARD, dtype_eps=eps,
                witnesses=(exact,))  # fmt: skip


def _factors(
    rung: Rung, term: Term, last: Operation, reached: Mapping[str, Step], question: Question
) -> tuple[list[Step], list[Step]]:
    """Upstream and local slope of one product, and which of them are new; into the loss itself, only the slope."""
    operation, eps = term.operation, question.eps
    entry = entry_name(operation.name, term.index)
    local = Step(f"∂{entry}/∂{rung.name}", term.local, rule=f"slope of {operation.rule}", part=BACKWARD, dtype_eps=eps,
                 why=operation.formula)  # fmt: skip
    if term.measured is not None:
        floor = max(1e-9, 16 * eps) * term.column
        local = _beside(local, f"central differences of {operation.again}", term.measured, question, floor)
    if operation is last:
        return [local], [local]
    upstream = reached.get(f"d{last.name}/d{entry}")
    if upstream is not None:
        return [upstream, local], [local]
    upstream = Step(f"d{last.name}/d{entry}", term.upstream, rule="same rule", part=BACKWARD, dtype_eps=eps,
                    why="found the same way; ask for it with wrt= and at=")  # fmt: skip
    upstream = _witnessed(upstream, question, operation.key, term.index, 4 * rung.arriving)
    return [upstream, local], [upstream, local]


def _note(rungs: list[Rung]) -> str:
    crowded = max(rungs, key=lambda r: len(r.terms))
    if len(crowded.terms) <= 1:
        return "One path leads from here to the loss: the gradient is the product of the slopes along it."
    return (
        f"{len(crowded.terms)} paths meet at {crowded.name}; their products add up. Followed further is, at each level, "
        "the largest."
    )


def _spared(question: Question) -> list[str]:
    count = question.replay.spared if question.replay is not None else 0
    if not count:
        return []
    return [f"This net is large: {count} of the slopes on the way are autograd's alone, not held against differences."]
