"""Calibrated classifiers: each inner model's score, the calibrator's formula, and the mean over the folds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV

from openbook.explain.links import from_formula, shares
from openbook.explain.rows import class_index
from openbook.explain.sklearn.account import Account, Asked, tell, tells
from openbook.explain.sklearn.chorus import MEMBERS, Member, mean_of, under
from openbook.record import Step, Table, Witness, Working, given

__all__: list[str] = []

MEAN = "The mean over the folds"
_TINY = 1e-12  # what scikit-learn adds to a probability before it takes its logarithm


@tells(CalibratedClassifierCV)
def _calibrated(model: Any, asked: Asked) -> Account:
    chosen = class_index(model.classes_, asked.of, np.asarray(model.predict_proba(asked.rows))[0])
    folds = [_Fold(f"fold {i}", c, asked, chosen, i == 0) for i, c in enumerate(model.calibrated_classifiers_)]
    steps, says = [], []
    for fold in folds:
        own = fold.steps()
        steps += own
        says.append(own[-1])
    every = Step("q", np.array([s.value for s in says]), rule="of every fold", part=MEAN,
                 witnesses=(Witness("the folds' own predict_proba", lambda: np.array([f.own() for f in folds]), rtol=1e-9, atol=1e-12),))  # fmt: skip
    mean = mean_of("p", every, None, MEAN, asked.by(model, "predict_proba", chosen))
    rows = tuple((f.label, float(s.value)) for f, s in zip(folds, says, strict=True))
    working = Working(
        title=f"One row of a classifier calibrated by {model.method}",
        question=f"How does the probability of {model.classes_[chosen]} come about?", steps=(*steps, every, *mean),
        result=mean[-1].value, tables=(Table(MEMBERS, ("fold", "calibrated"), rows),),
        notes=("Ask ob.explain(model.calibrated_classifiers_[1].estimator, row=…) for the working of another fold's model.",)
        if len(folds) > 1 else (),
    )  # fmt: skip
    return Account(working, mean[-1])


class _Fold:
    """One inner model with its calibrators; the working of the first is written out."""

    def __init__(self, label: str, calibrated: Any, asked: Asked, chosen: int, written: bool):
        self.label, self.calibrated, self.chosen, self.written = label, calibrated, chosen, written
        self.model = calibrated.estimator
        self.asked = replace(asked.about(self.model), index=None)
        self.method = "decision_function" if hasattr(self.model, "decision_function") else "predict_proba"
        self.classes = calibrated.classes

    def own(self) -> float:
        return float(self.calibrated.predict_proba(self.asked.rows)[0, self.chosen])

    def steps(self) -> list[Step]:
        """From the inner model's scores to this fold's probability, the last step."""
        two = len(self.classes) == 2
        scores = [self._score(k) for k in ([1] if two else range(len(self.classes)))]
        shown = [step for own, _ in scores for step in own]
        numbers = [number for _, number in scores]
        if self.calibrated.method == "temperature":
            return [*shown, *self._tempered(numbers)]
        alone = [self._calibrate(z, c, k) for k, (z, c) in enumerate(zip(numbers, self.calibrated.calibrators, strict=True))]
        if two:
            formula = "r" if self.chosen else "1 - r"
            return [*shown, *alone[0], from_formula("p", formula, {"r": alone[0][-1]}, "of the class", self.label)]
        return [*shown, *(s for own in alone for s in own), *shares([own[-1] for own in alone], self.chosen, part=self.label)]

    def _score(self, k: int) -> tuple[list[Step], Step]:
        """What the inner model says of class k: its working, where it is to be written out, and the number."""
        account = tell(self.model, replace(self.asked, of=self.classes[k]))
        step = account.score if self.method == "decision_function" and account.score else account.answer
        name = "z" if len(self.classes) == 2 else f"z_{self.classes[k]}"
        at = () if self.method == "decision_function" and len(self.classes) == 2 else (k,)
        own = self.asked.by(self.model, self.method, *at)
        number = Step(name, step.value, rule=f"the inner model's {self.method}", part=self.label, witnesses=(own,))
        if not self.written or (k != self.chosen and len(self.classes) > 2):
            return [number], number
        inner, _ = under(f"{self.label}, {type(self.model).__name__}", Member("", account, step))
        return [*inner, number], number

    def _calibrate(self, z: Step, calibrator: Any, k: int) -> list[Step]:
        """Platt's sigmoid, or the line between two of an isotonic curve's knots."""
        suffix = "" if len(self.classes) == 2 else f"_{self.classes[k]}"
        own = Witness("the calibrator's own predict", lambda: float(calibrator.predict(np.array([z.value]))[0]), rtol=1e-9, atol=1e-12)
        if self.calibrated.method == "sigmoid":
            a, b = given(f"a{suffix}", float(calibrator.a_), part=self.label), given(f"b{suffix}", float(calibrator.b_), part=self.label)
            return [a, b, from_formula(f"r{suffix}", "1/(1 + exp(a*z + b))", {"a": a, "b": b, "z": z}, "Platt's sigmoid", self.label, own)]
        return _between_knots(calibrator, z, suffix, self.label, own)

    def _tempered(self, numbers: list[Step]) -> list[Step]:
        calibrator = self.calibrated.calibrators[0]
        beta = given("β", float(calibrator.beta_), "1/T, the inverse temperature", self.label)
        if self.method == "decision_function" and len(numbers) == 1:
            formula = "1/(1 + exp(-2*β*z))" if self.chosen else "1/(1 + exp(2*β*z))"
            return [beta, from_formula("p", formula, {"β": beta, "z": numbers[0]}, "tempered sigmoid", self.label,
                                       why="softmax of −βz and βz")]  # fmt: skip
        if len(numbers) == 1:
            numbers = [from_formula("z_other", "1 - p", {"p": numbers[0]}, "of the other class", self.label), *numbers]
        log = f"b*log(z + {_TINY})" if self.method == "predict_proba" else "b*z"
        eased = [from_formula(f"e_{n.name}", f"exp({log})", {"b": beta, "z": n}, "tempered", self.label) for n in numbers]
        return [beta, *(numbers[:1] if len(self.classes) == 2 else []), *eased, *shares(eased, self.chosen, rule="softmax", part=self.label)]


def _between_knots(calibrator: Any, z: Step, suffix: str, part: str, own: Witness) -> list[Step]:
    xs, ys = calibrator.X_thresholds_, calibrator.y_thresholds_
    at = int(np.clip(np.searchsorted(xs, z.value, side="right"), 1, len(xs) - 1)) if len(xs) > 1 else 0
    if at == 0 or not xs[0] <= z.value <= xs[-1] or z.value == xs[-1]:
        flat = given(f"end{suffix}", float(ys[-1] if z.value >= xs[-1] else ys[0]), "the curve is flat from its last knots on", part)
        return [flat, from_formula(f"r{suffix}", "e", {"e": flat}, "isotonic curve", part, own)]
    knots = {
        "x0": given(f"x_0{suffix}", float(xs[at - 1]), "the knot to the left", part), "y0": given(f"y_0{suffix}", float(ys[at - 1]), "", part),
        "x1": given(f"x_1{suffix}", float(xs[at]), "the knot to the right", part), "y1": given(f"y_1{suffix}", float(ys[at]), "", part),
    }  # fmt: skip
    line = from_formula(f"r{suffix}", "y0 + (y1 - y0)*(z - x0)/(x1 - x0)", {**knots, "z": z}, "isotonic curve", part, own,
                        why="the line between two knots")  # fmt: skip
    return [*knots.values(), line]
