"""Whether what is computed now is remembered, so that gradients can be led back through it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import wraps
from typing import Any

__all__ = [
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_grad_enabled",
]

# Each thread has its own, and so has each task of asyncio.
enabled: ContextVar[bool] = ContextVar("openbook_grad_enabled", default=True)
_inference: ContextVar[bool] = ContextVar("openbook_inference_mode", default=False)
is_grad_enabled: Callable[[], bool] = enabled.get
is_inference_mode_enabled: Callable[[], bool] = _inference.get


class _Mode:
    """A context in which the mode is another; also a decorator of functions and generators, with or without brackets."""

    mode = True
    variable = enabled

    def __new__(cls, f: Any = None) -> Any:
        mode = super().__new__(cls)
        if not callable(f):
            return mode
        cls.__init__(mode)
        return mode(f)

    def __init__(self) -> None:
        self.before: list[Any] = []

    def __enter__(self) -> None:
        self.before.append(self.variable.set(self.mode))

    def __exit__(self, *problem: Any) -> None:
        self.variable.reset(self.before.pop())

    def again(self) -> Any:
        """The same mode for another call: one object may be in use in several at once."""
        return type(self)()

    def __call__(self, f: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isgeneratorfunction(f):
            return _step_by_step(self, f)

        @wraps(f)
        def inside(*arguments: Any, **options: Any) -> Any:
            with self.again():
                return f(*arguments, **options)

        return inside


def _step_by_step(mode: Any, f: Callable[..., Any]) -> Callable[..., Any]:
    """A generator that computes in the mode, and hands its values out in whatever mode its caller is in."""

    @wraps(f)
    def steps(*arguments: Any, **options: Any) -> Iterator[Any]:
        generator = f(*arguments, **options)
        try:
            with mode.again():
                value = next(generator)
            while True:
                try:
                    sent = yield value
                except GeneratorExit:
                    with mode.again():
                        generator.close()
                    raise
                except BaseException as problem:
                    with mode.again():
                        value = generator.throw(problem)
                else:
                    with mode.again():
                        value = generator.send(sent)
        except StopIteration as end:
            return end.value

    return steps


class no_grad(_Mode):
    """Compute without remembering; as a context or a decorator."""

    mode = False


class enable_grad(_Mode):
    """Remember again, inside a `no_grad()`."""


class set_grad_enabled(_Mode):
    """Remember (or do not remember) what is computed from now on, or, as a context or a decorator, inside."""

    def __new__(cls, mode: bool) -> Any:
        return object.__new__(cls)

    def __init__(self, mode: bool):
        self.mode = bool(mode)
        self.before = [self.variable.set(self.mode)]

    def __enter__(self) -> None:
        if not self.before:  # a second time
            super().__enter__()

    def again(self) -> Any:
        return type(self)(self.mode)

    def __call__(self, f: Callable[..., Any]) -> Callable[..., Any]:
        self.variable.reset(self.before.pop())  # as a decorator it holds inside the function only
        return super().__call__(f)


class inference_mode(_Mode):
    """As `no_grad()`: what is computed inside has no past. `inference_mode(False)` changes nothing, as in PyTorch."""

    def __new__(cls, mode: Any = True) -> Any:
        return super().__new__(cls, mode if callable(mode) else None)

    def __init__(self, mode: Any = True):
        super().__init__()
        self.mode = bool(mode)

    def __enter__(self) -> None:
        self.before.append((_inference.set(self.mode), enabled.set(False) if self.mode else None))

    def __exit__(self, *problem: Any) -> None:
        inference, remembering = self.before.pop()
        _inference.reset(inference)
        if remembering is not None:
            enabled.reset(remembering)

    def again(self) -> Any:
        return type(self)(self.mode)
