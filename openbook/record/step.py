"""One step of a working: what was computed, by which rule, from what, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from openbook.expr import Expr, array_fits, as_expr

__all__ = ["Step", "Witness", "given"]


@dataclass(frozen=True)
class Witness:
    """Another way to the same value: `compute` must not share code with the way it is held against.

    `rtol` and `atol` say how closely the two can agree at best (central differences: about 1e-7 of the value).
    """

    method: str
    compute: Callable[[], Any]
    rtol: float = 1e-12
    atol: float = 0.0


@dataclass(frozen=True, eq=False)
class Step:
    """A named value with its derivation.

    `formula` is the right-hand side in the names of `inputs`; `value` what the computation gave; `rule` names the step
    as a teacher would ("chain rule", "mean of leaf fractions"); `why` is one sentence; `part` the heading it stands
    under. `witnesses` re-derive the value where no formula can, or beside it. `dtype_eps` is the relative spacing of the
    floats that computed `value`, when that was not float64. In a derivation the value is itself a formula: the line.
    """

    name: str
    value: Any
    formula: Expr | None = None
    inputs: tuple[Step, ...] = ()
    rule: str = "given"
    why: str = ""
    part: str = ""
    witnesses: tuple[Witness, ...] = ()
    dtype_eps: float = field(default=0.0)

    def __post_init__(self) -> None:
        if isinstance(self.formula, str):
            object.__setattr__(self, "formula", as_expr(self.formula))
        for name in ("inputs", "witnesses"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def filled(self) -> Expr | None:
        """The formula with the inputs' values in it; large arrays keep their name."""
        if self.formula is None:
            return None
        shown = {s.name: s.value for s in self.inputs if not isinstance(s.value, np.ndarray) or array_fits(s.value)}
        return self.formula.fill(shown)

    @property
    def is_given(self) -> bool:
        """Whether the working starts from this value: it follows from nothing, by no rule."""
        return self.rule in ("given", "") and self.formula is None and not self.inputs and not self.witnesses

    @property
    def eps(self) -> float:
        """Relative spacing of the floats this value was computed in."""
        if self.dtype_eps:
            return self.dtype_eps
        dtype = getattr(self.value, "dtype", np.dtype(np.float64))
        return float(np.finfo(dtype).eps) if dtype.kind == "f" else float(np.finfo(np.float64).eps)

    def __repr__(self) -> str:
        return f"Step({self.name!r}, {self.rule}, value={self.value!r})"


def given(name: str, value: Any, why: str = "", part: str = "", rule: str = "given") -> Step:
    """A value the working starts from."""
    return Step(name, value, rule=rule, why=why, part=part)
