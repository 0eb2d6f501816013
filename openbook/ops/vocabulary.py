"""The words in which gradient rules are written. Each takes arrays or Tensors, and gives back the same kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from openbook.ops.op import OPS, apply

__all__ = [
    "absolute",
    "acos",
    "acosh",
    "add",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "bce_with_logits",
    "broadcast_to",
    "cat",
    "ceil",
    "clamp",
    "cos",
    "cosh",
    "cross_entropy",
    "div",
    "elu",
    "equal",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "floor",
    "gather_entries",
    "gelu",
    "gelu_tanh",
    "greater",
    "hardsigmoid",
    "hardtanh",
    "leaky_relu",
    "linear",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logsigmoid",
    "logsumexp",
    "matmul",
    "maximum",
    "mean",
    "minimum",
    "mish",
    "mse_loss",
    "mul",
    "neg",
    "permute",
    "power",
    "reciprocal",
    "relu",
    "reshape",
    "rsqrt",
    "scatter_entries",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "square",
    "stack",
    "sub",
    "swap",
    "tan",
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
absolute, sign, square, reciprocal, floor, ceil = map(_word, ("abs", "sign", "square", "reciprocal", "floor", "ceil"))
exp, expm1, log, log1p, log2, log10 = map(_word, ("exp", "expm1", "log", "log1p", "log2", "log10"))
sqrt, rsqrt = map(_word, ("sqrt", "rsqrt"))
sin, cos, tan, asin, acos, atan = map(_word, ("sin", "cos", "tan", "asin", "acos", "atan"))
sinh, cosh, tanh, asinh, acosh, atanh = map(_word, ("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"))
erf, erfc = map(_word, ("erf", "erfc"))
sigmoid, logsigmoid, softplus = map(_word, ("sigmoid", "logsigmoid", "softplus"))
hardsigmoid, hardtanh = map(_word, ("hardsigmoid", "hardtanh"))
relu, leaky_relu, elu, selu = map(_word, ("relu", "leaky_relu", "elu", "selu"))
gelu, gelu_tanh, silu, mish = map(_word, ("gelu", "gelu_tanh", "silu", "mish"))
maximum, minimum, clamp = map(_word, ("maximum", "minimum", "clamp"))
where, greater, equal = map(_word, ("where", "greater", "equal"))

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
