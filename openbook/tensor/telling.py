"""A gradient check in words, for a terminal: the verdict, the worst entry, and a small picture of the step sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from openbook.tensor.checker import EntryCheck
    from openbook.tensor.differences import StepSweep
    from openbook.tensor.gradcheck import Gradcheck

__all__ = ["branches", "step_lines", "told"]

_WIDTH = 34
_SHOWN = 3  # every third step: one a factor of ten


def told(check: Gradcheck) -> str:
    """Everything the check found, as a person would tell it."""
    wrong = check.verdict == "wrong"
    verdict = {
        "right": "is right",
        "wrong": "is WRONG",
        "cannot tell": "may be right or wrong: differences cannot tell",
    }
    blocks = [
        [f"The {check.what} {verdict[check.verdict]}.", check.reason],
        _worst(check.worst, check.what),
        [*step_lines(check.sweep, wrong), "", *(_floor(check) if wrong else branches(check.sweep))],
        [_order(check), *_kinks(check), _cost(check)],
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks)


def _worst(entry: EntryCheck, what: str) -> list[str]:
    lines = [
        f"The entry that agrees least: {entry.name}",
        f"  autograd      {entry.autograd: .10g}",
        f"  differences   {entry.differences: .10g}   certain to {entry.uncertainty:.1e}",
        f"  apart by      {entry.gap: .1e}   two right answers may be {entry.allowed:.1e} apart",
    ]
    if entry.bend == "kink":
        lines[-1] = f"  a kink: slope {entry.left:.6g} to the left, {entry.right:.6g} to the right"
    elif entry.bend:
        lines[-1] = "  a jump: no slope at all"
    if entry.excess > 1 and entry.differences and not entry.bend:
        lines.append(f"  autograd / differences = {entry.autograd / entry.differences:.7g}")
    return lines


def _floor(check: Gradcheck) -> list[str]:
    return [
        f"A right gradient shows a V. Here the errors level off near {check.worst.gap:.1e}, the error of the gradient itself, "
        "wherever the step is neither so large that differences truncate nor so small that they drown.",
    ]


def step_lines(sweep: StepSweep, wrong: bool = False) -> list[str]:
    """Error against step size as a table with dots on a logarithmic scale."""
    every = slice(None, None, _SHOWN)
    steps, errors = sweep.steps[every], sweep.errors[every]
    seen = np.log10(np.maximum(errors, np.finfo(np.float64).tiny))
    finite = seen[errors > 0]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (-16.0, 0.0)
    least = int(np.argmin(errors))
    lines = [f"  {'step h':>8}  {'error':>8}  {'truncation':>10}  {'round-off':>9}   error, on a logarithmic scale"]
    for i, (h, e) in enumerate(zip(steps, errors, strict=True)):
        place = round((max(seen[i], low) - low) / max(high - low, 1e-9) * (_WIDTH - 1))
        note = "  ← least measured" if i == least and not wrong else ""
        cut = f"{sweep.truncation[every][i]:10.1e}" if sweep.truncates else f"{'none':>10}"
        lines.append(f"  {h:8.0e}  {e:8.1e}  {cut}  {sweep.roundoff[every][i]:9.1e}   |{'·' * place}●{note}")
    return lines


def branches(sweep: StepSweep) -> list[str]:
    """What shape the errors should have, and the best step by theory."""
    floor = f"f's noise of {sweep.noise:.1e}" if sweep.noisy else "round-off"
    if sweep.best is None:
        return [
            "There is no truncation branch: along this entry f is straight or quadratic, and central differences leave "
            f"nothing out. Only {floor} is seen (it grows with 1/h): the larger the step, the better.",
        ]
    return [
        f"Large steps truncate (h²·|f‴|/6), small ones drown in {floor} (it grows with 1/h); the predicted best step is "
        f"{sweep.best:.1e}, where the two have the least sum.",
    ]


def _order(check: Gradcheck) -> str:
    order = check.order
    if order is None:
        return "Taylor: f is straight along a random direction as far as can be seen; nothing is left over."
    meant = "2 means a right gradient, 1 a wrong one"
    if any(c.kinked for c in check.checks):
        meant += ", or a kink"
    if check.verdict == "wrong" and order > 1.5:
        meant += "; the error here is too small, or in too few entries, to show along a random direction"
    return f"Taylor: |f(x + hv) − f(x) − h·∇f·v| shrinks like h^{order:.2f} ({meant})."


def _kinks(check: Gradcheck) -> list[str]:
    lines = []
    for kind in ("kink", "jump"):
        found = [c.name for c in check.checks if c.bend == kind]
        if found:
            names = ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
            lines.append(f"f has a {kind} at {names}: differences say nothing there.")
    return lines


def _cost(check: Gradcheck) -> str:
    looked = "all entries" if check.entries == check.of else (
        f"{check.entries} of {check.of} entries, drawn at random, and the others together along random directions"
    )  # fmt: skip
    return (
        f"Cost: {check.evaluations} evaluations of f for {looked}; the whole gradient by differences alone takes "
        f"{2 * check.of}, reverse mode a small constant."
    )
