"""Going along sequences: cut into steps, and those of packed sequences, fewer and fewer at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from openbook.nn.recurrent_cells import State
from openbook.ops import vocabulary as word

__all__ = ["Layer", "run_packed", "unbind"]

Layer = tuple[Callable[[Any], Any], Callable[[Any, State], State]]  # inputs prepared, and a step from state to state


def unbind(x: Any) -> list[Any]:
    """The entries along the first axis."""
    return [word.reshape(part, shape=part.shape[1:]) for part in pieces(x, [1] * x.shape[0])]


def pieces(x: Any, sizes: Sequence[int]) -> list[Any]:
    """Pieces of these lengths along the first axis, by halving again and again.

    The gradient of a piece is an array of zeros as large as what it was taken from. Taken from the whole, that would cost
    T² on the way back; taken from halves of halves, T·log T.
    """
    if len(sizes) == 1:
        return [x]
    middle = len(sizes) // 2
    cut = sum(sizes[:middle])
    first, second = (word.gather_entries(x, index=(part,)) for part in (slice(0, cut), slice(cut, x.shape[0])))
    return pieces(first, sizes[:middle]) + pieces(second, sizes[middle:])


def run_packed(sizes: list[int], layer: Layer, x: Any, state: State, backwards: bool) -> tuple[Any, State]:
    """One layer in one direction over packed sequences, longest first: its outputs, and each sequence's last state."""
    prepare, advance = layer
    inputs = pieces(prepare(x), sizes)
    outputs, end = _backwards(inputs, sizes, advance, state) if backwards else _onwards(inputs, sizes, advance, state)
    return word.cat(*outputs, axis=0) if len(outputs) > 1 else outputs[0], end


def _onwards(inputs: list[Any], sizes: list[int], advance: Any, state: State) -> tuple[list[Any], State]:
    """Sequences end one after the other, the last ones first."""
    outputs, ended = [], []
    rows = sizes[0]
    for moment, size in zip(inputs, sizes, strict=True):
        if size < rows:
            ended.append(tuple(_rows(part, size, rows) for part in state))
            state, rows = tuple(_rows(part, 0, size) for part in state), size
        state = advance(moment, state)
        outputs.append(state[0])
    for late in reversed(ended):
        state = tuple(word.cat(*parts, axis=0) for parts in zip(state, late, strict=True))
    return outputs, state


def _backwards(inputs: list[Any], sizes: list[int], advance: Any, first: State) -> tuple[list[Any], State]:
    """From the ends of all sequences: shorter ones join on the way."""
    outputs = []
    rows = sizes[-1]
    state = tuple(_rows(part, 0, rows) for part in first)
    for moment, size in zip(reversed(inputs), reversed(sizes), strict=True):
        if size > rows:
            joining = tuple(_rows(part, rows, size) for part in first)
            state = tuple(word.cat(*parts, axis=0) for parts in zip(state, joining, strict=True))
            rows = size
        state = advance(moment, state)
        outputs.append(state[0])
    return outputs[::-1], state


def _rows(x: Any, start: int, stop: int) -> Any:
    return word.gather_entries(x, index=(slice(start, stop),))
