"""Functions of functions: a function's gradient, its value beside it, and products with its Jacobian and Hessian.

All of them nest in any order, also with `vmap`: under it every value stands for many cases, and so does its gradient. As in
`torch.func`, tensors that a function finds outside stay connected: what a transform gives can be differentiated by them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.errors import GraphError, InputError, ShapeError
from openbook.tensor.autograd import is_grad_enabled
from openbook.tensor.create import as_tensor
from openbook.tensor.pull import Point, differentiable, pulled_back, zeros_like
from openbook.tensor.tensor import Tensor
from openbook.tensor.trees import map_leaves, pairs
from openbook.tensor.vmap import Cases, peeled, spread_over_cases, wrapped

__all__ = ["Argnums", "Linear", "grad", "grad_and_value", "hvp", "jvp", "parted", "places_of", "value_and_grad", "vjp"]

Argnums = int | tuple[int, ...]


def value_and_grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., tuple[Any, Any]]:
    """The function that gives f's value and its gradient in one pass.

    f takes tensors (or dicts, lists and tuples of them) and gives a single number; with `has_aux` a pair, of which only the
    first is differentiated. `argnums` names the argument, or several; the gradient has its form. Nests: `grad(grad(f))`
    differentiates twice, and tensors that f finds outside stay connected.
    """

    def both(*arguments: Any, **options: Any) -> tuple[Any, Any]:
        places = places_of(argnums, len(arguments), "grad")
        point = Point(arguments, places)
        with point.turn():
            value, extra = parted(f(*point.arguments, **options), has_aux, "grad")
            _require_scalar(value)
        connected = point.connected([value])
        seed = wrapped(Tensor(np.ones_like(peeled(value).data)), value)
        found = iter(point.pulled([value], [seed], connected, retain=connected))
        slopes = tuple(map_leaves(lambda x: next(found), point.arguments[k]) for k in places)
        settled = value if connected else value.detach()
        extra = point.settled(extra)
        point.rest()
        slope = slopes[0] if isinstance(argnums, int) else slopes
        return ((settled, extra) if has_aux else settled), slope

    return both


def grad(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives f's gradient; with `has_aux` the pair of it and what f gives besides."""
    both = value_and_grad(f, argnums, has_aux)

    def slope(*arguments: Any, **options: Any) -> Any:
        value, found = both(*arguments, **options)
        return (found, value[1]) if has_aux else found

    return slope


def grad_and_value(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """`value_and_grad` in the order of `torch.func`: the gradient first."""
    both = value_and_grad(f, argnums, has_aux)

    def slope_first(*arguments: Any, **options: Any) -> Any:
        value, found = both(*arguments, **options)
        return found, value

    return slope_first


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """f(*primals), and the function that carries a cotangent of it back to the primals: v ↦ vᵀJ.

    The cotangent has the form of f's value; what comes back has that of the primal, or is a tuple where there are several.
    With `has_aux` f gives a pair, whose second half is handed on as the third result.
    """
    if not primals:
        raise InputError("there is nothing to differentiate by", where="vjp", do="pass the arguments of f")
    point = Point(primals, range(len(primals)))
    with point.turn():
        result, extra = parted(f(*point.arguments), has_aux, "vjp")
        values = differentiable(result, "vjp")
    outside = point.connected(values)

    def pull(cotangents: Any) -> Any:
        seeds = [_seed(s, y) for y, s in _paired(result, cotangents)]
        connected = is_grad_enabled() and outside
        found = iter(point.pulled(values, seeds, connected, retain=True))
        slopes = tuple(map_leaves(lambda x: next(found), x) for x in point.arguments)
        return slopes[0] if len(slopes) == 1 else slopes

    value, extra = point.settled(result), point.settled(extra)
    point.rest()
    return (value, pull, extra) if has_aux else (value, pull)


def _paired(result: Any, cotangents: Any) -> list[tuple[Any, Any]]:
    if isinstance(result, (Tensor, Cases)):
        return [(result, cotangents)]
    return list(pairs(result, cotangents, "vjp"))


def _seed(cotangent: Any, value: Any) -> Any:
    if isinstance(cotangent, (Tensor, Cases)):
        return cotangent
    return as_tensor(np.asarray(cotangent, dtype=value.dtype))


def jvp(f: Callable[..., Any], primals: Any, tangents: Any, *, has_aux: bool = False) -> Any:
    """f(x), and how f moves when x moves along v: J·v, forward mode as the vjp of the vjp.

    A tuple of primals stands for several arguments, as in `torch.func`. The tangents have the form of the primals. uᵀJ is
    linear in u, so its gradient in u, weighted by v, is J·v at any u. With `has_aux` what else f gives is the third result.
    """
    arguments = primals if isinstance(primals, tuple) else (primals,)
    point = Point(arguments, range(len(arguments)))
    along = tangents if isinstance(primals, tuple) else (tangents,)
    directions = [_direction(v, x) for x, v in pairs(tuple(point.arguments), along, "jvp")]
    with point.turn():
        result, extra = parted(f(*point.arguments), has_aux, "jvp")
        values = differentiable(result, "jvp")
    outside = point.connected(values) or (is_grad_enabled() and any(v.requires_grad for v in directions))
    moved = iter(Linear(point, values).pushed(directions, outside))
    value, extra = point.settled(result), point.settled(extra)
    tangent = map_leaves(lambda y: next(moved), result)
    point.rest()
    return (value, tangent, extra) if has_aux else (value, tangent)


class Linear:
    """f near a point: u ↦ uᵀJ recorded once, whose own transpose carries directions forward."""

    def __init__(self, point: Point, values: list[Any]):
        self.values, self.began = values, point.began
        self.weights = [wrapped(Tensor(np.zeros_like(peeled(y).data), requires_grad=True), y) for y in values]
        with point.turn():
            self.back = pulled_back(values, point.variables, self.weights, point.began, connected=True, retain=True)

    def pushed(self, directions: list[Any], connected: bool) -> list[Any]:
        """J·v, for v of the form of the variables."""
        used = [(b, v) for b, v in zip(self.back, directions, strict=True) if b is not None]
        backs, seeds = [b for b, _ in used], [v for _, v in used]
        found = pulled_back(backs, self.weights, seeds, self.began, connected, retain=True)
        return [zeros_like(y) if g is None else g for g, y in zip(found, self.values, strict=True)]


def _direction(v: Any, x: Any) -> Any:
    direction = spread_over_cases(v if isinstance(v, (Tensor, Cases)) else as_tensor(np.asarray(v, dtype=x.dtype)))
    if tuple(direction.shape) != tuple(x.shape):
        raise ShapeError(f"the direction has shape {tuple(direction.shape)}, the point {tuple(x.shape)}", where="jvp")
    return direction


def hvp(f: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """The Hessian of f at x times v, without forming the Hessian: the gradient of ∇f·v.

    A tuple of primals stands for several arguments, each with its tangent; the result is then a tuple too.
    """
    several = isinstance(primals, tuple)
    arguments, along = (primals, tangents) if several else ((primals,), (tangents,))
    argnums = tuple(range(len(arguments)))

    def rise(*xs: Any) -> Any:
        slopes = grad(f, argnums)(*xs)
        directions = tuple(
            map_leaves(lambda v: v if isinstance(v, (Tensor, Cases)) else as_tensor(v), v) for v in along
        )
        products = [(g * v).sum() for g, v in pairs(slopes, directions, "hvp")]
        return sum(products[1:], products[0])

    found = grad(rise, argnums)(*arguments)
    return found if several else found[0]


def places_of(argnums: Argnums, count: int, where: str) -> tuple[int, ...]:
    places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for k in places:
        if not -count <= k < count:
            raise InputError(f"argnums names argument {k}, and the function was given {count}", where=where,
                             do="arguments to differentiate by are given by position")  # fmt: skip
    return tuple(k % count for k in places)


def parted(result: Any, has_aux: bool, where: str) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise InputError("with has_aux the function gives a pair: the value, and what else there is", where=where)
    return result


def _require_scalar(value: Any) -> None:
    if not isinstance(value, (Tensor, Cases)) or value.shape not in ((), (1,)):
        shown = tuple(value.shape) if isinstance(value, (Tensor, Cases)) else type(value).__name__
        raise GraphError(f"only a function giving a single number has a gradient, not {shown}", do="reduce it first")
