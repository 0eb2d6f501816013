"""How and where entries are stored, and new tensors like this one."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.tensor.devices import require_cpu
from openbook.tensor.methods.shapes import sizes_of

__all__ = ["Storage"]


class Storage:
    """Questions about memory, and `new_*`."""

    __slots__ = ()

    data: np.ndarray

    @property
    def itemsize(self) -> int:
        """The bytes of one entry."""
        return self.data.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all entries."""
        return self.data.nbytes

    def element_size(self) -> int:
        """The bytes of one entry."""
        return self.data.itemsize

    def data_ptr(self) -> int:
        """The address of the first entry."""
        return self.data.ctypes.data

    def stride(self, dim: int | None = None) -> Any:
        """How many entries further in memory the next one is, along each axis or one."""
        steps = tuple(step // self.data.itemsize for step in self.data.strides)
        return steps if dim is None else steps[dim]

    def new_zeros(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
        """Zeros of this dtype."""
        return self._new(np.zeros(sizes_of(size), dtype or self.data.dtype), device, requires_grad)

    def new_empty(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
        """Space of this dtype; zeros until it is written to."""
        return self.new_zeros(*size, dtype=dtype, device=device, requires_grad=requires_grad)

    def new_ones(self, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
        """Ones of this dtype."""
        return self._new(np.ones(sizes_of(size), dtype or self.data.dtype), device, requires_grad)

    def new_full(
        self, size: Any, fill_value: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Any:
        """One value of this dtype everywhere."""
        return self._new(np.full(tuple(size), fill_value, dtype or self.data.dtype), device, requires_grad)

    def new_tensor(self, data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
        """A new tensor of this dtype."""
        return self._new(np.array(data, dtype or self.data.dtype), device, requires_grad)

    def _new(self, array: np.ndarray, device: Any, requires_grad: bool) -> Any:
        from openbook.tensor.tensor import Tensor

        require_cpu(device)
        return Tensor(array, requires_grad)
