"""Functions of functions: a function's gradient, its Hessian, the product of its Hessian with a vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.errors import GraphError, ShapeError
from openbook.tensor.autograd import enable_grad, grad_of
from openbook.tensor.create import as_tensor
from openbook.tensor.tensor import Tensor

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]


def value_and_grad(f: Callable[..., Tensor], argnum: int = 0) -> Callable[..., tuple[Tensor, Tensor]]:
    """The function that gives f's value and its gradient in one pass.

    f takes tensors and gives a single number. Nests: `grad(grad(f))` differentiates twice.
    """

    def both(*arguments: Any) -> tuple[Tensor, Tensor]:
        inputs = list(map(as_tensor, arguments))
        nested = inputs[argnum].requires_grad
        # A value that is already being differentiated stays in its graph; a new one becomes a leaf of ours.
        x = inputs[argnum] * 1 if nested else inputs[argnum].detach().requires_grad_()
        inputs[argnum] = x
        with enable_grad():
            value = f(*inputs)
            _require_scalar(value)
            gradient = None
            if value.requires_grad:  # otherwise f does not depend on anything: its gradient is zero
                (gradient,) = grad_of(value, [x], create_graph=nested, retain_graph=nested)
        return value, gradient if gradient is not None else Tensor(np.zeros_like(x.data))

    return both


def grad(f: Callable[..., Tensor], argnum: int = 0) -> Callable[..., Tensor]:
    """The function that gives f's gradient."""
    both = value_and_grad(f, argnum)
    return lambda *arguments: both(*arguments)[1]


def vjp(f: Callable[[Tensor], Tensor], x: Any) -> tuple[Tensor, Callable[[Any], Tensor]]:
    """f(x), and the function that carries a cotangent of f(x) back to x: v ↦ vᵀJ."""
    leaf = as_tensor(x).detach().requires_grad_()
    with enable_grad():
        value = f(leaf)

    def pull(cotangent: Any) -> Tensor:
        found = grad_of(value, [leaf], cotangent, retain_graph=True)[0] if value.requires_grad else None
        return found if found is not None else Tensor(np.zeros_like(leaf.data))

    return value.detach(), pull


def jvp(f: Callable[[Tensor], Tensor], x: Any, v: Any) -> tuple[Tensor, Tensor]:
    """f(x), and how f moves when x moves along v: J·v, forward mode as the vjp of the vjp.

    v has the shape of x. uᵀJ is linear in u, so its gradient in u, weighted by v, is J·v at any u.
    """
    leaf, direction = as_tensor(x).detach().requires_grad_(), as_tensor(v)
    if direction.shape != leaf.shape:
        raise ShapeError(f"the direction has shape {direction.shape}, the point {leaf.shape}", where="jvp")
    with enable_grad():
        value = f(leaf)
        if not value.requires_grad:
            return value, Tensor(np.zeros_like(value.data))
        u = Tensor(np.zeros_like(value.data), requires_grad=True)
        (back,) = grad_of(value, [leaf], u, create_graph=True)
        (moved,) = grad_of((back * direction).sum(), [u]) if back is not None and back.requires_grad else (None,)
    return value.detach(), moved if moved is not None else Tensor(np.zeros_like(value.data))


def jacobian(f: Callable[[Tensor], Tensor]) -> Callable[[Any], Tensor]:
    """The function that gives all first derivatives of f, of shape `f(x).shape + x.shape`: one backward pass an output."""

    def at(x: Any) -> Tensor:
        value, pull = vjp(f, x)
        rows = []
        for index in np.ndindex(value.shape):
            unit = np.zeros_like(value.data)
            unit[index] = 1
            rows.append(pull(unit).data)
        return Tensor(np.reshape(rows, value.shape + as_tensor(x).shape))

    return at


def hvp(f: Callable[[Tensor], Tensor], x: Any, v: Any) -> Tensor:
    """The Hessian of f at x times v, without forming the Hessian: the gradient of ∇f·v."""
    direction = as_tensor(v)
    return grad(lambda t: (grad(f)(t) * direction).sum())(x)


def hessian(f: Callable[[Tensor], Tensor]) -> Callable[[Any], Tensor]:
    """The function that gives all second derivatives of f, of shape `x.shape + x.shape`."""

    def at(x: Any) -> Tensor:
        leaf = as_tensor(x).detach().requires_grad_()
        value = f(leaf)
        _require_scalar(value)
        (first,) = grad_of(value, [leaf], create_graph=True) if value.requires_grad else (None,)
        if first is None or not first.requires_grad:  # constant or linear: no curvature
            return Tensor(np.zeros(leaf.shape + leaf.shape, leaf.dtype))
        rows = []
        for index in np.ndindex(leaf.shape):
            (row,) = grad_of(first[index], [leaf], retain_graph=True)
            rows.append(row.data if row is not None else np.zeros_like(leaf.data))
        return Tensor(np.reshape(rows, leaf.shape + leaf.shape))

    return at


def _require_scalar(value: Any) -> None:
    if not isinstance(value, Tensor) or value.data.size != 1:
        shown = value.shape if isinstance(value, Tensor) else type(value).__name__
        raise GraphError(f"only a function giving a single number has a gradient, not {shown}", do="reduce it first")
