"""Containers: modules and parameters in a row, in lists and by name."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from openbook.errors import DTypeError, InputError
from openbook.nn.module import Module, Parameter
from openbook.tensor.tensor import Tensor

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _Numbered(Module):
    """What Sequential, ModuleList and ParameterList share: parts called "0", "1", … in their order."""

    _kind = "_modules"

    def _parts(self) -> list[Any]:
        return list(self.__dict__[self._kind].values())

    def _rearrange(self, parts: Iterable[Any]) -> None:
        """Put these parts in place of those that are there, numbered anew."""
        wanted = [self._checked(part) for part in parts]
        for name in list(self.__dict__[self._kind]):
            delattr(self, name)
        for index, part in enumerate(wanted):
            self._place(self._kind, str(index), part)

    def _checked(self, part: Any) -> Any:
        if not isinstance(part, Module):
            raise DTypeError(f"{type(self).__name__} takes modules, not {type(part).__name__}")
        return part

    def _at(self, index: Any) -> int:
        """The place an index means: negative ones count from the end."""
        try:
            number = operator.index(index)
        except TypeError as problem:
            raise DTypeError(f"{type(self).__name__} is indexed by whole numbers, not {index!r}") from problem
        if not -len(self) <= number < len(self):
            raise _OutOfRange(f"{type(self).__name__} has {len(self)} parts, and none at {number}")
        return number % len(self)

    def __len__(self) -> int:
        return len(self.__dict__[self._kind])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parts())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._sliced(self._parts()[index])
        return self._parts()[self._at(index)]

    def _sliced(self, parts: list[Any]) -> Any:
        return type(self)(parts)  # type: ignore[call-arg]  # every subclass takes its parts

    def __setitem__(self, index: Any, part: Any) -> None:
        name = list(self.__dict__[self._kind])[self._at(index)]
        self._place(self._kind, name, self._checked(part))

    def __delitem__(self, index: Any) -> None:
        parts = self._parts()
        del parts[index if isinstance(index, slice) else self._at(index)]
        self._rearrange(parts)

    def append(self, part: Any) -> Self:
        """Add a part at the end."""
        self._place(self._kind, str(len(self)), self._checked(part))
        return self

    def extend(self, parts: Iterable[Any]) -> Self:
        """Add several parts at the end."""
        for part in [self._checked(part) for part in parts]:
            self.append(part)
        return self

    def insert(self, index: int, part: Any) -> Any:
        """Add a part before the one at an index."""
        parts = self._parts()
        if not -len(parts) <= index <= len(parts):
            raise _OutOfRange(f"{type(self).__name__} has {len(self)} parts: nothing can be put before {index}")
        parts.insert(index, part)
        self._rearrange(parts)
        return self

    def pop(self, index: int = -1) -> Any:
        """Take a part out and give it back."""
        part = self[index]
        del self[index]
        return part


class _OutOfRange(InputError, IndexError):
    """An index with nothing behind it: Python's loops over indices stop at an IndexError."""


class Sequential(_Numbered):
    """Modules one after the other; given a dictionary, under its names."""

    def __init__(self, *modules: Any):
        super().__init__()
        named = modules[0] if len(modules) == 1 and isinstance(modules[0], Mapping) else None
        for name, module in named.items() if named is not None else enumerate(modules):
            self.add_module(str(name), self._checked(module))

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input

    def _sliced(self, parts: list[Any]) -> Sequential:
        names = {id(part): name for name, part in self._modules.items()}
        return type(self)({names[id(part)]: part for part in parts})

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *other)


class ModuleList(_Numbered):
    """Modules in a list, for a forward that goes through them in its own way."""

    def __init__(self, modules: Iterable[Module] | None = None):
        super().__init__()
        self.extend(modules or ())

    def insert(self, index: int, part: Any) -> None:
        """Add a module before the one at an index."""
        super().insert(index, part)

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        shown = [repr(module) for module in self]
        if not shown:
            return f"{type(self).__name__}()"
        lines, start = [], 0
        for end in range(1, len(shown) + 1):  # equal neighbours on one line
            if end == len(shown) or shown[end] != shown[start]:
                several = end - start > 1
                line = (
                    f"({start}-{end - 1}): {end - start} x {shown[start]}" if several else f"({start}): {shown[start]}"
                )
                lines.append(line.replace("\n", "\n  "))
                start = end
        return f"{type(self).__name__}(\n  " + "\n  ".join(lines) + "\n)"


class ParameterList(_Numbered):
    """Parameters in a list; tensors become parameters."""

    _kind = "_parameters"

    def __init__(self, values: Iterable[Any] | None = None):
        super().__init__()
        self.extend(values or ())

    def _checked(self, part: Any) -> Parameter:
        return _parameter(self, part)

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def extra_repr(self) -> str:
        return "\n".join(f"({i}): {_described(p)}" for i, p in enumerate(self))


class _Named(Module):
    """What ModuleDict and ParameterDict share: parts under names."""

    _kind = "_modules"

    def _checked(self, part: Any) -> Any:
        if not isinstance(part, Module):
            raise DTypeError(f"{type(self).__name__} takes modules, not {type(part).__name__}")
        return part

    def __getitem__(self, key: str) -> Any:
        parts = self.__dict__[self._kind]
        if key not in parts:
            raise _NoSuchKey(f"{type(self).__name__} has no {key!r}", do=f"choose one of {', '.join(parts) or 'none'}")
        return parts[key]

    def __setitem__(self, key: str, part: Any) -> None:
        self._require_free(key, self._kind)
        self._place(self._kind, key, self._checked(part))

    def __delitem__(self, key: str) -> None:
        self[key]  # the error where there is none
        delattr(self, key)

    def __len__(self) -> int:
        return len(self.__dict__[self._kind])

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__[self._kind])

    def __contains__(self, key: object) -> bool:
        return key in self.__dict__[self._kind]

    def keys(self) -> Any:
        """The names."""
        return self.__dict__[self._kind].keys()

    def values(self) -> Any:
        """The parts."""
        return self.__dict__[self._kind].values()

    def items(self) -> Any:
        """The names and the parts."""
        return self.__dict__[self._kind].items()

    def update(self, parts: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add parts, or replace those of the same names."""
        for key, part in parts.items() if isinstance(parts, Mapping | _Named) else parts:
            self[key] = part

    def pop(self, key: str) -> Any:
        """Take a part out and give it back."""
        part = self[key]
        del self[key]
        return part

    def clear(self) -> None:
        """Take all parts out."""
        for key in list(self):
            del self[key]


class _NoSuchKey(InputError, KeyError):
    """A name with nothing behind it."""

    __str__ = InputError.__str__


class ModuleDict(_Named):
    """Modules under names."""

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None):
        super().__init__()
        self.update(modules or {})


class ParameterDict(_Named):
    """Parameters under names; tensors become parameters."""

    _kind = "_parameters"

    def __init__(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None):
        super().__init__()
        self.update(parameters or {})

    def _checked(self, part: Any) -> Parameter:
        return _parameter(self, part)

    def extra_repr(self) -> str:
        return "\n".join(f"({name}): {_described(p)}" for name, p in self.items())


def _parameter(container: Module, value: Any) -> Parameter:
    if isinstance(value, Parameter):
        return value
    if not isinstance(value, Tensor):
        raise DTypeError(
            f"{type(container).__name__} takes parameters, not {type(value).__name__}", do="wrap it: nn.Parameter(…)"
        )
    return Parameter(value)


def _described(parameter: Parameter) -> str:
    return f"Parameter containing: [{parameter.dtype} of size {'x'.join(map(str, parameter.shape))}]"
