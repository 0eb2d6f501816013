"""Everything that a picture of one tree is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from openbook.explain.trees.named import NamedTree, Names
from openbook.explain.trees.outline import Outline
from openbook.explain.trees.rows import Rows
from openbook.explain.trees.style import class_colours
from openbook.explain.trees.words import Decision, counted, decision, held, own_value
from openbook.forest import Tree

__all__ = ["Scene"]


@dataclass(frozen=True, eq=False)
class Scene:
    """A tree with its names, what is shown of it, the rows given for its histograms, and the row whose way is lit."""

    named: NamedTree
    outline: Outline
    rows: Rows | None = None
    row: np.ndarray | None = None

    @property
    def tree(self) -> Tree:
        return self.named.tree

    @property
    def names(self) -> Names:
        return self.named.names

    @property
    def leaf(self) -> int | None:
        """Where the row ends."""
        return self.outline.path[-1] if self.outline.path else None

    @cached_property
    def colours(self) -> list[str]:
        """One for each class."""
        return class_colours(self.tree.value[0]) if self.names.classes else []

    @cached_property
    def span(self) -> tuple[float, float]:
        """From the smallest to the largest target: of the rows, else of the leaves."""
        y = self.targets(0)
        known = self.tree.value[:, 0] if y is None else y
        low, high = float(known.min()), float(known.max())
        return (low, high) if low < high else (low - 0.5, high + 0.5)

    def targets(self, node: int) -> np.ndarray | None:
        """The targets of the rows that reach a node, where they are given."""
        return None if self.rows is None else self.rows.targets(node)

    @property
    def is_scattered(self) -> bool:
        """Whether questions show target against feature: for numbers, where targets are given."""
        return not self.names.classes and self.targets(0) is not None

    def values(self, node: int) -> np.ndarray:
        """What the rows that reach a node have in its feature, NaN where missing."""
        return self.rows.values(node, self.tree.feature[node]) if self.rows is not None else np.empty(0)

    def own(self, node: int) -> float:
        """What the row whose way is lit has there."""
        assert self.row is not None
        feature = int(self.tree.feature[node])
        return self.tree.asked(feature, float(self.row[feature]))

    def decision(self, node: int) -> Decision:
        """A node's question, its threshold with digits enough for the rows beside it."""
        values, threshold = self.values(node), self.tree.threshold[node]
        beside = [*values[values <= threshold].max(initial=-np.inf, keepdims=True),
                  *values[values > threshold].min(initial=np.inf, keepdims=True)]  # fmt: skip
        if self.row is not None and node in self.outline.path:
            beside.append(self.own(node))
        return decision(self.tree, node, self.names, map(float, beside))

    def side(self, node: int, left: bool) -> str:
        """What stands beside the way from a node to a child: the question's side, or the row's own value on it."""
        asked = self.decision(node)
        child = int(self.tree.left[node] if left else self.tree.right[node])
        if self.row is None or child not in self.outline.path:
            return asked.side(left, bool(np.isnan(self.values(node)).any()))
        value = self.own(node)
        if np.isnan(value) or np.isinf(self.tree.threshold[node]):
            return "missing" if np.isnan(value) else "known"
        return f"{own_value(self.tree, node, self.names, value, asked)} {asked.side(left)}"

    def told(self, node: int) -> str:
        """A node in one sentence, for who points at it or hears it read."""
        counts = f"node {node}: {counted(int(self.tree.samples[node]))}"
        if self.names.classes:
            parts = [f"{c} {v:.10g}" for c, v in zip(self.names.classes, self.tree.value[node], strict=True) if v > 0]
            content = ", ".join(parts)
        else:
            content = f"{self.names.centre} {float(self.tree.value[node, 0])!r}"
        if self.outline.is_leaf(node):
            return f"Leaf, {counts}; {content}"
        threshold = float(self.tree.threshold[node])
        asked = self.decision(node)
        worded = np.isinf(threshold) or int(self.tree.feature[node]) in self.tree.orders
        question = f"{asked.feature} {asked.left if worded else f'≤ {threshold!r}'}?"
        left_out = f"; {self.outline.below[node]} nodes below are left out" if self.outline.is_folded(node) else ""
        return f"{question} {counts}; {content}{left_out}"

    def answer(self) -> str:
        """What the tree says of the row."""
        if self.leaf is None:
            return ""
        kind = "a leaf of" if self.names.classes else "a leaf with the"
        return f"The row ends in {kind} {held(self.tree, self.leaf, self.names)}."
