"""The report: one HTML file that tells a table's story in eight parts, every number folding open to its working."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path

from openbook.decide import SCORES
from openbook.record import Table
from openbook.record.draw.figure import figure_svg
from openbook.record.draw.html import draw_figures, draw_table, draw_working
from openbook.record.draw.lines import shown_value
from openbook.record.draw.page import page
from openbook.study.parts import Part
from openbook.study.study import Study

__all__ = ["comparison", "draw_report"]

_MODELS = {"linear": "linear model", "network": "network", "forest": "forest"}  # in a sentence
_STYLE = """
.ob-lead{font-size:1.12rem}
nav ol{columns:2;column-gap:2rem;padding-left:1.4rem;margin:.6rem 0;font-size:.95rem}
nav li{break-inside:avoid;padding:.12rem 0}
.ob-number{color:var(--ob-accent);font-variant-numeric:lining-nums;margin-right:.5rem}
.ob-said{margin:.4rem 0;padding-left:1.2rem;font-size:.92rem}
.ob-said code{font-size:.82em;color:var(--ob-quiet)}
@media (max-width:640px){nav ol{columns:1}}
"""


def draw_report(study: Study, parts: Sequence[Part]) -> str:
    """The whole file."""
    body = [_head(study), _judgements(study), _models(study), _said(study), _row(study), _contents(parts)]
    body += [_part(i, part) for i, part in enumerate(parts, 1)]
    body.append(
        '<p class="ob-small ob-quiet">Made by openbook. Every step above can be opened; each says how it was checked. Nothing '
        "in this file is loaded from elsewhere.</p>"
    )
    return page(f"{study.task.target.name}: a study", "".join(body), style=_STYLE)


def comparison(study: Study) -> Table:
    """The models side by side on the held-out rows; the chosen one is marked."""
    columns = list(dict.fromkeys(name for scores in study.scores.values() for name in scores))
    rows = tuple(
        (name, *(scores.get(c) for c in columns)) for name, scores in study.scores.items() if name in study.models
    )
    marked = tuple(i for i, row in enumerate(rows) if row[0] == study.chosen)
    better = ", ".join(n for n in columns if n in SCORES and not SCORES[n].higher_is_better)
    note = f"the chosen model is marked: it had the least validation loss; of {better}, less is better"
    return Table(f"On {len(study.task.test.y):,} held-out rows", ("model", *columns), rows, note=note, marked=marked)


def _head(study: Study) -> str:
    task = study.task
    score = next(iter(study.scores[study.chosen]))
    what = (
        f"how large {escape(task.target.name)} is"
        if task.kind == "regression"
        else f"which of {task.target.classes} classes of {escape(task.target.name)} a row belongs to"
    )
    source, reached = escape(_name(task.table.source)), shown_value(study.scores[study.chosen][score])
    return (
        f"<h1>{escape(task.target.name)}, learnt three ways</h1>"
        f'<p class="ob-lead">From {len(task.kinds)} columns of {source} ({len(task.table):,} rows), three models learnt '
        f"{what}: a linear model, a network, a forest. The {_MODELS[study.chosen]} did best on rows kept aside for choosing; "
        f"on {len(task.test.y):,} rows that none of them had seen it reaches {escape(score)} {reached}.</p>"
        + draw_table(comparison(study))
    )


def _judgements(study: Study) -> str:
    """The scores of every model, folding open to what they are made of."""
    told = ((name, study.judgements[name].explain()) for name in study.models)
    drawn = "".join(
        draw_working(replace(w, title=f"The scores of the {_MODELS[name]}, worked out")) for name, w in told
    )
    return f'<details class="ob-fold"><summary class="ob-small">How each of these scores comes about</summary>{drawn}</details>'


def _name(source: str) -> str:
    return Path(source).name if os.sep in source else source


def _said(study: Study) -> str:
    lines = "".join(
        f"<li>{escape(guess.what)}{f' <code>{escape(guess.option)}</code>' if guess.option else ''}</li>"
        for guess in study.task.guesses
    )
    return (
        f'<details class="ob-fold"><summary class="ob-small">What was guessed, and the option that says otherwise</summary>'
        f'<ul class="ob-said">{lines}</ul></details>'
    )


def _contents(parts: Sequence[Part]) -> str:
    items = "".join(f'<li><a href="#part-{i}">{escape(part.title)}</a></li>' for i, part in enumerate(parts, 1))
    return f'<nav aria-label="Parts"><ol>{items}</ol></nav>'


def _models(study: Study) -> str:
    rows = tuple((name, fitted.how) for name, fitted in study.models.items())
    return (
        f'<details class="ob-fold"><summary class="ob-small">How each model was made, and why so</summary>'
        f"{draw_table(Table('Models', ('model', 'how and why'), rows))}</details>"
    )


def _row(study: Study) -> str:
    """The followed row, as it stands in the table, and what each model says of it."""
    task = study.task
    place = int(task.test.places[study.row])
    rows = tuple((name, _cell(task.test_table.columns[name][place])) for name in task.kinds)
    own = task.test_table.columns[task.target.name][place]
    return (
        f"<p>Some parts follow a single held-out row, row {place + 1}: {escape(task.target.name)} is "
        f"<strong>{escape(_cell(own))}</strong> there. {_verdicts(study)}</p>"
        f'<details class="ob-fold"><summary class="ob-small">Row {place + 1} as it stands in the table</summary>'
        f"{draw_table(Table(f'Row {place + 1}', ('column', 'entry'), rows))}</details>"
    )


def _verdicts(study: Study) -> str:
    task = study.task
    told = []
    for name, fitted in study.models.items():
        row = type(task.test)(
            *(a[study.row : study.row + 1] for a in (task.test.design, task.test.tree, task.test.y, task.test.places))
        )
        given = fitted.predict(row)[0]
        if task.kind == "regression":
            told.append(f"the {_MODELS[name]} predicts {shown_value(float(given))}")
        elif task.kind == "two":
            told.append(
                f"the {_MODELS[name]} gives {escape(task.target.positive)} a probability of {shown_value(float(given[1]))}"
            )
        else:
            told.append(
                f"the {_MODELS[name]} says {escape(task.target.labels[int(given.argmax())])} with {shown_value(float(given.max()))}"
            )
    sentence = "; ".join(told)
    return sentence[:1].upper() + sentence[1:] + "."


def _cell(value: object) -> str:
    if value is None or value != value:
        return "(missing)"
    return shown_value(value)


def _part(number: int, part: Part) -> str:
    blocks = [f'<h2 id="part-{number}"><span class="ob-number">{number}</span>{escape(part.title)}</h2>']
    blocks += [f"<p>{escape(sentence)}</p>" for sentence in part.text]
    blocks += [f'<div class="ob-scroll">{figure_svg(display)}</div>' for display in part.displays]
    blocks += [draw_table(table) for table in part.tables]
    blocks += [draw_figures(working) for working in part.workings[: part.pictured]]
    blocks += [draw_working(working, figures=i >= part.pictured) for i, working in enumerate(part.workings)]
    return f"<section>{''.join(blocks)}</section>"
