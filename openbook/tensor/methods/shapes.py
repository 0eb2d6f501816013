"""The same entries in other shapes, orders and dtypes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from openbook.errors import ShapeError
from openbook.ops import vocabulary as word
from openbook.ops.move import sum_to
from openbook.tensor.devices import CPU, device, require_cpu

if TYPE_CHECKING:
    from openbook.tensor.tensor import Tensor

__all__ = ["Shapes"]


def sizes_of(given: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given as numbers or as one sequence of them."""
    wanted = given[0] if len(given) == 1 and isinstance(given[0], Sequence) else given
    return tuple(int(n) for n in wanted)


class Shapes:
    """Methods that move entries and change no value."""

    __slots__ = ()

    shape: tuple[int, ...]
    dtype: np.dtype
    ndim: int

    def reshape(self, *shape: Any) -> Tensor:
        """The same entries, in the order they are stored, in another shape; one length may be −1."""
        return word.reshape(self, shape=sizes_of(shape))

    def view(self, *shape: Any) -> Tensor:
        """The same memory in another shape; an error where that would take a copy."""
        seen = self.reshape(*shape)
        if self.numel() and hasattr(self, "data") and not np.shares_memory(self.data, seen.data):
            raise ShapeError(
                f"entries of shape {self.shape} are not stored in an order that lets {seen.shape} be a view of them",
                do="use reshape(), which copies where it must",
            )
        return seen

    def view_as(self, other: Any) -> Tensor:
        return self.view(other.shape)

    def reshape_as(self, other: Any) -> Tensor:
        return self.reshape(other.shape)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Neighbouring axes as one."""
        if self.ndim == 0:
            return self.reshape(1)
        start, end = self._axis(start_dim), self._axis(end_dim)
        if start > end:
            raise ShapeError(f"start_dim {start_dim} comes after end_dim {end_dim}", where="flatten")
        return self.reshape(*self.shape[:start], math.prod(self.shape[start : end + 1]), *self.shape[end + 1 :])

    def ravel(self) -> Tensor:
        return self.reshape(-1)

    def unflatten(self, dim: int, sizes: Sequence[int]) -> Tensor:
        """One axis as several."""
        axis = self._axis(dim)
        return self.reshape(*self.shape[:axis], *sizes, *self.shape[axis + 1 :])

    def squeeze(self, dim: Any = None) -> Tensor:
        """Without the axes (or the given ones) of length 1."""
        dims = range(self.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
        gone = {self._axis(d) for d in dims} if self.ndim else set()
        return self.reshape(tuple(n for i, n in enumerate(self.shape) if n != 1 or i not in gone))

    def unsqueeze(self, dim: int) -> Tensor:
        """With a new axis of length 1."""
        if not -self.ndim - 1 <= dim <= self.ndim:
            raise ShapeError(f"there is no place {dim} for a new axis among {self.ndim}", where="unsqueeze")
        at = dim % (self.ndim + 1)
        return self.reshape(*self.shape[:at], 1, *self.shape[at:])

    def permute(self, *axes: Any, dims: Any = None) -> Tensor:
        """The axes in another order."""
        order = sizes_of(axes or (dims,) if axes or dims is not None else ())
        if sorted(self._axis(d) for d in order) != list(range(self.ndim)):
            raise ShapeError(f"{order} does not name each of the {self.ndim} axes once", where="permute")
        return word.permute(self, axes=order)

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """Two axes exchanged."""
        axes = list(range(self.ndim))
        if self.ndim:
            a, b = self._axis(dim0), self._axis(dim1)
            axes[a], axes[b] = axes[b], axes[a]
        return word.permute(self, axes=tuple(axes))

    swapdims = transpose

    def swapaxes(self, axis0: int, axis1: int) -> Tensor:
        """Two axes exchanged."""
        return self.transpose(axis0, axis1)

    def movedim(self, source: Any, destination: Any) -> Tensor:
        """Axes moved to other places; the others stay in order."""
        sources = [self._axis(s) for s in ((source,) if isinstance(source, int) else source)]
        places = [self._axis(d) for d in ((destination,) if isinstance(destination, int) else destination)]
        rest = [a for a in range(self.ndim) if a not in sources]
        for place, axis in sorted(zip(places, sources, strict=True)):
            rest.insert(place, axis)
        return word.permute(self, axes=tuple(rest))

    moveaxis = movedim

    def t(self) -> Tensor:
        """The matrix with rows and columns exchanged; vectors stay as they are."""
        if self.ndim > 2:
            raise ShapeError(f"t() is for matrices, and this has {self.ndim} axes", do="use transpose or permute")
        return word.swap(self) if self.ndim == 2 else self.reshape(self.shape)

    @property
    def T(self) -> Tensor:
        """All axes in the opposite order."""
        return word.permute(self, axes=tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        if self.ndim < 2:
            raise ShapeError(f"mT is for matrices, and this has {self.ndim} axes")
        return word.swap(self)

    mH = mT

    @property
    def H(self) -> Tensor:
        """The matrix with rows and columns exchanged (there is nothing to conjugate in real numbers)."""
        return self.t()

    def adjoint(self) -> Tensor:
        """The last two axes exchanged (there is nothing to conjugate in real numbers)."""
        return self.mT

    def expand(self, *shape: Any) -> Tensor:
        """Axes of length 1 (and new ones in front) repeated, without copying; −1 leaves a length as it is."""
        sizes = sizes_of(shape)
        added = len(sizes) - self.ndim
        if added < 0:
            raise ShapeError(f"{sizes} has fewer axes than {self.shape}", where="expand")
        return word.broadcast_to(
            self, shape=tuple(self.shape[i - added] if n == -1 else n for i, n in enumerate(sizes))
        )

    def expand_as(self, other: Any) -> Tensor:
        return self.expand(*other.shape)

    def broadcast_to(self, size: Sequence[int]) -> Tensor:
        return self.expand(*size)

    def sum_to_size(self, *size: Any) -> Tensor:
        """Summed along the axes that broadcasting would have repeated."""
        wanted = sizes_of(size)
        added = self.ndim - len(wanted)
        if added < 0 or any(n not in (1, m) for n, m in zip(wanted, self.shape[added:], strict=True)):
            raise ShapeError(f"shape {tuple(self.shape)} does not come from broadcasting {wanted}", where="sum_to_size")
        return sum_to(self, wanted) if wanted else self.sum()  # type: ignore[attr-defined]

    def repeat(self, *times: Any) -> Tensor:
        """The whole array repeated along each axis."""
        counts = sizes_of(times)
        if len(counts) < self.ndim:
            raise ShapeError(f"repeat wants a number for each of the {self.ndim} axes, and got {counts}")
        shape = (1,) * (len(counts) - self.ndim) + tuple(self.shape)
        if all(c == 1 for c in counts):
            return self.clone().reshape(shape)
        twice = self.reshape(tuple(n for size in shape for n in (1, size)))
        spread = word.broadcast_to(twice, shape=tuple(n for pair in zip(counts, shape, strict=True) for n in pair))
        return spread.reshape(tuple(c * n for c, n in zip(counts, shape, strict=True)))

    def tile(self, *times: Any) -> Tensor:
        """`repeat`, with 1 for axes that are not named."""
        counts = sizes_of(times)
        return self.repeat((1,) * (self.ndim - len(counts)) + counts)

    def repeat_interleave(self, repeats: Any, dim: int | None = None, *, output_size: int | None = None) -> Tensor:
        """Each entry (or slice along `dim`) repeated in its place."""
        x: Any = self.reshape(-1) if dim is None else self
        axis = x._axis(0 if dim is None else dim)
        places = np.repeat(np.arange(x.shape[axis]), np.asarray(repeats))
        return x[(slice(None),) * axis + (places,)]

    def flip(self, *axes: Any, dims: Any = None) -> Tensor:
        """The entries in the opposite order along some axes."""
        return word.flip(self, axis=tuple(self._axis(d) for d in sizes_of(axes or (dims,))))

    def fliplr(self) -> Tensor:
        return self.flip(1)

    def flipud(self) -> Tensor:
        return self.flip(0)

    def roll(self, shifts: Any, dims: Any = None) -> Tensor:
        """The entries moved on; what leaves at the end comes back at the start."""
        shifts = shifts if isinstance(shifts, int) else tuple(shifts)
        dims = dims if dims is None or isinstance(dims, int) else tuple(dims) or None
        return word.roll(self, shifts=shifts[0] if dims is None and isinstance(shifts, tuple) else shifts, axis=dims)

    def rot90(self, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
        """Turned by k quarter turns in the plane of two axes."""
        a, b = (self._axis(d) for d in dims)
        k %= 4
        if k == 2:
            return self.flip(a, b)
        turned = self if k == 0 else self.flip(b) if k == 1 else self.flip(a)
        return turned.clone() if k == 0 else turned.transpose(a, b)

    # --- memory and dtypes -------------------------------------------------------------------------------------

    def clone(self) -> Tensor:
        """A copy in memory of its own, connected for gradients."""
        return word.cast(self, dtype=self.dtype)

    def contiguous(self) -> Tensor:
        """This tensor if its entries are stored in order, else a copy that is."""
        return self if self.is_contiguous() else self.clone()  # type: ignore[return-value]

    def is_contiguous(self) -> bool:
        """Whether the entries are stored in order."""
        return not hasattr(self, "data") or self.data.flags.c_contiguous

    @property
    def device(self) -> device:
        """Where the entries are: on the CPU."""
        return CPU

    is_cuda = False

    def cpu(self) -> Any:
        """This tensor: it is there already."""
        return self

    def cuda(self, device: Any = None) -> Any:
        """Refused: there is no graphics card here."""
        require_cpu("cuda" if device is None else device)

    def pin_memory(self) -> Any:
        """This tensor: memory is of one kind."""
        return self

    def to(self, *given: Any, dtype: Any = None, device: Any = None, copy: bool = False) -> Tensor:
        """In another dtype (this tensor itself if it has it), or that of another tensor; there is one device, the CPU."""
        require_cpu(device)
        for value in given:
            if isinstance(value, str) and value not in np.sctypeDict:
                require_cpu(value)
            if hasattr(value, "dtype") and not isinstance(value, type):
                dtype = value.dtype
            elif isinstance(value, (type, np.dtype)):
                dtype = value
        copy = copy or (len(given) > 1 and given[-1] is True)
        dtype = self.dtype if dtype is None else dtype
        if copy:
            return word.cast(self, dtype=np.dtype(dtype))
        return self if np.dtype(dtype) == self.dtype else word.cast(self, dtype=np.dtype(dtype))  # type: ignore[return-value]

    astype = type = to

    def type_as(self, other: Any) -> Tensor:
        return self.to(other.dtype)

    def half(self) -> Tensor:
        return self.to(np.float16)

    def float(self) -> Tensor:
        return self.to(np.float32)

    def double(self) -> Tensor:
        return self.to(np.float64)

    def int(self) -> Tensor:
        return self.to(np.int32)

    def byte(self) -> Tensor:
        return self.to(np.uint8)

    def char(self) -> Tensor:
        return self.to(np.int8)

    def short(self) -> Tensor:
        return self.to(np.int16)

    def long(self) -> Tensor:
        return self.to(np.int64)

    def bool(self) -> Tensor:
        return self.to(np.bool_)

    def is_floating_point(self) -> Any:
        """Whether the entries are real numbers."""
        return self.dtype.kind == "f"

    # --- sizes -------------------------------------------------------------------------------------------------

    def size(self, dim: Any = None) -> Any:
        """The lengths of all axes, or of one."""
        return self.shape if dim is None else self.shape[self._axis(dim)]

    def dim(self) -> Any:
        """How many axes there are."""
        return self.ndim

    ndimension = dim

    def numel(self) -> Any:
        """How many entries there are."""
        return math.prod(self.shape)

    nelement = numel

    def _axis(self, dim: Any) -> Any:
        """The axis as a number from 0; an error if there is none of that number."""
        if not -max(1, self.ndim) <= dim < max(1, self.ndim):
            raise ShapeError(f"there is no axis {dim}: shape {self.shape} has {self.ndim}", do="count axes from 0")
        return dim % max(1, self.ndim)
