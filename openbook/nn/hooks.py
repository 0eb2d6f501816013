"""Hooks: functions called before and after a module's forward, and on the gradients that pass it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from openbook.errors import GraphError
from openbook.ops import vocabulary as word
from openbook.tensor.tensor import Tensor

if TYPE_CHECKING:
    from openbook.nn.module import Module

__all__ = ["Hooks", "RemovableHandle"]

_numbers = itertools.count()


class RemovableHandle:
    """What registering a hook gives back: `remove()` takes the hook away again; also a context that does so at its end."""

    def __init__(self, hooks: dict[int, Any]):
        self._hooks, self.id = hooks, next(_numbers)

    def remove(self) -> None:
        """Take the hook away; harmless a second time."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *problem: Any) -> None:
        self.remove()


class Hooks:
    """All hooks of one module, by kind, in the order in which they are called."""

    def __init__(self) -> None:
        self.before: dict[int, tuple[Callable[..., Any], bool]] = {}
        self.after: dict[int, tuple[Callable[..., Any], bool, bool]] = {}
        self.backward: dict[int, Callable[..., Any]] = {}

    @staticmethod
    def add(hooks: dict[int, Any], hook: Any, prepend: bool = False) -> RemovableHandle:
        """Register a hook behind the others, or before them."""
        handle = RemovableHandle(hooks)
        later = list(hooks.items()) if prepend else []
        for number, _ in later:
            del hooks[number]
        hooks[handle.id] = hook
        hooks.update(later)
        return handle

    def call(self, module: Module, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """The module's forward with everything that hangs on it."""
        done = False
        try:
            for hook, with_kwargs in list(self.before.values()):
                inputs, options = _before(hook, with_kwargs, module, inputs, options)
            watch = _Backward(module, list(self.backward.values())) if self.backward else None
            inputs = watch.watch_inputs(inputs) if watch else inputs
            output = module.forward(*inputs, **options)
            for hook, with_kwargs, _ in list(self.after.values()):
                changed = hook(module, inputs, options, output) if with_kwargs else hook(module, inputs, output)
                output = output if changed is None else changed
            done = True
        finally:
            if not done:  # forward failed: those that asked to be called always are called, and the error goes on
                for hook, with_kwargs, always in list(self.after.values()):
                    if always:
                        hook(module, inputs, options, None) if with_kwargs else hook(module, inputs, None)
        return watch.watch_outputs(output) if watch else output


def _before(
    hook: Callable[..., Any], with_kwargs: bool, module: Module, inputs: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What a forward-pre hook makes of the inputs."""
    if with_kwargs:
        changed = hook(module, inputs, options)
        return (inputs, options) if changed is None else changed
    changed = hook(module, inputs)
    if changed is None:
        return inputs, options
    return (changed if isinstance(changed, tuple) else (changed,)), options


class _Backward:
    """One call of a module that full backward hooks watch.

    Inputs and outputs are passed through an operation that changes nothing, so that a hook on it sees the gradient of
    this call alone, whoever else uses the same tensor.
    """

    def __init__(self, module: Module, hooks: list[Callable[..., Any]]):
        self.module, self.hooks = module, hooks
        self.of_inputs: list[Any] = []
        self.of_outputs: list[Any] = []
        self.watched = 0  # inputs whose gradient has still to come

    def watch_inputs(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        self.of_inputs = [None] * len(inputs)
        passed = list(inputs)
        for place, value in enumerate(inputs):
            if isinstance(value, Tensor) and value.requires_grad:
                passed[place] = _watched(value, partial(self._input_came, place))
                self.watched += 1
        return tuple(passed)

    def watch_outputs(self, outputs: Any) -> Any:
        alone = not isinstance(outputs, tuple)
        values = (outputs,) if alone else outputs
        self.of_outputs = [None] * len(values)
        watched = tuple(
            _watched(value, partial(self._output_came, place))
            if isinstance(value, Tensor) and value.requires_grad
            else value
            for place, value in enumerate(values)
        )
        return watched[0] if alone else watched

    def _output_came(self, place: int, gradient: Any) -> None:
        self.of_outputs[place] = gradient
        if not self.watched:  # the inputs take no gradient: this is all there is to see
            self._tell()

    def _input_came(self, place: int, gradient: Any) -> Any:
        self.of_inputs[place] = gradient
        several = sum(value is not None for value in self.of_inputs)
        if several < self.watched:
            return None
        changed = self._tell()
        if changed is None:
            return None
        if self.watched > 1:
            raise GraphError(
                f"a backward hook of {type(self.module).__name__} changes the gradients of {self.watched} inputs",
                do="change the gradient of modules of one input only, or use Tensor.register_hook on each",
            )
        return changed[place]

    def _tell(self) -> Any:
        """Call the hooks, each with what the one before made of the gradients; None if nobody changed them."""
        gradients, touched = tuple(self.of_inputs), False
        self.of_inputs = [None] * len(gradients)  # the next backward through this call begins anew
        for hook in self.hooks:
            changed = hook(self.module, gradients, tuple(self.of_outputs))
            if changed is not None:
                gradients, touched = changed if isinstance(changed, tuple) else (changed,), True
        return gradients if touched else None


def _watched(value: Tensor, hook: Callable[[Any], Any]) -> Tensor:
    passed = word.reshape(value, shape=value.shape)
    passed.register_hook(hook)
    return passed
