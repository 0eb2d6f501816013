"""From a score to what is asked for: a sigmoid, a softmax, shares, an exponential."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

import numpy as np

from openbook.expr import Call, Expr, Name, evaluate, parse
from openbook.record import Step, Witness, given

__all__ = ["PROBABILITY", "from_formula", "shares", "sigmoid", "softmax"]

PROBABILITY = "The probability"


def from_formula(
    name: str, formula: str, inputs: dict[str, Step], rule: str, part: str, *witnesses: Witness, why: str = ""
) -> Step:
    """A number made from others by a formula in letters of its own, each standing for one of the steps in `inputs`."""
    read = parse(formula)
    value = evaluate(read, {letter: step.value for letter, step in inputs.items()})
    value = value if isinstance(value, np.ndarray) and value.ndim else float(value)
    renamed = read.rename({letter: step.name for letter, step in inputs.items()})
    return Step(name, value, renamed, tuple(inputs.values()), rule=rule, why=why, part=part, witnesses=witnesses)


def sigmoid(z: Step, positive: bool, *own: Witness, name: str = "p", part: str = PROBABILITY) -> Step:
    """The probability of the class that a high score speaks for, or of the other one."""
    formula = "1/(1 + exp(-z))" if positive else "1/(1 + exp(z))"
    return from_formula(name, formula, {"z": z}, "sigmoid", part, *own, why="log-odds to probability")


def softmax(
    scores: Sequence[Step], classes: Sequence[object], chosen: int, *own: Witness, part: str = PROBABILITY
) -> list[Step]:
    """One class's share of the exponentials of all scores."""
    shift = Step("z_max", max(z.value for z in scores), _largest([Name(z.name) for z in scores]), tuple(scores), rule="largest", part=part,
                 why="taken off every z so that nothing overflows; it cancels")  # fmt: skip
    exps = [
        from_formula(f"e_{c}", "exp(a - b)", {"a": z, "b": shift}, "exponential", part)
        for c, z in zip(classes, scores, strict=True)
    ]
    return [shift, *exps, *shares(exps, chosen, *own, rule="softmax", part=part)]


def _largest(numbers: list[Expr]) -> Expr:
    """The largest of any number of numbers; `max` takes four."""
    if len(numbers) <= 4:
        return Call("max", tuple(numbers))
    return _largest([_largest(numbers[i : i + 4]) for i in range(0, len(numbers), 4)])


def shares(
    numbers: Sequence[Step], chosen: int, *own: Witness, rule: str = "share of the sum", part: str = PROBABILITY
) -> list[Step]:
    """One number divided by the sum of all; where all are 0, every class gets the same."""
    total: Expr = reduce(add, (Name(n.name) for n in numbers))
    Z = Step("Z", float(sum(n.value for n in numbers)), total, tuple(numbers), rule="sum", part=part)
    if Z.value == 0:
        count = given("K", len(numbers), "classes", part)
        return [Z, count, from_formula("p", "1/K", {"K": count}, "all alike", part, *own, why="no class has any share")]
    return [Z, from_formula("p", "n/Z", {"n": numbers[chosen], "Z": Z}, rule, part, *own)]
