"""The one device there is, under the names by which scripts for several ask."""

from __future__ import annotations

from typing import Any

from openbook.errors import InputError

__all__ = ["CPU", "device", "require_cpu"]


class device:
    """Where tensors are: the CPU. Any other is refused, so that nothing is moved in name only."""

    type = "cpu"
    index = None

    def __init__(self, type: Any = "cpu", index: int | None = None):
        require_cpu(type)
        if index not in (None, 0):
            raise InputError(f"there is no device cpu:{index} here, only the CPU", do='write device("cpu")')

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device)

    def __hash__(self) -> int:
        return hash(self.type)

    def __str__(self) -> str:
        return self.type

    def __repr__(self) -> str:
        return f"device(type={self.type!r})"


def require_cpu(place: Any) -> None:
    """Refuse every device but the CPU; None is no wish."""
    if place is not None and str(place) not in ("cpu", "cpu:0"):
        raise InputError(f"there is no device {place!s} here, only the CPU", do='leave device out, or give "cpu"')


CPU = device()
