"""A PyTorch model with what it is given: copies of all of it, so that nothing that is tried is the user's own."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_leaves, tree_map

from openbook.errors import ExplainError
from openbook.explain.pytorch.recording import as_double

__all__ = ["Run", "run_of"]


@dataclass(frozen=True, eq=False)
class Run:
    """A model, its arguments by place and by name, and the loss it is judged by, if any."""

    model: torch.nn.Module
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]
    loss: Any = None
    target: Any = None

    @cached_property
    def names(self) -> dict[str, torch.Tensor]:
        """What may be asked about: the parameters by name, and the inputs that hold floats."""
        named = [*((f"input_{i}", x) for i, x in enumerate(self.arguments)), *self.options.items()]
        inputs = {name: x for name, x in named if isinstance(x, torch.Tensor) and x.is_floating_point()}
        if len(inputs) == 1:
            inputs = dict(zip(["input"], inputs.values(), strict=True))
        return dict(self.model.named_parameters(remove_duplicate=False)) | inputs

    def output(self) -> Any:
        """What the model gives."""
        return self.model(*self.arguments, **self.options)

    def value(self) -> torch.Tensor:
        """The loss; without one, what the model gives, as a single number."""
        output = self.output()
        value = output if self.loss is None else self.loss(output, self.target)
        if not isinstance(value, torch.Tensor) or value.numel() != 1 or not value.requires_grad:
            raise ExplainError(
                "the loss is no single number with a gradient" if self.loss else "the model gives no single number",
                do="pass loss=, a function of the model's output and target= that gives one number",
            )
        return value

    def copied(self, double: bool = False) -> Run:
        """The same once more, in float64 where asked, every float parameter and input with a gradient of its own."""
        try:
            model, loss = copy.deepcopy((self.model, self.loss))
        except Exception as problem:
            raise ExplainError(
                f"the model cannot be copied, and only copies are run: {problem}",
                do="keep no computed tensors in the model's attributes (store x.detach())",
            ) from problem
        arguments, options, target = tree_map(_own, (self.arguments, dict(self.options), self.target))
        if double:
            model = model.double()
            loss = loss.double() if isinstance(loss, torch.nn.Module) else loss
            arguments, options, target = tree_map(as_double, (arguments, options, target))
        for tensor in (*model.parameters(), *tree_leaves((arguments, options))):
            if isinstance(tensor, torch.Tensor) and tensor.is_floating_point():
                tensor.grad = None
                tensor.requires_grad_(True)
        return replace(self, model=model, loss=loss, arguments=arguments, options=options, target=target)

    def name_of(self, wrt: Any) -> str | None:
        """The name of a tensor of the user's, or the name itself."""
        if wrt is None or isinstance(wrt, str):
            return wrt
        for name, tensor in self.names.items():
            if tensor is wrt:
                return name
        raise ExplainError(
            "wrt= is neither a parameter of the model nor one of its inputs", do=f"choose from {', '.join(self.names)}"
        )


def run_of(model: torch.nn.Module, inputs: Any, target: Any, loss: Any) -> Run:
    """A model with its inputs: a tensor or array, a tuple for several, a dictionary for arguments by name."""
    if loss is None and target is not None:
        raise ExplainError("a target is nothing without a loss", do="pass loss=, a function of output and target")
    if loss is not None and not callable(loss):
        raise ExplainError("loss= is no function", do="pass one of output and target, like torch.nn.MSELoss()")
    _require_readable(model)
    inputs, target = tree_map(_tensor, (inputs, target))
    if isinstance(inputs, dict):
        return Run(model, (), inputs, loss, target)
    return Run(model, inputs if isinstance(inputs, tuple) else (inputs,), {}, loss, target)


def _require_readable(model: torch.nn.Module) -> None:
    """NumPy reads the CPU's memory, and knows neither bfloat16 nor what is quantised."""
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if tensor.device.type != "cpu" or tensor.dtype is torch.bfloat16 or tensor.is_complex():
            raise ExplainError(
                f"{name} is {tensor.dtype} on {tensor.device}", do="pass a copy: copy.deepcopy(model).cpu().float()"
            )


def _tensor(value: Any) -> Any:
    return torch.as_tensor(value) if isinstance(value, np.ndarray) else value


def _own(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, torch.Tensor) else value
