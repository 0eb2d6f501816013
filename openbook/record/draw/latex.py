"""A working as a LaTeX fragment: amsmath for the steps, booktabs for the tables, no line wider than an article's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from openbook.expr import Expr, latex, latex_terms, latex_text, name_latex, number_latex, text
from openbook.expr.paper import array_latex
from openbook.expr.width import name_width, width
from openbook.record.draw.columns import LONGEST_TABLE, Column, columns_of, in_blocks
from openbook.record.draw.lines import LONGEST_FORMULA, Line, parts
from openbook.record.table import Table
from openbook.record.working import Working

__all__ = ["draw", "step_latex"]

# In digits of the type in use, of which an article's line holds 69.
_LINE = 62.0
_MARGIN = 15.0  # names up to here stand to the left of the equals signs; wider ones among the formulas
_REASON = 0.83  # a letter of a reason
_GAP = 4.0
_TABLE = 76  # characters of a table that fit side by side, in a small type
_LONG_CELL = 30  # characters: what is longer is folded
_APART = 2  # characters between columns
_TEXT = re.compile(r"(?<=^= )\\text\{|(?<=^\\approx )\\text\{")  # a value in words, which may break anywhere


@dataclass(frozen=True)
class _Side:
    """What follows an equals sign, in pieces between which a line may end, each with how wide it is."""

    pieces: tuple[tuple[str, float], ...]

    @property
    def width(self) -> float:
        return sum(wide for _, wide in self.pieces)

    def __str__(self) -> str:
        return " ".join(piece for piece, _ in self.pieces)


def draw(working: Working) -> str:
    """Parts as align* environments, reasons beside the equations, or below where there is no room."""
    blocks = [rf"\paragraph{{{latex_text(working.title)}}}"]
    if working.question:
        blocks.append(rf"\emph{{{latex_text(working.question)}}}")
    for heading, lines in parts(working):
        if heading:
            blocks.append(rf"\noindent\textbf{{{latex_text(heading)}}}")
        body = " \\\\\n".join(_rows(lines))
        blocks.append(f"\\begin{{align*}}\n{body}\n\\end{{align*}}")
    for table in working.tables:
        blocks += _table(table)
    blocks += [latex_text(note) for note in working.notes]
    blocks.append(rf"\emph{{{latex_text(working.verification.summary())}}}")
    body = "\n\n".join(blocks)
    return f"\\begingroup\\allowdisplaybreaks\\sloppy\n{body}\n\n\\endgroup\n"


def step_latex(line: Line) -> str:
    """`name = formula = numbers = value`."""
    return " ".join([name_latex(line.step.name), *map(str, _sides(line))])


def _rows(lines: Sequence[Line]) -> list[str]:
    """The rows of one align*: names, sides from the equals sign on, and reasons where all fit beside the widest row."""
    margin = max((w for line in lines if (w := name_width(line.step.name)) <= _MARGIN), default=0.0)
    room = _LINE - margin
    reasons = max((_REASON * len(line.said) for line in lines), default=0.0)
    widest = max(sum(side.width for side in _sides(line)) + _own_margin(line) for line in lines)
    beside = margin + widest + _GAP + reasons <= _LINE
    rows: list[str] = []
    for line in lines:
        rows += _calculation(line, room)
        if line.said and beside:
            rows[-1] += rf" && \text{{\small {latex_text(line.said)}}}"
        elif line.said:
            share = 0.94 * (room - _GAP) / _LINE
            rows.append(
                rf"&\quad\parbox[t]{{{share:.2f}\linewidth}}{{\raggedright\small {latex_text(line.said)}\strut}}"
            )
    return rows


def _own_margin(line: Line) -> float:
    """Of a name that stands among the formulas."""
    wide = name_width(line.step.name)
    return wide if wide > _MARGIN and not line.continues else 0.0


def _calculation(line: Line, room: float) -> list[str]:
    """One row where it fits; else one for each side, long sums in several."""
    name, sides, own = name_latex(line.step.name), _sides(line), _own_margin(line)
    start = "&" if line.continues else f"&{name} " if own else f"{name} &"
    if own + sum(side.width for side in sides) <= room:
        return [start + " ".join(map(str, sides))]
    if own:
        return [start, *(rf"&\quad {row}" for side in sides for row in _broken(side, room - 2))]
    first, *others = (row for side in sides for row in _broken(side, room))
    return [start + first, *(f"&{row}" for row in others)]


def _broken(side: _Side, room: float) -> list[str]:
    """The pieces of a side in rows, as many to a row as fit."""
    rows: list[str] = []
    taken = 0.0
    for piece, wide in side.pieces:
        if wide > room:
            piece = _TEXT.sub(rf"\\parbox[t]{{{0.9 * room / _LINE:.2f}\\linewidth}}{{\\raggedright ", piece)
        if rows and taken + wide <= room:
            rows[-1] += f" {piece}"
            taken += wide
        else:
            rows.append(rf"\quad {piece}" if rows else piece)
            taken = wide + (2.0 if len(rows) > 1 else 0.0)
    return rows


def _sides(line: Line) -> list[_Side]:
    """What stands behind each equals sign; a value that repeats the formula is left out."""
    sides = [_formula(part) for part in (line.formula, line.filled) if part is not None]
    value = _value(line)
    sign = "=" if line.exact else r"\approx"
    if value and (not sides or str(sides[-1]) != f"= {value}"):
        wide = width(line.step.value) if isinstance(line.step.value, Expr) else _value_width(line)
        sides.append(_Side(((f"{sign} {value}", wide + 3),)))
    return sides


def _formula(part: Expr) -> _Side:
    if len(text(part)) > LONGEST_FORMULA:
        return _Side(((r"= \cdots", 4.0),))
    first, *terms = latex_terms(part)
    return _Side(((f"= {first[0]}", first[1] + 3), *terms))


def _value(line: Line) -> str:
    value = line.step.value
    if isinstance(value, Expr):
        return latex(value)
    if isinstance(value, str):
        return rf"\text{{{latex_text(value)}}}"
    if getattr(value, "ndim", 0):
        return array_latex(value, line.digits)
    return number_latex(value, spelling=line.value)


def _value_width(line: Line) -> float:
    """A column of numbers is as wide as one of them; a matrix as its rows."""
    shape = getattr(line.step.value, "shape", ())
    columns = 1 if len(shape) == 1 else shape[-1] if shape else 0
    return 9.0 * columns if columns and max(shape) <= 6 else float(len(line.value))


def _table(table: Table) -> list[str]:
    """The title, the columns in as many blocks as it takes, and the note."""
    columns = columns_of(table)
    drawn = [rf"\noindent\textbf{{{latex_text(table.title)}}}\nopagebreak"]
    drawn += [_tabular(block) for block in in_blocks(columns, [_width(c) for c in columns], _APART, _TABLE)]
    if len(table.rows) > LONGEST_TABLE:
        drawn.append(rf"\noindent\dots{{}} {len(table.rows) - LONGEST_TABLE} more rows")
    return [*drawn, rf"\noindent {latex_text(table.note)}"] if table.note else drawn


def _width(column: Column) -> int:
    """In characters; long cells are folded to `_LONG_CELL`."""
    return max(len(column.head), min(max(map(len, column.cells), default=0), _LONG_CELL))


def _tabular(columns: list[Column]) -> str:
    kinds = "".join(map(_kind, columns))
    head, *rows = (_cells(row) for row in zip(*((c.head, *c.cells) for c in columns), strict=True))
    body = "\n".join(rows)
    return (
        f"\\noindent{{\\small\\begin{{tabular}}{{@{{}}{kinds}@{{}}}}\n\\toprule\n{head}\n\\midrule\n{body}\n\\bottomrule\n"
        "\\end{tabular}}"
    )


def _kind(column: Column) -> str:
    if column.numeric:
        return "r"
    folded = max(map(len, column.cells), default=0) > _LONG_CELL
    return rf"p{{{_LONG_CELL / _TABLE:.2f}\linewidth}}" if folded else "l"


def _cells(row: tuple[str, ...]) -> str:
    return " & ".join(map(latex_text, row)) + r" \tabularnewline"
