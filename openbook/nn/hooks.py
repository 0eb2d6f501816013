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
        self.backward_pre: dict[int, Callable[..., Any]] = {}

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
            watch = _Backward(module, self) if self.backward or self.backward_pre else None
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
    """One call of a module whose gradients are watched.

    Inputs and outputs are passed through operations that change nothing, so that a hook on them sees the gradients of
    this call alone, whoever else uses the same tensors.
    """

    def __init__(self, module: Module, hooks: Hooks):
        self.module, self.hooks, self.before = module, list(hooks.backward.values()), list(hooks.backward_pre.values())
        self.of_inputs = _Gate(module, self._inputs_came)
        self.of_outputs = _Gate(module, self._outputs_came)
        self.grad_output: tuple[Any, ...] = ()

    def watch_inputs(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return self.of_inputs.pass_through(inputs)

    def watch_outputs(self, outputs: Any) -> Any:
        alone = not isinstance(outputs, tuple)
        watched = self.of_outputs.pass_through((outputs,) if alone else outputs)
        return watched[0] if alone else watched

    def _outputs_came(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.before:
            gradients = _changed(hook(self.module, gradients), gradients)
        self.grad_output = gradients
        if not self.of_inputs.watched:  # the inputs take no gradient: this is all there is to see
            self._inputs_came((None,) * self.of_inputs.count)
        return gradients

    def _inputs_came(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks:
            gradients = _changed(hook(self.module, gradients, self.grad_output), gradients)
        return gradients


def _changed(given: Any, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
    """The gradients as a hook leaves them."""
    if given is None:
        return gradients
    given = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    if len(given) != len(gradients):
        raise GraphError(
            f"a backward hook gave {len(given)} gradients in place of {len(gradients)}",
            do="return one for each, None where there is none; or nothing, to leave them as they are",
        )
    return given


class _Gate:
    """Values that are passed on together, and whose gradients come back together.

    Each value goes through two operations that change nothing. Backward takes the newest operation first, so that the
    second ones have all been reached when it comes to the first of the first ones: then `settle` sees all gradients at
    once, and each first one hands on what it made of its own.
    """

    def __init__(self, module: Module, settle: Callable[[tuple[Any, ...]], tuple[Any, ...]]):
        self.module, self.settle = module, settle
        self.count = self.watched = 0
        self.came: list[Any] = []
        self.settled: tuple[Any, ...] | None = None

    def pass_through(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        self.count = len(values)
        self.came = [None] * self.count
        learns = [isinstance(value, Tensor) and value.requires_grad for value in values]
        self.watched = sum(learns)
        for hook in (self._hand_on, self._collect):
            values = tuple(
                _watched(value, partial(hook, place)) if learns[place] else value for place, value in enumerate(values)
            )
        return values

    def _collect(self, place: int, gradient: Any) -> None:
        if self.settled is not None:  # another backward through the same graph
            self.came, self.settled = [None] * self.count, None
        self.came[place] = gradient

    def _hand_on(self, place: int, gradient: Any) -> Any:
        if self.settled is None:
            self.settled = self.settle(tuple(self.came))
        changed = self.settled[place]
        if changed is None:  # a hook took the gradient away
            return gradient * 0
        return None if changed is gradient else changed


def _watched(value: Tensor, hook: Callable[[Any], Any]) -> Tensor:
    passed = word.reshape(value, shape=value.shape)
    passed.register_hook(hook)
    return passed
