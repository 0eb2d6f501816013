"""A softmax over very many classes that spends its parameters on the frequent ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn import functional
from openbook.nn.containers import ModuleList, Sequential
from openbook.nn.linear import Linear
from openbook.nn.module import Module
from openbook.ops import vocabulary as word
from openbook.tensor.create import cat
from openbook.tensor.tensor import Tensor

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _Scored(NamedTuple):
    """Log-probabilities of the targets (N), and minus their mean."""

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """Classes in clusters, the frequent ones first, each cluster with features of its own size (Grave et al. 2017).

    `cutoffs` say where clusters begin. The head tells apart the classes before the first cutoff and the clusters; cluster i
    has `in_features // div_value**(i+1)` features. Called with inputs (N, in_features) and classes (N), or one of each, it
    gives the log-probabilities of these classes as `output`, and their mean, negated, as `loss`.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        bounds = list(cutoffs)
        if not bounds or bounds[0] < 1 or bounds[-1] >= n_classes or any(a >= b for a, b in pairwise(bounds)):
            raise InputError(
                f"cutoffs {bounds} are not rising whole numbers from 1 to {n_classes - 1}",
                where="AdaptiveLogSoftmaxWithLoss",
                do="say before which classes clusters begin, for instance [10, 100]",
            )
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, [*bounds, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = bounds[0], len(bounds)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, head_bias, device, dtype)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            size = int(in_features // div_value ** (i + 1))
            parts = Linear(in_features, size, False, device, dtype), Linear(size, high - low, False, device, dtype)
            self.tail.append(Sequential(*parts))

    def reset_parameters(self) -> None:
        """Draw new initial weights."""
        self.head.reset_parameters()
        for first, second in self.tail:
            first.reset_parameters()
            second.reset_parameters()

    def forward(self, input_: Any, target_: Any) -> _Scored:
        if target_.ndim > 1 or input_.ndim != target_.ndim + 1 or input_.shape[:-1] != target_.shape:
            raise ShapeError(
                f"AdaptiveLogSoftmaxWithLoss takes inputs (N, {self.in_features}) and classes (N), or one of each, not "
                f"{tuple(input_.shape)} and {tuple(target_.shape)}"
            )
        classes = np.asarray(target_.data).reshape(-1)
        rows = input_ if target_.ndim else word.reshape(input_, shape=(1, -1))
        output = self._of_targets(rows, classes)
        return _Scored(output if target_.ndim else word.reshape(output, shape=()), -word.mean(output))

    def _of_targets(self, rows: Any, classes: np.ndarray) -> Any:
        """The head's share, and in clusters also the share within the cluster."""
        if classes.size and not 0 <= classes.min() <= classes.max() < self.n_classes:
            raise InputError(
                f"there are {self.n_classes} classes, and targets from {classes.min()} to {classes.max()}",
                where="AdaptiveLogSoftmaxWithLoss",
            )
        heads, within = classes.copy(), []
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            (places,) = np.nonzero((classes >= low) & (classes < high))
            if places.size:
                heads[places] = self.shortlist_size + i
                shares = functional.log_softmax(self.tail[i](word.gather_entries(rows, index=places)), 1)
                within.append(
                    (places, word.gather_entries(shares, index=(np.arange(places.size), classes[places] - low)))
                )
        whole = functional.log_softmax(self.head(rows), 1)
        output = word.gather_entries(whole, index=(np.arange(len(classes)), heads))
        for places, share in within:
            output = output.index_add(0, Tensor(places), share)
        return output

    def log_prob(self, input: Any) -> Any:
        """The log-probabilities (N, n_classes) of all classes."""
        head = functional.log_softmax(self.head(input), 1)
        return cat([head[:, : self.shortlist_size], *self._clusters(input, head)], 1)

    def _clusters(self, input: Any, head: Any) -> Iterator[Any]:
        for i, tail in enumerate(self.tail):
            place = self.shortlist_size + i
            yield functional.log_softmax(tail(input), 1) + head[:, place : place + 1]

    def predict(self, input: Any) -> Any:
        """The likeliest class of each row, as PyTorch finds it: clusters are looked into only where the head names one."""
        best = self.head(input).argmax(1)
        (open_rows,) = np.nonzero(best.data >= self.shortlist_size)
        if open_rows.size:
            classes = np.array(best.data)
            classes[open_rows] = self.log_prob(word.gather_entries(input, index=open_rows)).argmax(1).data
            return Tensor(classes)
        return best
