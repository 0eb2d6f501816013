"""Parameters computed from others: whoever reads `module.weight` gets what a module makes of what is learnt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np

from openbook.errors import DTypeError, InputError, ShapeError
from openbook.nn.containers import ModuleDict, ModuleList
from openbook.nn.module import Module
from openbook.nn.parameter import Parameter
from openbook.tensor.autograd import no_grad
from openbook.tensor.tensor import Tensor

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "type_before_parametrizations",
]  # fmt: skip

_computed: ContextVar[dict[tuple[int, str], Any] | None] = ContextVar("_computed", default=None)


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrized tensor once inside, however often it is read: for weights shared by many calls."""
    token = _computed.set({} if _computed.get() is None else _computed.get())
    try:
        yield
    finally:
        _computed.reset(token)


class ParametrizationList(ModuleList):
    """What computes one tensor, module after module, and what it is computed from: `original`, or `original0`, …

    Of the first module's `right_inverse`, where there is one, come the values to begin with: one tensor or several.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False):
        super().__init__(modules)
        self.unsafe, shape, dtype = unsafe, original.shape, original.dtype
        with no_grad():
            start: Any = original
            for module in reversed(list(self)):
                start = module.right_inverse(start) if hasattr(module, "right_inverse") else start
        self.is_tensor = isinstance(start, Tensor)
        self.ntensors = 1 if self.is_tensor else len(start)
        if self.is_tensor:
            _set(original, start)  # the same parameter: an optimiser may hold it already
            _register(self, "original", original)
        else:
            for i, part in enumerate(start):
                _register(self, f"original{i}", _like(original, part))
        if not unsafe:
            _require_alike(self(), shape, dtype)

    def originals(self) -> list[Any]:
        """What the tensor is computed from."""
        names = ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]
        return [getattr(self, name) for name in names]

    def forward(self) -> Any:
        first, *others = self
        value = first(*self.originals())
        for module in others:
            value = module(value)
        return value

    def right_inverse(self, value: Any) -> None:
        """Set what is learnt such that the tensor becomes this value."""
        with no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise InputError(
                        f"{type(module).__name__} has no right_inverse, so the tensor cannot be set",
                        do="define right_inverse(self, value), or remove the parametrization first",
                    )
                value = module.right_inverse(value)
            for original, part in zip(self.originals(), [value] if self.is_tensor else value, strict=True):
                _set(original, part)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let a module compute a parameter or buffer from now on: `parametrization(original)` wherever it is read.

    A second one is called with what the first gives. Shape and dtype may change only with `unsafe=True`. Returns the module,
    whose class is now a subclass of what it was.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        known = getattr(module, tensor_name)
        if not unsafe:
            _require_alike(parametrization(known), known.shape, known.dtype)
        listed = _of(module)[tensor_name]
        listed.append(parametrization)
        listed.unsafe |= unsafe
    elif tensor_name in module._parameters or tensor_name in module._buffers:
        made = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            module.__class__ = _parametrized(type(module))  # type: ignore[arg-type]  # a class is hashable
            module.parametrizations = ModuleDict()
        _of(module)[tensor_name] = made
    else:
        raise InputError(f"{type(module).__name__} has no parameter or buffer {tensor_name!r}")
    return module


def _of(module: Module) -> Any:
    """The lists of a module's parametrizations, by the name of what they compute."""
    return module.__dict__["parametrizations"]


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a tensor of the module, or any, is computed from others."""
    known = module._modules.get("parametrizations")
    if not isinstance(known, ModuleDict):
        return False
    return len(known) > 0 if tensor_name is None else tensor_name in known


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a tensor an ordinary one again: with the value it is computed to have, or else with its original one."""
    if not is_parametrized(module, tensor_name):
        raise InputError(f"{type(module).__name__} has no parametrization of {tensor_name!r}")
    listed = _of(module)[tensor_name]
    if not listed.is_tensor and not leave_parametrized:
        raise InputError(
            f"{tensor_name!r} is computed from {listed.ntensors} tensors, so there is no one original to leave",
            do="pass leave_parametrized=True",
        )
    original, now = listed.originals()[0], getattr(module, tensor_name) if leave_parametrized else None
    del _of(module)[tensor_name]
    if listed.is_tensor:
        if now is not None:
            _set(original, now)
    else:
        original = _like(original, now)
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        module.__class__ = type_before_parametrizations(module)
    _register(module, tensor_name, original)
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class of a module as it was before anything of it was parametrized."""
    kind = type(module)
    return kind.__bases__[0] if issubclass(kind, _Parametrized) else kind


class _Parametrized(Module):
    """Reads what is computed, where an ordinary attribute is not found; writes through `right_inverse`."""

    def __getattr__(self, name: str) -> Any:
        known = self.__dict__.get("_modules", {}).get("parametrizations")
        if known is None or name not in known:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        computed = _computed.get()
        if computed is None:
            return known[name]()
        if (id(self), name) not in computed:
            computed[id(self), name] = known[name]()
        return computed[id(self), name]

    def __setattr__(self, name: str, value: Any) -> None:
        known = self.__dict__.get("_modules", {}).get("parametrizations")
        if known is not None and name in known:
            known[name].right_inverse(value)
        else:
            super().__setattr__(name, value)


@cache
def _parametrized(kind: type[Module]) -> type[Module]:
    """The class of modules of this kind with something parametrized."""
    return type(f"Parametrized{kind.__name__}", (kind, _Parametrized), {})


def _register(module: Module, name: str, tensor: Tensor) -> None:
    (module.register_parameter if isinstance(tensor, Parameter) else module.register_buffer)(name, tensor)  # type: ignore[arg-type]


def _like(original: Tensor, values: Any) -> Tensor:
    """These values as a parameter or buffer, as the original is one."""
    array = np.array(values.data)
    return Parameter(array, original.requires_grad) if isinstance(original, Parameter) else Tensor(array)


def _set(tensor: Tensor, values: Any) -> None:
    """Other values for a tensor that stays the same object."""
    if values is tensor:
        return
    if values.dtype != tensor.dtype:
        raise DTypeError(f"right_inverse gave {values.dtype} for a tensor of {tensor.dtype}", do="keep the dtype")
    tensor.data = np.array(values.data)
    tensor.changed_in_place()


def _require_alike(value: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
    if not isinstance(value, Tensor) or value.dtype != dtype:
        raise DTypeError(
            f"a parametrization gave {getattr(value, 'dtype', type(value).__name__)} for a tensor of {dtype}",
            do="keep the dtype, or pass unsafe=True",
        )
    if tuple(value.shape) != tuple(shape):
        raise ShapeError(
            f"a parametrization gave shape {tuple(value.shape)} for a tensor of shape {tuple(shape)}",
            do="keep the shape, or pass unsafe=True",
        )
