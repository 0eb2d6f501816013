"""Where a module is and in which numbers it computes: one device, several dtypes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn, Self

import numpy as np

from openbook.errors import DTypeError, InputError
from openbook.tensor.devices import require_cpu
from openbook.tensor.tensor import Tensor

__all__ = ["Placement"]


class Placement:
    """The part of a Module that moves it."""

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        raise NotImplementedError

    def buffers(self, recurse: bool = True) -> Iterator[Any]:
        raise NotImplementedError

    def to(
        self,
        *args: Any,
        device: Any = None,
        dtype: Any = None,
        non_blocking: bool = False,
        copy: bool = False,
        memory_format: Any = None,
    ) -> Self:
        """Turn all floating-point parameters and buffers to another dtype, in place: `to(float64)`, `to("cpu", float64)`.

        Also `to(tensor)`, for its dtype. Whole-number buffers stay what they are. The only device is the CPU, and the last
        three options, which concern others, change nothing.
        """
        for given in args:
            if isinstance(given, Tensor):
                dtype = given.dtype
            elif isinstance(given, bool):  # non_blocking by position
                continue
            elif _is_device(given):
                device = given
            elif given is not None:
                dtype = given
        require_cpu(device)
        if dtype is not None:
            self._turn(np.dtype(dtype))
        return self

    def _turn(self, kind: np.dtype) -> None:
        if kind.kind != "f":
            raise DTypeError(f"a module can be turned to floating-point dtypes only, not {kind}")
        for value in (*self.parameters(), *self.buffers()):
            for tensor in (value, value.grad):
                if tensor is not None and tensor.data.dtype.kind == "f" and tensor.data.dtype != kind:
                    tensor.data = tensor.data.astype(kind)
                    tensor.changed_in_place()

    def type(self, dst_type: Any) -> Self:
        """Turn all floating-point parameters and buffers to a dtype, in place."""
        return self.to(dtype=dst_type)

    def double(self) -> Self:
        """Turn all floating-point parameters and buffers to float64, in place."""
        return self.to(dtype=np.float64)

    def float(self) -> Self:
        """Turn all floating-point parameters and buffers to float32, in place."""
        return self.to(dtype=np.float32)

    def half(self) -> Self:
        """Turn all floating-point parameters and buffers to float16, in place."""
        return self.to(dtype=np.float16)

    def bfloat16(self) -> NoReturn:
        """Not here: NumPy has no bfloat16."""
        raise DTypeError("there is no bfloat16 here", do="use half() for storage, or float()")

    def cpu(self) -> Self:
        """The module itself: everything is on the CPU."""
        return self

    def cuda(self, device: Any = None) -> NoReturn:
        """Not here: there is only the CPU."""
        raise InputError("there is no CUDA device here, only the CPU", do="leave .cuda() out")

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """The module itself: on the one device there is, memory is there already."""
        require_cpu(device)
        return self

    def compile(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not here yet."""
        raise InputError("modules are not compiled here", do="leave .compile() out: the module runs as it is")


def _is_device(given: Any) -> bool:
    """Whether this names a device: a text that is no dtype's, or an object that says its type and index."""
    if isinstance(given, str):
        return not hasattr(np, given.split(":")[0])
    return hasattr(given, "type") and hasattr(given, "index") and not isinstance(given, (type, np.dtype))
