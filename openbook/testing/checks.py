"""What every operation must pass. Each check raises an AssertionError; planted mistakes are found by these very checks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from openbook.errors import OpenbookError
from openbook.ops import apply
from openbook.ops.op import Op
from openbook.tensor import Tensor, grad, jvp, vmap
from openbook.testing.exact import EPS, Truth, truth_of
from openbook.testing.measures import gradients, leaves, normwise, result, worst_second, worst_slope, worst_value
from openbook.testing.samples import samples_of

__all__ = ["CHECKS"]


def check_value(op: type[Op], number: int) -> None:
    """Against the truth, recorded or not."""
    found = worst_value(op, truth_of(op, number))
    assert found.share <= 1, (op.name, "value", found)


def check_value_in_float32(op: type[Op], number: int) -> None:
    found = worst_value(op, truth_of(op, number), np.float32)
    assert found.share <= 1, (op.name, "float32", found)


# --- derivatives -----------------------------------------------------------------------------------------------------


def check_slope(op: type[Op], number: int) -> None:
    """Against the truth; broadcasting is undone in it."""
    if truth_of(op, number).slopes:
        found = worst_slope(op, truth_of(op, number))
        assert found.share <= 1, (op.name, "slope", found)


def check_slope_in_float32(op: type[Op], number: int) -> None:
    if truth_of(op, number).slopes:
        found = worst_slope(op, truth_of(op, number), np.float32)
        assert found.share <= 1, (op.name, "slope in float32", found)


def check_second(op: type[Op], number: int) -> None:
    """Second derivatives, against the truth."""
    if truth_of(op, number).slopes:
        found = worst_second(op, truth_of(op, number))
        assert found.share <= 1, (op.name, "second derivative", found)


def check_forward_mode(op: type[Op], number: int) -> None:
    """jvp gives J·v: the truth's, and in the product with a cotangent what reverse mode gives."""
    truth = truth_of(op, number)
    if not truth.slopes or not truth.value.size:
        return
    start = 0
    for i in truth.slopes:
        x = truth.inputs[i]
        v = truth.pull[start : start + x.size]
        column = truth.jacobian[:, start : start + x.size].astype(float)
        start += x.size

        def of(t: Any, i: int = i) -> Any:
            inputs = [t if k == i else None if y is None else Tensor(y) for k, y in enumerate(truth.inputs)]
            return result(op, truth, inputs)

        _, tangent = jvp(of, x.copy(), v.reshape(x.shape))
        size = (np.abs(column) @ np.abs(v)).max(initial=0.0) + truth.gradient_unit * np.abs(v).max(initial=0.0)
        error = np.abs(np.ravel(tangent.data) - column @ v).max(initial=0.0)
        assert error <= 64 * EPS * size, (op.name, "forward mode", error / (EPS * size) if size else error)


# --- stacks of cases -----------------------------------------------------------------------------------------------


def _variants(op: type[Op], number: int, count: int) -> list[tuple[Any, ...]]:
    return [samples_of(op)[number].draw(op, k) for k in range(count)]


def _close(found: Any, expected: Any, what: Any) -> None:
    a, b = np.asarray(found.data if hasattr(found, "data") else found), np.asarray(expected)
    assert a.shape == b.shape, (what, a.shape, b.shape)
    scale = np.abs(b[np.isfinite(b)]).max(initial=0.0) if b.dtype.kind == "f" else 0
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13 * scale, err_msg=str(what))


def check_vmap(op: type[Op], number: int) -> None:
    """A stack of cases gives what a loop gives, with any of the inputs stacked, and nested."""
    sample = samples_of(op)[number]
    cases = _variants(op, number, 3)
    there = [i for i, x in enumerate(cases[0]) if x is not None]

    def of(*inputs: Any) -> Any:
        every = iter(inputs)
        with np.errstate(all="ignore"):
            return apply(op, *(next(every) if i in there else None for i in range(len(cases[0]))), **sample.options)

    def one(inputs: list[Any]) -> np.ndarray:
        return np.asarray(of(*map(Tensor, inputs)).data)

    for chosen in product((True, False), repeat=len(there)):
        if not any(chosen):
            continue
        stacks = [np.stack([c[i] for c in cases]) if s else cases[0][i] for i, s in zip(there, chosen, strict=True)]
        loop = np.stack([one([x[k] if s else x for x, s in zip(stacks, chosen, strict=True)]) for k in range(3)])
        _close(vmap(of, in_dims=tuple(0 if s else None for s in chosen))(*map(Tensor, stacks)), loop, (op.name, chosen))
    outer = [i == there[0] for i in there]  # the outer stack has the first input, the inner one all
    deep = [
        np.stack([np.stack([c[i] for c in cases[k : k + 2]]) for k in range(2)])
        if o
        else np.stack([c[i] for c in cases[:2]])
        for i, o in zip(there, outer, strict=True)
    ]
    loop = np.stack([np.stack([one([x[a][b] if o else x[b] for x, o in zip(deep, outer, strict=True)]) for b in range(2)])
                     for a in range(2)])  # fmt: skip
    nested = vmap(vmap(of), in_dims=tuple(0 if o else None for o in outer))
    _close(nested(*map(Tensor, deep)), loop, (op.name, "nested"))


def check_gradients_of_cases(op: type[Op], number: int) -> None:
    """Per-case gradients under vmap are those of a loop."""
    truth = truth_of(op, number)
    if not truth.slopes or not truth.value.size:
        return
    sample, cases = samples_of(op)[number], _variants(op, number, 2)
    which = truth.slopes[0]
    there = [i for i, x in enumerate(cases[0]) if x is not None]

    def loss(*inputs: Any) -> Any:
        every = iter(inputs)
        value = apply(op, *(next(every) if i in there else None for i in range(len(cases[0]))), **sample.options)
        return (value * Tensor(truth.cotangent)).sum()

    slope = grad(loss, argnums=there.index(which))
    with np.errstate(all="ignore"):
        loop = np.stack([np.asarray(slope(*(Tensor(c[i]) for i in there)).data) for c in cases])
        found = vmap(slope)(*(Tensor(np.stack([c[i] for c in cases])) for i in there))
    _close(found, loop, (op.name, "gradients of cases"))


# --- memory ----------------------------------------------------------------------------------------------------------


def _turned(x: np.ndarray) -> np.ndarray:
    backwards: Any = (..., *(slice(None, None, -1),) * x.ndim)
    return x[backwards]


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "transposed": lambda x: np.array(x, order="F"),
    "reversed": lambda x: _turned(np.array(_turned(x), order="C")),
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
}


def _with_gradient(op: type[Op], truth: Truth, arrays: list[Any]) -> list[np.ndarray]:
    inputs = [None if a is None else Tensor(a, requires_grad=i in truth.slopes) for i, a in enumerate(arrays)]
    parts = [np.asarray(result(op, truth, inputs).data)]
    return parts + ([np.asarray(g.data) for g in gradients(op, truth, inputs)] if truth.slopes else [])


def check_layouts(op: type[Op], number: int) -> None:
    """Transposed, reversed, strided and repeated memory gives what memory in order gives."""
    truth = truth_of(op, number)
    expected = _with_gradient(op, truth, [None if x is None else x.copy() for x in truth.inputs])
    for name, layout in LAYOUTS.items():
        found = _with_gradient(op, truth, [None if x is None else layout(x.copy()) for x in truth.inputs])
        for a, b in zip(found, expected, strict=True):
            _close(a, b, (op.name, name))
    for i in truth.slopes:  # one row, shown as many (stride 0)
        x = truth.inputs[i]
        if normwise(op) or not x.ndim or not x.shape[0]:
            continue
        shown = np.broadcast_to(x[:1], x.shape)
        pairs = [[None if y is None else (how(shown) if k == i else y.copy()) for k, y in enumerate(truth.inputs)]
                 for how in (lambda a: a, np.array)]  # fmt: skip
        for a, b in zip(*(_with_gradient(op, truth, arrays) for arrays in pairs), strict=True):
            _close(a, b, (op.name, "stride 0"))


def check_inputs_are_left_alone(op: type[Op], number: int) -> None:
    """Neither forward nor gradient writes to an input, or to the cotangent; read-only memory will do."""
    truth = truth_of(op, number)
    arrays = [None if x is None else x.copy() for x in truth.inputs]
    before = [None if x is None else x.copy() for x in arrays]
    cotangent = truth.cotangent.copy()
    for array in arrays:
        if array is not None:
            array.flags.writeable = False
    _with_gradient(op, truth, arrays)
    for array in arrays:
        if array is not None:
            array.flags.writeable = True
    _with_gradient(op, truth, arrays)
    for a, b in zip(arrays, before, strict=True):
        assert a is None or b is None or np.array_equal(a, b), (op.name, "an input was changed")
    assert np.array_equal(truth.cotangent, cotangent), (op.name, "the cotangent was changed")


def check_needs(op: type[Op], number: int) -> None:
    """What `needs()` leaves out, the rule does not look at: spoilt, it gives the same cotangents."""
    truth = truth_of(op, number)
    if not truth.slopes or not truth.value.size:
        return
    value = result(op, truth, leaves(truth))
    node, needed = value.node, op.needs()
    g = truth.cotangent.astype(value.dtype)

    def rule(spoilt: bool) -> list[Any]:
        arrays = [node.output, *node.arrays]
        if spoilt:
            arrays = [a if i in needed or a is None else _poison(a) for i, a in enumerate(arrays)]
        parameters = dict(node.parameters) if op.keeping is None else {**node.parameters, "kept": None}
        with np.errstate(all="ignore"):
            found = op.gradient(g.copy(), arrays[0], *arrays[1:], **parameters)
            found = found if isinstance(found, tuple) else (found,)
            return [np.asarray(p() if callable(p) else p) for p in found if p is not None]

    for a, b in zip(rule(True), rule(False), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=f"{op.name} needs more than {sorted(needed)[:5]}")


def _poison(a: np.ndarray) -> np.ndarray:
    return np.full(a.shape, np.nan, a.dtype) if a.dtype.kind == "f" else np.full_like(a, np.iinfo(np.int64).min // 2)


MEANT_TO_REPLACE_NAN = {"nan_to_num"}
READS_THE_LOWER_HALF = {"cholesky", "eigenvalues", "eigenvectors"}


def _above_the_diagonal(shape: tuple[int, ...], k: int) -> bool:
    place = np.unravel_index(k, shape)
    return bool(place[-1] > place[-2])


def check_nan_is_not_swallowed(op: type[Op], number: int) -> None:
    """What depends on an entry that is NaN is NaN, or refused."""
    truth = truth_of(op, number)
    if not truth.slopes or not truth.value.size or op.name in MEANT_TO_REPLACE_NAN:
        return
    depends = np.abs(truth.jacobian.astype(float)) > 1e-20  # differences leave crumbs of 10⁻⁶⁰
    for k in range(truth.point.size):
        if op.name in READS_THE_LOWER_HALF and _above_the_diagonal(truth.inputs[0].shape, k):
            continue
        point = truth.point.copy()
        point[k] = np.nan
        inputs, start = [None if x is None else x.copy() for x in truth.inputs], 0
        for i in truth.slopes:
            size = truth.inputs[i].size
            inputs[i] = point[start : start + size].reshape(truth.inputs[i].shape)
            start += size
        try:
            found = result(op, truth, [None if x is None else Tensor(x) for x in inputs])
        except OpenbookError:
            continue
        lost = depends[:, k] & ~np.isnan(np.ravel(found.data))
        assert not lost.any(), (op.name, "NaN in the input is none in the output")


CHECKS: dict[str, Callable[[type[Op], int], None]] = {
    "value": check_value,
    "value in float32": check_value_in_float32,
    "slope": check_slope,
    "slope in float32": check_slope_in_float32,
    "second derivative": check_second,
    "forward mode": check_forward_mode,
    "vmap": check_vmap,
    "gradients of cases": check_gradients_of_cases,
    "layouts": check_layouts,
    "inputs left alone": check_inputs_are_left_alone,
    "needs": check_needs,
    "NaN": check_nan_is_not_swallowed,
}
