"""What bends a network, and what makes scores into probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.ops import vocabulary as word
from openbook.tensor.create import generator
from openbook.tensor.functions import broadcast_tensors
from openbook.tensor.functions import method_as_function as function

__all__ = [
    "bilinear",
    "celu",
    "cosine_similarity",
    "dropout",
    "elu",
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "mish",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
]  # fmt: skip

relu, relu6, sigmoid, tanh, silu = map(function, ("relu", "relu6", "sigmoid", "tanh", "silu"))
elu, selu, celu, leaky_relu, mish = map(function, ("elu", "selu", "celu", "leaky_relu", "mish"))
hardsigmoid, hardswish, hardtanh, hardshrink = map(function, ("hardsigmoid", "hardswish", "hardtanh", "hardshrink"))
softplus, softshrink, softsign, tanhshrink = map(function, ("softplus", "softshrink", "softsign", "tanhshrink"))
logsigmoid, threshold = map(function, ("logsigmoid", "threshold"))


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """y = x Wᵀ + b, with weight (out, in)."""
    return word.linear(input, weight) if bias is None else word.linear(input, weight, bias)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """y_k = x₁ᵀ W_k x₂ + b_k, with weight (out, in1, in2)."""
    y = word.einsum(
        input1.reshape(-1, input1.shape[-1]), weight, input2.reshape(-1, input2.shape[-1]), subscripts="ni,kij,nj->nk"
    )
    y = y.reshape(*input1.shape[:-1], weight.shape[0])
    return y if bias is None else y + bias


def gelu(input: Any, approximate: str = "none") -> Any:
    """Each entry weighted by the share of a standard normal below it."""
    if approximate not in ("none", "tanh"):
        raise InputError(f"gelu knows no approximation {approximate!r}", do='choose "none" or "tanh"')
    return word.gelu_tanh(input) if approximate == "tanh" else word.gelu(input)


def prelu(input: Any, weight: Any) -> Any:
    """A leaky ReLU whose slope is learnt: one, or one for each channel (axis 1)."""
    if weight.numel() == 1:
        weight = weight.reshape(())
    else:
        weight = weight.reshape(-1, *(1,) * (input.ndim - 2)) if input.ndim > 1 else weight
    return word.where(word.greater(input, 0), input, input * weight)


def glu(input: Any, dim: int = -1) -> Any:
    """One half of the entries, weighted by the sigmoid of the other."""
    if input.shape[dim] % 2:
        raise InputError(f"glu halves an axis, and this one has length {input.shape[dim]}", where="glu")
    a, b = input.chunk(2, dim)
    return a * word.sigmoid(b)


def softmax(input: Any, dim: int = -1, dtype: Any = None) -> Any:
    """Logits to probabilities along an axis."""
    return word.softmax(input if dtype is None else input.to(dtype), axis=dim)


def softmin(input: Any, dim: int = -1, dtype: Any = None) -> Any:
    """Costs to probabilities along an axis: the softmax of −x."""
    return softmax(-input, dim, dtype)


def log_softmax(input: Any, dim: int = -1, dtype: Any = None) -> Any:
    """Logits to log-probabilities along an axis."""
    return word.log_softmax(input if dtype is None else input.to(dtype), axis=dim)


def gumbel_softmax(logits: Any, tau: float = 1.0, hard: bool = False, dim: int = -1) -> Any:
    """A draw from the categories that gradients pass through (Jang et al. 2017)."""
    noise = -np.log(generator().exponential(size=tuple(logits.shape))).astype(logits.dtype)
    y = word.softmax((logits + noise) / tau, axis=dim)
    if not hard:
        return y
    chosen = one_hot(y.argmax(dim), y.shape[dim]).to(y.dtype).movedim(-1, dim)
    return chosen - y.detach() + y


def dropout(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """Drop each entry with probability p and scale the rest by 1/(1 − p); in use, do nothing."""
    if not 0 <= p <= 1:
        raise InputError(f"the share of entries to drop lies in [0, 1], not {p}", where="dropout")
    if not training or p == 0:
        return input
    if p == 1:
        return input * 0
    kept = generator().random(tuple(input.shape)) >= p
    return input * (kept / (1 - p)).astype(input.dtype)


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """Divided by its length along an axis (by eps where that is shorter)."""
    return input / input.norm(p, dim, keepdim=True).clamp(min=eps)


def one_hot(input: Any, num_classes: int = -1) -> Any:
    """Whole numbers as rows of zeros with a single 1."""
    values = input.data if hasattr(input, "data") else None
    if num_classes == -1:
        if values is None or not values.size:
            raise InputError(
                "there is no largest class to count the classes by", where="one_hot", do="pass num_classes="
            )
        num_classes = int(values.max()) + 1
    from openbook.tensor.tensor import Tensor

    return word.embedding(Tensor(np.eye(num_classes, dtype=np.int64)), input)


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """Entries around an array: (before, after) of the last axis, then of the one before it, and so on.

    Negative numbers cut. `mode`: "constant", "reflect", "replicate" or "circular".
    """
    pairs = [(int(pad[i]), int(pad[i + 1])) for i in range(0, len(pad), 2)]
    if len(pairs) > input.ndim:
        raise InputError(f"{len(pairs)} axes were named, and the input has {input.ndim}", where="pad")
    widths = [(0, 0)] * (input.ndim - len(pairs)) + pairs[::-1]
    if mode == "constant":
        cut = tuple(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(input.shape, widths, strict=True))
        grown = tuple((max(0, a), max(0, b)) for a, b in widths)
        return word.pad(input[cut], widths=grown, value=0.0 if value is None else value)
    if mode not in ("reflect", "replicate", "circular"):
        raise InputError(f"pad knows no mode {mode!r}", do='choose "constant", "reflect", "replicate" or "circular"')
    for axis, (a, b) in enumerate(widths):
        if a or b:
            line = _padded_line(mode, input.shape[axis], a, b)
            input = input[(slice(None),) * axis + (line,)]
    return input


def _padded_line(mode: str, n: int, a: int, b: int) -> np.ndarray:
    """Which places of an axis of length n stand where it has been padded."""
    if mode == "circular":  # what is cut away does not come back round
        left = np.arange(max(0, -a), n - max(0, -b))
        return np.pad(left, (max(0, a), max(0, b)), "wrap")
    line = np.arange(-a, n + b)
    if mode == "replicate":
        return np.clip(line, 0, n - 1)
    if max(a, b) >= n:
        raise InputError(f"an axis of length {n} cannot be reflected {max(a, b)} entries far", where="pad")
    return np.where(line < 0, -line, np.where(line >= n, 2 * (n - 1) - line, line))


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along an axis."""
    x1, x2 = broadcast_tensors(x1, x2)
    dot = (x1 * x2).sum(dim)
    lengths = x1.norm(2, dim).clamp(min=eps) * x2.norm(2, dim).clamp(min=eps)
    return dot / lengths


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The distance between vectors along the last axis (with eps added, as PyTorch does)."""
    return (x1 - x2 + eps).norm(p, -1, keepdim)
