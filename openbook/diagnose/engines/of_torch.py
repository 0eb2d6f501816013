"""PyTorch's models. Imported only when somebody brings one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from openbook.diagnose.engines.engine import Birth, Engine, Operation, first_not_finite
from openbook.explain.pytorch.graph import oldest_first

__all__ = ["TorchEngine"]

# PyTorch's names of what openbook calls otherwise.
_NAMES = {"binary_cross_entropy_with_logits": "bce_with_logits", "binary_cross_entropy": "bce", "addmm": "linear",
          "mm": "linear"}  # fmt: skip


class TorchEngine(Engine):
    """The engine for `torch.nn.Module`."""

    name = "torch"
    nn, optim = torch.nn, torch.optim

    def __init__(self, model: Any):
        parameter = next(iter(model.parameters()), None)
        self.device = torch.device("cpu") if parameter is None else parameter.device

    def tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.tensor(array, device=self.device)  # a copy: nothing a model does in place reaches the data

    def array(self, tensor: Any) -> np.ndarray:
        return tensor.detach().cpu().numpy() if isinstance(tensor, torch.Tensor) else np.asarray(tensor)

    def write(self, tensor: Any, array: np.ndarray) -> None:
        with torch.no_grad():
            tensor.copy_(torch.as_tensor(array))

    def gradients(self, value: Any, wrt: Sequence[Any]) -> list[np.ndarray | None]:
        if not value.requires_grad:
            return [None] * len(wrt)
        asked = [x for x in wrt if x.requires_grad]
        found = iter(torch.autograd.grad(value, asked, retain_graph=True, allow_unused=True) if asked else ())
        gradients = [next(found) if x.requires_grad else None for x in wrt]
        return [None if g is None else g.to_dense().cpu().numpy() for g in gradients]

    def put_gradient(self, parameter: Any, gradient: np.ndarray | None) -> None:
        parameter.grad = None if gradient is None else torch.tensor(gradient, device=parameter.device)

    def no_grad(self) -> Any:
        return torch.no_grad()

    def recording(self) -> Any:
        return torch.enable_grad()

    def operations(self, value: Any) -> list[Operation]:
        return [
            Operation(
                id(node), _name(node), tuple(id(n) for n, _ in node.next_functions if n is not None), _saved(node)
            )
            for node in oldest_first(value.grad_fn)
        ]

    def key(self, tensor: Any) -> int:
        return id(tensor if tensor.grad_fn is None else tensor.grad_fn)

    @contextmanager
    def _own_random(self, seed: int) -> Iterator[None]:
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.random.default_generator.manual_seed(seed)
            if devices:
                torch.cuda.manual_seed(seed)
            yield

    def birth(self, compute: Callable[[], Any], model: Any) -> Birth | None:
        watch = _Watch()
        with watch, torch.enable_grad():
            loss = compute()
            watch.phase = "backward"
            parameters = [p for p in model.parameters() if p.requires_grad]
            if loss.requires_grad and torch.isfinite(loss).all():
                torch.autograd.grad(loss, parameters, allow_unused=True)
        return watch.found

    def guarding(self, operations: Sequence[str], *owners: Any) -> Any:
        del owners  # torch tells of every operation in this thread
        return _Guard(operations)


def _name(node: Any) -> str:
    """`LogSoftmaxBackward0` is torch's name for what people call log_softmax."""
    spoken = node.name().split("::")[-1].partition("Backward")[0]
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", spoken).lower()
    return _NAMES.get(name, name)


def _saved(node: Any) -> np.ndarray | None:
    result = getattr(node, "_saved_result", None)
    return result.detach().cpu().numpy() if isinstance(result, torch.Tensor) else None


class _Watch(TorchDispatchMode):
    """Every operation torch carries out, forward and back, until one gives what is not finite."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Birth | None = None
        self.phase = "forward"

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        outputs = [t for t in (output if isinstance(output, tuple | list) else [output]) if _real(t)]
        inputs = [t for t in torch.utils._pytree.tree_leaves(args) if _real(t)]
        made_up = str(func).split(".")[1] in ("empty", "empty_like", "new_empty", "empty_strided", "resize_")
        if self.found is None and not made_up and all(bool(torch.isfinite(t).all()) for t in inputs):
            for tensor in outputs:
                if not bool(torch.isfinite(tensor).all()):
                    self.found = self._born(str(func), tensor, inputs)
                    break
        return output

    def _born(self, func: str, tensor: Any, inputs: list[Any]) -> Birth:
        node = torch._C._current_autograd_node() if self.phase == "backward" else None
        name = func.split(".")[1].rstrip("_") if node is None else _name(node)
        array = tensor.detach().cpu().numpy()
        index = first_not_finite(array)
        fed = tuple(float(t.detach().cpu()[index]) for t in inputs if tuple(t.shape) == array.shape)
        fed = fed or tuple(float(t) for t in inputs if t.numel() == 1)
        return Birth(name, self.phase, index, float(array[index]), fed, name if name in _GUARDS else "")


def _real(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point() and value.numel() > 0


def _away_from_zero(x: Any) -> Any:
    if not isinstance(x, torch.Tensor):
        return x if abs(x) >= 1e-6 else 1e-6
    return torch.where(x.abs() < 1e-6, torch.full_like(x, 1e-6), x) if x.is_floating_point() else x


_GUARDS: dict[str, tuple[int, Callable[[Any], Any]]] = {
    "log": (0, lambda x: x.clamp(min=1e-6)), "log2": (0, lambda x: x.clamp(min=1e-6)),
    "log10": (0, lambda x: x.clamp(min=1e-6)), "log1p": (0, lambda x: x.clamp(min=-1 + 1e-6)),
    "sqrt": (0, lambda x: x.clamp(min=1e-6)), "rsqrt": (0, lambda x: x.clamp(min=1e-6)),
    "reciprocal": (0, _away_from_zero), "div": (1, _away_from_zero), "pow": (0, lambda x: x.clamp(min=1e-6)),
    "exp": (0, lambda x: x.clamp(-30, 30)), "asin": (0, lambda x: x.clamp(-1 + 1e-6, 1 - 1e-6)),
    "acos": (0, lambda x: x.clamp(-1 + 1e-6, 1 - 1e-6)), "atanh": (0, lambda x: x.clamp(-1 + 1e-6, 1 - 1e-6)),
}  # fmt: skip
_SPOKEN = {"__truediv__": "div", "true_divide": "div", "divide": "div", "arcsin": "asin", "arccos": "acos"}


class _Guard(TorchFunctionMode):
    """Keeps the inputs of some operations away from where it has no finite value or slope."""

    def __init__(self, operations: Sequence[str]):
        super().__init__()
        self.operations = operations

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "").rstrip("_") or ""
        name = _SPOKEN.get(getattr(func, "__name__", ""), name)
        if name in self.operations and len(args) > _GUARDS[name][0]:
            place, mend = _GUARDS[name]
            args = tuple(mend(a) if i == place else a for i, a in enumerate(args))
        return func(*args, **(kwargs or {}))
