"""Modules: functions with parameters, and the tree they form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.tensor.tensor import Tensor

__all__ = ["Module", "Parameter", "Sequential"]


class Parameter(Tensor):
    """A tensor that a module learns: assigned as an attribute, it is found by `parameters()`."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True):
        super().__init__(data.data if isinstance(data, Tensor) else data, requires_grad)


class Module:
    """The base of everything with parameters: subclass it, make parts in `__init__`, compute in `forward`."""

    training: bool

    def __init__(self) -> None:
        object.__setattr__(self, "training", True)
        object.__setattr__(self, "_parameters", {})
        object.__setattr__(self, "_modules", {})

    def forward(self, *inputs: Any) -> Any:
        raise InputError(f"{type(self).__name__} has no forward", do="define forward(self, x) in your module")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return self.forward(*inputs, **options)

    # --- parts -------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, (Parameter, Module)) and "_modules" not in self.__dict__:
            raise InputError(
                f"{type(self).__name__} was given the part {name!r} before it was ready",
                do="call super().__init__() first in __init__",
            )
        for kind, parts in ((Parameter, "_parameters"), (Module, "_modules")):
            if isinstance(value, kind):
                self.__dict__[parts][name] = value
            elif name in self.__dict__.get(parts, ()):
                del self.__dict__[parts][name]
        object.__setattr__(self, name, value)

    def children(self) -> Iterator[Module]:
        """The modules this one is directly made of."""
        yield from self.__dict__["_modules"].values()

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once, with dotted names."""
        seen: set[int] = set()
        waiting: list[tuple[str, Module]] = [(prefix, self)]
        while waiting:
            name, module = waiting.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield name, module
            parts = module.__dict__["_modules"].items()
            waiting.extend((f"{name}.{part}" if name else part, child) for part, child in reversed(list(parts)))

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters, each once, with dotted names."""
        seen: set[int] = set()
        for prefix, module in self.named_modules():
            for name, parameter in module.__dict__["_parameters"].items():
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield f"{prefix}.{name}" if prefix else name, parameter

    def parameters(self) -> Iterator[Parameter]:
        """All parameters, for an optimiser."""
        return (parameter for _, parameter in self.named_parameters())

    # --- modes -------------------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Module:
        """Behave as in training (dropout drops)."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Behave as in use."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Clear the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Ask for (or stop asking for) the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def to(self, dtype: Any) -> Module:
        """Turn all parameters to another dtype, in place."""
        for parameter in self.parameters():
            parameter.data = parameter.data.astype(dtype)
            parameter.changed_in_place()
        return self

    def double(self) -> Module:
        """Turn all parameters to float64, in place."""
        return self.to(np.float64)

    def float(self) -> Module:
        """Turn all parameters to float32, in place."""
        return self.to(np.float32)

    # --- state -------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Tensor]:
        """The parameters by dotted name, sharing memory; keys and layouts are PyTorch's."""
        return {name: parameter.detach() for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over parameters by name; nothing is changed unless all names and shapes fit."""
        own = dict(self.named_parameters())
        missing, extra = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        if missing or extra:
            raise InputError(
                f"the state does not fit {type(self).__name__}: missing {missing or 'nothing'}, unexpected "
                f"{extra or 'nothing'}",
                do="build the same module that the state was saved from",
            )
        arrays = {name: np.asarray(value) for name, value in state.items()}
        for name, parameter in own.items():
            if arrays[name].shape != parameter.shape:
                raise ShapeError(f"{name} has shape {parameter.shape}, the state {arrays[name].shape}")
        for name, parameter in own.items():
            parameter.data[...] = arrays[name]
            parameter.changed_in_place()

    # --- looking -----------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the brackets in the printed module."""
        return ""

    def __repr__(self) -> str:
        parts = self.__dict__["_modules"]
        if not parts:
            return f"{type(self).__name__}({self.extra_repr()})"
        lines = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in parts.items()]
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"


class Sequential(Module):
    """Modules one after the other."""

    def __init__(self, *modules: Module):
        super().__init__()
        for index, module in enumerate(modules):
            setattr(self, str(index), module)

    def forward(self, x: Any) -> Any:
        for module in self.children():
            x = module(x)
        return x

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __len__(self) -> int:
        return len(self.__dict__["_modules"])

    def __getitem__(self, index: int) -> Module:
        return list(self.children())[index]
