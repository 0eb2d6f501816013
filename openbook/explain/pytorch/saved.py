"""A bare loss has no forward pass to run again: openbook's own operations on what PyTorch saved for its way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from openbook.explain.ledgers.entries import Index
from openbook.explain.ledgers.replay import Measured, measured
from openbook.explain.pytorch.graph import Known, TorchGraph
from openbook.ops import OPS

__all__ = ["slopes_from_saved"]

_REDUCTIONS = ("none", "mean", "sum")
_Inverse = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class _Ours:
    """Our operation of the same kind, on what PyTorch saved; `skipped` edges of PyTorch's node come before its inputs."""

    name: str
    inputs: Sequence[np.ndarray | None]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    skipped: int = 0

    def differences(self, position: int, index: Index) -> Measured | None:
        """The slopes by one entry of an input, where that was saved whole."""
        here = self.inputs[position] if 0 <= position < len(self.inputs) else None
        if here is None or len(index) != here.ndim or any(i >= n for i, n in zip(index, here.shape, strict=True)):
            return None

        def compute(moved: np.ndarray) -> np.ndarray:
            inputs = [moved if i == position else x for i, x in enumerate(self.inputs)]
            return np.asarray(OPS[self.name].forward(*inputs, **self.parameters))

        return measured(compute, here, index, compute(here))


def slopes_from_saved(graph: TorchGraph, known: Known, output: int, position: int, index: Index) -> Measured | None:
    """Local slopes by differences of our operation of the same kind; None where there is none, or its input was not saved."""
    del output  # none of these has several
    shapes = [None if array is None else array.shape for array in map(graph.upstream.get, (known.key, *known.sources))]
    with np.errstate(all="ignore"):
        ours = _ours(known.rule, known.node) or _straight(known.rule, known.node, shapes[0], shapes[1:])
        return None if ours is None else ours.differences(position - ours.skipped, index)


def _ours(rule: str, node: Any) -> _Ours | None:
    if rule in _FROM_RESULT:
        name, inverse = _FROM_RESULT[rule]
        result = _saved(node, "result")
        return None if result is None else _Ours(name, [inverse(result)], _axis(node))
    if rule in _FROM_INPUT:
        return _Ours(_FROM_INPUT[rule], [_saved(node, "self")], _options(node, _FROM_INPUT[rule]))
    if rule in ("addmm", "mm", "bmm"):
        return _product(node, rule)
    if rule in ("mul", "div"):
        return _pair(node, rule)
    return _loss(node, _LOSSES[rule]) if rule in _LOSSES else None


_Shape = tuple[int, ...]


def _straight(rule: str, node: Any, result: _Shape | None, inputs: Sequence[_Shape | None]) -> _Ours | None:
    """Straight lines have the same slopes everywhere: on zeros of the right shapes."""
    zeros = [None if shape is None else np.zeros(shape) for shape in inputs]
    if rule in ("add", "sub"):
        return _Ours(rule, [np.zeros(result or ()) if x is None else x for x in zeros]) if _plain_sum(node) else None
    if len(zeros) != 1 or zeros[0] is None or result is None:
        return None
    axes = list(range(zeros[0].ndim))
    if rule in ("view", "unsafeview", "reshapealias", "squeeze", "unsqueeze", "clone"):
        return _Ours("reshape", zeros, {"shape": result})
    if rule == "expand":
        return _Ours("broadcast_to", zeros, {"shape": result})
    if rule == "t":
        return _Ours("permute", zeros, {"axes": tuple(reversed(axes))})
    if rule == "permute":
        return _Ours("permute", zeros, {"axes": tuple(_signed(a) % len(axes) for a in node._saved_dims)})
    if rule == "transpose":
        a, b = (_signed(d) % len(axes) for d in (node._saved_dim0, node._saved_dim1))
        axes[a], axes[b] = axes[b], axes[a]
        return _Ours("permute", zeros, {"axes": tuple(axes)})
    return None


def _plain_sum(node: Any) -> bool:
    return getattr(node, "_saved_alpha", 1) == 1


def _loss(node: Any, name: str) -> _Ours:
    """Predictions, targets and the weights there are."""
    weights = [_saved(node, weight) for weight in OPS[name].arguments[2:]]
    while weights and weights[-1] is None:
        weights.pop()
    options = _options(node, name) | {"reduction": _REDUCTIONS[node._saved_reduction]}
    return _Ours(name, [_saved(node, "self"), _saved(node, "target"), *weights], options)


def _pair(node: Any, rule: str) -> _Ours | None:
    """What was not saved is not looked at: a product is a straight line in each factor, a quotient in the one above."""
    left, right = _saved(node, "self"), _saved(node, "other")
    if right is not None:
        return _Ours(rule, [np.zeros_like(right) if left is None else left, right])
    return None if left is None or rule == "div" else _Ours(rule, [left, np.zeros_like(left)])


def _product(node: Any, rule: str) -> _Ours | None:
    """A matrix product: a straight line in each factor, so what was not saved is not looked at."""
    first = "mat1" if rule == "addmm" else "self"
    left, right = _saved(node, first), _saved(node, "mat2")
    if left is None and right is not None:
        left = np.zeros((*right.shape[:-2], _sizes(node, f"{first}_sym_sizes", right.shape[-2]), right.shape[-2]))
    elif right is None and left is not None:
        right = np.zeros((*left.shape[:-2], left.shape[-1], _sizes(node, "mat2_sym_sizes", 1, last=True)))
    return None if left is None else _Ours("matmul", [left, right], skipped=int(rule == "addmm"))


def _sizes(node: Any, name: str, otherwise: int, last: bool = False) -> int:
    sizes = getattr(node, f"_saved_{name}", None)
    return otherwise if sizes is None else int(sizes[-1 if last else -2])


def _saved(node: Any, name: str) -> np.ndarray | None:
    kept = getattr(node, f"_saved_{name}", None)
    if not isinstance(kept, torch.Tensor):
        return None
    array = kept.detach().numpy()
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _axis(node: Any) -> dict[str, Any]:
    return {"axis": _signed(node._saved_dim)} if hasattr(node, "_saved_dim") else {}


def _signed(dim: int) -> int:
    """PyTorch keeps −1 as a number without a sign."""
    return dim - 2**64 if dim >= 2**63 else dim


def _options(node: Any, ours: str) -> dict[str, Any]:
    """The operation's own options that PyTorch saved under the same name."""
    saved = {name: getattr(node, f"_saved_{name}", None) for name in OPS[ours].options}
    return {name: value for name, value in saved.items() if isinstance(value, (int, float))}


# By PyTorch's name for the node: our operation, and its input from the result that PyTorch keeps.
_FROM_RESULT: Mapping[str, tuple[str, _Inverse]] = {
    "tanh": ("tanh", np.arctanh),
    "sigmoid": ("sigmoid", lambda y: np.log(y / (1 - y))),
    "relu": ("relu", np.positive),
    "exp": ("exp", np.log),
    "sqrt": ("sqrt", np.square),
    "softmax": ("softmax", np.log),
    "logsoftmax": ("log_softmax", np.positive),
}  # fmt: skip
_FROM_INPUT = {
    name: name
    for name in ("gelu", "silu", "mish", "elu", "softplus", "log", "abs", "sin", "cos", "log1p", "erf", "prod")
} | {"leakyrelu": "leaky_relu", "hardtanh": "hardtanh", "hardswish": "hardswish"}
_LOSSES = {"mseloss": "mse_loss", "nllloss": "nll_loss", "l1loss": "l1_loss", "huberloss": "huber_loss",
           "smoothl1loss": "smooth_l1_loss", "binarycrossentropywithlogits": "bce_with_logits",
           "binarycrossentropy": "bce"}  # fmt: skip
