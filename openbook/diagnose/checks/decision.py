"""From probabilities to calls: a threshold of ½ where one class is rare."""

from __future__ import annotations

import numpy as np

from openbook.decide import best_threshold
from openbook.diagnose.case import Case
from openbook.diagnose.check import Check, Fix, Subject, Suspicion
from openbook.diagnose.facts import facts_of, probabilities
from openbook.diagnose.finding import Effect
from openbook.diagnose.trial import train
from openbook.expr import parse
from openbook.record import Step, Witness, given

__all__ = ["Imbalance"]

EVIDENCE = "Evidence"
_RARE = 0.25


class Imbalance(Check):
    """The rare class is hardly ever called at ½, though the probabilities tell the classes apart."""

    code = "OB017"
    title = "a threshold of one half misses the rare class"
    severity = "warning"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        facts = facts_of(case)
        labels = facts.labels
        if facts.problem or labels is None or facts.classes != 2 or facts.probabilities is None or len(labels) < 60:
            return None
        rare = int(np.mean(labels) < 0.5)
        if np.mean(labels == rare) > _RARE or np.sum(labels == rare) < 12:
            return None
        found = [_scored(case, rare, seed) for seed in case.seeds]
        half, best = (float(np.mean([f[i] for f in found])) for i in (0, 1))
        if half > 0.6 or best < half + 0.15:
            return None
        truth, p, T = found[0][2:]
        tp, missed = int(np.sum(truth & (p >= 0.5))), int(np.sum(truth & (p < 0.5)))
        hit = given("TP", tp, "rows of the rare class called so at ½, of those held out", EVIDENCE)
        lost = given("FN", missed, "rows of the rare class not called so", EVIDENCE)
        share = given("share", float(np.mean(labels == rare)), f"of the rare class ({rare}) among all rows", EVIDENCE)
        recall = Step("recall", tp / (tp + missed), parse("TP/(TP + FN)"), (hit, lost), rule="recall at ½", part=EVIDENCE,
                      witnesses=(Witness("scikit-learn's recall_score", lambda: _sklearn_recall(truth, p)),))  # fmt: skip

        def trial(_: Case, fixed: Case) -> Effect:
            each = tuple((1 - f[0], 1 - f[1]) for f in found)
            return Effect("1 − F1 of the rare class on rows held out", 1 - half, 1 - best, 2 * case.steps, len(each),
                          f"30% of {len(labels)} rows", each, lambda: _again(case, rare))  # fmt: skip

        return Suspicion(
            where=f"class {rare}",
            says="At a threshold of ½ the rare class is hardly ever called, though its probabilities stand out.",
            evidence=(share, hit, lost, recall),
            fixes=(Fix(f"call class {rare} when its probability is at least {T:.3g} (chosen by F1 on the training rows; see "
                       "openbook.best_threshold)", lambda c: c),),
            trial=trial,
            scale=1.0,
        )  # fmt: skip


def _again(case: Case, rare: int) -> tuple[float, float]:
    found = [_scored(case, rare, seed) for seed in case.seeds]
    return 1 - float(np.mean([f[0] for f in found])), 1 - float(np.mean([f[1] for f in found]))


def _scored(case: Case, rare: int, seed: int) -> tuple[float, float, np.ndarray, np.ndarray, float]:
    """F1 at ½ and at the best threshold of the training rows, both on rows held out; the truth, p and that threshold."""
    learn, judge = case.sample.parts(seed)
    kind = facts_of(case).loss_kind
    model = train(case.with_(sample=learn), seed, 2 * case.steps).model
    y = [np.asarray(facts_of(case.with_(sample=part)).labels) == rare for part in (learn, judge)]
    p = [probabilities(kind, case.outputs(model, part), 2)[:, rare] for part in (learn, judge)]  # type: ignore[index]
    if not all(np.isfinite(v).all() for v in p) or y[0].all() or not y[0].any():
        return 1.0, 1.0, y[1], p[1], 0.5
    T = float(best_threshold(y[0].astype(int), p[0], "f1").threshold)
    return _f1(y[1], p[1] >= 0.5), _f1(y[1], p[1] >= T), y[1], p[1], T


def _f1(truth: np.ndarray, called: np.ndarray) -> float:
    both = int(np.sum(truth & called))
    return 2 * both / max(1, int(np.sum(truth) + np.sum(called)))


def _sklearn_recall(truth: np.ndarray, p: np.ndarray) -> float:
    from sklearn.metrics import recall_score

    return float(recall_score(truth, p >= 0.5))
