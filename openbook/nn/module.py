"""Modules: functions with parameters, and the tree they form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn, Self

import numpy as np

from openbook.errors import DTypeError, GraphError, InputError
from openbook.nn.hooks import Hooks, RemovableHandle
from openbook.nn.parameter import Parameter
from openbook.nn.placement import Placement
from openbook.nn.state import State
from openbook.tensor.tensor import Tensor

__all__ = ["Module", "Parameter"]

_KINDS: dict[str, type] = {"_parameters": Parameter, "_buffers": Tensor}


class Module(State, Placement):
    """The base of everything with parameters: subclass it, make parts in `__init__`, compute in `forward`.

    `_parameters`, `_buffers` and `_modules` say by name what belongs to the module. Each part is an ordinary attribute as
    well, so that `self.weight` in forward costs a dictionary look-up and nothing more.
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _unsaved: set[str]  # buffers that are not part of the state
    _hooks: Hooks | None = None  # None as long as nobody has registered one: calls go straight to forward

    def __init__(self) -> None:
        self.__dict__.update(training=True, _parameters={}, _buffers={}, _modules={}, _unsaved=set())

    def forward(self, *inputs: Any, **options: Any) -> Any:
        raise InputError(f"{type(self).__name__} has no forward", do="define forward(self, x) in your module")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        if self._hooks is None:
            return self.forward(*inputs, **options)
        return self._hooks.call(self, inputs, options)

    # --- parts -------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if "_modules" not in own:
            if isinstance(value, (Parameter, Module)):
                self._not_ready(name)
        elif isinstance(value, Parameter):
            self._place("_parameters", name, value)
            return
        elif isinstance(value, Module):
            self._place("_modules", name, value)
            return
        elif name in own["_parameters"] or name in own["_modules"] or name in own["_buffers"]:
            self._replace(name, value)
            return
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for parts in ("_parameters", "_buffers", "_modules"):
            self.__dict__.get(parts, {}).pop(name, None)
        self.__dict__.get("_unsaved", set()).discard(name)
        object.__delattr__(self, name)

    def _not_ready(self, name: str) -> NoReturn:
        raise InputError(
            f"{type(self).__name__} was given the part {name!r} before it was ready",
            do="call super().__init__() first in __init__",
        )

    def _place(self, kind: str, name: str, value: Any) -> None:
        """Make a part belong to the module under a name: keeps its place in the order, leaves other kinds."""
        own = self.__dict__
        for parts in ("_parameters", "_buffers", "_modules"):
            if parts != kind and name in own[parts]:
                del own[parts][name]
                own["_unsaved"].discard(name)
        own[kind][name] = own[name] = value

    def _replace(self, name: str, value: Any) -> None:
        """Assign something that is neither parameter nor module to the name of a part."""
        own = self.__dict__
        kind = next(parts for parts in ("_parameters", "_buffers", "_modules") if name in own[parts])
        if value is not None and not isinstance(value, _KINDS.get(kind, Module)):
            wanted = {"_parameters": "a Parameter", "_buffers": "a Tensor", "_modules": "a Module"}[kind]
            raise DTypeError(
                f"{type(self).__name__}.{name} holds {wanted}, not {type(value).__name__}",
                do=f"assign {wanted} or None, or delete the attribute first",
            )
        own[kind][name] = own[name] = value

    def _require_free(self, name: Any, kind: str) -> None:
        """Refuse names that could not be found again."""
        if "_modules" not in self.__dict__:
            self._not_ready(name)
        if not isinstance(name, str):
            raise DTypeError(f"a part's name is text, not {type(name).__name__}")
        if not name or "." in name:
            raise InputError(f"a part cannot be called {name!r}", do="give a name without dots")
        if name not in self.__dict__[kind] and hasattr(self, name):
            raise InputError(f"{type(self).__name__} already has an attribute {name!r}", do="choose another name")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter by name; None keeps the name for one that is left out."""
        self._require_free(name, "_parameters")
        if param is not None and not isinstance(param, Parameter):
            raise DTypeError(f"{name} is {type(param).__name__}, not a Parameter", do="wrap it: nn.Parameter(tensor)")
        if param is not None and param.node is not None:
            raise GraphError(
                f"the parameter {name!r} was computed, so it cannot be learnt", do="give a leaf: x.detach()"
            )
        self._place("_parameters", name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not learnt, such as a running mean.

        It moves with `to(dtype)`, and is part of `state_dict()` unless `persistent=False`.
        """
        self._require_free(name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise DTypeError(f"{name} is {type(tensor).__name__}, not a Tensor", do="wrap it: openbook.tensor(array)")
        self._place("_buffers", name, tensor)
        (self._unsaved.discard if persistent else self._unsaved.add)(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Add a module by name."""
        self._require_free(name, "_modules")
        if module is not None and not isinstance(module, Module):
            raise DTypeError(f"{name} is {type(module).__name__}, not a Module", do="subclass nn.Module")
        self._place("_modules", name, module)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a module by name."""
        self.register_module(name, module)

    # --- walking the tree --------------------------------------------------------------------------------------

    def named_modules(
        self, memo: set[int] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, with dotted names; each once, unless `remove_duplicate=False`."""
        seen = set() if memo is None else memo
        if remove_duplicate:
            if id(self) in seen:
                return
            seen.add(id(self))
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(seen, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it; each once, unless `remove_duplicate=False`."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules this one is directly made of, each once, with their names."""
        seen: set[int] = set()
        for name, child in self._modules.items():
            if child is not None and id(child) not in seen:
                seen.add(id(child))
                yield name, child

    def children(self) -> Iterator[Module]:
        """The modules this one is directly made of, each once."""
        return (child for _, child in self.named_children())

    def _named(self, kind: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else iter([(prefix, self)])
        for path, module in modules:
            for name, value in module.__dict__[kind].items():
                if value is None or (remove_duplicate and id(value) in seen):
                    continue
                seen.add(id(value))
                yield f"{path}.{name}" if path else name, value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with dotted names; each once, unless `remove_duplicate=False`."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, each once, for an optimiser."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """All buffers with dotted names; each once, unless `remove_duplicate=False`."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted name; "" is this one."""
        module: Module = self
        for name in target.split(".") if target else ():
            found = module._modules.get(name)
            if found is None:
                self._not_found("module", target, name, module)
            module = found
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module at a dotted name, in place of what is there; with `strict`, something must be."""
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict:
            self.get_submodule(target)
        if not target:
            raise InputError("a module cannot put another in its own place", do="name a part of it")
        parent.register_module(name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted name."""
        return self._get("_parameters", target)

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted name."""
        return self._get("_buffers", target)

    def _get(self, kind: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        found = module.__dict__[kind].get(name)
        return found if found is not None else self._not_found(kind[1:-1], target, name, module)

    def _not_found(self, kind: str, target: str, name: str, module: Module) -> NoReturn:
        known = ", ".join(module.__dict__[f"_{kind}s"]) or "none"
        raise InputError(
            f"{type(self).__name__} has no {kind} {target!r}: {type(module).__name__} has no {name!r}",
            do=f"choose one of its {kind}s: {known}",
        )

    # --- modes -------------------------------------------------------------------------------------------------

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call a function on every module below this one, then on this one: to draw initial weights, for instance."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Behave as in training (dropout drops, batch norm looks at the batch)."""
        if not isinstance(mode, bool):
            raise DTypeError(f"the mode is True or False, not {type(mode).__name__}", where="train")
        for module in self.modules():
            module.__dict__["training"] = mode
        return self

    def eval(self) -> Self:
        """Behave as in use."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients of all parameters: to None, or to zeros."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = Tensor(np.zeros_like(parameter.data))

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Ask for (or stop asking for) the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    # --- hooks -------------------------------------------------------------------------------------------------

    def _own_hooks(self) -> Hooks:
        if self._hooks is None:
            object.__setattr__(self, "_hooks", Hooks())
        assert self._hooks is not None
        return self._hooks

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, inputs)` before forward; what it returns, if anything, takes the place of the inputs.

        With `with_kwargs`, `hook(module, inputs, options)`, returning None or (inputs, options).
        """
        return Hooks.add(self._own_hooks().before, (hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, inputs, output)` after forward; what it returns, if anything, takes the output's place.

        With `with_kwargs`, `hook(module, inputs, options, output)`; with `always_call`, also (with output None) where
        forward raised an error.
        """
        return Hooks.add(self._own_hooks().after, (hook, with_kwargs, always_call), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` once the gradients of all of a call's inputs that take one are known.

        Both are tuples, with None where there is no gradient. What it returns, if anything, takes the place of
        `grad_input`.
        """
        return Hooks.add(self._own_hooks().backward, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the gradients go back through the module.

        What it returns, if anything, takes the place of `grad_output`.
        """
        return Hooks.add(self._own_hooks().backward_pre, hook, prepend)

    # --- looking -----------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the brackets in the printed module."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr().split("\n") if self.extra_repr() else []
        parts = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self._modules.items()]
        if not parts and len(extra) <= 1:
            return f"{type(self).__name__}({''.join(extra)})"
        return f"{type(self).__name__}(\n  " + "\n  ".join([*extra, *parts]) + "\n)"
