"""Functions of functions: a function's gradient, its Hessian, the product of its Hessian with a vector.

All of them nest in any order, also with `vmap`: under it every value stands for many cases, and so does its gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.errors import GraphError, ShapeError
from openbook.ops import vocabulary as word
from openbook.tensor.autograd import enable_grad, grad_of, is_grad_enabled, nodes_behind
from openbook.tensor.create import as_tensor
from openbook.tensor.tensor import Tensor
from openbook.tensor.vmap import Cases, peeled, spread_over_cases, wrapped

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Argnums = int | tuple[int, ...]


def value_and_grad(f: Callable[..., Any], argnum: Argnums = 0, has_aux: bool = False) -> Callable[..., tuple[Any, Any]]:
    """The function that gives f's value and its gradient in one pass.

    f takes tensors (or dicts, lists and tuples of them) and gives a single number; with `has_aux` a pair, of which only the
    first is differentiated. `argnum` names the argument, or several; the gradient has its form. Nests: `grad(grad(f))`
    differentiates twice, and tensors that f finds outside stay connected.
    """

    def both(*arguments: Any) -> tuple[Any, Any]:
        argnums = (argnum,) if isinstance(argnum, int) else argnum
        inputs = list(arguments)
        leaves: list[Any] = []
        for k in argnums:
            inputs[k] = _each(inputs[k], lambda x: _variable(x, leaves))
        for k in range(len(inputs)):
            if isinstance(inputs[k], np.ndarray):
                inputs[k] = as_tensor(inputs[k])
        with enable_grad():
            result = f(*inputs)
            value, extra = result if has_aux else (result, None)
            _require_scalar(value)
        found = iter(_gradients(value, leaves))
        slopes = tuple(_each(inputs[k], lambda x: next(found)) for k in argnums)
        slope = slopes[0] if isinstance(argnum, int) else slopes
        return ((value, extra) if has_aux else value), slope

    return both


def grad(f: Callable[..., Any], argnum: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives f's gradient; with `has_aux` the pair of it and what f gives besides."""
    both = value_and_grad(f, argnum, has_aux)

    def slope(*arguments: Any) -> Any:
        value, found = both(*arguments)
        return (found, value[1]) if has_aux else found

    return slope


def _each(x: Any, f: Callable[[Any], Any]) -> Any:
    if isinstance(x, dict):
        return {k: _each(v, f) for k, v in x.items()}
    if isinstance(x, tuple) or (isinstance(x, list) and any(hasattr(v, "__openbook_apply__") for v in x)):
        return type(x)(_each(v, f) for v in x)
    return f(x)


def _variable(x: Any, leaves: list[Any]) -> Any:
    """A value to differentiate by: a new leaf, or, if it is already being differentiated, a new place in its graph."""
    given = spread_over_cases(x if isinstance(x, Cases) else as_tensor(x))
    with enable_grad():
        variable = given * 1 if given.requires_grad else given.detach().requires_grad_()
    leaves.append(variable)
    return variable


def _gradients(value: Any, leaves: list[Any]) -> list[Any]:
    """∂value/∂leaf for each, zero where it does not depend on it; connected to whatever else is being differentiated."""
    output, inputs = peeled(value), [peeled(x) for x in leaves]
    found: tuple[Tensor | None, ...] = (None,) * len(inputs)
    if output.requires_grad:
        connected = is_grad_enabled() and _has_other_leaves(output, inputs)
        seed = Tensor(np.ones_like(output.data))
        found = grad_of(output, inputs, seed, create_graph=connected, retain_graph=connected)
    return [
        wrapped(Tensor(np.zeros_like(x.data)) if g is None else g, like)
        for g, x, like in zip(found, inputs, leaves, strict=True)
    ]


def _has_other_leaves(output: Tensor, inputs: list[Tensor]) -> bool:
    """Whether the value also depends on tensors that somebody outside may differentiate by."""
    mine = {id(x) for x in inputs}
    for node in nodes_behind([output]):
        for x in node.inputs or ():
            if getattr(x, "requires_grad", False) and x.node is None and id(x) not in mine:
                return True
    return False


def vjp(f: Callable[[Any], Any], x: Any) -> tuple[Any, Callable[[Any], Any]]:
    """f(x), and the function that carries a cotangent of f(x) back to x: v ↦ vᵀJ."""
    leaves: list[Any] = []
    variable = _variable(x, leaves)
    outside = is_grad_enabled() and peeled(variable).node is not None
    with enable_grad():
        value = f(variable)

    def pull(cotangent: Any) -> Any:
        output, leaf = peeled(value), peeled(variable)
        found = None
        if output.requires_grad:
            given = (
                cotangent if isinstance(cotangent, (Cases, Tensor)) else as_tensor(np.asarray(cotangent, value.dtype))
            )
            seed = peeled(given * 1 if outside else given)
            if seed.shape != output.shape:
                if isinstance(given, Cases) or not isinstance(value, Cases):
                    raise ShapeError(f"the cotangent has shape {given.shape}, the value {value.shape}", where="vjp")
                seed = Tensor(np.broadcast_to(seed.data, output.shape))
            connected = outside or seed.requires_grad
            found = grad_of(output, [leaf], seed, retain_graph=True, create_graph=connected)[0]
        return wrapped(found if found is not None else Tensor(np.zeros_like(leaf.data)), variable)

    return (value if outside else value.detach()), pull


def jvp(f: Callable[[Any], Any], x: Any, v: Any) -> tuple[Any, Any]:
    """f(x), and how f moves when x moves along v: J·v, forward mode as the vjp of the vjp.

    v has the shape of x. uᵀJ is linear in u, so its gradient in u, weighted by v, is J·v at any u.
    """
    leaves: list[Any] = []
    variable = _variable(x, leaves)
    direction = spread_over_cases(v if isinstance(v, Cases) else as_tensor(v))
    if direction.shape != variable.shape:
        raise ShapeError(f"the direction has shape {direction.shape}, the point {variable.shape}", where="jvp")
    outside = is_grad_enabled() and (peeled(variable).node is not None or direction.requires_grad)
    with enable_grad():
        value = f(variable)
        output, leaf = peeled(value), peeled(variable)
        moved = None
        if output.requires_grad:
            u = Tensor(np.zeros_like(output.data), requires_grad=True)
            (back,) = grad_of(output, [leaf], u, create_graph=True)
            if back is not None and back.requires_grad:
                (moved,) = grad_of((back * peeled(direction)).sum(), [u], create_graph=outside)
    tangent = wrapped(moved if moved is not None else Tensor(np.zeros_like(output.data)), value)
    return (value if outside else value.detach()), tangent


def jacobian(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function that gives all first derivatives of f, of shape `f(x).shape + x.shape`: one backward pass an entry."""

    def at(x: Any) -> Any:
        value, pull = vjp(f, x)
        size = int(np.prod(value.shape))
        units = Tensor(np.eye(size, dtype=value.dtype).reshape(size, *value.shape))
        rows = [pull(unit) for unit in units]
        shape = tuple(value.shape) + tuple(np.shape(x) if not hasattr(x, "shape") else x.shape)
        if not rows:
            return Tensor(np.zeros(shape, value.dtype))
        return word.stack(*rows, axis=0).reshape(shape)

    return at


def hvp(f: Callable[[Any], Any], x: Any, v: Any) -> Any:
    """The Hessian of f at x times v, without forming the Hessian: the gradient of ∇f·v."""
    direction = v if isinstance(v, Cases) else as_tensor(v)
    return grad(lambda t: (grad(f)(t) * direction).sum())(x)


def hessian(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function that gives all second derivatives of f, of shape `x.shape + x.shape`."""
    return jacobian(grad(f))


def _require_scalar(value: Any) -> None:
    if not isinstance(value, (Tensor, Cases)) or value.shape not in ((), (1,)):
        shown = tuple(value.shape) if isinstance(value, (Tensor, Cases)) else type(value).__name__
        raise GraphError(f"only a function giving a single number has a gradient, not {shown}", do="reduce it first")
