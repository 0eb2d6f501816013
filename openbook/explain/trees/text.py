"""A tree in words, a line for every branch, folded to a width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from openbook.errors import InputError
from openbook.explain.trees.named import named_tree
from openbook.explain.trees.outline import outline
from openbook.explain.trees.scene import Scene
from openbook.explain.trees.words import Decision, counted, decision, held, short

__all__ = ["draw_text", "titled", "tree_text"]

_LEAST = 24  # characters that a line keeps for its words, however deep it stands


def tree_text(
    model: Any,
    *,
    tree: int | None = None,
    row: Any = None,
    max_depth: int | None = None,
    decimals: int | None = None,
    width: int = 100,
    missing: bool = False,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
) -> str:
    """A tree in words: a line for every branch, at its end what the leaf holds; the way of `row` is marked with ▶.

    `model` is a fitted tree of openbook or scikit-learn, or a forest with `tree` saying which of its trees. `max_depth`
    folds what is deeper (not the way of the row) and says how much that is. `decimals` rounds thresholds, fractions and
    means; by default they have four digits. `missing=True` says at every question where missing values go. Lines are
    folded to `width` characters.
    """
    if decimals is not None and not 0 <= decimals <= 17:
        raise InputError(f"decimals={decimals} is no number of decimals", where="decimals", do="give 0 to 17, or None")
    named = named_tree(model, tree, feature_names, class_names)
    x = None if row is None else named.names.row(row)
    scene = Scene(named, outline(named.tree, max_depth, x), row=x)
    return draw_text(scene, titled(scene), width, decimals, missing)


def titled(scene: Scene) -> str:
    """What a tree is, in one line."""
    tree, outlined = scene.tree, scene.outline
    leaves = int(outlined.leaves[0])
    size = f"depth {int(outlined.level.max())}, {counted(leaves, 'leaf')}"
    return f"{scene.named.title}: {size}, {counted(int(tree.samples[0]))}"


def draw_text(scene: Scene, title: str, width: int = 100, decimals: int | None = None, missing: bool = False) -> str:
    """Lines of at most `width` characters, but for trees deeper than that."""
    tree, names = scene.tree, scene.names
    lines = [title]
    if names.classes:
        lines.append(", ".join(f"{c}: {short(float(v))}" for c, v in zip(names.classes, tree.value[0], strict=True)))
    lines = [piece for line in lines for piece in textwrap.wrap(line, width)]
    if scene.outline.is_leaf(0):
        lines.append(held(tree, 0, names, decimals))
    step = 3 if scene.outline.depth * 3 <= width // 2 else 1
    for depth, told, gutter, rest in _branches(scene, step, decimals, missing):
        mark = "▶ " if depth in scene.outline.path else "  " if scene.outline.path else ""
        room = max(width - len(mark + gutter), _LEAST)
        first, *more = textwrap.wrap(told, room, subsequent_indent="    ") if len(told) > room else [told]
        lines.append(mark + gutter + first)
        lines += [" " * len(mark) + rest + piece for piece in more]
    if scene.outline.path:
        lines += textwrap.wrap(f"▶ {scene.answer()}", width)
    return "\n".join(lines)


def _branches(scene: Scene, step: int, decimals: int | None, missing: bool) -> Iterator[tuple[int, str, str, str]]:
    """Every node but the root, with its line, what stands before it, and before its further lines."""
    tree, outlined = scene.tree, scene.outline
    before = {0: ""}
    side: dict[int, tuple[Decision, bool]] = {}
    for node in outlined.nodes:
        pair = outlined.children(node)
        if pair:
            beside = [scene.own(node)] if scene.row is not None and node in outlined.path else []
            asked = decision(tree, node, scene.names, beside, decimals)
            for child, left in zip(pair, (True, False), strict=True):
                side[child] = asked, left
                before[child] = before[node] + ("" if node == 0 else _bar(side[node][1], step))
        if node:
            asked, left = side[node]
            told = f"{asked.feature} {asked.side(left, missing)}{_end(scene, node, decimals)}"
            yield node, told, before[node] + _hook(left, step), before[node] + _bar(left, step)


def _hook(left: bool, step: int) -> str:
    return ("├" if left else "└") + ("─ " if step == 3 else "")


def _bar(left: bool, step: int) -> str:
    return ("│" if left else " ") + " " * (step - 1)


def _end(scene: Scene, node: int, decimals: int | None) -> str:
    """What follows a branch's question: the leaf it leads to, or how many rows go on."""
    tree, rows = scene.tree, counted(int(scene.tree.samples[node]))
    if scene.outline.is_leaf(node):
        return f" → {held(tree, node, scene.names, decimals)}" + ("" if scene.names.classes else f"  ({rows})")
    if scene.outline.is_folded(node):
        return f"  ({rows}) … {counted(int(scene.outline.below[node]), 'node')} left out"
    return f"  ({rows})"
