"""Two records compared: the first step where they part."""

from __future__ import annotations

from openbook.explain.dispatch import explains
from openbook.record import Parting, Working

__all__ = ["explain_parting"]


@explains(Parting)
def explain_parting(parting: Parting) -> Working:
    """Show the first parting in numbers, and all that follows from it in a table."""
    return parting.working
