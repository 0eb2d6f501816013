"""Parameters that move together: gathered into one flat array, so that a rule runs once for all of them.

On a small network a step costs what calling NumPy costs, not what the arithmetic costs. A bucket holds parameters of one
dtype that have come equally far, and their state in one flat array per name; each step copies values and gradients into
flat arrays, runs the rule, and copies the values back. A large parameter is a bucket of its own, is not copied, and is
worked through in blocks that stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from openbook.errors import ShapeError
from openbook.optim.fused import Fused
from openbook.tensor.tensor import Tensor

__all__ = ["BLOCK", "LARGE", "Bucket", "Kept", "Workspace", "fill"]

BLOCK = 32_768  # numbers worked on at a time: a handful of float32 arrays of this length fit into the cache
FEW = 12  # arrays: copied one by one sooner than concatenate() has looked at them
LARGE = 12_288  # from here on, copying a parameter costs more than running the rule for it alone

Kept = tuple[dict[str, Any], dict[str, np.ndarray]]  # of one parameter: its numbers, and its arrays by name

Begin = Callable[[dict[str, Any], dict[str, Any]], tuple[float, ...]]
Update = Callable[..., None]


class Workspace:
    """Scratch memory of one dtype, shared by all buckets of an optimiser."""

    def __init__(self, dtype: np.dtype):
        self.values, self.gradients, *self.scratch = np.empty((5, BLOCK), dtype)

    def of(self, length: int) -> tuple[np.ndarray, ...]:
        """Three scratch arrays of that length."""
        return tuple(array[:length] for array in self.scratch)


class Bucket:
    """Parameters of one dtype and with the same numbers (step counts), moved as one flat array.

    `numbers` is shared by all of them; their kept arrays become views of the bucket's. In place where there is a single
    parameter in contiguous memory, gathered otherwise.
    """

    def __init__(self, params: Sequence[Tensor], kept: dict[Tensor, Kept], names: Sequence[str], space: Workspace):
        self.params = params
        self.arrays = [p.data for p in params]
        self.shapes = [a.shape for a in self.arrays]
        self.sizes = [a.size for a in self.arrays]
        self.numbers = dict(kept[params[0]][0])
        contiguous = all(a.flags.c_contiguous for a in self.arrays)
        self.gathered = len(params) > 1 or not contiguous
        self._place(space, contiguous)
        state = {name: np.empty(self.p.size, self.p.dtype) for name in names}
        self._adopt(kept, state)
        self.blocks = [
            (part, self.p[part], {name: array[part] for name, array in state.items()}, space.of(part.stop - part.start))
            for part in parts(self.p.size)
        ]
        self.constants = np.empty(0, self.p.dtype)
        self.handles: tuple[np.ndarray, ...] = ()
        self.fused = Fused(self.p, state) if not self.gathered and self.p.size >= LARGE else None

    def _place(self, space: Workspace, contiguous: bool) -> None:
        """Where the rule finds values and gradients: in the parameter itself, or gathered in scratch memory."""
        total = sum(self.sizes)
        self.sources = [a.reshape(-1) for a in self.arrays] if contiguous else self.arrays
        self.axis = 0 if contiguous else None
        if not self.gathered:
            self.p, self.g, self.pieces, self.slots = self.sources[0], None, [], []
            return
        fits = total <= BLOCK
        self.p = space.values[:total] if fits else np.empty(total, self.arrays[0].dtype)
        self.g = space.gradients[:total] if fits else np.empty_like(self.p)
        self.pieces, self.slots = (
            [piece.reshape(shape) for piece, shape in zip(self._split(flat), self.shapes, strict=True)]
            for flat in (self.p, self.g)
        )

    def _gather(self, gradients: Sequence[np.ndarray]) -> None:
        """Copy values and gradients into the flat arrays: a few one by one, many in one call."""
        if len(gradients) > FEW:
            np.concatenate(gradients, axis=None, out=self.g)
            np.concatenate(self.sources, axis=self.axis, out=self.p)
            return
        for array, gradient, piece, slot in zip(self.arrays, gradients, self.pieces, self.slots, strict=False):
            piece[...] = array
            slot[...] = gradient

    def _split(self, flat: np.ndarray) -> list[np.ndarray]:
        return np.split(flat, np.cumsum(self.sizes)[:-1])

    def _adopt(self, kept: dict[Tensor, Kept], state: dict[str, np.ndarray]) -> None:
        """Take over what was kept of each parameter, leaving it views of the flat arrays."""
        for name, flat in state.items():
            for parameter, piece, shape in zip(self.params, self._split(flat), self.shapes, strict=True):
                view = piece.reshape(shape)
                view[...] = kept[parameter][1][name]
                kept[parameter][1][name] = view
        for parameter in self.params:
            kept[parameter] = (self.numbers, kept[parameter][1])

    def move(self, begin: Begin, update: Update, group: dict[str, Any]) -> None:
        """One step: `begin` counts it and says the numbers all entries share, `update` moves the entries."""
        gradients = [p.grad.data for p in self.params]  # type: ignore[union-attr]
        if [g.shape for g in gradients] != self.shapes:
            self._complain(gradients)
        if self.g is None:
            g = gradients[0].reshape(-1)
        else:
            g = self.g
            self._gather(gradients)
        constants = self._constants(begin(self.numbers, group))
        if self.fused is not None and self.fused.moved(g, update, group, self.constants):
            return
        if len(self.blocks) == 1:
            _, p, state, work = self.blocks[0]
            update(p, g, state, constants, group, work)
        else:
            for part, p, state, work in self.blocks:
                update(p, g[part], state, constants, group, work)
        for array, piece in zip(self.arrays, self.pieces, strict=False):
            array[...] = piece

    def _constants(self, values: tuple[float, ...]) -> tuple[np.ndarray, ...]:
        """The numbers as arrays without axes, of the parameters' dtype: NumPy takes them faster than Python's floats."""
        if len(values) != len(self.handles):
            self.constants = np.empty(len(values), self.p.dtype)
            self.handles = tuple(self.constants[i : i + 1].reshape(()) for i in range(len(values)))
        self.constants[:] = values
        return self.handles

    def _complain(self, gradients: Sequence[np.ndarray]) -> None:
        for gradient, shape in zip(gradients, self.shapes, strict=True):
            if gradient.shape != shape:
                raise ShapeError(
                    f"a parameter of shape {shape} has a gradient of shape {gradient.shape}",
                    where="step()",
                    do="give .grad the shape of its parameter, or leave it to backward()",
                )


def parts(total: int) -> list[slice]:
    """Cut `total` numbers into blocks; one block, even where there is nothing."""
    return [slice(a, min(a + BLOCK, total)) for a in range(0, max(total, 1), BLOCK)]


def fill(
    params: Sequence[Tensor], kept: dict[Tensor, Kept], names: Sequence[str], spaces: dict[np.dtype, Workspace]
) -> list[Bucket]:
    """Sort parameters into buckets, in their order: the small ones together, large ones and those that overlap alone."""
    alone = overlapping(params)
    gathering: dict[Any, list[Tensor]] = {}
    lists: list[list[Tensor]] = []
    for parameter in params:
        data = parameter.data
        key = (data.dtype, tuple(kept[parameter][0].items()))
        fellows = gathering.get(key)
        if data.size >= LARGE or parameter in alone:
            lists.append([parameter])
        elif fellows is None or sum(p.data.size for p in fellows) + data.size > BLOCK:
            gathering[key] = [parameter]
            lists.append(gathering[key])
        else:
            fellows.append(parameter)
    return [Bucket(members, kept, names, _space(spaces, members[0].data.dtype)) for members in lists]


def overlapping(params: Sequence[Tensor]) -> set[Tensor]:
    """Those that may share memory with another: gathered, one would undo what the other has done."""
    bounds = sorted((*byte_bounds(p.data), i) for i, p in enumerate(params) if p.data.size)
    found: set[Tensor] = set()
    reach, last = 0, -1
    for start, end, i in bounds:
        if start < reach:
            found |= {params[last], params[i]}
        if end > reach:
            reach, last = end, i
    return found


def _space(spaces: dict[np.dtype, Workspace], dtype: np.dtype) -> Workspace:
    if dtype not in spaces:
        spaces[dtype] = Workspace(dtype)
    return spaces[dtype]
