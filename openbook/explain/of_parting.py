"""Two records compared: the first step where they part."""

from __future__ import annotations

from typing import Any

from openbook.explain.dispatch import explains
from openbook.record import Parting, Working
from openbook.record import diff as parted
from openbook.tensor import functions

__all__ = ["diff", "explain_parting"]


@explains(Parting)
def explain_parting(parting: Parting) -> Working:
    """Show the first parting in numbers, and all that follows from it in a table."""
    return parting.working


def diff(input: Any, *arguments: Any, **options: Any) -> Any:
    """Where two workings part: `diff(working_a, working_b, rtol=None)`, see `openbook.record.diff`.

    Of a tensor the differences of neighbours, as in PyTorch: `diff(input, n=1, dim=-1, prepend=None, append=None)`.
    """
    if isinstance(input, Working):
        return parted(input, *arguments, **options)
    return functions.method_as_function("diff")(input, *arguments, **options)
