"""A working: the steps that lead to a result, and the ways to look at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

from openbook.expr import Expr, number_text, text
from openbook.record.graph import Graph
from openbook.record.renders import Renders
from openbook.record.step import Step
from openbook.record.table import Table
from openbook.record.verify import Verification, verify

__all__ = ["Working"]


@dataclass(frozen=True, eq=False)
class Working(Renders):
    """Steps in the order in which a person would write them, and the result they lead to.

    `tables` and `graph` show the same values at a glance; `displays` are matplotlib Displays (objects with
    `plot(ax=None)`) that belong to it; `notes` are sentences that end it; `result` is what was asked for (a number, an
    array, a label, or a dict of them).
    """

    title: str
    steps: tuple[Step, ...]
    result: Any
    question: str = ""
    notes: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    graph: Graph | None = None
    displays: tuple[Any, ...] = field(default=(), repr=False)

    _forms = {"text/latex": "latex", **Renders._forms}

    def __post_init__(self) -> None:
        for name in ("steps", "notes", "tables", "displays"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def __getitem__(self, name: str) -> Step:
        """The (last) step of that name."""
        for step in reversed(self.steps):
            if step.name == name:
                return step
        raise KeyError(f"no step is called {name!r}; there are {', '.join(dict.fromkeys(s.name for s in self.steps))}")

    def check(self) -> Verification:
        """Derive every step again, another way; raises CheckError at the first that does not hold."""
        return self.verification.require()

    @cached_property
    def verification(self) -> Verification:
        """The outcome of the second derivation, passed or not."""
        return verify(self)

    def digits(self, step: Step, wanted: int = 4) -> int:
        """How many decimals of a step may be printed: those on which both derivations agree, `wanted` at most."""
        agreed = [c.digits for c in self.verification.checks if c.step is step]
        return max(1, min([wanted, *(int(d) for d in agreed if d < wanted)]))

    def text(self, width: int = 100, color: bool = False) -> str:
        """For a terminal, folded to `width`."""
        return _draw("text").draw(self, width=width, color=color)

    def latex(self) -> str:
        """A LaTeX fragment that compiles with amsmath and booktabs."""
        return _draw("latex").draw(self)

    def markdown(self) -> str:
        """Markdown with `$…$` formulas."""
        return _draw("markdown").draw(self)

    def html(self, standalone: bool = True) -> str:
        """One self-contained page (no network), or the bare fragment for a larger one."""
        return _draw("html").draw(self, standalone=standalone)

    def svg(self) -> str:
        """The computation as a graph with its numbers on it."""
        return _draw("svg").draw(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        return _draw("json").draw(self)

    def __repr__(self) -> str:
        shown = type(self.result).__name__
        if isinstance(self.result, (int, float)):
            shown = number_text(self.result)
        elif isinstance(self.result, Expr):
            shown = text(self.result)
        return f"<Working {self.title!r}: {len(self.steps)} steps, result {shown}>"


def _draw(kind: str) -> Any:
    return import_module(f"openbook.record.draw.{kind}")
