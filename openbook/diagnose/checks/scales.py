"""Scales: inputs and targets far from the size of one."""

from __future__ import annotations

import statistics
from dataclasses import replace

import numpy as np

from openbook.diagnose.case import Case
from openbook.diagnose.check import Check, Fix, Subject, Suspicion
from openbook.diagnose.facts import REGRESSION, facts_of
from openbook.diagnose.sample import Sample
from openbook.diagnose.trial import Measure
from openbook.expr import parse
from openbook.record import Step, Witness, given

__all__ = ["UnscaledInputs", "UnscaledTargets", "standardized"]

EVIDENCE = "Evidence"
_FAR = 20.0


class UnscaledInputs(Check):
    """Columns whose spreads or offsets lie far from one another, or from one."""

    code = "OB015"
    title = "inputs are not scaled"
    severity = "warning"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        if facts_of(case).problem or case.sample.features is None or len(case.sample) < 3:
            return None
        x = case.sample.features
        spreads, offsets = x.std(axis=0), np.abs(x.mean(axis=0))
        alive = spreads > 0
        if not alive.any():
            return None
        images = case.sample.inputs[0].ndim > 2
        widest = int(np.argmax(np.where(alive, spreads, 0)))
        narrowest = widest if images else int(np.argmin(np.where(alive, spreads, np.inf)))
        farthest = int(np.argmax(np.where(alive, offsets / np.where(alive, spreads, 1), 0)))
        ratio, offset = spreads[widest] / spreads[narrowest], offsets[farthest] / spreads[farthest]
        if ratio < _FAR and spreads[widest] < _FAR and offset < _FAR and spreads[widest] > 1 / _FAR:
            return None
        large = _spread("widest", x, widest)
        small = _spread("narrowest", x, narrowest)
        apart = Step("ratio", float(ratio), parse("widest/narrowest"), (large, small), rule="how far the spreads lie apart",
                     part=EVIDENCE)  # fmt: skip
        away = given("offset", float(offset), f"|mean| in standard deviations, column {farthest}", EVIDENCE)
        return Suspicion(
            where=f"input columns {widest} and {narrowest}" if widest != narrowest else f"input column {widest}",
            says="The inputs' scales differ: one learning rate is too large for some weights and too small for others.",
            evidence=(large, small, apart, away),
            fixes=(
                Fix(
                    "standardise the inputs: (x - x.mean(0)) / x.std(0), with the training rows' numbers", standardized
                ),
            ),
            share=0.2,
        )


def _spread(name: str, x: np.ndarray, column: int) -> Step:
    again = Witness("Python's statistics.pstdev", lambda: statistics.pstdev(x[:, column].tolist()), rtol=1e-6)
    return Step(name, float(x[:, column].std()), rule=f"standard deviation of column {column}", part=EVIDENCE,
                witnesses=(again,))  # fmt: skip


def standardized(case: Case) -> Case:
    """The first input with mean 0 and spread 1: by column; images and sequences as a whole."""
    first = case.sample.inputs[0]
    axis = 0 if first.ndim == 2 else None
    wide = first.astype(np.float64)
    spread = wide.std(axis=axis)
    moved = (wide - wide.mean(axis=axis)) / np.where(spread > 0, spread, 1)
    return case.with_(sample=replace(case.sample, inputs=(moved.astype(first.dtype), *case.sample.inputs[1:])))


class UnscaledTargets(Check):
    """Regression on targets whose spread is far from one."""

    code = "OB016"
    title = "targets are not scaled"
    severity = "warning"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        facts = facts_of(case)
        y = case.sample.targets
        if facts.problem or facts.loss_kind not in REGRESSION or y.dtype.kind != "f" or len(y) < 3:
            return None
        flat = y.reshape(len(y), -1).astype(np.float64)
        spread, offset = flat.std(axis=0), np.abs(flat.mean(axis=0))
        if not (spread > 0).all():
            return None
        worst = int(np.argmax(np.maximum(np.maximum(spread, 1 / spread), offset / spread)))
        if max(spread[worst], 1 / spread[worst], offset[worst] / spread[worst]) < _FAR:
            return None
        size = _spread("spread", flat, worst)
        away = given("offset", float(offset[worst] / spread[worst]), "|mean| in standard deviations", EVIDENCE)

        def scaled(start: Case) -> Case:
            moved = (y - flat.mean(axis=0).reshape(y.shape[1:])) / spread.reshape(y.shape[1:])
            return start.with_(sample=replace(start.sample, targets=moved.astype(y.dtype)))

        return Suspicion(
            where="targets",
            says="The targets lie far from the size of a fresh network's outputs: the way there is long, and steps that "
            "suit it are too large later.",
            evidence=(size, away),
            fixes=(Fix("learn (y - y.mean()) / y.std(), and turn predictions back", scaled),),
            measure=Measure("share of variance unexplained", _unexplained),
            share=0.2,
            scale=2.0,
        )


def _unexplained(case: Case, model: object, sample: Sample) -> float:
    y = sample.targets.astype(np.float64)
    outputs = case.outputs(model, sample).astype(np.float64).reshape(y.shape)
    return float(np.mean((outputs - y) ** 2) / np.mean(np.var(y, axis=0)))
