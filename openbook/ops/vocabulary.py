"""The words in which gradient rules are written. Each takes arrays or Tensors, and gives back the same kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbook.ops.op import OPS, apply

__all__ = [
    "absolute",
    "add",
    "bce_with_logits",
    "broadcast_to",
    "cat",
    "cos",
    "cross_entropy",
    "div",
    "equal",
    "exp",
    "gather_entries",
    "greater",
    "leaky_relu",
    "linear",
    "log",
    "log1p",
    "log_softmax",
    "logsigmoid",
    "logsumexp",
    "matmul",
    "maximum",
    "mean",
    "minimum",
    "mse_loss",
    "mul",
    "neg",
    "permute",
    "power",
    "relu",
    "reshape",
    "scatter_entries",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "softmax",
    "softplus",
    "sqrt",
    "stack",
    "sub",
    "swap",
    "tanh",
    "total",
    "where",
]


def _word(name: str) -> Callable[..., Any]:
    def call(*inputs: Any, **parameters: Any) -> Any:
        return apply(OPS[name], *inputs, **parameters)

    call.__name__ = name
    return call


# entry by entry
add, sub, mul, div, power, neg = map(_word, ("add", "sub", "mul", "div", "pow", "neg"))
absolute, sign, sqrt = map(_word, ("abs", "sign", "sqrt"))
exp, log, log1p, sin, cos, tanh = map(_word, ("exp", "log", "log1p", "sin", "cos", "tanh"))
sigmoid, logsigmoid, softplus = map(_word, ("sigmoid", "logsigmoid", "softplus"))
relu, leaky_relu, silu = map(_word, ("relu", "leaky_relu", "silu"))
maximum, minimum, where, greater, equal = map(_word, ("maximum", "minimum", "where", "greater", "equal"))

# many entries to fewer
total, mean, logsumexp = map(_word, ("sum", "mean", "logsumexp"))

# the same entries elsewhere
reshape, permute, broadcast_to = map(_word, ("reshape", "permute", "broadcast_to"))
gather_entries, scatter_entries, cat, stack = map(_word, ("getitem", "scatter", "cat", "stack"))

# matrices
matmul, linear = map(_word, ("matmul", "linear"))

# distributions and losses
softmax, log_softmax = map(_word, ("softmax", "log_softmax"))
mse_loss, cross_entropy, bce_with_logits = map(_word, ("mse_loss", "cross_entropy", "bce_with_logits"))


def swap(x: Any) -> Any:
    """The matrix (or stack of matrices) with its last two axes exchanged."""
    axes = (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)
    return permute(x, axes=axes)
