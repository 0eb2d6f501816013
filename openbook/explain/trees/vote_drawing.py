"""A forest's vote on one row as SVG: what it comes to, every tree's answer, what was asked, and the surest trees' ways."""

from __future__ import annotations

from collections.abc import Sequence

from openbook.explain.trees.marks import stacked_bar
from openbook.explain.trees.style import BOLD, NAME, class_colours, fitted, lettered, said, style, width_of, wrapped
from openbook.explain.trees.vote import Vote, Way
from openbook.explain.trees.vote_chart import LEFT, RIGHT, Chart
from openbook.explain.trees.words import counted, held, share_text

__all__ = ["COLUMNS", "draw_vote"]

_WIDTH, _MARGIN = 780.0, 14.0
_ROOM = _WIDTH - 2 * _MARGIN
_LINE = 17.0
_FEATURES, COLUMNS = 8, 2
_TURNS = 9  # of longer ways the middle is left out
Drawn = tuple[str, float]


def draw_vote(vote: Vote, title: str, summary: Sequence[str]) -> str:
    """One `<svg>` element, complete in itself."""
    colours = class_colours(vote.ways[0].tree.value[0]) if vote.of_classes else []
    parts = [_heading(title, summary)]
    if vote.of_classes:
        parts.append(_sums(vote, colours))
    parts += [Chart(vote, colours, _ROOM).draw(), _features(vote), _ways(vote, colours)]
    drawn, y = "", 0.0
    for part, tall in parts:
        drawn += f'<g transform="translate({_MARGIN:g} {y:.1f})">{part}</g>'
        y += tall
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ob-tree" role="img" width="{_WIDTH:.0f}" height="{y:.0f}" '
        f'viewBox="0 0 {_WIDTH:.0f} {y:.0f}"><title>{said(title)}</title><desc>{said(" ".join(summary))}</desc>'
        f"{style()}{drawn}</svg>"
    )


def _heading(title: str, summary: Sequence[str]) -> Drawn:
    drawn, y = "", _MARGIN
    for line in wrapped(title, _ROOM, 15 * BOLD):
        y += 18
        drawn += lettered(line, 0, y, "title")
    for sentence in summary:
        for line in wrapped(sentence, _ROOM, NAME):
            y += 18
            drawn += lettered(line, 0, y, "name")
    return drawn, y + 24


def _sums(vote: Vote, colours: Sequence[str]) -> Drawn:
    """Soft above hard, every class with its part, and what the colours are."""
    drawn, wide = "", _ROOM - LEFT - RIGHT
    for i, (name, shares, meaning) in enumerate(
        (("soft", vote.soft, "mean of fractions"), ("hard", vote.hard, "share of votes"))
    ):
        y = i * 26.0
        drawn += lettered(name, 0, y + 12, "name")
        drawn += f'<g transform="translate({LEFT:g} {y:g})"><title>{said(name)}: {said(meaning)}</title>'
        drawn += f"{stacked_bar(shares.tolist(), colours, wide, 16)}</g>"
        drawn += lettered(meaning, LEFT + wide + 8, y + 12, "quiet")
    x, y = LEFT, 70.0
    drawn += lettered("soft", 0, y, "quiet")
    for name, colour, soft in zip(vote.names.classes, colours, vote.soft, strict=True):
        told = fitted(f"{name} {share_text(float(soft))}", wide)
        if x > LEFT and x + width_of(told) + 30 > _ROOM:
            x, y = LEFT, y + 19
        drawn += f'<rect fill="{colour}" x="{x:.1f}" y="{y - 10:.1f}" width="11" height="11" rx="2"/>{lettered(told, x + 16, y, "")}'
        x += width_of(told) + 30
    return drawn, y + 26


def _features(vote: Vote) -> Drawn:
    """What the row was asked about most."""
    asked = vote.asked()
    drawn, y = lettered("Asked on the row's ways", 0, 4, "name"), 24.0
    names, most = 230.0, max((trees for _, trees, _ in asked), default=1)
    for feature, trees, questions in asked[:_FEATURES]:
        drawn += lettered(fitted(feature, names - 10), names - 8, y + 10, "", "end")
        wide = (_ROOM - names - 190) * trees / most
        drawn += f'<rect class="plain" x="{names:g}" y="{y:g}" width="{wide:.1f}" height="12"/>'
        drawn += lettered(
            f"{counted(trees, 'tree')}, {counted(questions, 'question')}", names + wide + 6, y + 10, "quiet"
        )
        y += 19
    if len(asked) > _FEATURES:
        drawn += lettered(f"and {counted(len(asked) - _FEATURES, 'more feature')}", names, y + 10, "quiet")
        y += 19
    if not asked:
        drawn += lettered("nothing: every tree is a single leaf", 0, y + 10, "quiet")
        y += 19
    return drawn, y + 26


def _ways(vote: Vote, colours: Sequence[str]) -> Drawn:
    """The ways through the trees that are most for the answer, and most against it."""
    most, least = vote.extremes(COLUMNS)
    words = ("The largest", "The smallest")
    if vote.of_classes:
        name = fitted(vote.names.classes[vote.chosen], _ROOM - 100)
        words = (f"Most for {name}", f"Least for {name}")
    drawn, y = "", 4.0
    for heading, ways in zip(words, (most, least), strict=True):
        if not ways:
            continue
        drawn += lettered(heading, 0, y, "name")
        columns = [_way(vote, way, colours, _ROOM / COLUMNS - 14) for way in ways]
        for i, (column, _) in enumerate(columns):
            drawn += f'<g class="way" transform="translate({i * _ROOM / COLUMNS:.1f} {y + 12:.1f})">{column}</g>'
        y += max(tall for _, tall in columns) + 40
    return drawn, y


def _way(vote: Vote, way: Way, colours: Sequence[str], wide: float) -> Drawn:
    """One tree's turns as a line that goes left or right, with its words beside it, and its leaf."""
    told = [way.words(turn, vote.names) for turn in way.turns]
    steps = [-1 if turn.left else 1 for turn in way.turns]
    if len(told) > _TURNS:
        left_out = len(told) - _TURNS + 1
        told = [*told[: _TURNS - 2], ("…", f"{counted(left_out, 'question')} more"), told[-1]]
        steps = [*steps[: _TURNS - 2], 0, steps[-1]]
    xs = [0.0]
    for step in steps:
        xs.append(xs[-1] + 6.0 * step)
    shift, span = 8 - min(xs), max(xs) - min(xs) + 16
    drawn, y = lettered(f"tree {way.number}", 0, 8, "at"), 20.0
    for i, ((feature, side), step) in enumerate(zip(told, steps, strict=True)):
        x, below = xs[i] + shift, xs[i + 1] + shift
        other = f'<path class="axis" d="M{x:.1f} {y:.1f}l{-6 * step} {_LINE * 0.6:.1f}"/>' if step else ""
        drawn += f'{other}<path class="edge lit" stroke-width="2" d="M{x:.1f} {y:.1f}L{below:.1f} {y + _LINE:.1f}"/>'
        drawn += f'<circle class="ink" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>'
        words = f"{fitted(feature, wide - span - 10 - width_of(side, 11), 11)} {side}"
        drawn += lettered(words, span + 6, y + 4, "quiet")
        y += _LINE
    leaf = xs[-1] + shift
    if vote.of_classes:
        drawn += (
            f'<rect fill="{colours[way.winner]}" x="{leaf - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" rx="2"/>'
        )
    else:
        drawn += f'<circle class="plain" cx="{leaf:.1f}" cy="{y:.1f}" r="5"/>'
    drawn += lettered(fitted(held(way.tree, way.leaf, vote.names), wide - span - 6, 11), span + 6, y + 4, "at")
    return drawn, y + 8
