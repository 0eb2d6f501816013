"""Operations of one's own, as in PyTorch: a class with `forward` and `backward`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from openbook.errors import DTypeError, GraphError, InputError, ShapeError
from openbook.ops import vocabulary as word
from openbook.ops.op import Op
from openbook.tensor.autograd import GraphNode
from openbook.tensor.modes import is_grad_enabled, no_grad
from openbook.tensor.tensor import Tensor
from openbook.tensor.views import retake_views, take_over
from openbook.tensor.vmap import Cases, levels_of

__all__ = ["Context", "Function", "once_differentiable"]


class Context:
    """What `forward` leaves for `backward`: saved tensors, and whatever else is set on it.

    `needs_input_grad` says of each argument whether its gradient is wanted.
    """

    def __init__(self, name: str, needs: tuple[bool, ...]):
        self.needs_input_grad = needs
        self._name = name
        self._saved: list[tuple[Any, int]] = []
        self._shapes: list[tuple[int, ...]] = []
        self._without: list[Any] = []  # for each output its shape if it has no gradient, else None
        self._positions: list[int] = []
        self._dirty: tuple[Any, ...] = ()
        self._constants: tuple[Any, ...] = ()
        self._output: Any = None

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep inputs or outputs for `backward`, which finds them in `saved_tensors`; changes in place are noticed."""
        self._saved = [(x, x.changed[0] if isinstance(x, Tensor) else 0) for x in tensors]

    save_for_forward = save_for_backward

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What was saved, still connected to where it came from."""
        return tuple(self._one_saved(x, stamp) for x, stamp in self._saved)

    def _one_saved(self, x: Any, stamp: int) -> Any:
        if isinstance(x, _Output):
            return self._parts(self._output)[x.number]
        if isinstance(x, Tensor) and x.changed[0] > stamp:
            raise GraphError(
                f"a tensor that {self._name} saved for its backward was changed in place afterwards, so its gradient "
                "would be wrong",
                do="make the change out of place (x = x + 1, not x += 1), or after backward()",
            )
        return x

    def _parts(self, bundle: Any) -> list[Any]:
        """The outputs (or their cotangents) that stand in one bundle."""
        if len(self._shapes) == 1:
            return [bundle]
        parts, start = [], 0
        for shape in self._shapes:
            size = int(np.prod(shape))
            parts.append(bundle[start : start + size].reshape(shape))
            start += size
        return parts

    def _cotangents(self, bundle: Any) -> list[Any]:
        """One for each output; zeros for those without a gradient."""
        parts = iter(self._parts(bundle))
        return [next(parts) if shape is None else Tensor(np.zeros(shape, bundle.dtype)) for shape in self._without]

    def mark_dirty(self, *tensors: Any) -> None:
        """Say which inputs `forward` has changed in place; it must give them back."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say which outputs have no gradient."""
        self._constants = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """PyTorch's switch; here `backward` is always handed zeros for outputs that nothing depends on, never None."""


class _Output:
    """In the place of a saved output, which would hold itself in memory otherwise."""

    def __init__(self, number: int):
        self.number = number


class Function:
    """An operation of one's own: subclass, and write `forward(ctx, *inputs)` and `backward(ctx, *gradients)`.

    Call it by `apply`. `backward` gives a gradient for each argument, None for those that have none; written with tensor
    operations, it is differentiated in its turn. As in PyTorch, `forward(*inputs)` may leave the context to
    `setup_context(ctx, inputs, output)`. Under `vmap` it is computed case by case.
    """

    setup_context: Any = None

    @staticmethod
    def forward(*arguments: Any, **options: Any) -> Any:
        raise TypeError("a Function says what it computes in `forward`")

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise TypeError("a Function says how gradients pass it in `backward`")

    @classmethod
    def apply(cls, *arguments: Any) -> Any:
        """Compute, and remember the operation if anybody may want its gradient."""
        if any(isinstance(x, Cases) for x in arguments):
            return _case_by_case(cls, arguments)
        ctx = Context(cls.__name__, tuple(isinstance(x, Tensor) and x.requires_grad for x in arguments))
        with no_grad():
            if cls.setup_context is None:
                result = cls.forward(ctx, *arguments)
            else:
                result = cls.forward(*arguments)
                cls.setup_context(ctx, arguments, result)
        outputs = list(result) if isinstance(result, tuple) else [result]
        _require_tensors(cls, outputs)
        if is_grad_enabled() and any(ctx.needs_input_grad):
            outputs = _remembered(cls, ctx, arguments, outputs)
        else:
            outputs = [_alias(y) if any(y is x for x in arguments) and y.requires_grad else y for y in outputs]
        return tuple(outputs) if isinstance(result, tuple) else outputs[0]


class Custom(Op):
    """What all operations of one's own are to a graph; `kept` is the context, which is freed with the graph."""

    constant = True
    keeping = staticmethod(lambda *inputs: None)

    @classmethod
    def needs(cls) -> frozenset[int]:
        return frozenset()  # the context itself looks after what it saved

    @staticmethod
    def gradient(g: Any, y: Any, *inputs: Any, function: Any, others: Any, kept: Context) -> tuple[Any, ...]:
        plain = not hasattr(g, "__openbook_apply__")
        kept._output = y if isinstance(y, Tensor) else Tensor(y)
        found = function.backward(kept, *kept._cotangents(Tensor(g) if plain else g))
        kept._output = None
        grads = found if isinstance(found, tuple) else (found,)
        if len(grads) < len(kept.needs_input_grad):
            raise InputError(
                f"{function.__name__}.backward gave {len(grads)} gradients for {len(kept.needs_input_grad)} arguments",
                do="give one for each argument of forward, None for those without",
            )
        chosen = [_cotangent(function, grads[i], x) for i, x in zip(kept._positions, inputs, strict=True)]
        return tuple(np.array(d.data) if plain and d is not None else d for d in chosen)


def _again(*inputs: Any, function: Any, others: dict[int, Any]) -> np.ndarray:
    """The outputs once more, for explanations that check themselves."""
    left = iter(inputs)
    count = len(inputs) + len(others)
    arguments = [others[i] if i in others else Tensor(np.array(next(left))) for i in range(count)]
    with no_grad():
        if function.setup_context is None:
            result = function.forward(Context(function.__name__, (False,) * count), *arguments)
        else:
            result = function.forward(*arguments)
    outputs = result if isinstance(result, tuple) else (result,)
    real = [y.data for y in outputs if y.data.dtype.kind == "f"]
    return real[0] if len(real) == 1 else np.concatenate([y.reshape(-1) for y in real])


Custom.forward = staticmethod(_again)  # type: ignore[method-assign]  # set here, it does not join the list of operations


def _cotangent(function: Any, d: Any, x: Any) -> Any:
    if d is None:
        return None
    if not hasattr(d, "__openbook_apply__"):
        raise DTypeError(f"{function.__name__}.backward gave {type(d).__name__} where a tensor is wanted")
    if tuple(d.shape) != tuple(x.shape):
        raise ShapeError(
            f"{function.__name__}.backward gave a gradient of shape {tuple(d.shape)} for an input of shape {tuple(x.shape)}"
        )
    return d


def _require_tensors(function: Any, outputs: list[Any]) -> None:
    for y in outputs:
        if not isinstance(y, Tensor):
            raise DTypeError(f"{function.__name__}.forward gave {type(y).__name__} where a tensor is wanted")


def _remembered(function: Any, ctx: Context, arguments: tuple[Any, ...], outputs: list[Any]) -> list[Any]:
    """The outputs with a place in the graph; several stand in one bundle, so that `backward` is called once."""
    ctx._positions = [i for i, needed in enumerate(ctx.needs_input_grad) if needed]
    inputs = tuple(arguments[i] for i in ctx._positions)
    constants = [any(y is c for c in ctx._constants) or y.data.dtype.kind != "f" for y in outputs]
    real = [y for y, constant in zip(outputs, constants, strict=True) if not constant]
    if not real:
        return outputs
    ctx._shapes = [tuple(y.shape) for y in real]
    ctx._without = [tuple(y.shape) if constant else None for y, constant in zip(outputs, constants, strict=True)]
    numbers = {id(y): n for n, y in enumerate(real)}
    ctx._saved = [
        (_Output(numbers[id(x)]), stamp) if id(x) in numbers and not any(x is a for a in arguments) else (x, stamp)
        for x, stamp in ctx._saved
    ]
    op = type(function.__name__, (Custom,), {"name": function.__name__, "__doc__": function.__doc__})
    if len(real) == 1:
        parts = [_with_node(real[0], op, function, ctx, inputs, arguments)]
    else:
        dtype = np.result_type(*(y.data for y in real))
        flat = Tensor(np.concatenate([y.data.reshape(-1) for y in real]).astype(dtype, copy=False))
        bundle = _with_node(flat, op, function, ctx, inputs, arguments)
        parts = [p.to(y.dtype) for p, y in zip(ctx._parts(bundle), real, strict=True)]
    found = iter(parts)
    return [y if constant else next(found) for y, constant in zip(outputs, constants, strict=True)]


def _with_node(
    y: Tensor, op: type[Op], function: Any, ctx: Context, inputs: tuple[Any, ...], arguments: tuple[Any, ...]
) -> Tensor:
    dirty = any(y is x for x in ctx._dirty)
    if dirty:
        if y.source is not None:
            raise GraphError(
                f"{function.__name__} changed a view in place, which it cannot record", do="pass x.clone()"
            )
        y._require_recordable(y)
        before = y._before()
        inputs = tuple(before if x is y else x for x in inputs)
        y.changed_in_place()
    elif any(y is x for x in arguments):
        y = _alias(y)
    others = {i: x for i, x in enumerate(arguments) if i not in ctx._positions}
    parameters = {"function": function, "others": others}
    node = GraphNode(op, inputs, [x.data for x in inputs], parameters, y.data, y.changed, ctx)
    if dirty:
        take_over(y, node)
        retake_views(y)
    y.node, y.requires_grad = node, True
    return y


def _alias(y: Tensor) -> Tensor:
    """The same numbers, as a tensor of its own: an input that `forward` gave back as it is."""
    return y.detach()


def _case_by_case(function: Any, arguments: tuple[Any, ...]) -> Any:
    """One call for each case of the innermost stack."""
    level = max(levels_of(x)[-1] for x in arguments if isinstance(x, Cases))
    stacked = [isinstance(x, Cases) and x.level == level for x in arguments]
    size = next(x.value.shape[0] for x, s in zip(arguments, stacked, strict=True) if s)
    each = [
        function.apply(*(x.value[k] if s else x for x, s in zip(arguments, stacked, strict=True))) for k in range(size)
    ]
    if not each:
        raise InputError(f"there are no cases to compute {function.__name__} of", where="vmap")
    if isinstance(each[0], tuple):
        return tuple(Cases(word.stack(*part, axis=0), level) for part in zip(*each, strict=True))
    return Cases(word.stack(*each, axis=0), level)


class _Once(Op):
    """Stands behind gradients that cannot be differentiated again."""

    name = "once differentiable"

    @classmethod
    def needs(cls) -> frozenset[int]:
        return frozenset()

    @staticmethod
    def gradient(g: Any, y: Any, *inputs: Any, **parameters: Any) -> Any:
        raise GraphError(
            "this gradient was computed by a backward marked once_differentiable, and cannot be differentiated again",
            do="write that backward with tensor operations and take the mark off",
        )


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a `backward` that does not use tensor operations throughout: to differentiate its result is then an error."""

    @wraps(backward)
    def once(ctx: Any, *gradients: Any) -> Any:
        with no_grad():
            found = backward(ctx, *gradients)
        if not is_grad_enabled():
            return found
        grads = found if isinstance(found, tuple) else (found,)
        marked = tuple(_marked(d) if isinstance(d, Tensor) else d for d in grads)
        return marked if isinstance(found, tuple) else marked[0]

    return once


def _marked(d: Tensor) -> Tensor:
    marked = Tensor(d.data)
    marked.node = GraphNode(_Once, (), [], {}, d.data, marked.changed)
    marked.requires_grad = True
    return marked
