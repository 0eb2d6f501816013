"""A working as a LaTeX fragment: amsmath for the steps, booktabs for the tables."""

from __future__ import annotations

import re

from openbook.expr import Array, Expr, array_fits, latex, name_latex, number_latex
from openbook.record.draw.lines import Line, parts, table_cell
from openbook.record.table import Table
from openbook.record.working import Working

__all__ = ["draw", "escape", "step_latex"]

_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip
# What pdflatex's default fonts lack, as mathematics.
_SYMBOLS = {
    "∂": r"$\partial$", "×": r"$\times$", "·": r"$\cdot$", "−": "$-$", "≥": r"$\ge$", "≤": r"$\le$", "≈": r"$\approx$",
    "∞": r"$\infty$", "→": r"$\to$", "±": r"$\pm$", "√": r"$\surd$", "Σ": r"$\Sigma$", "²": r"$^2$", "³": r"$^3$",
    "₁": r"$_1$", "₂": r"$_2$", "ᵀ": r"$^\top$", "⁻": r"$^-$", "¹": r"$^1$", "‖": r"$\|$", "∇": r"$\nabla$", "′": "$'$",
    "‴": "$'''$", "½": r"$\frac12$", "ε": r"$\varepsilon$", "θ": r"$\theta$", "λ": r"$\lambda$", "σ": r"$\sigma$",
    "ⁿ": "$^n$", "ᵘ": "$^u$", "ᵛ": "$^v$", "δ": r"$\delta$", "⁰": "$^0$", "⁴": "$^4$", "⁵": "$^5$", "⁶": "$^6$", "⁷": "$^7$",
    "⁸": "$^8$", "⁹": "$^9$", "≠": r"$\ne$", "…": r"\dots{}", "–": "--", "—": "---", "⅓": r"$\frac13$",
}  # fmt: skip


def draw(working: Working) -> str:
    """Parts as align* environments, reasons as text beside the equations."""
    blocks = [rf"\paragraph{{{escape(working.title)}}}"]
    if working.question:
        blocks.append(rf"\emph{{{escape(working.question)}}}")
    for heading, lines in parts(working):
        if heading:
            blocks.append(rf"\textbf{{{escape(heading)}}}")
        body = " \\\\\n".join(_aligned(line) for line in lines)
        blocks.append(f"\\begin{{align*}}\n{body}\n\\end{{align*}}")
    blocks += [_table(table) for table in working.tables]
    blocks += [escape(note) for note in working.notes]
    blocks.append(rf"\emph{{{escape(working.verification.summary())}}}")
    return "\n\n".join(blocks) + "\n"


def step_latex(line: Line) -> str:
    """`name = formula = numbers = value`."""
    return " ".join(_sides(line))


def _aligned(line: Line) -> str:
    name, *rest = _sides(line)
    name = "" if line.continues else name
    said = rf" && \text{{{escape(line.said)}}}" if line.said else ""
    return f"{name} &{' '.join(rest)}{said}"


def _sides(line: Line) -> list[str]:
    sides = [name_latex(line.step.name)]
    for part in (line.formula, line.filled):
        if part is not None:
            sides.append(f"= {latex(part)}")
    sign = "=" if line.exact else r"\approx"
    value = _value(line)
    if value and sides[-1] != f"= {value}":
        sides.append(f"{sign} {value}")
    return sides


def _value(line: Line) -> str:
    value = line.step.value
    if isinstance(value, Expr):
        return latex(value)
    if isinstance(value, str):
        return rf"\text{{{escape(value)}}}"
    if getattr(value, "ndim", 0):
        return latex(Array(value)) if array_fits(value) or value.ndim <= 2 else rf"\text{{{escape(line.value)}}}"
    return number_latex(value, spelling=line.value.replace("−", "-"))


def _table(table: Table) -> str:
    numeric = [any(not isinstance(row[i], (str, type(None))) for row in table.rows) for i in range(len(table.columns))]
    columns = "".join("r" if n else "l" for n in numeric)
    head = " & ".join(escape(c) for c in table.columns)
    body = " \\\\\n".join(" & ".join(escape(table_cell(c)) for c in row) for row in table.rows)
    note = f"\n\n{escape(table.note)}" if table.note else ""
    return (
        f"\\textbf{{{escape(table.title)}}}\n\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n{head} \\\\\n\\midrule\n"
        f"{body} \\\\\n\\bottomrule\n\\end{{tabular}}{note}"
    )


def escape(text: str) -> str:
    """Text as LaTeX sets it literally."""
    safe = "".join(_ESCAPES.get(c, _SYMBOLS.get(c, c)) for c in text)
    safe = re.sub(r"\$\$", "", safe)  # two symbols in a row are one formula
    return re.sub(r"(?:\^[-\w]){2,}", lambda m: f"^{{{m[0].replace('^', '')}}}", safe)  # and two exponents one
