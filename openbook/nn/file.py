"""Nets as files hold them: for each module its class, its settings and its parts by name; parameters and buffers as arrays.

Arrays have the names that `state_dict()` gives them, so any reader of safetensors finds the state. A net is read back
without calling a constructor: nothing is drawn, and no memory is taken but for what the file holds.
"""

from __future__ import annotations

from inspect import isroutine
from typing import Any

import numpy as np

from openbook import nn
from openbook.errors import ModelError
from openbook.files import Stored, from_plain, to_plain
from openbook.nn import functional
from openbook.nn.lazy import UninitializedParameter
from openbook.nn.module import Module
from openbook.nn.parameter import Parameter
from openbook.ops import activation
from openbook.tensor.tensor import Tensor

__all__ = ["from_stored", "to_stored"]

# What a setting may be beside numbers and texts: written by its name in its home.
_HOMES = {"function": functional, "operation": activation}
_OWN = ("_parameters", "_buffers", "_modules", "_unsaved", "training")


def to_stored(model: Module) -> Stored:
    """A net made of openbook's modules as a file holds it; ModelError for a class of one's own, or hooks."""
    writer = _Writer()
    return Stored("net", writer.module(model, ""), writer.arrays)


class _Writer:
    """What has been written: modules and tensors that stand in several places are one also in the file."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.places: dict[int, str] = {}  # of a module or tensor: the first place it stands in

    def module(self, module: Module, prefix: str) -> dict[str, Any]:
        if id(module) in self.places:
            return {"same": self.places[id(module)]}
        kind = type(module)
        if getattr(nn, kind.__name__, None) is not kind:
            raise ModelError(
                f"{kind.__qualname__} is a class of yours: a file can hold its numbers, not its forward", where="save",
                do="save state_dict() instead, and load it into a net made by your own code",
            )  # fmt: skip
        if module._hooks is not None or module._state_hooks is not None:
            raise ModelError(f"{prefix or 'the net'} has hooks, which a file cannot hold", where="save",
                             do="save state_dict() instead")  # fmt: skip
        self.places[id(module)] = prefix
        return {
            "class": kind.__name__,
            "training": module.training,
            "settings": self._settings(module, prefix),
            "parameters": {name: self._tensor(p, prefix + name) for name, p in module._parameters.items()},
            "frozen": [name for name, p in module._parameters.items() if p is not None and not p.requires_grad],
            "buffers": {name: self._tensor(b, prefix + name) for name, b in module._buffers.items()},
            "unsaved": sorted(module._unsaved),
            "modules": {
                name: None if part is None else self.module(part, f"{prefix}{name}.")
                for name, part in module._modules.items()
            },
        }

    def _settings(self, module: Module, prefix: str) -> dict[str, Any]:
        parts = {*_OWN, *module._parameters, *module._buffers, *module._modules}
        return {name: self._setting(value, prefix + name) for name, value in vars(module).items() if name not in parts}

    def _setting(self, value: Any, name: str) -> Any:
        for word, home in _HOMES.items():
            known = next((known for known, found in vars(home).items() if found is value and callable(found)), None)
            if known:
                return {word: known}
        return to_plain(value, f"{name}:", self.arrays)

    def _tensor(self, tensor: Tensor | None, name: str) -> str | None:
        if tensor is None:
            return None
        if isinstance(tensor, UninitializedParameter):
            raise ModelError(f"{name} has no shape yet", where="save", do="call the net on a batch first")
        self.arrays[name] = tensor.data
        return self.places.setdefault(id(tensor), name)


def from_stored(stored: Stored) -> Module:
    """The net in a file; ModelError says what contradicts what."""
    try:
        return _Reader(stored.arrays).module(stored.facts, "")
    except ModelError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as problem:
        raise ModelError(f"the description of the net is none ({type(problem).__name__}: {problem})") from problem


class _Reader:
    """What has been read, by place."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = arrays
        self.modules: dict[str, Module] = {}
        self.tensors: dict[str, Tensor] = {}

    def module(self, facts: dict[str, Any], prefix: str) -> Module:
        if "same" in facts:
            return self.modules[facts["same"]]
        kind = getattr(nn, facts["class"])
        if not (isinstance(kind, type) and issubclass(kind, Module)):
            raise ModelError(f"{facts['class'][:40]!r} is no module of openbook.nn")
        module = object.__new__(kind)
        Module.__init__(module)
        for name, value in facts["settings"].items():
            vars(module)[_free(module, name)] = self._setting(value)
        for name, array in facts["parameters"].items():
            learns = name not in facts["frozen"]
            self._place(module, "_parameters", name, None if array is None else self._tensor(array, Parameter, learns))
        for name, array in facts["buffers"].items():
            self._place(module, "_buffers", name, None if array is None else self._tensor(array, Tensor, False))
        for name, part in facts["modules"].items():
            self._place(module, "_modules", name, None if part is None else self.module(part, f"{prefix}{name}."))
        module._unsaved.update(name for name in module._buffers if name in facts["unsaved"])
        vars(module)["training"] = facts["training"] is True
        self.modules[prefix] = module
        return module

    def _place(self, module: Module, kind: str, name: str, part: Any) -> None:
        if part is None:
            vars(module)[kind][name] = vars(module)[_free(module, name)] = None
        else:
            module._place(kind, _free(module, name), part)

    def _setting(self, value: Any) -> Any:
        for word, home in _HOMES.items():
            if isinstance(value, dict) and set(value) == {word}:
                found = getattr(home, value[word])
                if not callable(found) or value[word].startswith("_"):
                    raise ModelError(f"{value[word][:40]!r} is no {word}")
                return found
        return from_plain(value, self.arrays)

    def _tensor(self, name: str, kind: type[Tensor], learns: bool) -> Tensor:
        if name not in self.tensors:
            array = self.arrays[name]
            if learns and array.dtype.kind != "f":
                raise ModelError(f"the parameter {name!r} holds {array.dtype}, which cannot be learnt")
            self.tensors[name] = kind(array, learns)
        return self.tensors[name]


def _free(module: Module, name: str) -> str:
    """A name that a part or setting may have: none of a method, nor one that is taken."""
    method = name.startswith("__") or isroutine(getattr(type(module), name, None))
    if not name or "." in name or method or name in vars(module):
        raise ModelError(f"{name[:40]!r} cannot be a name in a {type(module).__name__}")
    return name
