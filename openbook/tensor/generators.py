"""Random generators with the methods that PyTorch's have."""

from __future__ import annotations

import secrets
from typing import Any, Self

import numpy as np

from openbook.errors import InputError
from openbook.tensor.create import generator
from openbook.tensor.devices import CPU, device, require_cpu

__all__ = ["Generator", "get_rng_state", "initial_seed", "seed", "set_rng_state"]


class Generator(np.random.Generator):
    """NumPy's generator (PCG64), seeded as PyTorch's are: `Generator().manual_seed(0)`. The numbers are NumPy's."""

    def __init__(self, device: Any = "cpu"):
        require_cpu(device)
        super().__init__(np.random.PCG64())
        self.seed()

    @property
    def device(self) -> device:
        return CPU

    def manual_seed(self, seed: int) -> Self:
        """Start anew from a seed: any whole number, negative ones counted from 2⁶⁴."""
        self._seed = int(seed) % 2**64
        self.bit_generator.state = np.random.PCG64(self._seed).state
        return self

    def seed(self) -> int:
        """Start anew from a seed that nobody knows beforehand, and return it."""
        self.manual_seed(secrets.randbits(63))
        return self._seed

    def initial_seed(self) -> int:
        """The seed this was last started from."""
        return self._seed

    def get_state(self) -> dict[str, Any]:
        """Where this is in its row of numbers, for `set_state`."""
        return dict(self.bit_generator.state)

    def set_state(self, new_state: Any) -> None:
        """Go on from where `get_state` was called."""
        try:
            self.bit_generator.state = new_state
        except (TypeError, ValueError, KeyError) as problem:
            raise InputError("this is no state of a generator", do="pass what get_state() gave") from problem


def seed() -> int:
    """Start the generator behind `randn` from a seed that nobody knows beforehand, and return it."""
    return generator().seed()


def initial_seed() -> int:
    """The seed that the generator behind `randn` was last started from."""
    return generator().initial_seed()


def get_rng_state() -> dict[str, Any]:
    """Where the generator behind `randn` is in its row of numbers, for `set_rng_state`."""
    return generator().get_state()


def set_rng_state(new_state: Any) -> None:
    """Go on from where `get_rng_state` was called."""
    generator().set_state(new_state)
