"""A working as HTML: every step folds open to formula, numbers, value, reason, and how it was checked."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from html import escape

from openbook.expr import Expr, mathml, mathml_name, mathml_value, source
from openbook.record.draw.figure import figure_svg
from openbook.record.draw.fold import folded
from openbook.record.draw.lines import Line, parts, table_cell
from openbook.record.draw.page import page
from openbook.record.draw.svg import draw_graph
from openbook.record.graph import Graph
from openbook.record.table import Table
from openbook.record.verify import Check
from openbook.record.working import Working

__all__ = ["draw", "draw_figures", "draw_table", "draw_working"]

_SHORT_TABLE = 12  # rows: longer tables are folded
_LONG_FORMULA = 2600  # characters of MathML: longer calculations are shown when a step is opened


def draw(working: Working, standalone: bool = True) -> str:
    """A page of its own, or a fragment for a page that brings `STYLE` and `SCRIPT`."""
    body = draw_working(working, opened=True)
    return page(working.title, f"<h1>{escape(working.title)}</h1>{body}") if standalone else body


def draw_working(working: Working, opened: bool = False, figures: bool = True) -> str:
    """The working as one box that folds, with its plots and graph unless these are shown elsewhere."""
    blocks = [draw_figures(working)] if figures else []
    if working.question:
        blocks.insert(0, f'<p class="ob-question">{escape(working.question)}</p>')
    blocks += [draw_table(table) for table in working.tables]
    checks = _by_step(working.verification.checks)
    for heading, lines in parts(working):
        blocks.append(f'<p class="ob-part">{escape(heading)}</p>' if heading else "")
        blocks.append(_steps(lines, checks))
    blocks += [f'<p class="ob-note">{escape(note)}</p>' for note in working.notes]
    blocks.append(_verdict(working))
    inside = "".join(blocks)
    return (
        f'<details class="ob-working"{" open" if opened else ""}><summary>{escape(working.title)}</summary>'
        f'<div class="ob-inside">{inside}</div></details>'
    )


def draw_figures(working: Working) -> str:
    """The plots of a working, and its graph."""
    drawn = "".join(f'<div class="ob-scroll">{figure_svg(display)}</div>' for display in working.displays)
    return drawn if working.graph is None else drawn + _folding(working.graph, working.title)


def _folding(graph: Graph, title: str) -> str:
    """A graph; of a large one the modules as boxes, each opened by a click on it."""
    whole, folds = folded(graph)
    mark = f"g{zlib.crc32(title.encode()):08x}"
    links = {fold.id: f"{mark}-{fold.id.replace(' ', '-')}" for fold in folds}
    drawn = f'<div class="ob-scroll">{draw_graph(whole, title, links)}</div>'
    for fold in folds:
        count = f"{fold.label}: {len(fold.graph.nodes)} boxes"
        inside = _folding(fold.graph, f"{title}: {fold.label}")
        drawn += (
            f'<details class="ob-fold" id="{links[fold.id]}"><summary class="ob-small">{escape(count)}</summary>'
            f"{inside}</details>"
        )
    return drawn


def _by_step(checks: tuple[Check, ...]) -> Mapping[int, list[Check]]:
    found: dict[int, list[Check]] = {}
    for check in checks:
        found.setdefault(id(check.step), []).append(check)
    return found


def _math(inside: str) -> str:
    return f'<math displaystyle="true">{inside}</math>'


def _steps(lines: list[Line], checks: Mapping[int, list[Check]]) -> str:
    """One line each; values that are merely given stand side by side."""
    if all(line.is_bare and not line.said for line in lines):
        return f'<ul class="ob-givens">{"".join(f"<li>{_calculation(line)}</li>" for line in lines)}</ul>'
    return f'<ol class="ob-steps">{"".join(_step(line, checks) for line in lines)}</ol>'


def _step(line: Line, checks: Mapping[int, list[Check]]) -> str:
    why = f'<span class="ob-why">{escape(line.said)}</span>'
    calculation = f'<span class="ob-scroll">{_calculation(line)}</span>'
    if line.is_bare:
        return f'<li class="ob-step"><div class="ob-given">{calculation}{why}</div></li>'
    more = _more(line, checks.get(id(line.step), []))
    return f'<li class="ob-step"><details><summary>{calculation}{why}</summary>{more}</details></li>'


def _calculation(line: Line) -> str:
    """name = formula = numbers ≈ value, the middle left out where it would fill the page."""
    sides = [mathml(part) for part in (line.formula, line.filled) if part is not None]
    if sum(map(len, sides)) > _LONG_FORMULA:
        sides = []
    sign = "=" if line.exact else "≈"
    value = f"<mo>{sign}</mo>{_value(line)}" if line.value and _value(line) not in sides else ""
    equals = "".join(f"<mo>=</mo>{side}" for side in sides)
    name = mathml_name(line.step.name)
    if line.continues:  # in its width, so that the equals signs stand below each other
        name = f'<mphantom aria-hidden="true">{name}</mphantom>'
    return _math(f"<mrow>{name}{equals}{value}</mrow>")


def _value(line: Line) -> str:
    if isinstance(line.step.value, Expr):
        return mathml(line.step.value)
    return mathml_value(line.step.value)


def _more(line: Line, checks: list[Check]) -> str:
    rows = []
    if line.formula is not None:
        rows.append(("formula", _math(mathml(line.formula))))
    if line.filled is not None:
        rows.append(("with numbers", _math(mathml(line.filled, digits=8))))
    rows.append(("value", escape(_full(line))))
    if line.said:
        rows.append(("why", escape(line.said)))
    rows += [("checked", escape(_checked(check))) for check in checks]
    listed = "".join(f"<dt>{name}</dt><dd>{content}</dd>" for name, content in rows)
    return f'<div class="ob-more"><dl>{listed}</dl></div>'


def _full(line: Line) -> str:
    value = line.step.value
    if isinstance(value, Expr):
        return source(value)
    return repr(float(value)) if isinstance(value, float) else line.value


def _checked(check: Check) -> str:
    if not check.passed and isinstance(check.value, Expr):
        return f"WRONG: {check.expected}"
    if isinstance(check.value, Expr):
        return check.method
    if not check.passed:
        return f"WRONG: {check.method} gives {check.expected}"
    agreed = "all digits" if check.digits >= 15 else f"{int(check.digits)} digits"
    return f"{check.method}: agrees to {agreed}"


def draw_table(table: Table) -> str:
    """A table in a box of its own width; long ones fold after their first rows."""
    numeric = [any(not isinstance(row[i], (str, type(None))) for row in table.rows) for i in range(len(table.columns))]
    head = "".join(
        f'<th scope="col"{_numeric(n)}>{escape(c)}</th>' for c, n in zip(table.columns, numeric, strict=True)
    )
    marked = ' class="ob-marked"'
    rows = [
        f"<tr{marked if i in table.marked else ''}>"
        + "".join(f"<td{_numeric(n)}>{escape(table_cell(cell))}</td>" for cell, n in zip(row, numeric, strict=True))
        + "</tr>"
        for i, row in enumerate(table.rows)
    ]
    body = "".join(rows)
    note = f'<p class="ob-small ob-quiet">{escape(table.note)}</p>' if table.note else ""
    drawn = (
        f'<div class="ob-scroll"><table class="ob-table"><caption>{escape(table.title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{note}"
    )
    if len(rows) <= _SHORT_TABLE:
        return drawn
    return f'<details class="ob-fold"><summary class="ob-small">{escape(table.title)}: {len(rows)} rows</summary>{drawn}</details>'


def _numeric(is_numeric: bool) -> str:
    return ' class="n"' if is_numeric else ""


def _verdict(working: Working) -> str:
    verification = working.verification
    kind = "ob-check" if verification.passed else "ob-check ob-wrong"
    return f'<p class="{kind}">{"✓" if verification.passed else "✗"} {escape(verification.summary())}</p>'
