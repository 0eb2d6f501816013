"""A whole tree at a glance, however large: every node as wide as the rows in it, level below level."""

from __future__ import annotations

import numpy as np

from openbook.explain.trees.scene import Scene

__all__ = ["TALL", "overview"]

TALL = 8.0  # pixels of a level
_THINNEST = 0.2  # pixels: what is narrower is not seen
_SHADES = 4


def overview(scene: Scene, width: float) -> tuple[str, float]:
    """The picture and its height. Colours are the most frequent class, stronger the purer; of numbers, stronger the larger."""
    tree, level = scene.tree, scene.outline.level
    begin, wide = np.zeros(len(tree)), width * tree.weight / tree.weight[0]
    for node in np.flatnonzero(~tree.is_leaf).tolist():
        left, right = tree.left[node], tree.right[node]
        begin[left], begin[right] = begin[node], begin[node] + wide[left]
    paths: dict[tuple[str, int], list[str]] = {}
    for node in np.flatnonzero(wide >= _THINNEST).tolist():
        box = f"M{begin[node]:.1f} {level[node] * TALL:g}h{wide[node]:.1f}v{TALL - 1:g}h{-wide[node]:.1f}z"
        paths.setdefault(_shade(scene, node), []).append(box)
    drawn = "".join(
        f'<path {kind} fill-opacity="{shade / _SHADES:g}" d="{"".join(boxes)}"/>'
        for (kind, shade), boxes in sorted(paths.items())
    )
    lit = "".join(
        f'<rect class="lit" x="{begin[n]:.1f}" y="{level[n] * TALL:g}" width="{max(wide[n], 1.5):.1f}" height="{TALL - 1:g}"/>'
        for n in scene.outline.path
    )
    return drawn + lit, float(level.max() + 1) * TALL


def _shade(scene: Scene, node: int) -> tuple[str, int]:
    value = scene.tree.value[node]
    if scene.names.classes:
        best = int(np.argmax(value))
        share, kind = float(value[best] / value.sum()), f'fill="{scene.colours[best]}"'
    else:
        low, high = scene.span
        share, kind = float((value[0] - low) / (high - low)), 'class="plain"'
    return kind, max(1, int(np.ceil(share * _SHADES)))
