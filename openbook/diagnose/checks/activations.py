"""Units that no longer answer: ReLUs at zero for every row, sigmoids and tanhs at their ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.diagnose.case import Case
from openbook.diagnose.check import Check, Fix, Subject, Suspicion
from openbook.diagnose.checks.numbers import slower
from openbook.diagnose.checks.probe import Layer, pass_through, redrawn, swapped
from openbook.diagnose.facts import facts_of
from openbook.expr import parse
from openbook.record import Step, Witness, given

__all__ = ["Activation", "DeadReLUs", "Saturation", "activations"]

EVIDENCE = "Evidence"
_SLOPES = {"sigmoid": lambda y: 4 * y * (1 - y), "tanh": lambda y: 1 - y * y}  # against the steepest there is
_FLAT = 0.04  # of the steepest slope: sigmoid beyond ±4.6, tanh beyond ±2.3


@dataclass(frozen=True, eq=False)
class Activation:
    """One activation inside the network: what it gave, and the layer that feeds it ("" where that cannot be told)."""

    kind: str
    where: str
    feeder: str
    output: np.ndarray  # rows and whatever, units last


def activations(case: Case) -> list[Activation]:
    """The recorded relu, sigmoid and tanh operations below the outputs, in order; not one that makes the outputs."""
    passed = pass_through(case)
    engine = case.engine
    made = {engine.key(layer.output): layer for layer in passed.layers if hasattr(layer.output, "requires_grad")}
    operations = engine.operations(passed.outputs)
    outputs = engine.array(passed.outputs)
    found = []
    for operation in operations:
        if operation.name not in ("relu", "clamp_min", *_SLOPES) or operation.output is None:
            continue
        array = operation.output
        if array.ndim < 2 or (array.size == outputs.size and np.array_equal(array.ravel(), outputs.ravel())):
            continue
        feeder = next((made[key] for key in operation.inputs if key in made), None)
        own = made.get(operation.key)
        where = own.path if own is not None else f"{operation.name} after {feeder.path}" if feeder else operation.name
        found.append(
            Activation(operation.name, where, _weights_behind(passed.layers, feeder), _units_last(array, feeder))
        )
    return found


def _units_last(array: np.ndarray, feeder: Layer | None) -> np.ndarray:
    channels = array.ndim == 4 or (array.ndim == 3 and feeder is not None and feeder.channels_first)
    return np.moveaxis(array, 1, -1) if channels else array


def _weights_behind(layers: tuple[Layer, ...], feeder: Layer | None) -> str:
    """The layer with weights whose outputs arrive here, past a norm between."""
    if feeder is None:
        return ""
    before = layers[: layers.index(feeder) + 1]
    return next((layer.path for layer in reversed(before) if layer.weighted), "")


def _relus(case: Case) -> Iterator[tuple[Activation, float]]:
    """Every ReLU layer with the share of its units that are zero on all rows."""
    for found in activations(case):
        if found.kind in ("relu", "clamp_min"):
            units = found.output.reshape(-1, found.output.shape[-1])
            yield found, float(np.mean(np.all(units <= 0, axis=0)))


class DeadReLUs(Check):
    """Units whose input is negative on every row: no gradient passes, so they never come back."""

    code = "OB006"
    title = "dead ReLUs"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        if facts_of(case).problem or len(case.sample) < 4:
            return None
        layers = list(_relus(case))
        if not layers:
            return None
        worst, share = max(layers, key=lambda pair: pair[1])
        if share < 0.5:
            return None
        units = worst.output.shape[-1]
        n = given("units", units, worst.where, EVIDENCE)
        dead = given("dead", round(share * units), f"are 0 on all {len(case.sample)} rows", EVIDENCE)
        exact = case.exact
        again = Witness("in float64, on the pre-activations", lambda: _dead_again(exact, worst.where), rtol=1e-9)
        part = Step("share dead", share, parse("dead/units"), (dead, n), rule="no row gets through", part=EVIDENCE,
                    witnesses=(again,))  # fmt: skip
        feeders = tuple(dict.fromkeys(a.feeder for a, s in layers if s >= 0.5 and a.feeder))
        words = f"draw the weights of {', '.join(feeders) or 'all layers'} anew (reset_parameters())"
        fixes = (
            Fix(words, lambda c: redrawn(c, feeders)),
            Fix("put LeakyReLU in the place of ReLU", lambda c: swapped(c, ("ReLU",), "LeakyReLU", 0.1)),
            Fix("draw all weights anew", redrawn),
            Fix("draw all weights anew, and take a tenth of the learning rate", lambda c: slower(redrawn(c), 0.1)),
            Fix("draw all weights anew, and take a hundredth of the learning rate", lambda c: slower(redrawn(c), 0.01)),
        )
        return Suspicion(
            where=worst.where,
            says=f"{share:.0%} of the units of {worst.where} give 0 on every row: no gradient passes through them.",
            evidence=(n, dead, part), fixes=fixes if feeders else fixes[1:],
            severity="error" if share > 0.9 else "warning",
        )  # fmt: skip


def _dead_again(case: Case, where: str) -> float:
    """The share of units that never rise above zero: their largest value over all rows, one by one."""
    found = next(a for a, _ in _relus(case) if a.where == where)
    units = found.output.reshape(-1, found.output.shape[-1]).T
    return sum(1 for unit in units if max(unit.tolist()) <= 0) / len(units)


class Saturation(Check):
    """Sigmoids and tanhs at their ends, where they have no slope."""

    code = "OB007"
    title = "saturated activations"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        if facts_of(case).problem:
            return None
        layers = [(a, _slopes(a)) for a in activations(case) if a.kind in _SLOPES]
        flat = [(a, float(np.mean(s < _FLAT))) for a, s in layers]
        if not flat:
            return None
        worst, share = max(flat, key=lambda pair: pair[1])
        if share < 0.6:
            return None
        slope = float(np.mean(_slopes(worst)))
        exact = case.exact
        again = Witness("in float64", lambda: _mean_slope(exact, worst.where), rtol=1e-3, atol=1e-6)
        evidence = (
            given("share at the ends", share, f"of the values of {worst.where}: slope below {_FLAT:.0%} of the steepest",
                  EVIDENCE),
            Step("mean slope", slope, rule=f"of {worst.kind}, against its steepest", part=EVIDENCE, witnesses=(again,),
                 why="what is left of a gradient that passes"),
        )  # fmt: skip
        feeders = tuple(dict.fromkeys(a.feeder for a, s in flat if s >= 0.6 and a.feeder))
        fixes = (
            Fix(
                f"draw the weights of {', '.join(feeders)} anew, small (reset_parameters())",
                lambda c: redrawn(c, feeders),
            ),
            Fix("draw all weights anew (reset_parameters())", redrawn),
            Fix("draw all weights anew, after Glorot (xavier_uniform_)", lambda c: redrawn(c, scheme="xavier")),
        )
        return Suspicion(
            where=worst.where,
            says=f"{share:.0%} of the values of {worst.where} sit where {worst.kind} is flat: gradients end there.",
            evidence=evidence, fixes=fixes if feeders else fixes[1:],
        )  # fmt: skip


def _slopes(activation: Activation) -> Any:
    return _SLOPES[activation.kind](activation.output.astype(np.float64))


def _mean_slope(case: Case, where: str) -> float:
    found = next(a for a in activations(case) if a.where == where)
    return float(np.mean(_slopes(found)))
