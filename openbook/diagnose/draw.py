"""A diagnosis as a person would tell it: what is wrong, how that is known, what to change, and what the change did."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

from openbook.record.draw.html import draw_working
from openbook.record.draw.lines import shown_value
from openbook.record.draw.page import page
from openbook.record.draw.terminal import console_of

if TYPE_CHECKING:
    from openbook.diagnose.diagnosis import Diagnosis
    from openbook.diagnose.finding import Effect, Finding

__all__ = ["effect_said", "html", "markdown", "text"]


def _title(diagnosis: Diagnosis) -> str:
    count = len(diagnosis)
    found = "nothing found" if not count else "1 finding" if count == 1 else f"{count} findings"
    return f"Diagnosis of {diagnosis.model}: {found}"


def _closing(diagnosis: Diagnosis) -> list[str]:
    """What was looked at, and what was not."""
    of = diagnosis.rows[1]
    rows = f"{of} rows" if diagnosis.rows[0] == of else f"{diagnosis.rows[0]} of {of} rows, evenly spread"
    said = [f"Looked at {len(diagnosis.looked_at)} possible faults on {rows}."]
    if diagnosis.let_go:
        said.append(f"Suspected, but borne out by no fix: {', '.join(diagnosis.let_go)} (see .let_go).")
    if diagnosis.muted:
        said.append(f"Muted: {', '.join(diagnosis.muted)}.")
    if diagnosis.too_late:
        said.append(f"Not looked at, for the time was over: {', '.join(diagnosis.too_late)} (give more with seconds=).")
    return said


def effect_said(effect: Effect) -> str:
    """The effect in a sentence."""
    before = "no number at all" if not math.isfinite(effect.before) else shown_value(effect.before)
    tried = f"after {effect.steps} steps, " if effect.steps else ""
    seeds = f" (mean over {effect.seeds} seeds)" if effect.seeds > 1 else ""
    return f"{tried}{effect.measure}: {before} without, {shown_value(effect.after)} with it{seeds}"


def _evidence(finding: Finding) -> list[str]:
    lines = []
    for step in finding.evidence:
        shown = shown_value(step.value)
        lines.append(f"{step.name} = {shown}" + (f"  ({step.why})" if step.why else ""))
    return lines


def text(diagnosis: Diagnosis, width: int, color: bool) -> str:
    """Plain, or with colours for a terminal that shows them."""
    from rich.padding import Padding
    from rich.text import Text

    console = console_of(width, color)
    with console.capture() as captured:
        console.print(Text(_title(diagnosis), style="bold"))
        for finding in diagnosis:
            style = "bold red" if finding.severity == "error" else "bold yellow"
            console.print()
            console.print(Text(f"{finding.code} {finding.title}", style=style), Text(f"· {finding.where}"))
            console.print(Padding(Text(finding.says), (0, 0, 0, 2)))
            for line in _evidence(finding):
                console.print(Padding(Text(line, style="cyan"), (0, 0, 0, 4)))
            console.print(Padding(Text.assemble(("Fix: ", "bold"), finding.fix), (0, 0, 0, 2)))
            console.print(
                Padding(Text.assemble(("Tried on a copy: ", "bold"), effect_said(finding.effect)), (0, 0, 0, 2))
            )
            console.print(Padding(Text(finding.page, style="dim"), (0, 0, 0, 2)))
        console.print()
        for line in _closing(diagnosis):
            console.print(Text(line, style="green" if diagnosis.healthy else ""))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def markdown(diagnosis: Diagnosis) -> str:
    """A section for each finding."""
    blocks = [f"# {_title(diagnosis)}"]
    for finding in diagnosis:
        blocks.append(f"## {finding.code} {finding.title}\n\n*{finding.severity}, {finding.where}.* {finding.says}")
        blocks.append("\n".join(f"- {line}" for line in _evidence(finding)))
        blocks.append(f"**Fix:** {finding.fix}\n\n**Tried on a copy:** {effect_said(finding.effect)}")
    return "\n\n".join([*blocks, " ".join(_closing(diagnosis))]) + "\n"


def html(diagnosis: Diagnosis, standalone: bool) -> str:
    """A page of its own, or a fragment."""
    blocks = [f"<h1>{escape(_title(diagnosis))}</h1>"]
    for finding in diagnosis:
        blocks.append(
            f"<section><h2>{escape(finding.code)} {escape(finding.title)}</h2>"
            f'<p class="ob-quiet">{escape(finding.severity)}, {escape(finding.where)}</p><p>{escape(finding.says)}</p>'
            f"<p><strong>Fix:</strong> {escape(finding.fix)}</p>"
            f"<p><strong>Tried on a copy:</strong> {escape(effect_said(finding.effect))}</p>"
            f"{_working(finding)}</section>"
        )
    blocks.append("".join(f'<p class="ob-note">{escape(line)}</p>' for line in _closing(diagnosis)))
    body = "".join(blocks)
    return page(_title(diagnosis), body) if standalone else body


def _working(finding: Any) -> str:
    return draw_working(finding.explain())
