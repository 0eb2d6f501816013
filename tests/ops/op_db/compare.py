"""One operation on one of PyTorch's samples, in both libraries: values, gradients, gradients of gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import openbook as ob
from openbook.tensor import Tensor, grad_of
from tests.ops.op_db import known
from tests.ops.op_db.convert import array, ours, outputs, theirs


def _product(usv: Any) -> Any:
    """What does not depend on the signs of singular vectors: the singular values, and the product again."""
    right = usv.V.mT if hasattr(usv, "V") else usv.Vh
    k = usv.S.shape[-1]
    return usv.S, (usv.U[..., :k] * usv.S[..., None, :]) @ right[..., :k, :]


def _values(result: Any) -> Any:
    """The values alone: of equal entries PyTorch may name any place."""
    return result[0] if isinstance(result, tuple) else result


def _sorted_by(mine: Tensor, sample: Any) -> Callable[[Any], Any]:
    """The entries at the places in order, of either library."""
    dim = sample.kwargs.get("dim", sample.args[0] if sample.args else -1)
    return lambda places: (mine if isinstance(places, Tensor) else sample.input).detach().gather(dim, places)


# What the variants of some OpInfos leave out of the result.
CUT = {("linalg.lstsq", "grad_oriented"): lambda found: found[:2]}


class Case:
    """A sample, converted; `leaves` of both libraries in the same order."""

    def __init__(self, op: Any, function: Callable[..., Any], sample: Any, process: Callable[[Any], Any]):
        given = (sample.input, list(sample.args), dict(sample.kwargs))
        self.their_leaves: list[torch.Tensor] = []
        self.our_leaves: list[Tensor] = []
        theirs(given, self.their_leaves)
        first, arguments, options = ours(given, self.our_leaves)
        with np.errstate(all="ignore"):
            if op.name.endswith("svd"):
                process = _product
            if op.name in known.PLACES_OF_EQUALS and not sample.kwargs.get("stable"):
                process = _values
            if op.name == "argsort" and not sample.kwargs.get("stable"):
                process = _sorted_by(first, sample)
            self.expected = list(outputs(process(op(sample.input, *sample.args, **sample.kwargs))))
            found = CUT.get((op.name, op.variant_test_name), lambda x: x)(function(first, *arguments, **options))
            self.found = list(outputs(process(found)))

    def compare_values(self, rtol: float, atol: float) -> None:
        assert len(self.found) == len(self.expected), f"{len(self.found)} results, not {len(self.expected)}"
        for mine, other in zip(self.found, self.expected, strict=True):
            a, b = array(mine), array(other)
            assert a.shape == b.shape, f"shape {a.shape}, not {b.shape}"
            if isinstance(other, torch.Tensor):
                assert a.dtype == b.dtype, f"dtype {a.dtype}, not {b.dtype}"
                rtol = max(rtol, 2e-5) if b.dtype == np.float32 else rtol
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)

    def compare_gradients(self, rtol: float, atol: float, second: bool) -> None:
        """Random cotangents, never ones; and, if `second`, the gradient of a random sum of the gradients."""
        random = np.random.default_rng(0)
        pairs = [
            (mine, other, random.standard_normal(array(other).shape).astype(array(other).dtype))
            for mine, other in zip(self.found, self.expected, strict=True)
            if isinstance(other, torch.Tensor) and other.requires_grad
        ]
        if not pairs or not self.their_leaves:
            return
        for mine, _, _ in pairs:
            assert isinstance(mine, Tensor) and mine.requires_grad, "no gradient leads back from the result"
        with np.errstate(all="ignore"):
            their_sum = sum((other * torch.from_numpy(np.asarray(c))).sum() for _, other, c in pairs)
            our_sum = sum(((mine * Tensor(np.asarray(c))).sum() for mine, _, c in pairs), Tensor(np.asarray(0.0)))
            expected = torch.autograd.grad(their_sum, self.their_leaves, create_graph=second, allow_unused=True)
            found = grad_of(our_sum, self.our_leaves, create_graph=second)
            _close(found, expected, rtol, atol)
            if second:
                self._compare_second(found, expected, random, rtol, atol)

    def _compare_second(self, found: Any, expected: Any, random: Any, rtol: float, atol: float) -> None:
        pairs = [(f, e, random.standard_normal(e.shape)) for f, e in zip(found, expected, strict=True) if e is not None]
        theirs_ = sum((e * torch.from_numpy(np.asarray(c))).sum() for _, e, c in pairs)
        if not pairs or not theirs_.requires_grad:
            return
        ours_ = sum(((f * Tensor(np.asarray(c))).sum() for f, _, c in pairs if f is not None), Tensor(np.asarray(0.0)))
        wanted = torch.autograd.grad(theirs_, self.their_leaves, allow_unused=True)
        if not ours_.requires_grad:
            assert all(w is None or not w.any() for w in wanted), "no second gradient"
            return
        _close(grad_of(ours_, self.our_leaves), wanted, rtol, atol)


def _close(found: Any, expected: Any, rtol: float, atol: float) -> None:
    for mine, other in zip(found, expected, strict=True):
        if mine is None or other is None:
            left = mine if other is None else other
            assert left is None or not np.any(array(left)), "a gradient that only one library has"
            continue
        np.testing.assert_allclose(array(mine), array(other), rtol=rtol, atol=atol)


# OpInfos whose function takes its arguments in another order than PyTorch's own.
SPELLED = {
    "special.polygamma": lambda x, n: ob.special.polygamma(n, x),
    "linalg.lstsq": lambda a, b, driver=None: ob.linalg.lstsq(a, b, driver=driver),
    "lu_solve": lambda b, packed, pivots: ob.linalg.lu_solve(packed, pivots, b),
    "nn.functional.embedding_bag": lambda weight, indices, *rest, **options: ob.nn.functional.embedding_bag(
        indices, weight, *rest, **options
    ),
    "einsum": lambda tensors, equation: ob.einsum(equation, *tensors),
    "where": lambda x, condition, other: ob.where(condition, x, other),
    "nn.functional.embedding": lambda weight, indices, **options: ob.nn.functional.embedding(
        indices, weight, **options
    ),
}


def resolve(name: str) -> Callable[..., Any] | None:
    """openbook's function of PyTorch's name; methods of tensors where there is no function."""
    if name in SPELLED:
        return SPELLED[name]
    for home in (ob, Tensor):
        found: Any = home
        for part in name.split("."):
            found = getattr(found, part, None)
        if isinstance(found, property):
            return lambda x, found=found: found.fget(x)  # type: ignore[misc]
        if found is not None and not isinstance(found, type):  # `openbook.double` is a dtype, the method a function
            return found
    return None
