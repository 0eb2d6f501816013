"""Two records of one computation side by side: where they part first, and which later differences only follow from it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.expr import evaluate, parse, precise
from openbook.record.hook import Explains
from openbook.record.step import Step, given
from openbook.record.table import Table
from openbook.record.verify import as_floats, is_number, largest_gap, magnitude, spread
from openbook.record.working import Working

__all__ = ["Pair", "Parting", "diff"]

_ULPS = 16  # apart in the last digits of the floats in use: what different orders of adding do
_CONTEXT = 2  # steps that agree, shown before each that does not
_NAMED = 3  # inputs named in the table
_FORMULAS = 500  # entries in one formula whose spread is looked into
# What the libraries call one and the same operation.
_FAMILIES = {
    "addmm": "z",
    "mm": "z",
    "linear": "z",
    "matmul": "z",
    "bmm": "z",
    "relu": "h",
    "tanh": "h",
    "sigmoid": "h",
}

SAME, CAUSE, INHERITS, ONLY_A, ONLY_B = "the same", "parts here", "follows from above", "only in a", "only in b"


@dataclass(frozen=True, eq=False)
class Pair:
    """A step of one record and the step of the other that stands for it, or None where there is none.

    `gap` is how far the values lie apart, `allowed` how far honest arithmetic in these floats may lie; `inputs` names
    those inputs that differed already.
    """

    a: Step | None
    b: Step | None
    gap: float = 0.0
    allowed: float = 0.0
    status: str = SAME
    inputs: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether both have this step, with values that rounding does not explain."""
        return self.status in (CAUSE, INHERITS)

    @property
    def step(self) -> Step:
        """The one of `a`, else that of `b`."""
        step = self.a if self.a is not None else self.b
        assert step is not None
        return step

    @property
    def relative(self) -> float:
        """The gap as a share of the larger value."""
        size = max(_size(self.a), _size(self.b))
        return 0.0 if self.gap == 0 else self.gap / size if size else math.inf

    @property
    def ulps(self) -> float:
        """The gap in units of the last place: of float32 where one of both was computed in it, else of float64."""
        size = max(_size(self.a), _size(self.b))
        single, double = (float(np.finfo(kind).eps) for kind in (np.float32, np.float64))
        eps = single if any(step is not None and step.eps >= single for step in (self.a, self.b)) else double
        return 0.0 if self.gap == 0 else self.gap / (eps * 2.0 ** math.floor(math.log2(size))) if size else math.inf


@dataclass(frozen=True, eq=False)
class Parting(Explains):
    """Two records, step by step. `first` is where they part, None where they agree throughout."""

    a: Working
    b: Working
    pairs: tuple[Pair, ...]

    @property
    def first(self) -> Pair | None:
        """The first step whose values differ though its inputs do not."""
        return next(iter(self.causes), None)

    @property
    def causes(self) -> tuple[Pair, ...]:
        """Every step that differs by itself; what only follows from these is left out."""
        return tuple(pair for pair in self.pairs if pair.status == CAUSE)

    @property
    def agrees(self) -> bool:
        """Whether all steps that both have are the same."""
        return not any(pair.differs for pair in self.pairs)

    @cached_property
    def working(self) -> Working:
        """This comparison as a working: the first parting in numbers, and the table."""
        return Working(
            title="Where two workings part" if not self.agrees else "Two workings that agree",
            question=f"a: {self.a.title}. b: {self.b.title}.",
            steps=tuple(self._steps()),
            result=None if self.first is None else self.first.step.name,
            notes=tuple(self._notes()),
            tables=(self._table(),),
        )

    def text(self, width: int = 100, color: bool = False) -> str:
        """For a terminal, folded to `width`."""
        return self.working.text(width, color)

    def latex(self) -> str:
        """A LaTeX fragment."""
        return self.working.latex()

    def markdown(self) -> str:
        """Markdown with a table."""
        return self.working.markdown()

    def html(self, standalone: bool = True) -> str:
        """One self-contained page, or the bare fragment."""
        return self.working.html(standalone)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        return self.working.to_dict()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return self.working._repr_mimebundle_(include, exclude)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        where = "agree" if self.agrees else "differ" if self.first is None else f"part at {self.first.step.name}"
        return f"<Parting: {len(self.pairs)} steps, {where}>"

    def _steps(self) -> Iterator[Step]:
        """The first parting in numbers; where there is none, the pair that lies furthest apart."""
        both = [pair for pair in self.pairs if pair.a is not None and pair.b is not None and math.isfinite(pair.gap)]
        pair = self.first if self.first in both else max(both, key=lambda p: p.relative, default=None)
        if pair is None or not is_number(pair.step.value):
            return
        a, b = (given(name, step.value, step.name) for name, step in (("a", pair.a), ("b", pair.b)) if step is not None)
        yield a
        yield b
        yield Step("gap", pair.gap, parse("max(abs(a - b))" if np.ndim(a.value) else "abs(a - b)"), (a, b),
                   rule="absolute difference", why=f"rounding explains {pair.allowed:.2g} in these floats")  # fmt: skip

    def _notes(self) -> Iterator[str]:
        if self.agrees:
            yield "Every step that both have is the same, as far as the floats in use can tell."
        for pair in self.causes[:1]:
            what = (
                "is given differently"
                if pair.step.rule == "given"
                else "differs, though nothing that went into it does"
            )
            yield f"{pair.step.name} {what}: here they part."
        followers = sum(pair.status == INHERITS for pair in self.pairs)
        if followers:
            yield f"{followers} later steps differ as well, because of what went into them."

    def _table(self) -> Table:
        differing = {i for i, pair in enumerate(self.pairs) if pair.differs}
        near = {i - back for i in differing for back in range(_CONTEXT + 1)}
        shown = [pair for i, pair in enumerate(self.pairs) if i in near or self.agrees]
        marked = tuple(i for i, pair in enumerate(shown) if pair is self.first)
        agreeing = sum(pair.status == SAME for pair in self.pairs)
        alone = sum(pair.status in (ONLY_A, ONLY_B) for pair in self.pairs)
        note = f"{agreeing} of {len(self.pairs)} steps are the same" + (
            f", {alone} stand in one record only" if alone else ""
        )
        columns = ("step", "a", "b", "relative", "ulps", "", "inputs that differ")
        return Table("Step by step", columns, tuple(map(_row, shown)), note=note, marked=marked)


def diff(working_a: Working, working_b: Working, rtol: float | None = None) -> Parting:
    """Find the first step where two records of a computation part.

    Steps are aligned by name and order, names that libraries give differently (and numbers of the same kind of
    operation) being read as one. Two values are the same within `rtol` of the larger; by default within what rounding
    can do in the floats of both: the spread of the step's formula when its inputs are shaken, or the tolerance of the
    step's own witnesses. A step that differs is the cause if its inputs do not, or if its formula does not turn the
    other's inputs into the other's value. Raises InputError for what is no Working.
    """
    for working in (working_a, working_b):
        if not isinstance(working, Working):
            raise InputError(
                f"diff compares two workings, and this is a {type(working).__name__}", do="pass what ob.explain returns"
            )
    judged: list[Pair] = []
    by_step: dict[int, Pair] = {}
    for a, b in _aligned(working_a.steps, working_b.steps):
        pair = _judged(a, b, by_step, rtol)
        by_step |= {id(step): pair for step in (a, b) if step is not None}
        judged.append(pair)
    return Parting(working_a, working_b, tuple(judged))


# --- which step stands for which -----------------------------------------------------------------------------------


def _aligned(a: Sequence[Step], b: Sequence[Step]) -> Iterator[tuple[Step | None, Step | None]]:
    """The longest common subsequence of the steps' keys, what stands in one record only between."""
    i, j = 0, 0
    for matched_a, matched_b in [*_common([*map(_key, a)], [*map(_key, b)]), (len(a), len(b))]:
        yield from ((step, None) for step in a[i:matched_a])
        yield from ((None, step) for step in b[j:matched_b])
        if matched_a < len(a):
            yield a[matched_a], b[matched_b]
        i, j = matched_a + 1, matched_b + 1


def _key(step: Step) -> str:
    """A name in one library's words, without the number that tells operations of one kind apart.

    Other single letters keep theirs: n_3 is of tree 3.
    """
    return re.sub(r"[^\W\d_]+(?:_[^\W\d_]+)*(?:_\d+(?:\.\d+)?)?(?=[\[/\s]|$)", _kind, step.name)


def _kind(word: re.Match[str]) -> str:
    bare = re.sub(r"_\d+(\.\d+)?$", "", word[0])
    letters = bare.lstrip("d∂")
    if letters in _FAMILIES:
        return bare.removesuffix(letters) + _FAMILIES[letters]
    return bare if letters in _FAMILIES.values() or len(letters) > 2 else word[0]


def _common(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """The places of a longest common subsequence."""
    longest = np.zeros((len(a) + 1, len(b) + 1), dtype=np.int32)
    words = np.array(b, dtype=object)
    for i in range(len(a) - 1, -1, -1):
        matching = np.where(words == a[i], longest[i + 1, 1:] + 1, 0)
        best = np.maximum(matching, longest[i + 1, :-1])
        longest[i, :-1] = np.maximum.accumulate(best[::-1])[::-1]
    found, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        if a[i] == b[j] and longest[i, j] == longest[i + 1, j + 1] + 1:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif longest[i + 1, j] >= longest[i, j + 1]:
            i += 1
        else:
            j += 1
    return found


# --- whether they say the same -------------------------------------------------------------------------------------


def _judged(a: Step | None, b: Step | None, before: dict[int, Pair], rtol: float | None) -> Pair:
    if a is None or b is None:
        return Pair(a, b, status=ONLY_B if a is None else ONLY_A)
    gap = _gap(a.value, b.value)
    size = max(_size(a), _size(b))
    allowed = rtol * size if rtol is not None else max(_allowed(a, b), _allowed(b, a))
    if gap <= allowed:
        return Pair(a, b, gap, allowed)
    inputs = [pair for step in (*a.inputs, *b.inputs) if (pair := before.get(id(step))) is not None]
    differing = tuple(dict.fromkeys(pair.step.name for pair in inputs if pair.differs))
    hidden = any(pair.a is None or pair.b is None for pair in inputs) or (not a.inputs and a.rule != "given")
    if differing:
        status = INHERITS if _follows(a, b, allowed) else CAUSE
    else:  # inputs that the records do not show, or only one of them, may be what differs
        status = INHERITS if hidden and any(pair.differs for pair in before.values()) else CAUSE
    return Pair(a, b, gap, allowed, status, differing)


def _follows(a: Step, b: Step, allowed: float) -> bool:
    """Whether one's own formula makes the other's value of the other's inputs; where that cannot be asked, yes."""
    if a.formula is None or not _comparable(a, b):
        return True
    values = {mine.name: theirs.value for mine, theirs in zip(a.inputs, b.inputs, strict=True)}
    return _gap(as_floats(evaluate(a.formula, values, precise())), b.value) <= 2 * allowed


def _comparable(a: Step, b: Step) -> bool:
    pairs = zip(a.inputs, b.inputs, strict=False)
    same = all(_key(mine) == _key(theirs) and np.shape(mine.value) == np.shape(theirs.value) for mine, theirs in pairs)
    return len(a.inputs) == len(b.inputs) and same and all(is_number(step.value) for step in (*a.inputs, *b.inputs))


def _gap(a: Any, b: Any) -> float:
    if not (is_number(a) and is_number(b)):
        return 0.0 if a == b else math.inf
    ours, theirs = as_floats(a), as_floats(b)
    return largest_gap(ours.ravel(), theirs.ravel()) if ours.size == theirs.size else math.inf


def _allowed(step: Step, other: Step) -> float:
    """How far honest arithmetic may be from this value, in the coarser floats of both."""
    if not is_number(step.value):
        return 0.0
    coarse = replace(step, dtype_eps=max(step.eps, other.eps))
    known = [_ULPS * coarse.eps * _size(step)]
    known += [w.atol + w.rtol * _size(step) for w in step.witnesses]
    small = sum(np.size(s.value) for s in step.inputs) <= _FORMULAS
    if step.formula is not None and small and all(is_number(s.value) for s in step.inputs):
        known.append(spread(coarse))
    return max(known)


def _size(step: Step | None) -> float:
    return magnitude(step.value) if step is not None and is_number(step.value) else 0.0


def _row(pair: Pair) -> tuple[Any, ...]:
    compared = pair.a is not None and pair.b is not None and math.isfinite(pair.gap)
    apart = [float(f"{number:.3g}") if compared else None for number in (pair.relative, pair.ulps)]
    inputs = ", ".join(pair.inputs[:_NAMED]) + (
        f" and {len(pair.inputs) - _NAMED} more" if len(pair.inputs) > _NAMED else ""
    )
    return (pair.step.name, _cell(pair.a), _cell(pair.b), *apart, pair.status, inputs)


def _cell(step: Step | None) -> Any:
    if step is None or not np.ndim(step.value):
        return None if step is None else step.value
    return " × ".join(map(str, np.shape(step.value))) + " entries"
