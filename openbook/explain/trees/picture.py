"""What `plot_tree` hands out: a picture that can be looked at, saved, and read as text or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openbook.errors import InputError
from openbook.explain.trees.drawing import Drawing
from openbook.explain.trees.export import as_dict
from openbook.explain.trees.named import named_tree
from openbook.explain.trees.outline import outline
from openbook.explain.trees.rows import rows_of
from openbook.explain.trees.scene import Scene
from openbook.explain.trees.text import draw_text, titled
from openbook.files import write_whole
from openbook.record.draw.page import page

__all__ = ["Picture", "TreePicture", "plot_tree"]

_MOST = 63  # nodes: deeper ones are folded, unless max_depth asks for them
_WIDE_PAGE = "main{max-width:none}.ob-tree{display:block;margin:0 auto}"


class Picture:
    """An SVG with the words that go with it."""

    title: str

    def svg(self) -> str:
        """One `<svg>` element, light and dark, without scripts; text in it can be selected."""
        raise TypeError("said by each picture")

    def text(self, width: int = 100) -> str:
        """The same in words, folded to `width`."""
        raise TypeError("said by each picture")

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        raise TypeError("said by each picture")

    def html(self) -> str:
        """A page of its own, that asks for nothing from elsewhere."""
        return page(self.title, self._fragment(), style=_WIDE_PAGE)

    def save(self, path: str | Path) -> Path:
        """Write .svg, .html, .txt or .json, whole or not at all; returns the path. Raises FileError where it cannot."""
        place = Path(path)
        kinds: Mapping[str, Callable[[], str]] = {
            ".svg": self.svg, ".html": self.html, ".txt": self.text,
            ".json": lambda: json.dumps(self.to_dict(), ensure_ascii=False, indent=1),
        }  # fmt: skip
        if place.suffix.lower() not in kinds:
            raise InputError(f"{place.name} says no kind of file", where="path", do=f"end it in {', '.join(kinds)}")
        write_whole(place, kinds[place.suffix.lower()](), where="path")
        return place

    def _fragment(self) -> str:
        return f'<div class="ob-scroll" style="overflow-x:auto">{self.svg()}</div>'

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self._fragment(), "image/svg+xml": self.svg(), "text/plain": self.text()}

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.title!r}>"


@dataclass(frozen=True, eq=False, repr=False)
class TreePicture(Picture):
    """A tree drawn."""

    drawing: Drawing

    @property
    def title(self) -> str:  # type: ignore[override]
        return self.drawing.title

    def svg(self) -> str:
        return self.drawing.svg()

    def text(self, width: int = 100) -> str:
        return draw_text(self.drawing.scene, self.title, width)

    def to_dict(self) -> dict[str, Any]:
        return as_dict(self.drawing.scene, self.title)


def plot_tree(
    model: Any,
    X: Any = None,
    y: Any = None,
    *,
    tree: int | None = None,
    row: Any = None,
    max_depth: int | None = None,
    orientation: str = "down",
    fancy: bool = True,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
) -> TreePicture:
    """Draw a tree: at every question the rows that reach it, in every leaf what it holds, one row's way lit.

    `model` is a fitted tree of openbook or scikit-learn, or a forest with `tree` saying which of its trees. `X`
    (rows, features) and `y` (rows,) are the rows for the plots, best those of the training; without them the counts that
    the tree holds are drawn. `row` (features,) is the row whose way is lit. `max_depth` folds what is deeper (by default
    what is more than 63 nodes; the way of the row is never folded). `orientation` is "down" or "right";
    `fancy=False` draws small boxes. The result has `svg()`, `html()`, `text()`, `to_dict()` and `save(path)`.

    Raises ExplainError for what is no tree, InputError for rows or names that do not fit it.
    """
    if orientation not in ("down", "right"):
        raise InputError(f"orientation={orientation!r} is unknown", where="orientation", do='choose "down" or "right"')
    named = named_tree(model, tree, feature_names, class_names)
    x = None if row is None else named.names.row(row)
    scene = Scene(named, outline(named.tree, max_depth, x, _MOST), rows_of(named, X, y), x)
    return TreePicture(Drawing(scene, titled(scene), orientation == "down", fancy))
