"""A finding: a fault by its code, the numbers it rests on, and the fix that was tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from openbook.record import Explains, Step

__all__ = ["Effect", "Finding"]


@dataclass(frozen=True)
class Effect(Explains):
    """What the fix did to copies: a measure (smaller is better) after the same steps without it and with it.

    ∞ stands for a run that fails or ends in NaN. Means over `seeds` runs; `each` are their (before, after).
    """

    measure: str
    before: float
    after: float
    steps: int
    seeds: int
    rows: str
    each: tuple[tuple[float, float], ...] = ()
    again: Callable[[], tuple[float, float]] | None = field(default=None, repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        from openbook.record.draw.json import plain

        names = ("measure", "before", "after", "steps", "seeds", "rows")
        return {name: plain(getattr(self, name)) for name in names}


@dataclass(frozen=True, eq=False)
class Finding(Explains):
    """One fault, as a certificate. `.explain()` is a Working whose `check()` derives its numbers again, another way.

    `evidence` are the steps the verdict rests on; `says` what is wrong, in a sentence; `fix` the smallest change that
    helped, in words; `effect` what it did; `where` the layer, parameter, column or line meant.
    """

    code: str
    title: str
    severity: str
    where: str
    says: str
    evidence: tuple[Step, ...]
    fix: str
    effect: Effect

    @property
    def page(self) -> str:
        """Where the fault is explained."""
        return f"docs/diagnoses.md#{self.code.lower()}"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        from openbook.record.draw.json import plain

        return {
            "code": self.code, "title": self.title, "severity": self.severity, "where": self.where, "says": self.says,
            "evidence": [{"name": s.name, "value": plain(s.value), "why": s.why} for s in self.evidence],
            "fix": self.fix, "effect": self.effect.to_dict(), "page": self.page,
        }  # fmt: skip

    def __repr__(self) -> str:
        return f"<{self.code} {self.title}: {self.where}>"
