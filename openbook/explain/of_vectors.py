"""Derivatives of vector formulas (linear maps, softmax, cross-entropy, squared error), derived entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from openbook.errors import ExplainError
from openbook.explain.derivations.derivation import Line, by_rules
from openbook.explain.derivations.equal import LineCheck, check_line, witnesses
from openbook.explain.derivations.indices import WHOLE, Entries
from openbook.explain.derivations.sums import apart, as_matrices, factored, factors, joined, multiplied, sifted, terms
from openbook.explain.ledgers.beside_autograd import by_autograd
from openbook.expr import Binary, Call, Derivative, Expr, Index, Name, Sum, text, tidy
from openbook.expr.joining import ONE, is_number, rejoined
from openbook.record import Step, Witness, given

__all__ = ["check_entries", "is_of_vectors", "stages", "vector_steps"]


TOGETHER = "Both together"


def is_of_vectors(formula: Expr) -> bool:
    """Whether a formula is about whole vectors and matrices."""
    return any(
        (isinstance(part, Binary) and part.operator == "@") or (isinstance(part, Call) and part.function in WHOLE)
        for part in formula.walk()
    )


@dataclass(frozen=True)
class Stage:
    """One derivative on the way: its lines, what they are held against, and the outcome in entries and as a matrix."""

    of: str
    by: str
    formula: Expr  # as it was given
    entries: Expr  # of what is differentiated, entry by entry
    start: Expr  # the derivative that is asked for
    lines: tuple[Line, ...]
    free: tuple[str, ...]
    result: Expr
    matrix: Expr | None
    heading: str = "The derivative, entry by entry"


class Derivations:
    """The stages of one question: softmax(W @ x) is first derived by z = W @ x, then z by W, then both are put together."""

    def __init__(self, formula: Expr, by: str, scalars: tuple[str, ...]):
        self.formula, self.by = formula, by
        self.entries = Entries(scalars, formula.names())
        self.entries.axes(formula)
        if by not in formula.names():
            raise ExplainError(
                f"{text(formula)} does not depend on {by}", do=f"choose from {', '.join(formula.names())}"
            )
        targets = [c.arguments[1] for c in formula.walk() if isinstance(c, Call) and c.function == "cross_entropy"]
        self.entries.shares = {t.id for t in targets if isinstance(t, Name) and t.id != by}

    def fresh(self, letters: str) -> str:
        used = {*self.formula.names(), *self.entries.meanings}
        return next(c for c in letters if c not in used)

    def split(self) -> tuple[Expr, str, Expr] | None:
        """The outer formula, a name for what goes into it, and that."""
        match self.formula:
            case Call(function=function, arguments=(first, *rest)) if function in WHOLE and not isinstance(first, Name):
                if any(self.by in other.names() for other in rest):
                    return None
                inner = self.fresh("zuvqsh")
                return Call(function, (Name(inner), *rest)), inner, first
        return None


def stages(formula: Expr, by: str, scalars: tuple[str, ...] = ()) -> tuple[Derivations, list[Stage]]:
    """The derivatives that lead to d formula / d `by`, in order; the last is what was asked for."""
    work = Derivations(formula, by, scalars)
    split = work.split()
    if split is None:
        return work, [_stage(work, "f", formula, by)]
    outer, inner, below = split
    work.entries.axes(Name(inner) + below)  # the two are of one length
    work.entries.meanings[inner] = below
    first = replace(_stage(work, "f", outer, inner), heading="The outer derivative, entry by entry")
    second = replace(_stage(work, inner, below, by), heading="The inner derivative, entry by entry")
    return work, [first, second, replace(_together(work, first, second), heading=TOGETHER)]


def _stage(work: Derivations, of: str, formula: Expr, by: str) -> Stage:
    """One formula by one of its names."""
    e = work.entries
    out = tuple(e.index(axis) for axis in e.axes(formula))
    entries = e.entry(formula, out)
    at = tuple(e.index(axis) for axis in e.axes(Name(by)))
    target: Expr = Index(Name(by), at) if at else Name(by)
    hidden = e.meanings.pop(by, None)  # here it is what varies
    lines = list(_lines(work, formula, entries, target))
    free = tuple(name.id for name in (*out, *at))
    result = lines[-1].formula
    matrix = _matrix(lines, free, e)
    if hidden is not None:
        e.meanings[by] = hidden
    return Stage(of, by, formula, entries, Derivative(target, entries), tuple(lines), free, result, matrix)


def _matrix(lines: list[Line], free: tuple[str, ...], entries: Entries) -> Expr | None:
    """The outcome as a vector or matrix, from the last line that reads as one."""
    read = (as_matrices(line.formula, free, entries.rank) for line in reversed(lines[1:] or lines))
    return next((matrix for matrix in read if matrix is not None), None) if len(free) <= 2 else None


def _lines(work: Derivations, formula: Expr, entries: Expr, target: Expr) -> Iterator[Line]:
    current = entries
    if (logs := _logs_apart(current)) != current:
        current = logs
        yield Line(Derivative(target, current), "logarithm rules", "log(a/b) = log(a) − log(b), log(exp(u)) = u")
    for line in by_rules(Derivative(target, current), target):
        current = line.formula
        yield line
    for line in _worked(work, formula, current):
        current = line.formula
        yield line


def _worked(work: Derivations, formula: Expr, current: Expr) -> Iterator[Line]:
    """Sums and deltas worked out, shares named, gathered."""
    names = _share_of(work, formula)
    for rule, why, change in (
        ("sums and deltas", "what does not change leaves the sum; Σ_k a[k]·δ(k, j) = a[j]", sifted),
        ("simplify", "gather and cancel", tidy),
        ("divide term by term", "each term over the denominator", apart),
        (f"name the shares {names}", f"{names} = softmax({_argument(formula)})", partial(_named, work, formula, names)),
        ("targets are shares", "the targets add up to 1", partial(_shares_add_up, work.entries.shares)),
        ("simplify", "gather and cancel", tidy),
        ("factor", "what both terms have in common", factored),
    ):
        changed = change(current)
        if changed != current:
            current = changed
            yield Line(current, rule, why)


def _logs_apart(expr: Expr) -> Expr:
    def change(part: Expr) -> Expr | None:
        match part:
            case Call("log", (Binary(operator="/", left=Call("exp", (inner,)), right=below),)):
                return inner - Call("log", (below,))
        return None

    return expr.replace(change)


def _argument(formula: Expr) -> str:
    found = [c.arguments[0] for c in formula.walk() if isinstance(c, Call) and c.function in _SHARING]
    return text(found[0]) if found else ""


_SHARING = ("softmax", "log_softmax", "cross_entropy")


def _share_of(work: Derivations, formula: Expr) -> str:
    """The name for softmax of what goes in, if it comes up."""
    argument = next((c.arguments[0] for c in formula.walk() if isinstance(c, Call) and c.function in _SHARING), None)
    if argument is None:
        return ""
    meaning = Call("softmax", (argument,))
    known = next((n for n, m in work.entries.meanings.items() if m == meaning), None)
    return known or work.fresh("pqs")


def _named(work: Derivations, formula: Expr, name: str, expr: Expr) -> Expr:
    """exp(z[i])/Σ_k exp(z[k]) as p[i], as often as it is there."""
    if not name:
        return expr

    def change(part: Expr) -> Expr | None:
        if not (isinstance(part, Binary) and part.operator in "*/"):
            return None
        kept = factors(part)
        for total in [f.right for f in kept if isinstance(f, Binary) and f.operator == "/" and is_number(f.left, 1)]:
            times_, base = (2, total.left) if isinstance(total, Binary) and total.operator == "**" else (1, total)
            shares = [f for f in kept if _is_share_of(f, base)][:times_]
            if len(shares) == times_:
                named = [_entry_of(name, share) for share in shares]
                kept = [f for f in kept if f != ONE / total and not any(f is s for s in shares)] + named
        return None if kept == factors(part) else multiplied(kept)

    changed = expr.replace(change)
    if changed != expr:
        argument = next(c.arguments[0] for c in formula.walk() if isinstance(c, Call) and c.function in _SHARING)
        work.entries.meanings[name] = Call("softmax", (argument,))
        return tidy(joined(list(terms(changed))))
    return expr


def _is_share_of(factor: Expr, total: Expr) -> bool:
    """Whether a factor is exp of an entry, and the sum adds up exp of all of them."""
    match factor, total:
        case Call("exp", (Index(base=ours),)), Sum(body=Call("exp", (Index(base=theirs),))):
            return ours == theirs
    return False


def _entry_of(name: str, share: Expr) -> Expr:
    assert isinstance(share, Call) and isinstance(share.arguments[0], Index)
    return Index(Name(name), share.arguments[0].indices)


def _shares_add_up(shares: set[str], expr: Expr) -> Expr:
    def change(part: Expr) -> Expr | None:
        match part:
            case Sum(index=letter, body=Index(base=Name(id=name), indices=(Name(id=at),))) if (
                name in shares and at == letter
            ):
                return ONE
        return None

    return rejoined(expr.replace(change))


def _together(work: Derivations, outer: Stage, inner: Stage) -> Stage:
    """∂f/∂w = Σ_k ∂f/∂z[k] · ∂z[k]/∂w: the sum over all paths."""
    e = work.entries
    middle = len(e.axes(Name(outer.by)))
    ours = dict(zip(inner.free[:middle], outer.free[len(outer.free) - middle :], strict=True))
    put = {Name(a): Name(b) for a, b in ours.items()}
    local = inner.result.replace(lambda part: put.get(part) if isinstance(part, Name) else None)
    product: Expr = Binary("*", outer.result, local)
    for letter in ours.values():
        product = Sum(letter, product)
    lines = [Line(product, "chain rule", f"the sum over all entries of {outer.by}")]
    lines += _worked(work, outer.formula, product)
    free = outer.free[: len(outer.free) - middle] + inner.free[middle:]
    result = lines[-1].formula
    start = inner.start
    assert isinstance(start, Derivative)
    whole = e.entry(work.formula, tuple(map(Name, outer.free[: len(outer.free) - middle])))
    matrix = _matrix(lines, free, e)
    return Stage("f", inner.by, work.formula, whole, Derivative(start.by, whole), tuple(lines), free, result, matrix)


# --- as a working ----------------------------------------------------------------------------------------------


def vector_steps(formula: Expr, by: str, scalars: tuple[str, ...]) -> tuple[list[Step], Expr, list[str]]:
    """The steps of a derivation in entries, its outcome, and what must be said about shapes."""
    work, done = stages(formula, by, scalars)
    steps: list[Step] = [given("f", formula, part="The formula")]
    for stage in done:
        steps += _stage_steps(work, stage)
    last = done[-1]
    outcome = last.matrix if last.matrix is not None else last.result
    compute = partial(by_autograd, work.entries, formula, by, last.result, last.free, outcome)
    autograd = Witness("autograd at random numbers", compute)
    steps[-1] = Step(
        steps[-1].name, steps[-1].value, rule=steps[-1].rule, why=steps[-1].why, part=steps[-1].part,
        witnesses=(*steps[-1].witnesses, autograd),
    )  # fmt: skip
    return steps, outcome, _shapes(work)


def _stage_steps(work: Derivations, stage: Stage) -> Iterator[Step]:
    part = stage.heading
    outer = stage.free[: len(work.entries.axes(stage.formula))]
    at = f"[{', '.join(outer)}]" if outer else ""
    by = f"[{', '.join(stage.free[len(outer) :])}]" if len(stage.free) > len(outer) else ""
    if stage.heading != TOGETHER:
        defined = "" if stage.formula == work.formula else f"{stage.of} = {text(stage.formula)}"
        yield given(f"{stage.of}{at}", stage.entries, why=defined or "entry by entry", part=part)
    hidden = work.entries.meanings.pop(stage.by, None)  # here it is what varies
    before = stage.start
    for line in stage.lines:
        verdict = check_entries(work.entries, before, line.formula, stage.free)
        yield Step(f"∂{stage.of}{at}/∂{stage.by}{by}", line.formula, rule=line.rule, why=line.why, part=part,
                   witnesses=witnesses(verdict))  # fmt: skip
        before = line.formula
    if stage.matrix is not None and stage.free:
        entries = work.entries.entry(stage.matrix, tuple(map(Name, stage.free)))
        verdict = check_entries(work.entries, before, entries, stage.free, written=stage.matrix)
        what = "matrix" if len(stage.free) == 2 else "vector"
        yield Step(f"∂{stage.of}/∂{stage.by}", stage.matrix, rule=f"as a {what}", why="all entries at once", part=part,
                   witnesses=witnesses(verdict))  # fmt: skip
    if hidden is not None:
        work.entries.meanings[stage.by] = hidden


def check_entries(
    entries: Entries, before: Expr, after: Expr, free: tuple[str, ...], written: Expr | None = None
) -> LineCheck:
    """Decide whether two lines of entries are equal at every place, written out in full for small sizes."""
    verdicts = [
        check_line(entries.written_out(before, at), entries.written_out(after, at)) for at in entries.places(free)
    ]
    after = after if written is None else written
    false = next((v for v in verdicts if v.holds is False), None)
    if false is not None:
        return LineCheck(before, after, False, false.points, counterexample=false.counterexample)
    holds = True if all(v.holds for v in verdicts) else None
    proof = f"proved by SymPy for all entries at size {_sizes(entries)}" if holds else ""
    note = next((v.note for v in verdicts if v.note), "")
    return LineCheck(before, after, holds, min(v.points for v in verdicts), proof, note=note)


def _sizes(entries: Entries) -> str:
    axes = dict.fromkeys(map(entries.root, entries.known))
    return " and ".join(str(entries.size(axis)) for axis in axes) or "1"


def _shapes(work: Derivations) -> list[str]:
    ranks: dict[str, list[str]] = {}
    for name in work.formula.names():
        if name not in ("pi", "inf"):
            kind = ("a single number", "a vector", "a matrix")[work.entries.rank(name)]
            ranks.setdefault(kind, []).append(name)
    told = "; ".join(f"{', '.join(names)}: {kind}" for kind, names in ranks.items())
    notes = [f"Taken as: {told}. Capitals are matrices, others vectors; scalars= names single numbers."]
    if work.entries.shares:
        notes.append(f"The entries of {', '.join(sorted(work.entries.shares))} are shares: they add up to 1.")
    if work.entries.counted is not None:
        notes.append("n is the number of entries that the mean is taken over.")
    return notes
