"""A working as Markdown, formulas between dollar signs."""

from __future__ import annotations

import re

from openbook.record.draw.latex import step_latex
from openbook.record.draw.lines import parts, table_cell
from openbook.record.table import Table
from openbook.record.working import Working

__all__ = ["draw"]


def draw(working: Working) -> str:
    """Headings for parts, a list of formulas below each, tables with pipes."""
    blocks = [f"### {_literal(working.title)}"]
    if working.question:
        blocks.append(f"*{_literal(working.question)}*")
    for heading, lines in parts(working):
        if heading:
            blocks.append(f"**{_literal(heading)}**")
        blocks.append("\n".join(f"- ${step_latex(line)}${_said(line.said)}" for line in lines))
    blocks += [_table(table) for table in working.tables]
    blocks += map(_literal, working.notes)
    blocks.append(f"*{_literal(working.verification.summary())}*")
    return "\n\n".join(blocks) + "\n"


def _said(said: str) -> str:
    return f" — {_literal(said)}" if said else ""


def _literal(words: str) -> str:
    """Text in which nothing is markup."""
    return re.sub(r"([\\`*<$|~\[\]]|(?<!\w)_|_(?!\w)|^#)", r"\\\1", words)


def _table(table: Table) -> str:
    def row(cells: list[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    lines = [
        f"**{_literal(table.title)}**",
        "",
        row(list(map(_literal, table.columns))),
        row(["---"] * len(table.columns)),
    ]
    for i, cells in enumerate(table.rows):
        shown = [_literal(table_cell(cell)) for cell in cells]
        lines.append(row([f"**{cell}**" if i in table.marked and cell else cell for cell in shown]))
    if table.note:
        lines += ["", _literal(table.note)]
    return "\n".join(lines)
