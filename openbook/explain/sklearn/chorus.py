"""Models made of models: the workings of some members written out, and what every one of them says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from openbook.explain.rows.links import from_formula
from openbook.explain.sklearn.account import Account
from openbook.record import Step, Witness, given

__all__ = ["MEMBERS", "Member", "heard", "mean_of", "under"]

MEMBERS = "What each member says"
_ALL_WRITTEN = 3  # members: of more, only the first is written out


@dataclass(frozen=True, eq=False)
class Member:
    """One model inside another: what it is called, its account, and which of its steps is heard."""

    label: str
    account: Account
    step: Step


def under(heading: str, member: Member) -> tuple[list[Step], Step]:
    """A member's steps, up to the one that is heard, below a heading of their own; and that step."""
    moved: dict[int, Step] = {}
    for step in member.account.working.steps:
        moved[id(step)] = replace(step, part=f"{heading}: {step.part}" if step.part else heading,
                                  inputs=tuple(moved.get(id(i), i) for i in step.inputs))  # fmt: skip
        if step is member.step:
            break
    return list(moved.values()), moved[id(member.step)]


def heard(symbol: str, members: Sequence[Member], own: Callable[[], np.ndarray], why: str = "") -> list[Step]:
    """The workings of the members, of many only the first; then what all say, held against their own methods."""
    steps: list[Step] = []
    written = members if len(members) <= _ALL_WRITTEN else members[:1]
    for member in written:
        steps += under(member.label, member)[0]
    numbers = np.array([member.step.value for member in members], np.float64)
    witness = Witness("the members' own methods", own, rtol=1e-9, atol=1e-12)
    left = "" if len(written) == len(members) else f"above is the working of {members[0].label}"
    return [*steps, Step(symbol, numbers, rule="of every member", why="; ".join(filter(None, (why, left))), part=MEMBERS,
                         witnesses=(witness,))]  # fmt: skip


def mean_of(name: str, says: Step, weights: Sequence[float] | None, part: str, *own: Witness) -> list[Step]:
    """The mean of what all say, weighted or not."""
    if weights is None:
        count = given("n", len(says.value), "members", part)
        return [count, from_formula(name, "sum(a)/n", {"a": says, "n": count}, "mean of the members", part, *own)]
    w = given("w", np.asarray(weights, np.float64), "the members' weights", part)
    return [w, from_formula(name, "sum(w*a)/sum(w)", {"w": w, "a": says}, "weighted mean of the members", part, *own)]
