"""The one way in which results below offer an explanation that is built above them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openbook.record.working import Working

__all__ = ["Explains"]


class Explains:
    """Mix in to give a result `.explain(...)`; `openbook.explain` is found by name, so no floor imports a higher one."""

    __slots__ = ()

    def explain(self, *arguments: Any, **options: Any) -> Working:
        """Show how this came about; see `openbook.explain` for the options."""
        return import_module("openbook.explain").explain(self, *arguments, **options)
