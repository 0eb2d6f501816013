"""The network of a study: built on our own Tensor, trained with early stopping."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from openbook import nn, optim
from openbook.tensor import Tensor, manual_seed, no_grad

__all__ = ["History", "NetworkPlan", "build", "criterion_for", "logits_of", "train"]


@dataclass(frozen=True)
class NetworkPlan:
    """How the network is built and trained; every default is a common, sound choice for tables.

    Two hidden layers, AdamW with a cosine schedule, dropout, and early stopping: the weights kept are those with the
    least validation loss.
    """

    hidden: tuple[int, ...] = (64, 32)
    activation: type[nn.Module] = nn.ReLU
    dropout: float = 0.2
    lr: float = 2e-3
    weight_decay: float = 1e-2
    batch: int = 256
    epochs: int = 30
    patience: int = 6
    seed: int = 0

    @classmethod
    def for_rows(cls, rows: int, quick: bool, seed: int, activation: type[nn.Module]) -> NetworkPlan:
        """Batches of a sixteenth of a small table, and epochs enough for some 1,500 steps (`quick`: 400)."""
        batch = min(cls.batch, max(16, rows // 16))
        least, most, steps = (8, 40, 400) if quick else (30, 150, 1500)
        epochs = min(most, max(least, math.ceil(steps * batch / rows)))
        return cls(
            batch=batch, epochs=epochs, patience=max(cls.patience, epochs // 5), seed=seed, activation=activation
        )


@dataclass
class History:
    """Loss on training and validation rows after each epoch, and the epoch whose weights were kept."""

    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    best: int = 0


def build(inputs: int, outputs: int, plan: NetworkPlan) -> nn.Sequential:
    """Linear layers with the plan's activation (and dropout) between them."""
    manual_seed(plan.seed)
    sizes = [inputs, *plan.hidden, outputs]
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(pairwise(sizes)):
        layers.append(nn.Linear(a, b))
        if i < len(plan.hidden):
            layers.append(plan.activation())
            if plan.dropout:
                layers.append(nn.Dropout(plan.dropout))
    return nn.Sequential(*layers)


def criterion_for(task: str, classes: int) -> Callable[[Any, Any], Tensor]:
    """The loss that fits the target: log-odds for two classes, logits for many, squared error for numbers."""
    if task == "regression":
        return nn.MSELoss()
    return nn.BCEWithLogitsLoss() if classes == 2 else nn.CrossEntropyLoss()


def train(
    net: nn.Module,
    criterion: Callable[[Any, Any], Tensor],
    rows: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    plan: NetworkPlan,
    progress: Callable[[int, int, float], None] = lambda epoch, epochs, loss: None,
) -> History:
    """Fit in place; stop when the validation loss has not fallen for `patience` epochs, and keep the best weights."""
    X, y = rows
    random = np.random.default_rng(plan.seed)
    optimizer = optim.AdamW(net.parameters(), lr=plan.lr, weight_decay=plan.weight_decay)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, plan.epochs)
    history, kept = History(), copy.deepcopy(net.state_dict())
    least = math.inf
    for epoch in range(plan.epochs):
        loss = _epoch(net.train(), criterion, optimizer, X, y, random.permutation(len(X)), plan.batch)
        schedule.step()
        held_out = evaluate_loss(net, criterion, validation)
        history.train.append(loss)
        history.validation.append(held_out)
        progress(epoch + 1, plan.epochs, held_out)
        if held_out < least:
            least, history.best, kept = held_out, epoch, copy.deepcopy(net.state_dict())
        elif epoch - history.best >= plan.patience:
            break
    net.load_state_dict(kept)
    net.eval()
    return history


def _epoch(
    net: nn.Module,
    criterion: Callable[[Any, Any], Tensor],
    optimizer: optim.Optimizer,
    X: np.ndarray,
    y: np.ndarray,
    order: np.ndarray,
    batch: int,
) -> float:
    total = 0.0
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        optimizer.zero_grad()
        loss = criterion(net(Tensor(X[chosen])), Tensor(y[chosen]))
        loss.backward()
        optimizer.step()
        total += float(loss) * len(chosen)
    return total / len(order)


def evaluate_loss(
    net: nn.Module, criterion: Callable[[Any, Any], Tensor], rows: tuple[np.ndarray, np.ndarray]
) -> float:
    """The loss on some rows, without dropout and without a graph."""
    net.eval()
    with no_grad():
        return float(criterion(net(Tensor(rows[0])), Tensor(rows[1])))


def logits_of(net: nn.Module, X: np.ndarray, rows: int = 8192) -> np.ndarray:
    """The network's raw outputs, block by block, as float64 (n, outputs)."""
    net.eval()
    with no_grad():
        blocks: Sequence[np.ndarray] = [net(Tensor(X[i : i + rows])).data for i in range(0, len(X), rows)]
    return np.concatenate(blocks).astype(np.float64)
