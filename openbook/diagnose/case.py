"""What is diagnosed, as copies: nothing here is the user's own object, so anything may be tried."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from openbook.diagnose.engines import Engine
from openbook.diagnose.sample import Sample
from openbook.errors import InputError

__all__ = ["Case", "calm", "quietly", "rates"]


@dataclass(frozen=True, eq=False)
class Case:
    """A model with its loss, optimiser and rows, before or after a fix.

    `adapt(outputs, targets)` stands between model and loss; `guards` are operations kept finite, `clip` the
    largest norm of a gradient; `steps` and `seeds` say how long and how often a fix is tried.
    """

    engine: Engine
    model: Any
    loss: Callable[[Any, Any], Any]
    optimizer: Any
    sample: Sample
    steps: int = 100
    seeds: tuple[int, ...] = (0, 1)
    adapt: Callable[[Any, Any], Any] | None = None
    guards: tuple[str, ...] = ()
    clip: float | None = None
    notes: dict[str, Any] = field(default_factory=dict, init=False)  # what has been found out about it

    def with_(self, **changes: Any) -> Case:
        """The same with some parts exchanged."""
        return replace(self, **changes)

    def copies(self) -> tuple[Any, Any, Any]:
        """Model, loss and optimiser once more; the optimiser's parameters are the new model's."""
        try:
            return copy.deepcopy((self.model, self.loss, self.optimizer))
        except Exception as problem:
            raise InputError(
                f"the model cannot be copied, and fixes are tried on copies only: {problem}",
                where="diagnose",
                do="keep no computed tensors in the model's attributes (store x.detach())",
            ) from problem

    def edited(self, edit: Callable[[Any, Any], None], **changes: Any) -> Case:
        """A copy whose model and optimiser have been changed by `edit(model, optimizer)`."""
        model, loss, optimizer = self.copies()
        with self.engine.seeded(0), self.engine.no_grad():
            edit(model, optimizer)
        return self.with_(**{"model": model, "loss": loss, "optimizer": optimizer, **changes})

    def fresh(self) -> Any:
        """The model once more."""
        return self.copies()[0]

    # --- computing ---------------------------------------------------------------------------------------------

    def forward(self, model: Any, sample: Sample) -> Any:
        """The model's outputs, as the loss is given them."""
        return self._adapted(model(*(self.engine.tensor(x) for x in sample.inputs)), sample)

    def _adapted(self, outputs: Any, sample: Sample) -> Any:
        return outputs if self.adapt is None else self.adapt(outputs, self.engine.tensor(sample.targets))

    def value(self, model: Any, loss: Any, sample: Sample) -> Any:
        """The loss, recorded, as a single number."""
        inputs = [self.engine.tensor(x) for x in sample.inputs]
        with self.engine.guarding(self.guards, model, *inputs) if self.guards else _nothing():
            outputs = self._adapted(model(*inputs), sample)
            value = loss(outputs, self.engine.tensor(sample.targets))
            return value if value.ndim == 0 else value.mean()

    def value_and_gradients(self, model: Any, loss: Any, sample: Sample) -> tuple[Any, list[Any], list[Any]]:
        """The loss, the parameters that learn, and the gradient of each (None where it has no part in the loss)."""
        value = self.value(model, loss, sample)
        parameters = [p for p in model.parameters() if p.requires_grad]
        return value, parameters, self.engine.gradients(value, parameters)

    def measure(self, model: Any, sample: Sample | None = None) -> float:
        """The loss of a copy on rows (all, by default), without dropout; ∞ where it is not finite."""
        with quietly(), self.engine.no_grad(), self.engine.seeded(0):
            value = float(self.engine.array(self.value(calm(model), self.loss, sample or self.sample)))
        return value if np.isfinite(value) else np.inf

    def outputs(self, model: Any = None, sample: Sample | None = None) -> np.ndarray:
        """What the model gives, without dropout."""
        with quietly(), self.engine.no_grad(), self.engine.seeded(0):
            return self.engine.array(self.forward(calm(model or self.fresh()), sample or self.sample))

    @cached_property
    def exact(self) -> Case:
        """The same in float64, where the model computes in it; else as it is."""
        try:
            model, loss, optimizer = self.copies()
            model = model.double()
            loss = loss.double() if hasattr(loss, "double") else loss
            wide = self.with_(model=model, loss=loss, optimizer=optimizer, sample=_widened(self.sample))
            wide.measure(wide.fresh())
        except Exception:
            return self
        return wide


def _widened(sample: Sample) -> Sample:
    def wide(array: np.ndarray) -> np.ndarray:
        return array.astype(np.float64) if array.dtype.kind == "f" else array

    return replace(sample, inputs=tuple(map(wide, sample.inputs)), targets=wide(sample.targets))


def calm(model: Any) -> Any:
    """Training mode without the noise: batch statistics, no dropout. Changes and returns the model: give it a copy."""
    model.train()
    for module in model.modules():
        if "Dropout" in type(module).__name__ or isinstance(getattr(module, "dropout", None), float):
            module.training = False
        if getattr(module, "inplace", False) is True:
            module.inplace = False
    return model


@contextmanager
def quietly() -> Iterator[None]:
    """Warnings that a trial gives rise to say nothing to the user."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def rates(optimizer: Any) -> list[float]:
    """The learning rate of each group of parameters."""
    return [float(group["lr"]) for group in optimizer.param_groups if "lr" in group]
