"""Whether `backward()` may forget the graph it went through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["keeping", "record"]

_kept: ContextVar[bool] = ContextVar("openbook_keeps_graphs", default=False)


def keeping() -> bool:
    """True inside `with openbook.record():`."""
    return _kept.get()


@contextmanager
def record() -> Iterator[None]:
    """Keep the graphs of all that is computed inside, so that it can be explained after `backward()`."""
    token = _kept.set(True)
    try:
        yield
    finally:
        _kept.reset(token)
