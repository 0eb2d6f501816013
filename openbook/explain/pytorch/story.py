"""A forward pass told from one entry of its end: which entries it rests on most, and each as a step of its own."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from math import fsum
from operator import add
from typing import Any

import numpy as np
import torch

from openbook.explain.ledgers.entries import Index, entry_name
from openbook.explain.pytorch.again import TorchReplay
from openbook.explain.pytorch.graph import Known, TorchGraph
from openbook.explain.pytorch.recording import Performed, Recording
from openbook.explain.pytorch.written import Part, Total, Written, moved_from, written
from openbook.expr import Expr, Name, Number, evaluate, substitute
from openbook.record import Step, Witness, given

__all__ = ["Story"]

_MOST = 40  # entries that are followed further back

Entry = tuple[int, Index]  # a value's key, and the index in it


@dataclass(frozen=True, eq=False)
class _Shown:
    """A total as it is written: the terms that stand there, largest first, and what the others add up to."""

    total: Total
    terms: list[dict[str, Part]]
    values: np.ndarray
    rest: list[float]

    @property
    def result(self) -> float:
        """What all terms come to."""
        return (fsum(self.values) + fsum(self.rest)) / self.total.count


@dataclass(frozen=True, eq=False)
class _Draft:
    """A step that is being written: the steps that have to stand before it, and those its formula uses."""

    known: Known
    name: str
    part: str
    made: list[Step] = field(default_factory=list)
    inputs: list[Step] = field(default_factory=list)


class Story:
    """The steps that lead to the number at the end of a graph, followed back where it depends on them most."""

    def __init__(self, graph: TorchGraph, replay: TorchReplay, recording: Recording, top: int):
        self.graph, self.replay, self.top = graph, replay, top
        self.known = {known.key: known for known in graph.known}
        self.kinds = {call.name: call.kind for call in recording.calls}
        self.eps = float(torch.finfo(graph.end.dtype).eps)
        self.told: dict[Entry, Written | None] = {}
        self.made: dict[Entry, Step] = {}
        self.totals: dict[str, Step] = {}
        self.left = 0  # computed entries that stand there without a step of their own

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out."""
        if not self.left:
            return ()
        return (f"{self.left} entries on the way stand there as values; followed back are those that matter most "
                "here (value × slope).",)  # fmt: skip

    def steps(self) -> list[Step]:
        """Inputs first; those of one module stand together."""
        self._plan()
        order = {known.key: place for place, known in enumerate(self.graph.known)}
        steps: list[Step] = []
        for key, index in sorted(self.told, key=lambda entry: (order[entry[0]], entry[1])):
            steps += self._tell(self.known[key], index, self.told[key, index])
        return steps

    # --- which entries -----------------------------------------------------------------------------------------

    def _plan(self) -> None:
        """From the end back along what it depends on most, up to so many entries."""
        root = self._where_it_was(self.graph.root, ())
        waiting: list[tuple[float, Entry]] = [(0.0, root)]
        seen = {root}
        while waiting and len(self.told) < _MOST:
            _, (key, index) = heapq.heappop(waiting)
            known = self.known[key]
            found = None if known.performed is None else written(known.performed, known.output, index)
            self.told[key, index] = found
            for part in self._parts_to_follow(known, found):
                entry = self._entry(known, part)
                if entry is not None and entry not in seen and self.known[entry[0]].leaf is None:
                    seen.add(entry)
                    heapq.heappush(waiting, (-self._weight(entry), entry))

    def _parts_to_follow(self, known: Known, found: Written | None) -> list[Part]:
        if found is None or known.performed is None:
            return []
        parts = list(found.parts.values())
        for total in found.totals.values():
            parts += [p for term in self._shown(known.performed, found, total).terms for p in term.values()]
        return parts

    def _weight(self, entry: Entry) -> float:
        """How much the end rests on an entry: its value times the slope of the end by it."""
        value, upstream = self.graph.value(entry[0]), self.graph.upstream.get(entry[0])
        if value is None or upstream is None:
            return 0.0
        return abs(float(value[entry[1]]) * float(upstream[entry[1]]))

    def _entry(self, known: Known, part: Part) -> Entry | None:
        """The value in the graph of which a part is an entry, looking through what only moves; None for constants."""
        source = next((s for s, place in zip(known.sources, known.places, strict=False) if place == part.place), 0)
        return self._where_it_was(source, part.index) if source else None

    def _where_it_was(self, key: int, index: Index) -> Entry:
        known = self.known[key]
        if known.performed is not None:
            moved = moved_from(known.performed, known.output, index)
            source = None if moved is None else self._entry(known, moved)
            if source is not None:
                return source
        return key, index

    # --- a step for each ---------------------------------------------------------------------------------------

    def _tell(self, known: Known, index: Index, found: Written | None) -> list[Step]:
        """The step of one entry, after those of its totals and of the values it uses."""
        name, value = self._name(known, index), float(self._array(known)[index])
        draft = _Draft(known, name, self._heading(known))
        formula, lost = (None, 1.0) if found is None else self._formula(draft, found, value)
        spread = self.replay.spread(known.key, index, self.eps)
        step = Step(
            name, value, formula, tuple(draft.inputs), rule=known.called, part=draft.part,
            why="no formula here: PyTorch's own" if found is None else found.why,
            dtype_eps=max(self.eps * lost, spread / abs(value) if value else 0.0),
            witnesses=self.replay.witnesses(known.key, index, self.eps),
        )  # fmt: skip
        self.made[known.key, index] = step
        return [*draft.made, step]

    def _formula(self, draft: _Draft, found: Written, value: float) -> tuple[Expr, float]:
        """The formula in the names of steps, and how many times the value was added up and taken away again."""
        assert draft.known.performed is not None
        formula, lost = self._with_parts(draft, found.parts, found.formula), 1.0
        totals: dict[str, Step] = {}
        for letter, total in found.totals.items():
            shown = self._shown(draft.known.performed, found, total)
            if total.over:
                totals[letter] = self._total_step(draft, shown, totals)
                draft.inputs.append(totals[letter])
                formula = substitute(formula, Name(letter), Name(totals[letter].name))
            else:
                formula = substitute(formula, Name(letter), self._sum(draft, shown, total.body))
                lost = max(lost, _cancelled(shown, value))
        return formula, lost

    def _with_parts(self, draft: _Draft, parts: Mapping[str, Part], formula: Expr) -> Expr:
        """A formula with entries' names for its letters."""
        for letter, part in parts.items():
            step = self._used(draft, part)
            formula = substitute(formula, Name(letter), Name(step.name))
            draft.inputs.append(step)
        return formula

    def _total_step(self, draft: _Draft, shown: _Shown, before: Mapping[str, Step]) -> Step:
        """A sum, mean or variance as a step of its own, once for all entries that share it."""
        total = shown.total
        name = f"{total.name} in {self.graph.labels[draft.known.key]}[{total.over}]"
        if name not in self.totals:
            used = {letter: step for letter, step in before.items() if letter in total.body.names()}
            body = total.body
            for letter, step in used.items():
                body = substitute(body, Name(letter), Name(step.name))
            own = _Draft(draft.known, name, draft.part, draft.made, list(used.values()))
            formula = self._sum(own, shown, body)
            self.totals[name] = Step(name, shown.result, formula, tuple(own.inputs), rule=total.name, part=draft.part,
                                     dtype_eps=self.eps)  # fmt: skip
            draft.made.append(self.totals[name])
        return self.totals[name]

    def _sum(self, draft: _Draft, shown: _Shown, body: Expr) -> Expr:
        """A sum written out, its largest terms first."""
        terms = [self._with_parts(draft, term, body) for term in shown.terms]
        if shown.rest:
            draft.made.append(_others(shown.rest, draft.name, draft.part, self.eps))
            draft.inputs.append(draft.made[-1])
            terms.append(Name(draft.made[-1].name))
        formula = reduce(add, terms)
        return formula / Number(shown.total.count) if shown.total.count > 1 else formula

    def _shown(self, performed: Performed, found: Written, total: Total) -> _Shown:
        """The terms of a total by size; values that other totals give are computed from the numbers."""
        letters: dict[str, Any] = {letter: self._gathered(performed, total.terms, letter) for letter in total.terms[0]}
        for letter, other in found.totals.items():
            if other is not total and letter in total.body.names():
                letters[letter] = self._shown(performed, found, other).result
        values = np.broadcast_to(np.asarray(evaluate(total.body, letters), dtype=np.float64), (len(total.terms),))
        order = np.argsort(-np.abs(values), kind="stable")
        first = [int(i) for i in order[: self.top]]
        rest = [float(values[i]) for i in order[self.top :]]
        return _Shown(total, [total.terms[i] for i in first], values[first], rest)

    @staticmethod
    def _gathered(performed: Performed, terms: list[dict[str, Part]], letter: str) -> np.ndarray:
        tensor = performed.tensors[terms[0][letter].place]
        assert tensor is not None
        places = tuple(np.array([term[letter].index for term in terms], dtype=int).reshape(len(terms), -1).T)
        return tensor.detach().double().numpy()[places]

    def _used(self, draft: _Draft, part: Part) -> Step:
        """The step of an entry that a formula uses: its own where it was followed, else its value alone."""
        entry = self._entry(draft.known, part)
        if entry is None:
            return self._constant(draft, part)
        if entry not in self.made:
            source = self.known[entry[0]]
            value, name = float(self._array(source)[entry[1]]), self._name(source, entry[1])
            if source.leaf is not None:
                step = given(name, value, part=draft.part)
            else:
                self.left += 1
                step = Step(name, value, rule=source.called, why="found the same way", part=draft.part,
                            dtype_eps=self.eps, witnesses=self.replay.witnesses(*entry, self.eps))  # fmt: skip
            self.made[entry] = step
            draft.made.append(step)
        return self.made[entry]

    def _constant(self, draft: _Draft, part: Part) -> Step:
        """What no gradient leads to: a mask, a running mean, what was drawn."""
        performed = draft.known.performed
        assert performed is not None
        tensor = performed.tensors[part.place]
        assert tensor is not None
        name = entry_name(f"{self.graph.labels[draft.known.key]}.{_argument(performed, part.place)}", part.index)
        step = given(name, float(tensor[part.index]), part=draft.part, why="a constant here")
        draft.made.append(step)
        return step

    def _array(self, known: Known) -> np.ndarray:
        value = self.graph.value(known.key)
        assert value is not None
        return value

    def _name(self, known: Known, index: Index) -> str:
        return entry_name(self.graph.labels[known.key], index)

    def _heading(self, known: Known) -> str:
        module = "" if known.performed is None else known.performed.module
        kind = self.kinds.get(module, "")
        return f"{module}: {kind}" if module and kind else kind or "Outside modules"


def _cancelled(shown: _Shown, value: float) -> float:
    """How many times the result is in what was added up: so much less is it known."""
    size = (float(np.abs(shown.values).sum()) + sum(map(abs, shown.rest))) / shown.total.count
    return size / abs(value) if value else 1.0


def _others(terms: list[float], name: str, part: str, eps: float) -> Step:
    """What is not written out, as one number."""
    exact = Witness("added up one by one", lambda: sum(terms), atol=1e-13 * sum(map(abs, terms)))
    return Step(f"{len(terms)} other terms of {name}", fsum(terms), rule="sum", part=part, dtype_eps=eps,
                witnesses=(exact,))  # fmt: skip


def _argument(performed: Performed, place: int) -> str:
    """What PyTorch calls the argument at a place among an operation's tensors."""
    names: list[Any] = []
    for declared, value in zip(performed.function._schema.arguments, performed.arguments, strict=False):
        if "Tensor" in str(declared.type):
            names += [declared.name] * (len(value) if isinstance(value, (list, tuple)) else 1)
    return str(names[place])
