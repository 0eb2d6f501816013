"""The boxes of a tree picture: a question with the rows it parts, a leaf with what it holds, a branch left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openbook.explain.trees.level_plots import LevelPlot
from openbook.explain.trees.marks import stacked_bar, strip
from openbook.explain.trees.plots import Plot
from openbook.explain.trees.rows import Rows
from openbook.explain.trees.scene import Scene
from openbook.explain.trees.style import NAME, fitted, lettered, width_of, wrapped
from openbook.explain.trees.words import counted, held, portion, short

__all__ = ["Card", "card"]

_PAD, _QUESTION, _BAR = 10.0, 164.0, 12.0
_LEAF, _WIDEST_LEAF = 88.0, 150.0
_LINE, _TOP = 15.0, 27.0  # of names: from one to the next, and to what is below the first


@dataclass(frozen=True)
class Card:
    """A box: its kind ("question", "leaf", "folded"), its size, and what is drawn in it, from its upper left corner."""

    kind: str
    width: float
    height: float
    inside: str


def card(scene: Scene, node: int, fancy: bool) -> Card:
    """The box of a node; `fancy` ones of questions plot the rows, where these are given."""
    if scene.outline.is_leaf(node):
        return _leaf(scene, node)
    if scene.outline.is_folded(node):
        return _folded(scene, node)
    return _asked(scene, node) if scene.rows is None or not fancy else _plotted(scene, node, scene.rows)


def _shifted(x: float, y: float, inside: str) -> str:
    return f'<g transform="translate({x:g} {y:g})">{inside}</g>'


# --- questions -------------------------------------------------------------------------------------------------


def _asked(scene: Scene, node: int) -> Card:
    """A question with what the node holds."""
    rows = counted(int(scene.tree.samples[node]))
    room = _QUESTION - width_of(rows, 11) - 8
    below = (
        _content(scene, node, _QUESTION)
        + lettered(fitted(f"{scene.decision(node).left}?", room, 11), 0, _BAR + 15, "at")
        + lettered(rows, _QUESTION, _BAR + 15, "quiet", "end")
    )
    return _question(scene, node, below, _BAR + 23)


def _plotted(scene: Scene, node: int, rows: Rows) -> Card:
    """A question with the rows that reach it, on both sides of its threshold."""
    footer = counted(int(scene.tree.samples[node]))
    if not scene.names.classes:
        footer = f"{held(scene.tree, node, scene.names)} · {footer}"
    by_level = int(scene.tree.feature[node]) in scene.tree.orders
    plot = (LevelPlot if by_level else Plot)(scene, rows, node, _QUESTION)
    below = plot.draw() + lettered(footer, _QUESTION, plot.height + 13, "quiet", "end")
    return _question(scene, node, below, plot.height + 21)


def _question(scene: Scene, node: int, below: str, tall: float) -> Card:
    """The feature's name in one line or two, and what stands below it."""
    name = scene.names.features[scene.tree.feature[node]]
    lines = wrapped(name, _QUESTION, NAME)
    if len(lines) > 2:
        lines = [fitted(name, _QUESTION, NAME)]
    more = _LINE * (len(lines) - 1)
    told = "".join(lettered(line, _PAD, 18 + _LINE * i, "name") for i, line in enumerate(lines))
    return Card("question", _QUESTION + 2 * _PAD, _TOP + more + tall, told + _shifted(_PAD, _TOP + more, below))


# --- leaves ----------------------------------------------------------------------------------------------------


def _leaf(scene: Scene, node: int) -> Card:
    if not scene.names.classes:
        return _number(scene, node)
    best = int(np.argmax(scene.tree.value[node]))
    name, share = scene.names.classes[best], portion(scene.tree, node)
    width = min(max(_LEAF, width_of(share, 11), width_of(name, NAME) + 16), max(_WIDEST_LEAF, width_of(share, 11)))
    swatch = f'<rect fill="{scene.colours[best]}" x="{_PAD:g}" y="9" width="10" height="10" rx="2"/>'
    return _sealed(scene, node, width, swatch + lettered(fitted(name, width - 16, NAME), _PAD + 16, 18, "name"), share)


def _number(scene: Scene, node: int) -> Card:
    told = counted(int(scene.tree.samples[node]))
    targets = scene.targets(node)
    if targets is not None and len(targets) > 1:
        told += f" · ± {short(float(np.std(targets)), 3)}"
    name = held(scene.tree, node, scene.names)
    width = max(_LEAF, width_of(told, 11), width_of(name, NAME))
    return _sealed(scene, node, width, lettered(name, _PAD, 18, "name"), told)


def _folded(scene: Scene, node: int) -> Card:
    """A branch left out, and how large it is."""
    name = f"▸ {counted(int(scene.outline.below[node]), 'node')} below"
    told = f"{counted(int(scene.outline.leaves[node]), 'leaf')} · {counted(int(scene.tree.samples[node]))}"
    width = max(_LEAF, width_of(told, 11), width_of(name, NAME))
    sealed = _sealed(scene, node, width, lettered(name, _PAD, 18, "name"), told)
    return Card("folded", sealed.width, sealed.height, sealed.inside)


def _sealed(scene: Scene, node: int, width: float, head: str, told: str) -> Card:
    """A box with a heading, what the node holds, and a line about it."""
    inside = head + _shifted(_PAD, _TOP, _content(scene, node, width)) + lettered(told, _PAD, _TOP + _BAR + 15, "quiet")
    return Card("leaf", width + 2 * _PAD, _TOP + _BAR + 23, inside)


def _content(scene: Scene, node: int, width: float) -> str:
    """The node's classes as one parted bar; or its targets, and what it says, on the line from the smallest to the largest."""
    value = scene.tree.value[node]
    if scene.names.classes:
        return stacked_bar(value.tolist(), scene.colours, width, _BAR)
    low, high = scene.span
    targets = scene.targets(node)
    drawn = f'<rect class="track" width="{width:.1f}" height="{_BAR:g}"/>'
    if targets is not None and len(targets):
        drawn += strip(width * (targets - low) / (high - low), width, _BAR)
    x = width * (float(value[0]) - low) / (high - low)
    return f'{drawn}<path class="mean" d="M{x:.1f} -2v{_BAR + 4:g}"/>'
