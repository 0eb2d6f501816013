"""Linear and bilinear maps, similarities, and axes put together, taken apart and padded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.functions import broadcast_tensors, pdist

__all__ = [
    "bilinear", "cosine_similarity", "flatten", "linear", "normalize", "pad", "pairwise_distance", "pdist", "unflatten",
]  # fmt: skip


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """x Wᵀ + b, with `weight` of shape (out, in)."""
    return word.linear(input, weight) if bias is None else word.linear(input, weight, bias)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """x₁ᵀ W_k x₂ + b_k for each output k, with `weight` of shape (out, in1, in2)."""
    out, in1, in2 = weight.shape
    if input1.shape[-1:] != (in1,) or input2.shape[-1:] != (in2,) or input1.shape[:-1] != input2.shape[:-1]:
        raise ShapeError(
            f"bilinear takes (…, {in1}) and (…, {in2}) with the same leading axes, not {input1.shape} and {input2.shape}"
        )
    rows = math.prod(input1.shape[:-1])
    first = word.reshape(input1, shape=(rows, in1))
    second = word.reshape(input2, shape=(rows, in2, 1))
    flat = word.reshape(word.permute(weight, axes=(1, 0, 2)), shape=(in1, out * in2))
    halfway = word.reshape(first @ flat, shape=(rows, out, in2))  # x₁ᵀ W_k
    y = word.reshape(halfway @ second, shape=(*input1.shape[:-1], out))
    return y if bias is None else y + bias


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The axes from `start_dim` to `end_dim`, both included, as one."""
    shape = tuple(input.shape) or (1,)
    start, end = (_axis("flatten", d, len(shape)) for d in (start_dim, end_dim))
    if start > end:
        raise ShapeError(f"flatten goes from axis {start} back to {end}", do="give start_dim before end_dim")
    return word.reshape(input, shape=(*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Any:
    """One axis as several; one of the sizes may be −1."""
    axis, shape, wanted = _axis("unflatten", dim, input.ndim), tuple(input.shape), tuple(sizes)
    known = math.prod(n for n in wanted if n != -1)
    if wanted.count(-1) == 1 and known and shape[axis] % known == 0:
        wanted = tuple(shape[axis] // known if n == -1 else n for n in wanted)
    if math.prod(wanted) != shape[axis] or min(wanted, default=0) < 0:
        raise ShapeError(f"axis {dim} of shape {shape} has {shape[axis]} entries, not those of {tuple(sizes)}")
    return word.reshape(input, shape=(*shape[:axis], *wanted, *shape[axis + 1 :]))


def _axis(name: str, dim: int, axes: int) -> int:
    if not -axes <= dim < axes:
        raise ShapeError(f"{name}: there is no axis {dim} among {axes}")
    return dim % axes


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """Entries added around the last axes: `pad` is (left, right) of the last axis, then of the one before, …

    `mode` is "constant" (filled with `value`, by default 0; negative numbers cut off), "reflect", "replicate" or
    "circular".
    """
    if mode not in ("constant", "reflect", "replicate", "circular"):
        raise InputError(f"pad has no mode {mode!r}", do='choose "constant", "reflect", "replicate" or "circular"')
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ShapeError(f"pad takes a pair for each of the last axes, not {tuple(pad)} for shape {input.shape}")
    if mode != "constant" and value:
        raise InputError(f"a pad in mode {mode!r} has no value", do="leave value out")
    for i in range(len(pad) // 2):
        left, right = int(pad[2 * i]), int(pad[2 * i + 1])
        if left or right:
            input = _pad_axis(input, input.ndim - 1 - i, left, right, mode, value or 0.0)
    return input


def _pad_axis(x: Any, axis: int, left: int, right: int, mode: str, value: float) -> Any:
    size, before = x.shape[axis], (slice(None),) * axis
    if mode != "constant":
        return word.gather_entries(x, index=(*before, _places(mode, size, left, right, axis)))
    if size + left + right < 0 or size + min(left, 0) + min(right, 0) < 0:
        raise ShapeError(f"padding of {left} and {right} takes more than axis {axis} of length {size} has")
    if left < 0 or right < 0:
        x = word.gather_entries(x, index=(*before, slice(max(-left, 0), size - max(-right, 0))))
    widths = [(0, 0)] * x.ndim
    widths[axis] = (max(left, 0), max(right, 0))
    return word.pad(x, widths=tuple(widths), value=value) if any(widths[axis]) else x


def _places(mode: str, size: int, left: int, right: int, axis: int) -> np.ndarray:
    """Which entries of an axis stand where after padding."""
    most = {"reflect": size - 1, "circular": size}.get(mode, max(left, right))
    if max(left, right) > most or size + left + right < 0:
        raise ShapeError(f"{mode} padding of {left} and {right} does not fit axis {axis} of length {size}")
    if mode == "circular":  # what is cut off does not come back round
        kept = np.arange(max(-left, 0), size - max(-right, 0))
        return np.pad(kept, (max(left, 0), max(right, 0)), "wrap")
    line = np.arange(-left, size + right)
    if mode == "replicate":
        return np.clip(line, 0, size - 1)
    return np.where(line < 0, -line, np.where(line >= size, 2 * (size - 1) - line, line))


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """Each vector along an axis divided by its p-norm, or by `eps` where that is larger."""
    return input / input.norm(p, dim, keepdim=True).clamp(min=eps)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along an axis; norms below `eps` count as `eps`."""
    x1, x2 = broadcast_tensors(x1, x2)
    first, second = (at_least(x.norm(2, dim), eps) for x in (x1, x2))
    return word.total(x1 * x2, axis=dim) / (first * second)


def at_least(x: Any, low: float) -> Any:
    """What is below a bound raised to it, with the gradient as if it had not been: what PyTorch does to norms and variances."""
    fixed = x.detach()
    return x + (word.clamp(fixed, min=low, max=None) - fixed)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The p-norm of the differences along the last axis; `eps` is added to each difference."""
    return (x1 - x2 + eps).norm(p, -1, keepdim)
