"""What a diagnosis asks of a library, once for openbook and once for PyTorch."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from openbook.diagnose.engines.engine import Birth, Engine, Operation
from openbook.errors import DTypeError

__all__ = ["Birth", "Engine", "Operation", "engine_of"]


def engine_of(model: Any) -> Engine:
    """The engine for a model, by the package its class descends from; PyTorch is imported only for PyTorch's models."""
    homes = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    if "torch" in homes:
        return import_module("openbook.diagnose.engines.of_torch").TorchEngine(model)
    if "openbook" in homes:
        return import_module("openbook.diagnose.engines.own").OwnEngine(model)
    raise DTypeError(
        f"{type(model).__name__} is neither an openbook.nn.Module nor a torch.nn.Module",
        where="diagnose",
        do="pass the network itself, as a module",
    )
