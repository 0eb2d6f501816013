"""What all transforms are made of: variables to differentiate by, and cotangents pulled back to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from openbook.errors import GraphError, ShapeError
from openbook.tensor.autograd import enable_grad, is_grad_enabled, leading_to, now, propagate
from openbook.tensor.create import as_tensor
from openbook.tensor.tensor import Tensor
from openbook.tensor.trees import leaves_of, map_leaves
from openbook.tensor.vmap import Cases, levels_of, peeled, regrouped, spread_over_cases, ungrouped, wrapped

__all__ = ["Point", "differentiable", "zeros_like"]


class Point:
    """Where a function is differentiated: its arguments with new variables in them.

    A value that is already being differentiated becomes a new place in its graph; any other a new leaf, which asks for
    gradients only while it is this transform's turn: to the transforms around it, it is a constant.
    """

    def __init__(self, arguments: Sequence[Any], argnums: Sequence[int]):
        self.began = now()
        self.variables: list[Any] = []
        self.arguments = [as_tensor(x) if isinstance(x, np.ndarray) else x for x in arguments]
        for k in argnums:
            self.arguments[k] = map_leaves(self._variable, arguments[k])
        self.fresh = [x for v in self.variables if (x := peeled(v)).node is None]
        self.keys = [id(x if x.node is None else x.node) for x in map(peeled, self.variables)]

    def _variable(self, x: Any) -> Any:
        given = spread_over_cases(x if isinstance(x, Cases) else as_tensor(x))
        with enable_grad():
            variable = given * 1 if given.requires_grad else given.detach().requires_grad_()
        self.variables.append(variable)
        return variable

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While the variables are differentiated by."""
        before = [x.requires_grad for x in self.fresh]
        for x in self.fresh:
            x.requires_grad = True
        try:
            with enable_grad():
                yield
        finally:
            for x, asked in zip(self.fresh, before, strict=True):
                x.requires_grad = asked

    def rest(self) -> None:
        """From now on the new leaves are constants, except in a `turn`."""
        for x in self.fresh:
            x.requires_grad = False

    def connected(self, outputs: Sequence[Any]) -> bool:
        """Whether these values also depend on tensors that somebody around may differentiate by."""
        if not is_grad_enabled():
            return False
        return (
            len(self.fresh) < len(self.variables)
            or leading_to([y for x in outputs if (y := peeled(x)).requires_grad], set(self.keys), self.began)[1]
        )

    def settled(self, tree: Any) -> Any:
        """What the function gave, without its past where only this transform's variables are in it."""
        return map_leaves(self._settled, tree)

    def _settled(self, x: Any) -> Any:
        if not isinstance(x, (Tensor, Cases)) or not x.requires_grad or self.connected([x]):
            return x
        return x.detach()

    def pulled(self, outputs: Sequence[Any], seeds: Sequence[Any], connected: bool, retain: bool) -> list[Any]:
        """The cotangents of the variables from those of the outputs; zero where nothing depends on a variable."""
        with self.turn():
            found = pulled_back(outputs, self.variables, seeds, self.began, connected, retain)
        return [zeros_like(v) if g is None else g for g, v in zip(found, self.variables, strict=True)]


def pulled_back(
    outputs: Sequence[Any], variables: Sequence[Any], seeds: Sequence[Any], began: int, connected: bool, retain: bool
) -> list[Any]:
    """The chain rule from outputs back to variables, on the tensors that hold all cases of all stacks.

    Cotangents may be stacks of their own (rows of a Jacobian, say): then the rules run under `vmap`.
    """
    used = [(peeled(y), _matched(s, y)) for y, s in zip(outputs, seeds, strict=True) if peeled(y).requires_grad]
    leaves = [peeled(v) for v in variables]
    keys = [id(x if x.node is None else x.node) for x in leaves]
    if not used:
        return [None] * len(leaves)
    stacked = any(isinstance(s, Cases) for _, s in used)
    create = connected or stacked or any(s.requires_grad for _, s in used)
    grads = propagate(
        [y for y, _ in used],
        [s if create else s.data for _, s in used],
        create_graph=create,
        retain_graph=retain or create,
        watch=set(keys),
        wanted=leading_to([y for y, _ in used], set(keys), began)[0],
    )
    found = [_given_back(grads.get(key), v) for key, v in zip(keys, variables, strict=True)]
    kept = connected or any(s.requires_grad for _, s in used)
    return [g if kept or g is None else g.detach() for g in found]


def _matched(seed: Any, value: Any) -> Any:
    """The cotangent with axes for the cases the value has; stacks that are only its own stay stacks."""
    levels = levels_of(value)
    if tuple(seed.shape) != tuple(value.shape):
        raise ShapeError(f"the cotangent has shape {tuple(seed.shape)}, the value {tuple(value.shape)}", where="vjp")
    if seed.dtype != value.dtype:
        seed = seed.to(value.dtype)
    return ungrouped(seed, levels, tuple(peeled(value).shape[: len(levels)]))


def _given_back(g: Any, variable: Any) -> Any:
    if g is None:
        return None
    return regrouped(g if hasattr(g, "__openbook_apply__") else Tensor(g), levels_of(variable))


def zeros_like(variable: Any) -> Any:
    """The gradient of what does not depend on a variable."""
    return wrapped(Tensor(np.zeros_like(peeled(variable).data)), variable)


def differentiable(result: Any, where: str) -> list[Any]:
    """The values a function gave, all of which must be tensors."""
    values = list(leaves_of(result))
    if not values or not all(isinstance(y, (Tensor, Cases)) for y in values):
        kinds = ", ".join(type(y).__name__ for y in values) or "nothing"
        raise GraphError(
            f"the function gave {kinds} where tensors are differentiated",
            where=where,
            do="give back what was computed from the arguments, not float(…), .item() or .numpy() of it",
        )
    return values
