"""One run of a PyTorch model with everything it did written down: operations, the modules they ran in, random draws."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

__all__ = ["Call", "Performed", "Recording", "as_double", "plainly", "recorded", "redrawn"]


@dataclass(frozen=True, eq=False)
class Performed:
    """One of PyTorch's operations as it was performed: `number` is that of its node in the graph of gradients.

    Tensors among `arguments` and `outputs` are as they were then, whatever was written over them later.
    """

    function: Any
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]
    outputs: tuple[torch.Tensor | None, ...]
    module: str
    number: int

    @property
    def name(self) -> str:
        """`aten::relu_` is what people call relu."""
        return self.function._schema.name.partition("::")[2].strip("_")

    @property
    def tensors(self) -> tuple[torch.Tensor | None, ...]:
        """What stands where the operation takes tensors, in order; lists are their entries."""
        found: list[torch.Tensor | None] = []
        for declared, value in zip(self.function._schema.arguments, self.arguments, strict=False):
            if "Tensor" in str(declared.type):
                found += value if isinstance(value, (list, tuple)) else [value]
        return tuple(found)

    def again(self, tensors: Sequence[torch.Tensor | None]) -> tuple[torch.Tensor | None, ...]:
        """The operation once more with other tensors in the same places; none of these is written to."""
        mutates = self.function._schema.is_mutable
        left = iter([t.clone() if mutates and t is not None else t for t in tensors])
        arguments = [
            (type(value)(next(left) for _ in value) if isinstance(value, (list, tuple)) else next(left))
            if "Tensor" in str(declared.type)
            else _wide(value)
            for declared, value in zip(self.function._schema.arguments, self.arguments, strict=False)
        ]
        with torch.no_grad():
            given = self.function(*arguments, **{k: _wide(v) for k, v in self.options.items()})
        return given if isinstance(given, tuple) else tuple(given) if isinstance(given, list) else (given,)


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a module, and the tensor it gave."""

    name: str
    kind: str
    parameters: int
    output: torch.Tensor


@dataclass(eq=False)
class Recording:
    """All that one run performed, the calls of modules in the order in which they ended, and what was drawn."""

    performed: dict[int, Performed] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    draws: list[torch.Tensor] = field(default_factory=list)
    unrepeatable: list[str] = field(default_factory=list)  # operations that draw and are differentiated


class _Watch(TorchDispatchMode):
    """Writes down every operation; a new number in PyTorch's count of nodes says that this one is in the graph."""

    def __init__(self, recording: Recording, inside: list[str], kept: set[int]):
        super().__init__()
        self.recording, self.inside, self.kept = recording, inside, kept
        self.snapshots: dict[tuple[int, int], tuple[torch.Tensor, torch.Tensor]] = {}
        self.number = _latest()
        self.left_out: int | None = None  # a number that no operation has been seen for yet

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        number = self._number_of(function, args)
        draws = torch.Tag.nondeterministic_seeded in function.tags
        if number is None or draws:
            given = function(*args, **options)
            if draws and number is None:
                self.recording.draws.append(given.detach().clone())
            elif draws:
                self.recording.unrepeatable.append(function._schema.name.partition("::")[2])
            return given
        arguments, named = tree_map_only(torch.Tensor, self._as_it_is, (tuple(args), dict(options)))
        given = function(*args, **options)
        outputs = given if isinstance(given, (tuple, list)) else (given,)
        after = tuple(self._as_it_is(o) if isinstance(o, torch.Tensor) else None for o in outputs)
        self.recording.performed[number] = Performed(function, arguments, named, after, self.inside[-1], number)
        return given

    def _number_of(self, function: Any, args: Any) -> int | None:
        """The number of the node that PyTorch has made for an operation; None where it made none."""
        latest = _latest()
        if not torch.is_grad_enabled() or latest == self.number:
            return self._passed_over(function, args)
        self.left_out = latest - 1 if latest > self.number + 1 else None
        self.number = latest
        return latest

    def _passed_over(self, function: Any, args: Any) -> int | None:
        """A change in place that first copies what it changes: the copy's node is newer than its own."""
        mutates = torch.is_grad_enabled() and function._schema.is_mutable and args and args[0].requires_grad
        number, self.left_out = (self.left_out, None) if mutates else (None, self.left_out)
        return number

    def _as_it_is(self, tensor: torch.Tensor) -> torch.Tensor:
        """A copy that nobody writes to; parameters, which nothing in a forward pass may change, are themselves."""
        if id(tensor) in self.kept:
            return tensor.detach()
        key = (id(tensor), tensor._version)
        if key not in self.snapshots:
            self.snapshots[key] = (tensor, tensor.detach().clone())  # the tensor too: an id is used again when it dies
        return self.snapshots[key][1]


def _latest() -> int:
    """The number of the newest node in PyTorch's graph of gradients."""
    return int(torch._C._autograd._get_sequence_nr()) - 1


def recorded(model: torch.nn.Module, compute: Callable[[], Any]) -> tuple[Any, Recording]:
    """Run `compute` (which calls the model) and write down what happens, in steps as small as PyTorch has them."""
    recording, inside = Recording(), [""]
    kept = {id(p) for p in model.parameters()}
    with ExitStack() as stack:
        for name, module in model.named_modules():
            stack.callback(module.register_forward_pre_hook(partial(_entered, inside, name)).remove)
            stack.callback(module.register_forward_hook(partial(_left, recording, inside, name)).remove)
        stack.enter_context(plainly())
        stack.enter_context(_Watch(recording, inside, kept))
        return compute(), recording


def _entered(inside: list[str], name: str, module: Any, arguments: Any) -> None:
    del module, arguments
    inside.append(name)


def _left(recording: Recording, inside: list[str], name: str, module: torch.nn.Module, given: Any, output: Any) -> None:
    del given
    inside.pop()
    first = output[0] if isinstance(output, tuple) and output else output
    if isinstance(first, torch.Tensor):
        own = sum(p.numel() for p in module.parameters())
        recording.calls.append(Call(name, type(module).__name__, own, first.detach().clone()))


@contextmanager
def plainly() -> Iterator[None]:
    """Without fused kernels that hide their steps, as if the random generators had not been asked; gradients on."""
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002 (a user's model may draw from it)
    fast = torch.backends.mha.get_fastpath_enabled()
    try:
        with (
            torch.random.fork_rng(),
            torch.enable_grad(),
            sdpa_kernel(SDPBackend.MATH),
            _without_onednn(),
        ):
            torch.backends.mha.set_fastpath_enabled(False)
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002


@contextmanager
def _without_onednn() -> Iterator[None]:
    """oneDNN runs a whole LSTM in one operation; without it, its gates are seen."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*TF32.*")
        with torch.backends.mkldnn.flags(enabled=False):
            yield


# --- once more, in float64 -----------------------------------------------------------------------------------------


class _Redraw(TorchDispatchMode):
    """Random operations give again what they gave."""

    def __init__(self, draws: Sequence[torch.Tensor]):
        super().__init__()
        self.draws = iter(draws)
        self.number = _latest()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        is_node = torch.is_grad_enabled() and _latest() > self.number
        self.number = _latest()
        if is_node or torch.Tag.nondeterministic_seeded not in function.tags:
            return function(*args, **(kwargs or {}))
        drawn = as_double(next(self.draws))
        return args[0].copy_(drawn) if function._schema.is_mutable else drawn.clone()


@contextmanager
def redrawn(recording: Recording) -> Iterator[None]:
    """Inside, numbers are float64 by default, and random operations give what they gave when recorded."""
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with plainly(), _Redraw(recording.draws):
            yield
    finally:
        torch.set_default_dtype(default)


def as_double(value: Any) -> Any:
    """Floating tensors in float64, cut off from their past; anything else as it is."""
    if isinstance(value, torch.Tensor):
        value = value.detach()
        return value.double() if value.is_floating_point() else value
    return value


def _wide(value: Any) -> Any:
    if isinstance(value, torch.dtype) and value.is_floating_point:
        return torch.float64
    return value
