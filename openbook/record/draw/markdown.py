"""A working as Markdown, formulas between dollar signs."""

from __future__ import annotations

from openbook.record.draw.latex import step_latex
from openbook.record.draw.lines import parts, table_cell
from openbook.record.table import Table
from openbook.record.working import Working

__all__ = ["draw"]


def draw(working: Working) -> str:
    """Headings for parts, a list of formulas below each, tables with pipes."""
    blocks = [f"### {working.title}"]
    if working.question:
        blocks.append(f"*{working.question}*")
    for heading, lines in parts(working):
        if heading:
            blocks.append(f"**{heading}**")
        blocks.append("\n".join(f"- ${step_latex(line)}${_said(line.said)}" for line in lines))
    blocks += [_table(table) for table in working.tables]
    blocks += list(working.notes)
    blocks.append(f"*{working.verification.summary()}*")
    return "\n\n".join(blocks) + "\n"


def _said(said: str) -> str:
    return f" — {said}" if said else ""


def _table(table: Table) -> str:
    def row(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    lines = [f"**{table.title}**", "", row(list(table.columns)), row(["---"] * len(table.columns))]
    for i, cells in enumerate(table.rows):
        shown = [table_cell(cell) for cell in cells]
        lines.append(row([f"**{cell}**" if i in table.marked and cell else cell for cell in shown]))
    if table.note:
        lines += ["", table.note]
    return "\n".join(lines)
