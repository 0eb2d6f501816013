"""Calibrated classifiers: each inner model's score, the calibrator's formula, and the mean over the folds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV

from openbook.errors import ExplainError
from openbook.explain.rows.links import from_formula, shares
from openbook.explain.rows.row import class_index
from openbook.explain.sklearn.account import Account, Asked, tell, tells
from openbook.explain.sklearn.chorus import MEMBERS, Member, mean_of, under
from openbook.record import Step, Table, Witness, Working, given

__all__: list[str] = []

MEAN = "The mean over the folds"
_TINY = 1e-12  # what scikit-learn adds to a probability before it takes its logarithm


@tells(CalibratedClassifierCV)
def _calibrated(model: Any, asked: Asked) -> Account:
    chosen = class_index(model.classes_, asked.of, np.asarray(model.predict_proba(asked.rows))[0])
    inner = model.calibrated_classifiers_
    folds = [_Fold(f"fold {i}", c, asked.inside(c.estimator), chosen) for i, c in enumerate(inner)]
    paths = [fold.steps(written=fold is folds[0]) for fold in folds]
    own = Witness("the folds' own predict_proba", lambda: np.array([f.own() for f in folds]), rtol=1e-9, atol=1e-12)
    every = Step("q", np.array([p[-1].value for p in paths]), rule="of every fold", part=MEAN, witnesses=(own,))
    mean = mean_of("p", every, None, MEAN, asked.by(model, "predict_proba", chosen))
    rows = tuple((f.label, float(p[-1].value)) for f, p in zip(folds, paths, strict=True))
    others = (
        "Ask ob.explain(model.calibrated_classifiers_[1].estimator, row=…) for the working of another fold's model."
    )
    working = Working(
        title=f"One row of a classifier calibrated by {model.method}",
        question=f"How does the probability of {model.classes_[chosen]} come about?",
        steps=(*(step for path in paths for step in path), every, *mean), result=mean[-1].value,
        tables=(Table(MEMBERS, ("fold", "calibrated"), rows),), notes=(others,) if len(folds) > 1 else (),
    )  # fmt: skip
    return Account(working, mean[-1])


@dataclass(frozen=True, eq=False)
class _Fold:
    """One inner model with its calibrators, and the question as it is put to it."""

    label: str
    calibrated: Any
    asked: Asked
    chosen: int

    @property
    def model(self) -> Any:
        return self.calibrated.estimator

    @property
    def method(self) -> str:
        return "decision_function" if hasattr(self.model, "decision_function") else "predict_proba"

    @property
    def classes(self) -> list[str]:
        return [str(c) for c in self.calibrated.classes]

    def own(self) -> float:
        return float(self.calibrated.predict_proba(self.asked.rows)[0, self.chosen])

    def steps(self, written: bool) -> list[Step]:
        """From the inner model's scores to this fold's probability, the last; its own working too, where `written`."""
        if len(self.model.classes_) != len(self.classes):
            raise ExplainError(f"{self.label} was fitted without rows of some class", do="explain its model by itself")
        if len(self.classes) == 2:
            inner, z = self._score(1, "z")
            steps = [*(inner if written else ()), z]
            return [*steps, *(self._tempered_pair(z) if self._tempered else self._calibrated_pair(z))]
        scored = [self._score(k, f"z_{c}") for k, c in enumerate(self.classes)]
        steps = [*(scored[self.chosen][0] if written else ()), *(z for _, z in scored)]
        numbers = [z for _, z in scored]
        return [*steps, *(self._tempered_shares(numbers) if self._tempered else self._calibrated_shares(numbers))]

    @property
    def _tempered(self) -> bool:
        return bool(self.calibrated.method == "temperature")

    def _score(self, k: int, name: str) -> tuple[list[Step], Step]:
        """The inner model's working for the class at place k, and the number that the calibrator is given."""
        account = tell(self.model, replace(self.asked, of=self.model.classes_[k]))
        scores = self.method == "decision_function"
        step = account.score if scores and account.score else account.answer
        # What the calibrator was given, to the last bit: the logarithm of 1 − p forgives no other.
        value = self.asked.said(self.model, self.method, *(() if scores and len(self.classes) == 2 else (k,)))
        derived = Witness("the inner model's working", lambda: step.value, rtol=1e-9, atol=1e-12 if scores else 0.0)
        number = Step(name, value, rule=f"the inner model's {self.method}", part=self.label, witnesses=(derived,))
        return under(f"{self.label}, {type(self.model).__name__}", Member("", account, step))[0], number

    def _calibrated_pair(self, z: Step) -> list[Step]:
        steps = _calibrate(self.calibrated.calibrators[0], z, "", self.label)
        formula = "r" if self.chosen else "1 - r"
        return [*steps, from_formula("p", formula, {"r": steps[-1]}, "of the class", self.label)]

    def _calibrated_shares(self, numbers: list[Step]) -> list[Step]:
        paths = [
            _calibrate(calibrator, z, f"_{c}", self.label)
            for calibrator, z, c in zip(self.calibrated.calibrators, numbers, self.classes, strict=True)
        ]
        return [*(s for path in paths for s in path), *shares([p[-1] for p in paths], self.chosen, part=self.label)]

    def _tempered_pair(self, z: Step) -> list[Step]:
        if self.method == "predict_proba":
            other = from_formula("z_other", "1 - p", {"p": z}, "of the other class", self.label)
            return [other, *self._tempered_shares([other, z])]
        formula = "1/(1 + exp(-2*b*z))" if self.chosen else "1/(1 + exp(2*b*z))"
        beta = self._beta()
        return [
            beta,
            from_formula("p", formula, {"b": beta, "z": z}, "tempered sigmoid", self.label, why="softmax of −βz, βz"),
        ]

    def _tempered_shares(self, numbers: list[Step]) -> list[Step]:
        power = f"b*log(z + {_TINY})" if self.method == "predict_proba" else "b*z"
        beta = self._beta()
        eased = [
            from_formula(f"e_{n.name}", f"exp({power})", {"b": beta, "z": n}, "tempered", self.label) for n in numbers
        ]
        return [beta, *eased, *shares(eased, self.chosen, rule="softmax", part=self.label)]

    def _beta(self) -> Step:
        return given("β", float(self.calibrated.calibrators[0].beta_), "1/T, the inverse temperature", self.label)


def _calibrate(calibrator: Any, z: Step, suffix: str, part: str) -> list[Step]:
    """A calibrated probability, the last step: by Platt's sigmoid, or by the line between two of an isotonic curve's knots."""
    score = np.array([z.value])
    own = Witness("the calibrator's own predict", lambda: float(calibrator.predict(score)[0]), rtol=1e-9, atol=1e-12)
    name = f"r{suffix}"
    if hasattr(calibrator, "a_"):
        a, b = (given(f"{key}{suffix}", float(getattr(calibrator, f"{key}_")), part=part) for key in "ab")
        inputs = {"a": a, "b": b, "z": z}
        return [a, b, from_formula(name, "1/(1 + exp(a*z + b))", inputs, "Platt's sigmoid", part, own)]
    xs, ys = calibrator.X_thresholds_, calibrator.y_thresholds_
    if not xs[0] <= z.value < xs[-1]:
        flat = given(
            f"end{suffix}", float(ys[-1 if z.value >= xs[-1] else 0]), "beyond its last knots the curve is flat", part
        )
        return [flat, from_formula(name, "e", {"e": flat}, "isotonic curve", part, own)]
    right = int(np.searchsorted(xs, z.value, side="right"))
    knots = {
        f"{letter}{i}": given(f"{letter}_{i}{suffix}", float(values[right - 1 + i]), f"the knot to the {side}", part)
        for i, side in enumerate(("left", "right"))
        for letter, values in (("x", xs), ("y", ys))
    }
    formula = "y0 + (y1 - y0)*(z - x0)/(x1 - x0)"
    return [*knots.values(), from_formula(name, formula, {**knots, "z": z}, "isotonic curve", part, own)]
