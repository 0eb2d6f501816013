"""Numbers and decisions of a tree as people read them: no more digits than tell one side from the other."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from openbook.explain.rows.levels import level_of, levels_text
from openbook.explain.trees.named import Names
from openbook.forest import Tree

__all__ = ["Decision", "counted", "decision", "held", "own_value", "portion", "share_text", "short"]

_DIGITS = 4


def short(value: float, digits: int = _DIGITS) -> str:
    """A number to so many significant digits (all those before the decimal point), without zeros at the end.

    >>> [short(v) for v in (2.449999988, 1234567.0, 0.5, -0.00001234, math.inf)]
    ['2.45', '1234567', '0.5', '−1.234e-5', '∞']
    """
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "missing")
    before = len(str(int(abs(value))))
    told = f"{value:.{max(digits, before) if before <= 9 else digits}g}"
    mantissa, _, exponent = told.partition("e")
    return (f"{mantissa}e{int(exponent)}" if exponent else mantissa).replace("-", "−", 1 if value < 0 else 0)


def rounded(value: float, decimals: int | None) -> str:
    """A number to so many decimals, or (None) as `short` has it."""
    return short(value) if decimals is None else f"{value:.{decimals}f}".replace("-", "−")


def share_text(share: float, decimals: int | None = None) -> str:
    """A fraction of one: 1 and 0 only where it is exactly that."""
    if decimals is not None:
        return f"{share:.{decimals}f}"
    if share in (0, 1):
        return short(share)
    return "< 0.001" if share < 0.0005 else "> 0.999" if share >= 0.9995 else f"{share:.3f}"


def counted(number: float, what: str = "row") -> str:
    """'1 row', '150 rows', '2 leaves'."""
    several = {"leaf": "leaves"}.get(what, f"{what}s")
    return f"{short(number)} {what if number == 1 else several}"


@dataclass(frozen=True)
class Decision:
    """A node's question in words: its feature, its threshold as shown, and what the two sides are called."""

    feature: str
    threshold: str
    left: str
    right: str
    missing_left: bool

    def side(self, left: bool, missing: bool = False) -> str:
        """'≤ 2.45', or with `missing` (some values are) '≤ 2.45 or missing' on the side where these go."""
        told = self.left if left else self.right
        parts_known = told.startswith(("≤", ">", "in "))
        return f"{told} or missing" if missing and left == self.missing_left and parts_known else told


def decision(
    tree: Tree, node: int, names: Names, beside: Iterable[float] = (), decimals: int | None = None
) -> Decision:
    """Word a node's decision; the threshold keeps as many digits as hold each value of `beside` on its side.

    An infinite threshold parts what is known from what is missing. A category's threshold stands between two places in the
    tree's order of levels, and is told by how many levels are on either side.
    """
    threshold = float(tree.threshold[node])
    feature, missing_left = names.features[tree.feature[node]], bool(tree.missing_left[node])
    if math.isinf(threshold):
        known, missing = "is known", "is missing"
        sides = (known, missing) if threshold > 0 else (missing, known)
        return Decision(feature, sides[0], *sides, missing_left)
    if int(tree.feature[node]) in tree.orders:
        left, right = (levels_text(tree, node, side, names.levels) for side in (True, False))
        return Decision(
            feature, " | ".join(str(len(side)) for side in tree.categories(node)), left, right, missing_left
        )
    told = _dividing(threshold, [v for v in beside if v == v]) if decimals is None else rounded(threshold, decimals)
    return Decision(feature, told, f"≤ {told}", f"> {told}", missing_left)


def _dividing(threshold: float, beside: list[float]) -> str:
    for digits in range(_DIGITS, 18):
        told = short(threshold, digits)
        if all((value <= _read(told)) == (value <= threshold) for value in beside):
            return told
    return repr(threshold)


def _read(told: str) -> float:
    return float(told.replace("−", "-"))


def beside_text(value: float, threshold: float, told: str) -> str:
    """A row's value with digits enough to stand on its side of the threshold as it is told."""
    if math.isnan(value) or math.isinf(threshold):
        return short(value)
    for digits in range(_DIGITS, 18):
        text = short(value, digits)
        if (_read(text) <= _read(told)) == (value <= threshold):
            return text
    return repr(value)


def own_value(tree: Tree, node: int, names: Names, value: float, asked: Decision) -> str:
    """What a row has in a node's feature: its number, or its level (`value` is then the level's place)."""
    feature = int(tree.feature[node])
    if feature in tree.orders:
        return level_of(tree, feature, names.levels, value)
    return beside_text(value, float(tree.threshold[node]), asked.threshold)


def held(tree: Tree, node: int, names: Names, decimals: int | None = None) -> str:
    """What a node says: its class with count and fraction, or its mean."""
    value = tree.value[node]
    if not names.classes:
        told = rounded(float(value[0]), decimals)
        return f"{names.centre} {told}"
    best = int(np.argmax(value))
    return f"{names.classes[best]}: {portion(tree, node, decimals)}"


def portion(tree: Tree, node: int, decimals: int | None = None) -> str:
    """How much of a node its largest class is: '49 of 54 · 0.907', '50 of 50'; of weights that are no counts, '54 rows · 0.907'."""
    value = tree.value[node]
    best, total = float(value.max()), float(value.sum())
    counts = f"{short(best)} of {short(total)}" if _is_counted(tree, node) else counted(int(tree.samples[node]))
    return counts if best == total else f"{counts} · {share_text(best / total, decimals)}"


def _is_counted(tree: Tree, node: int) -> bool:
    """Whether the classes of a node are whole numbers of rows, or of draws from them, and not other weights."""
    return bool(np.all(tree.value[node] == np.round(tree.value[node])))
