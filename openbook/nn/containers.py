"""Modules made of modules: in a row, in a list, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openbook.errors import InputError
from openbook.nn.module import Module, Parameter

__all__ = ["ModuleDict", "ModuleList", "ParameterList", "Sequential"]


class _Row(Module):
    """What Sequential and ModuleList share: parts numbered from 0."""

    def _parts(self) -> list[Module]:
        return list(self.__dict__["_modules"].values())

    def _renumber(self, parts: Iterable[Any]) -> None:
        for name in list(self.__dict__["_modules"]):
            delattr(self, name)
        for index, part in enumerate(parts):
            setattr(self, str(index), part)

    def append(self, module: Module) -> Any:
        """Add a part at the end."""
        setattr(self, str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Any:
        """Add parts at the end."""
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Put a part before that of a number."""
        parts = self._parts()
        parts.insert(index, module)
        self._renumber(parts)
        return self

    def __iter__(self) -> Iterator[Module]:
        return iter(self._parts())

    def __len__(self) -> int:
        return len(self.__dict__["_modules"])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            parts = self._parts()[index]
            return Sequential(*parts) if isinstance(self, Sequential) else ModuleList(parts)
        try:
            return self._parts()[index]
        except IndexError:
            raise InputError(f"there is no part {index} of {len(self)}", where=type(self).__name__) from None

    def __setitem__(self, index: int, module: Module) -> None:
        parts = self._parts()
        parts[index] = module
        names = list(self.__dict__["_modules"])
        setattr(self, names[index], module)

    def __delitem__(self, index: Any) -> None:
        parts = self._parts()
        del parts[index]
        self._renumber(parts)


class Sequential(_Row):
    """Modules one after the other; an OrderedDict of them gives them names."""

    def __init__(self, *modules: Any):
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                setattr(self, name, module)
            return
        for index, module in enumerate(modules):
            if not isinstance(module, Module):
                raise InputError(f"part {index} is a {type(module).__name__}, no module", where="Sequential")
            setattr(self, str(index), module)

    def forward(self, x: Any) -> Any:
        for module in self.__dict__["_modules"].values():
            x = module(x)
        return x


class ModuleList(_Row):
    """A list whose modules are found by `parameters()`; it computes nothing itself."""

    def __init__(self, modules: Iterable[Module] = ()):
        super().__init__()
        self.extend(modules)


class ModuleDict(Module):
    """A dict whose modules are found by `parameters()`; it computes nothing itself."""

    def __init__(self, modules: Mapping[str, Module] | None = None):
        super().__init__()
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> None:
        """Take in modules by name."""
        for name, module in modules.items():
            self[name] = module

    def __getitem__(self, name: str) -> Module:
        if name not in self:
            raise InputError(f"there is no part {name!r}", where="ModuleDict", do=f"choose one of {', '.join(self)}")
        return self.__dict__["_modules"][name]

    def __setitem__(self, name: str, module: Module) -> None:
        if hasattr(type(self), name):
            raise InputError(f"{name!r} is taken by ModuleDict itself", do="choose another name")
        setattr(self, name, module)

    def __delitem__(self, name: str) -> None:
        delattr(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self.__dict__["_modules"]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__["_modules"])

    def __len__(self) -> int:
        return len(self.__dict__["_modules"])

    def keys(self) -> Any:
        return self.__dict__["_modules"].keys()

    def values(self) -> Any:
        return self.__dict__["_modules"].values()

    def items(self) -> Any:
        return self.__dict__["_modules"].items()


class ParameterList(Module):
    """A list of parameters."""

    def __init__(self, parameters: Iterable[Any] = ()):
        super().__init__()
        for value in parameters:
            self.append(value)

    def append(self, value: Any) -> ParameterList:
        """Add a parameter at the end."""
        setattr(self, str(len(self)), value if isinstance(value, Parameter) else Parameter(value))
        return self

    def __len__(self) -> int:
        return len(self.__dict__["_parameters"])

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.__dict__["_parameters"].values())

    def __getitem__(self, index: int) -> Parameter:
        return list(self)[index]
