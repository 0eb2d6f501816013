"""Modules: functions with parameters, and the tree they form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from openbook.errors import InputError
from openbook.nn.state import require_fit
from openbook.tensor.tensor import HookHandle, Tensor

__all__ = ["LoadedKeys", "Module", "Parameter"]


class Parameter(Tensor):
    """A tensor that a module learns: assigned as an attribute, it is found by `parameters()`."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True):
        super().__init__(data.data if isinstance(data, Tensor) else data, requires_grad)


class LoadedKeys(NamedTuple):
    """The names that a state left out, and those that nobody had."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """The base of everything with parameters: subclass it, make parts in `__init__`, compute in `forward`."""

    training: bool
    _hooks: dict[str, dict[int, Any]] | None = None  # of one module, once it has any

    def __init__(self) -> None:
        for name, value in (("training", True), ("_parameters", {}), ("_buffers", {}), ("_modules", {})):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_passing", set())  # buffers that are not saved

    def forward(self, *inputs: Any) -> Any:
        raise InputError(f"{type(self).__name__} has no forward", do="define forward(self, x) in your module")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        if self._hooks is None:
            return self.forward(*inputs, **options)
        for hook in list(self._hooks["before"].values()):
            changed = hook(self, inputs)
            if changed is not None:
                inputs = changed if isinstance(changed, tuple) else (changed,)
        output = self.forward(*inputs, **options)
        for hook in list(self._hooks["after"].values()):
            changed = hook(self, inputs, output)
            output = output if changed is None else changed
        return output

    def register_forward_pre_hook(self, hook: Callable[[Module, Any], Any]) -> HookHandle:
        """Call `hook(module, inputs)` before forward; what it returns takes the inputs' place."""
        return HookHandle(self._hooks_of("before"), hook)

    def register_forward_hook(self, hook: Callable[[Module, Any, Any], Any]) -> HookHandle:
        """Call `hook(module, inputs, output)` after forward; what it returns takes the output's place."""
        return HookHandle(self._hooks_of("after"), hook)

    def register_full_backward_hook(self, hook: Callable[[Module, Any, Any], Any]) -> HookHandle:
        """Call `hook(module, None, (gradient of the output,))` on the way back."""

        def watch(module: Module, inputs: Any, output: Any) -> None:
            if getattr(output, "requires_grad", False):
                output.register_hook(lambda gradient: hook(module, None, (gradient,)) and None)

        return self.register_forward_hook(watch)

    def _hooks_of(self, time: str) -> dict[int, Any]:
        if self._hooks is None:
            object.__setattr__(self, "_hooks", {"before": {}, "after": {}})
        assert self._hooks is not None
        return self._hooks[time]

    # --- parts -------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, (Parameter, Module)) and "_modules" not in own:
            raise InputError(
                f"{type(self).__name__} was given the part {name!r} before it was ready",
                do="call super().__init__() first in __init__",
            )
        for kind, parts in ((Parameter, "_parameters"), (Module, "_modules")):
            if isinstance(value, kind):
                own[parts][name] = value
            elif name in own.get(parts, ()):
                del own[parts][name]
        if name in own.get("_buffers", ()):
            if not isinstance(value, Tensor):
                del own["_buffers"][name]
            else:
                own["_buffers"][name] = value
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for parts in ("_parameters", "_modules", "_buffers"):
            self.__dict__[parts].pop(name, None)
        object.__delattr__(self, name)

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Assign a parameter under a name (None for one that this module does without)."""
        setattr(self, name, parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Assign a tensor that belongs to the state but is not learnt; saved if `persistent`."""
        object.__setattr__(self, name, tensor)
        if tensor is not None:
            self.__dict__["_buffers"][name] = tensor
        if not persistent:
            self.__dict__["_passing"].add(name)

    def add_module(self, name: str, module: Module) -> None:
        """Assign a part under a name."""
        setattr(self, name, module)

    register_module = add_module

    def children(self) -> Iterator[Module]:
        """The modules this one is directly made of."""
        yield from self.__dict__["_modules"].values()

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules this one is directly made of, with their names."""
        yield from self.__dict__["_modules"].items()

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all below it, each once, with dotted names."""
        seen: set[int] = set()
        for name, module in self._walk(prefix):
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def _walk(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        yield prefix, self
        for name, child in self.__dict__["_modules"].items():
            yield from child._walk(f"{prefix}.{name}" if prefix else name)

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        return (module for _, module in self.named_modules())

    def _named(self, kind: str, prefix: str = "", each_once: bool = True) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        for name, module in self.named_modules(prefix) if each_once else self._walk(prefix):
            for part, value in module.__dict__[kind].items():
                if not each_once or id(value) not in seen:
                    seen.add(id(value))
                    yield f"{name}.{part}" if name else part, value

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """All parameters, each once, with dotted names."""
        return self._named("_parameters", prefix)

    def parameters(self) -> Iterator[Parameter]:
        """All parameters, for an optimiser."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """All buffers, each once, with dotted names."""
        return self._named("_buffers", prefix)

    def buffers(self) -> Iterator[Tensor]:
        """All buffers."""
        return (buffer for _, buffer in self.named_buffers())

    def get_submodule(self, target: str) -> Module:
        """The part of a dotted name."""
        found = dict(self._walk()).get(target)
        if found is None:
            raise InputError(f"{type(self).__name__} has no part {target!r}", do="look at named_modules()")
        return found

    def get_parameter(self, target: str) -> Parameter:
        """The parameter of a dotted name."""
        found = dict(self._named("_parameters", each_once=False)).get(target)
        if found is None:
            raise InputError(f"{type(self).__name__} has no parameter {target!r}", do="look at named_parameters()")
        return found

    def apply(self, f: Callable[[Module], Any]) -> Module:
        """Call f on every part, and then on this module."""
        for child in self.children():
            child.apply(f)
        f(self)
        return self

    # --- modes -------------------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Module:
        """Behave as in training (dropout drops)."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Behave as in use."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients of all parameters; to zeros instead of None if asked for."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = Tensor(np.zeros_like(parameter.data))

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Ask for (or stop asking for) the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def to(self, dtype: Any) -> Module:
        """Turn all parameters and real-valued buffers to another dtype, in place."""
        for tensor in (*self.parameters(), *(b for b in self.buffers() if b.dtype.kind == "f")):
            tensor.data = tensor.data.astype(dtype)
            tensor.changed_in_place()
        return self

    def double(self) -> Module:
        """Turn all parameters to float64, in place."""
        return self.to(np.float64)

    def half(self) -> Module:
        """Turn all parameters to float16, in place."""
        return self.to(np.float16)

    def float(self) -> Module:
        """Turn all parameters to float32, in place."""
        return self.to(np.float32)

    # --- state -------------------------------------------------------------------------------------------------

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Parameters and buffers by dotted name, sharing memory; keys and layouts are PyTorch's."""
        state: dict[str, Tensor] = {}
        for name, module in self._walk():
            own = module.__dict__
            saved = {**own["_parameters"], **{k: v for k, v in own["_buffers"].items() if k not in own["_passing"]}}
            state.update({f"{prefix}{name}.{k}" if name else f"{prefix}{k}": v.detach() for k, v in saved.items()})
        return state

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> LoadedKeys:
        """Take over parameters and buffers by name; nothing is changed unless all names (if `strict`) and shapes fit."""
        own = self.state_dict()
        arrays = {name: np.asarray(value) for name, value in state.items()}
        missing, unexpected = [k for k in own if k not in arrays], [k for k in arrays if k not in own]
        require_fit(type(self).__name__, {k: v.shape for k, v in own.items()}, arrays, strict)
        for name, tensor in own.items():
            if name in arrays:
                tensor.data[...] = arrays[name]
                tensor.changed_in_place()
        return LoadedKeys(missing, unexpected)

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
