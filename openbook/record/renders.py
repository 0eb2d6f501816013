"""How what can be drawn is shown: by print, by IPython, by marimo."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import ClassVar

__all__ = ["Renders"]


class Renders:
    """Mix in to what has `text(width, color)`, `markdown()` and `html(standalone)`; nothing is drawn until it is wanted."""

    __slots__ = ()

    text: Callable[..., str]
    html: Callable[..., str]
    _forms: ClassVar[dict[str, str]] = {"text/markdown": "markdown", "text/plain": "text"}

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, str]:
        """For notebooks (IPython's protocol): of all forms, those in `include` and not in `exclude`."""
        draws = {"text/html": self._notebook} | {kind: getattr(self, form) for kind, form in self._forms.items()}
        wanted = set(draws if include is None else include) - set(exclude or ())
        return {kind: draw() for kind, draw in draws.items() if kind in wanted}

    def _mime_(self) -> tuple[str, str]:
        """For marimo."""
        return "text/html", self._notebook()

    def _notebook(self) -> str:
        return import_module("openbook.record.draw.page").in_notebook(self.html(standalone=False))

    def __str__(self) -> str:
        """As wide as the terminal and in its colours, where standard output is one; plain in a file or a pipe."""
        return self.text(*import_module("openbook.record.draw.terminal").terminal())
