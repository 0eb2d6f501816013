"""A working as HTML: every step folds open to its numbers in full, and how it was checked."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from openbook.expr import Expr, mathml, mathml_name, mathml_terms, mathml_value, source, text
from openbook.record.draw.figure import figure_svg
from openbook.record.draw.fold import folded
from openbook.record.draw.lines import LONGEST_FORMULA, Line, parts, table_cell
from openbook.record.draw.page import page
from openbook.record.draw.svg import draw_graph
from openbook.record.draw.ties import Ties
from openbook.record.graph import Graph
from openbook.record.table import Table
from openbook.record.verify import Check
from openbook.record.working import Working

__all__ = ["draw", "draw_figures", "draw_table", "draw_working"]

_SHORT_TABLE = 12  # rows: longer tables are folded
_ONE_PIECE = 24  # characters: a longer sum may break between its terms


def draw(working: Working, standalone: bool = True) -> str:
    """A page of its own, or a fragment for a page that brings its style and script."""
    if not standalone:
        return draw_working(working, opened=True)
    ties = Ties(working)
    inside = _inside(working, ties, level=2, figures=True)
    return page(working.title, f'<h1>{escape(working.title)}</h1><div data-w="{ties.mark}">{inside}</div>')


def draw_working(working: Working, opened: bool = False, figures: bool = True) -> str:
    """The working as one box that folds, with its plots and graph unless these are shown elsewhere."""
    ties = Ties(working)
    return (
        f'<details class="ob-working" data-w="{ties.mark}"{" open" if opened else ""}>'
        f'<summary><h3 class="ob-title">{escape(working.title)}</h3></summary>'
        f'<div class="ob-inside">{_inside(working, ties, level=4, figures=figures)}</div></details>'
    )


def draw_figures(working: Working) -> str:
    """The plots of a working, and its graph, away from its steps but tied to them."""
    ties = Ties(working)
    return f'<div data-w="{ties.mark}">{_figures(working, ties)}</div>'


def _inside(working: Working, ties: Ties, level: int, figures: bool) -> str:
    """Everything but the title, under headings of that level."""
    blocks = [f'<p class="ob-question">{escape(working.question)}</p>'] if working.question else []
    blocks += [_figures(working, ties)] if figures else []
    blocks += [draw_table(table, ties) for table in working.tables]
    checks = _by_step(working.verification.checks)
    for heading, lines in parts(working):
        blocks.append(f'<h{level} class="ob-part">{escape(heading)}</h{level}>' if heading else "")
        blocks.append(_steps(lines, checks, ties))
    blocks += [f'<p class="ob-note">{escape(note)}</p>' for note in working.notes]
    return "".join([*blocks, _verdict(working)])


def _figures(working: Working, ties: Ties) -> str:
    drawn = "".join(f'<div class="ob-scroll">{figure_svg(display)}</div>' for display in working.displays)
    if working.graph is None:
        return drawn
    return drawn + ties.anywhere(_folding(working.graph, working.title, f"g{ties.mark}"))


def _folding(graph: Graph, title: str, mark: str) -> str:
    """A graph; of a large one the modules as boxes, each opened by a click on it."""
    whole, folds = folded(graph)
    links = {fold.id: f"{mark}-{fold.id.replace(' ', '-')}" for fold in folds}
    drawn = f'<div class="ob-scroll">{draw_graph(whole, title, links)}</div>'
    for fold in folds:
        count = f"{fold.label}: {len(fold.graph.nodes)} boxes"
        inside = _folding(fold.graph, f"{title}: {fold.label}", links[fold.id])
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


def _steps(lines: list[Line], checks: Mapping[int, list[Check]], ties: Ties) -> str:
    """One line each; values that are merely given stand side by side."""
    if all(line.is_bare and not line.said for line in lines):
        return f'<ul class="ob-givens">{"".join(f"<li>{_calculation(line, ties)}</li>" for line in lines)}</ul>'
    return f'<ol class="ob-steps">{"".join(_step(line, checks, ties) for line in lines)}</ol>'


def _step(line: Line, checks: Mapping[int, list[Check]], ties: Ties) -> str:
    why = f'<span class="ob-why">{escape(line.said)}</span>'
    calculation = _calculation(line, ties)
    if line.is_bare:
        return f'<li class="ob-step"><div class="ob-given">{calculation}{why}</div></li>'
    more = _more(line, checks.get(id(line.step), []), ties)
    return f'<li class="ob-step"><details><summary>{calculation}{why}</summary>{more}</details></li>'


def _calculation(line: Line, ties: Ties) -> str:
    """name = formula = numbers ≈ value, in pieces between which the line may break."""
    name = mathml_name(line.step.name)
    if line.continues:  # in its width, so that the equals signs stand below each other
        name = f'<mphantom aria-hidden="true">{name}</mphantom>'
    pieces = [(name, "" if line.continues else line.step.name)]
    for part in (line.formula, line.filled):
        pieces += _side(part) if part is not None else []
    if line.value and line.value not in [text(p) for p in (line.formula, line.filled) if p is not None]:
        pieces += _after("=" if line.exact else "≈", [(_value(line), line.value)])
    maths = " ".join(_math(markup, said) for markup, said in pieces)
    return f'<span class="ob-calc" data-of={ties.number(line.step)}>{ties.in_step(maths, line.step)}</span>'


def _side(part: Expr) -> list[tuple[str, str]]:
    """What follows an equals sign; a long formula shows when the step is opened."""
    said = text(part)
    if len(said) > LONGEST_FORMULA:
        return _after("=", [("<mo>…</mo>", "…")])
    return _after("=", mathml_terms(part) if len(said) > _ONE_PIECE else [(mathml(part), said)])


def _after(sign: str, pieces: list[tuple[str, str]]) -> list[tuple[str, str]]:
    (markup, said), *rest = pieces
    return [(f'<mo form="infix">{sign}</mo>{markup}', f"{sign} {said}"), *rest]


def _math(inside: str, said: str) -> str:
    alternative = f' alttext="{escape(said, quote=True)}"' if said else ""
    return f"<math{alternative}>{inside}</math>"


def _value(line: Line) -> str:
    if isinstance(line.step.value, Expr):
        return mathml(line.step.value)
    return mathml_value(line.step.value, line.digits, line.step.name)


def _more(line: Line, checks: list[Check], ties: Ties) -> str:
    """What the line above does not say: more digits, and the second derivations."""
    rows = []
    if line.formula is not None and len(text(line.formula)) > LONGEST_FORMULA:
        rows.append(("formula", _math(mathml(line.formula), text(line.formula))))
    if line.filled is not None and text(line.filled, digits=8) != text(line.filled):
        rows.append(("with numbers", _math(mathml(line.filled, digits=8), text(line.filled, digits=8))))
    if _full(line) != line.value:
        rows.append(("value", escape(_full(line))))
    rows += [("checked", escape(_checked(check))) for check in checks]
    listed = "".join(f"<dt>{name}</dt><dd>{content}</dd>" for name, content in rows)
    return f'<div class="ob-more"><dl>{ties.in_step(listed, line.step)}</dl></div>'


def _full(line: Line) -> str:
    value = line.step.value
    if isinstance(value, Expr):
        return source(value)
    return repr(float(value)) if isinstance(value, float) and not line.exact else line.value


def _checked(check: Check) -> str:
    if not check.passed and isinstance(check.value, Expr):
        return f"WRONG: {check.expected}"
    if isinstance(check.value, Expr):
        return check.method
    if not check.passed:
        return f"WRONG: {check.method} gives {check.expected}"
    agreed = "all digits" if check.digits >= 15 else f"{int(check.digits)} digits"
    return f"{check.method}: agrees to {agreed}"


def draw_table(table: Table, ties: Ties | None = None) -> str:
    """A table in a box of its own width; long ones fold after their first rows."""
    numeric = [table.is_numeric(i) for i in range(len(table.columns))]
    head = "".join(
        f'<th scope="col"{_numeric(n)}>{escape(c)}</th>' for c, n in zip(table.columns, numeric, strict=True)
    )
    body = "".join(_row(row, numeric, i in table.marked, ties) for i, row in enumerate(table.rows))
    note = f'<p class="ob-small ob-quiet">{escape(table.note)}</p>' if table.note else ""
    drawn = (
        f'<div class="ob-scroll"><table class="ob-table"><caption>{escape(table.title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{note}"
    )
    if len(table.rows) <= _SHORT_TABLE:
        return drawn
    told = f"{escape(table.title)}: {len(table.rows)} rows"
    return f'<details class="ob-fold"><summary class="ob-small">{told}</summary>{drawn}</details>'


def _row(row: tuple[object, ...], numeric: list[bool], marked: bool, ties: Ties | None) -> str:
    """A row, headed by its first cell where that is a word."""
    cells = []
    for place, (value, is_number) in enumerate(zip(row, numeric, strict=True)):
        tag, scope = ("td", "") if place or is_number else ("th", ' scope="row"')
        tie = ties.cell(value) if ties else ""
        cells.append(f"<{tag}{scope}{_numeric(is_number)}{tie}>{escape(table_cell(value))}</{tag}>")
    mark = ' class="ob-marked"' if marked else ""
    return f"<tr{mark}>{''.join(cells)}</tr>"


def _numeric(is_numeric: bool) -> str:
    return ' class="n"' if is_numeric else ""


def _verdict(working: Working) -> str:
    verification = working.verification
    kind = "ob-check" if verification.passed else "ob-check ob-wrong"
    return f'<p class="{kind}">{"✓" if verification.passed else "✗"} {escape(verification.summary())}</p>'
