"""The words in which checks are written: both libraries have `nn` and `optim` in common, this is the rest."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Birth", "Engine", "Operation", "first_not_finite"]


@dataclass(frozen=True, eq=False)
class Operation:
    """One recorded operation: what it is called, which it was computed from (by key), and its output where it is kept."""

    key: int
    name: str
    inputs: tuple[int, ...]
    output: np.ndarray | None


@dataclass(frozen=True)
class Birth:
    """The first operation to give NaN or ∞ from finite numbers: which entry, and what had gone in there."""

    operation: str
    phase: str  # "forward" or "backward"
    index: tuple[int, ...]
    value: float
    fed: tuple[float, ...]
    guarded: str  # the name of the operation to guard, where that may help


class Engine:
    """What checks need of a library. Arrays are NumPy's throughout; tensors are the library's own."""

    name = ""
    nn: Any
    optim: Any

    def tensor(self, array: np.ndarray) -> Any:
        """The array as a tensor of the library, in the dtype it has."""
        raise NotImplementedError

    def array(self, tensor: Any) -> np.ndarray:
        """A tensor's entries, without its past."""
        raise NotImplementedError

    def write(self, tensor: Any, array: np.ndarray) -> None:
        """Write an array into a tensor, in place."""
        raise NotImplementedError

    def gradients(self, value: Any, wrt: Sequence[Any]) -> list[np.ndarray | None]:
        """d value / d each, without touching any `.grad`; the graph stays."""
        raise NotImplementedError

    def put_gradient(self, parameter: Any, gradient: np.ndarray | None) -> None:
        """Set `.grad`."""
        raise NotImplementedError

    def no_grad(self) -> AbstractContextManager[Any]:
        """Compute without recording."""
        raise NotImplementedError

    def recording(self) -> AbstractContextManager[Any]:
        """Record, whatever the caller has switched off."""
        raise NotImplementedError

    def operations(self, value: Any) -> list[Operation]:
        """Everything recorded behind a value, oldest first, in openbook's names where it has the operation."""
        raise NotImplementedError

    def key(self, tensor: Any) -> int:
        """By what `operations` knows a computed tensor."""
        raise NotImplementedError

    def depends_on_parameters(self, value: Any) -> bool:
        """Whether a gradient leads back from here."""
        return bool(getattr(value, "requires_grad", False))

    def float_dtype(self, model: Any) -> np.dtype:
        """The floats a model computes in."""
        for parameter in model.parameters():
            dtype = self.array(parameter).dtype
            if dtype.kind == "f":
                return dtype
        return np.dtype(np.float32)

    def birth(self, compute: Callable[[], Any], model: Any) -> Birth | None:
        """Run `compute` (a loss) forward and back, and say where the first NaN or ∞ is born."""
        raise NotImplementedError

    def guarding(self, operations: Sequence[str], *owners: Any) -> AbstractContextManager[Any]:
        """Inside, these operations are kept away from where they have no finite value or slope.

        `owners` are the modules and tensors whose computations are meant.
        """
        raise NotImplementedError

    @contextmanager
    def seeded(self, seed: int) -> Iterator[None]:
        """All random generators a model may draw from start from a seed inside, and go on afterwards as if nothing was."""
        python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002 (a user's model may draw from it)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            with self._own_random(seed):
                yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy)  # noqa: NPY002

    def _own_random(self, seed: int) -> AbstractContextManager[Any]:
        raise NotImplementedError


def first_not_finite(array: np.ndarray) -> tuple[int, ...]:
    """The index of the first NaN or ∞."""
    place = int(np.argmin(np.isfinite(array)))
    return tuple(int(i) for i in np.unravel_index(place, array.shape))
