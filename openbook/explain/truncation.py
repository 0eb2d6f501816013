"""From logits to draws, one rule after the other: T, top-k, top-p, min-p, and what each of them leaves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from openbook.expr import Expr, Name, Number
from openbook.record import Step, Table, Witness, given
from openbook.sampling import Draws, softmax, truncate

__all__ = ["Stage", "stage_steps", "stages", "stages_table"]

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Stage:
    """What one rule left: its name and setting, the logits (−∞ where a token is out), the probabilities."""

    rule: str
    setting: float
    logits: np.ndarray
    p: np.ndarray

    @property
    def title(self) -> str:
        return f"after {self.rule} = {self.setting:g}"

    @property
    def kept(self) -> np.ndarray:
        return np.isfinite(self.logits)


def stages(result: Draws) -> list[Stage]:
    """Softmax at T, and after each rule that was asked for, in the order in which they are applied."""
    T = result.tempered.temperature
    z = result.logits
    found = [Stage("T", T, z, softmax(z, T))]
    for rule, setting in result.rules.items():
        z = truncate(z, T, **_setting(rule, setting))
        found.append(Stage(rule, float(setting), z, softmax(z, T)))
    return found


def _setting(rule: str, setting: float) -> dict[str, Any]:
    return {rule: int(setting) if rule == "top_k" else setting}


def stage_steps(result: Draws) -> Iterator[Step]:
    """For every rule: where it cuts, what share of the probability it keeps, and the probabilities over that share."""
    every = stages(result)
    tokens = result.tempered.tokens
    likely = [int(i) for i in np.argsort(-every[0].p, kind="stable")[:_SHOWN]]
    part = f"Softmax at T = {every[0].setting:g}"
    p = {i: _softmax_step(every[0], i, tokens[i], part) for i in likely}
    yield from p.values()
    for letter, (before, stage) in zip("qrs", pairwise(every), strict=False):
        part = f"{stage.rule} = {stage.setting:g}"
        yield from _cut(before, stage, part)
        count = Witness("counting one by one", partial(_count, before, stage))
        yield Step(
            "kept", int(stage.kept.sum()), rule="tokens left", why=_WHO_STAYS[stage.rule], part=part, witnesses=(count,)
        )
        share = _share(before, stage, p, part)
        yield share
        p = {i: _renormalised(f"{letter}_{tokens[i]}", stage, i, p[i], share, result) for i in p}
        yield from p.values()
        p = {i: step for i, step in p.items() if stage.kept[i]}


def _renormalised(name: str, stage: Stage, i: int, before: Step, share: Step, result: Draws) -> Step:
    """A probability over the share that is kept; 0 for a token that is out."""
    if not stage.kept[i]:
        return Step(name, 0.0, Number(0), (), rule="left out", part=share.part)
    other = Witness("SciPy's softmax of what is left", partial(_scipy, stage, result.tempered.temperature, i),
                    rtol=1e-12, atol=1e-300)  # fmt: skip
    return Step(name, float(stage.p[i]), Name(before.name) / Name("share"), (before, share), rule="renormalise",
                why="over the share that is kept", part=share.part, witnesses=(other,))  # fmt: skip


def _softmax_step(stage: Stage, i: int, token: str, part: str) -> Step:
    other = Witness("SciPy's softmax", partial(_scipy, stage, stage.setting, i), rtol=1e-12, atol=1e-300)
    return Step(f"p_{token}", float(stage.p[i]), rule="softmax", part=part, why=f"logit {stage.logits[i]:g}",
                witnesses=(other,))  # fmt: skip


def _scipy(stage: Stage, temperature: float, i: int) -> float:
    import scipy.special

    if not 0 < temperature < np.inf:
        return float(stage.p[i])
    return float(scipy.special.softmax(stage.logits / temperature)[i])


_WHO_STAYS = {
    "top_k": "those with the k largest logits, ties with the k-th too",
    "top_p": "the fewest whose probabilities reach top_p, ties with the last too",
    "min_p": "those at least min_p times as likely as the likeliest",
}


def _cut(before: Stage, stage: Stage, part: str) -> Iterator[Step]:
    """The value below which tokens are left out."""
    if stage.rule == "min_p":
        setting, top = given("min_p", stage.setting, part=part), given("p_max", float(before.p.max()), part=part)
        yield from (setting, top)
        yield Step("cut", stage.setting * top.value, Name("min_p") * Name("p_max"), (setting, top),
                   rule="share of the likeliest", part=part)  # fmt: skip
    elif stage.rule == "top_k":
        value = float(np.min(stage.logits[stage.kept]))
        again = Witness("sorting", partial(_kth_largest, before, int(stage.setting)))
        yield Step("cut", value, rule="k-th largest logit", part=part, witnesses=(again,))
    else:
        value = float(np.min(before.p[stage.kept]))
        again = Witness("adding one by one", partial(_reaching, before, stage.setting))
        yield Step("cut", value, rule="the probability with which the sum reaches top_p", part=part, witnesses=(again,))


def _kth_largest(before: Stage, k: int) -> float:
    falling = sorted(before.logits[before.kept].tolist(), reverse=True)
    return float(falling[min(k, len(falling)) - 1])


def _reaching(before: Stage, wanted: float) -> float:
    total = 0.0
    for p in sorted(before.p.tolist(), reverse=True):
        total += p
        if total >= min(wanted, 1 - 1e-15):
            return float(p)
    return float(before.p.min())


def _count(before: Stage, stage: Stage) -> int:
    """How many tokens the rule, taken at its word, keeps."""
    if stage.rule == "top_k":
        larger = [sum(other > z for other in before.logits) for z in before.logits]
        return sum(count < stage.setting and math.isfinite(z) for count, z in zip(larger, before.logits, strict=True))
    if stage.rule == "min_p":
        return sum(bool(p > 0 and p >= stage.setting * max(before.p)) for p in before.p)
    least = _reaching(before, stage.setting)
    return sum(bool(p > 0 and p >= least) for p in before.p)


def _share(before: Stage, stage: Stage, p: dict[int, Step], part: str) -> Step:
    """The probability that is kept, the likeliest tokens one by one."""
    order = [int(i) for i in np.argsort(-before.p, kind="stable") if stage.kept[i]]
    named = [p[i] for i in order if i in p]
    rest = [before.p[i] for i in order if i not in p]
    inputs = list(named)
    if rest:
        inputs.append(given(f"{len(rest)} others", math.fsum(rest), part=part))
    total: Expr = Name(inputs[0].name)
    for step in inputs[1:]:
        total = total + Name(step.name)
    value = float(np.sum(before.p[stage.kept]))
    again = Witness("exact summation", lambda: math.fsum(before.p[stage.kept]), rtol=1e-14)
    return Step(
        "share", value, total, tuple(inputs), rule="sum", why="the probability kept", part=part, witnesses=(again,)
    )


def stages_table(result: Draws, shown: np.ndarray) -> Table:
    """Logit → T → top-k → top-p → min-p → expected counts ± sd → observed, and how far off they are."""
    t, every = result.tempered, stages(result)
    columns = ("token", "logit", f"p at T = {t.temperature:g}", *(s.title for s in every[1:]), "expected", "± sd",
               "observed", "deviation in sd")  # fmt: skip
    rows = tuple(
        (
            t.tokens[i], float(result.logits[i]), *(float(s.p[i]) if s.kept[i] else "out" for s in every),
            float(t.expected[i]), float(t.spread[i]), int(result.counts[i]),
            float((result.counts[i] - t.expected[i]) / t.spread[i]) if t.spread[i] > 0 else 0.0,
        )
        for i in shown
    )  # fmt: skip
    return Table("From logits to counts", columns, rows)
