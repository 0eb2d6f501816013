"""A formula over several lines, broken where a person would: before an operator, outside of brackets, never in a name."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["broken"]

_SIGNS = "+−-<≤>≥=≠≈"
_INSIDE = 100  # no line ends between the brackets of an index if it can end anywhere else
_TIGHT = 50  # nor between factors, where there is a space to end it at


def broken(formula: str, width: int) -> list[str]:
    """The formula in lines of at most `width` characters; the spaces it is broken at go, nothing else does."""
    lines = []
    while len(formula) > width:
        at = _best(formula, width)
        lines.append(formula[:at].rstrip())
        formula = formula[at:].lstrip()
    return [*lines, formula]


def _best(formula: str, width: int) -> int:
    """Where the first line ends: at the lowest cost, of equal ones the last; a short line costs as much as a bracket."""
    places = [(cost + (at < width * 0.4), -at) for at, cost in _places(formula) if 0 < at <= width]
    return -min(places)[1] if places else width


def _places(formula: str) -> Iterator[tuple[int, float]]:
    """Where a line may end, and at what cost."""
    brackets: list[int] = []
    for i, character in enumerate(formula):
        depth = sum(brackets)
        if character in "([{":
            is_index = character == "[" and i > 0 and (formula[i - 1].isalnum() or formula[i - 1] in "_′")
            brackets.append(_INSIDE if is_index else 1)
        elif character in ")]}" and brackets:
            brackets.pop()
        elif character == " ":
            after, before = formula[i + 1 : i + 2], formula[i - 1 : i]
            if after and after in _SIGNS and formula[i + 2 : i + 3] == " ":
                yield i, depth
            elif before not in _SIGNS or (
                i > 1 and formula[i - 2] != " "
            ):  # not between an operator and its right side
                yield i, depth + (0.5 if before == "," else 1)
        elif character in "·/" and i:
            yield i, depth + _TIGHT
