"""The Tensor: an array, and the operation it came from."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any, SupportsIndex

import numpy as np

from openbook.errors import DTypeError, GraphError, OpenbookError, ShapeError
from openbook.ops.op import Op
from openbook.record.hook import Explains
from openbook.tensor.autograd import GraphNode, backward, is_grad_enabled, now
from openbook.tensor.methods import Methods
from openbook.tensor.methods.shapes import sizes_of
from openbook.tensor.promotion import DEFAULT_FLOAT, promoted, result_type
from openbook.tensor.views import register_view

__all__ = ["Tensor"]

# What a computed tensor seldom has: made when it is first asked for.
_LATER: dict[str, Callable[[], Any]] = {
    "after": lambda: None,
    "grad": lambda: None,
    "hooks": lambda: None,
    "name": str,
    "past": list,
    "source": lambda: None,
}


class Tensor(Methods, Explains):
    """An n-dimensional array that remembers how it was computed.

    `data` is the NumPy array; `requires_grad` asks for gradients; `grad` holds them after `backward()`; `node` is the
    operation this came from (None for a leaf); `name` is what explanations call it.
    """

    __slots__ = (
        "__weakref__",
        "after",
        "changed",
        "data",
        "grad",
        "hooks",
        "name",
        "node",
        "past",
        "requires_grad",
        "source",
    )
    after: dict[int, Any] | None  # hooks called once the gradient has been added
    __array_ufunc__ = None  # NumPy leaves `array + tensor` to us

    def __init__(self, data: Any, requires_grad: bool = False, name: str = ""):
        self.data: np.ndarray = data if isinstance(data, np.ndarray) else np.asarray(data)
        self.requires_grad = requires_grad
        self.node: GraphNode | None = None
        # When the memory was last written to, and the views of it, if there are any; they share this list.
        self.changed: list[Any] = [0, 0]
        self.grad: Tensor | None = None
        if name:
            self.name = name
        if requires_grad:
            self._require_float()

    def __getattr__(self, attribute: str) -> Any:
        if attribute not in _LATER:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {attribute!r}")
        value = _LATER[attribute]()
        setattr(self, attribute, value)
        return value

    def __openbook_apply__(self, op: type[Op], inputs: tuple[Any, ...], parameters: dict[str, Any]) -> Tensor:
        """Compute eagerly on the arrays, and remember the operation if anybody may want its gradient."""
        arrays: list[Any] = []
        recorded = False
        dtype = self.data.dtype
        uniform = dtype.kind == "f"
        for x in inputs:
            if isinstance(x, Tensor):
                array = x.data
                if x.requires_grad:
                    recorded = True
                if array.dtype is not dtype:
                    uniform = False
                arrays.append(array)
            elif isinstance(x, np.ndarray):
                uniform = uniform and x.dtype is dtype
                arrays.append(x)
            elif hasattr(x, "__openbook_apply__"):  # a stack of cases, under vmap: it knows how
                return x.__openbook_apply__(op, inputs, parameters)
            else:
                arrays.append(x.item() if isinstance(x, np.generic) else x)
        if op.elementwise and not uniform:
            return self._promoted(op, inputs, arrays, parameters)
        recorded = recorded and op.differentiable and is_grad_enabled()
        kept = None
        try:
            if recorded and op.keeping is not None:
                data, kept = op.keeping(*arrays, **parameters)
            else:
                data = op.forward(*arrays, **parameters)
        except ValueError as problem:
            raise _explained(problem, op, arrays) from problem
        return _output(op, inputs, arrays, parameters, data, kept, recorded)

    def _promoted(self, op: type[Op], inputs: tuple[Any, ...], arrays: list[Any], parameters: dict[str, Any]) -> Tensor:
        """The same for inputs of several dtypes, or of whole numbers: PyTorch's promotion."""
        dtype = result_type(arrays)
        if dtype.kind != "f" and op.gives_reals():
            dtype = DEFAULT_FLOAT
            arrays = [a.astype(dtype) if isinstance(a, np.ndarray) and a.dtype.kind != "f" else a for a in arrays]
        arrays = promoted(arrays, dtype)
        try:
            data = np.asarray(op.forward(*arrays, **parameters))
        except ValueError as problem:
            raise _explained(problem, op, arrays) from problem
        if data.dtype.kind == "f" and data.dtype != dtype:
            data = data.astype(dtype if dtype.kind == "f" else DEFAULT_FLOAT)
        elif data.dtype.kind in "iu" and dtype.kind in "iu":
            data = data.astype(dtype, copy=False)
        recorded = op.differentiable and is_grad_enabled() and any(getattr(x, "requires_grad", False) for x in inputs)
        return _output(op, inputs, arrays, parameters, data, None, recorded)

    # --- gradients ---------------------------------------------------------------------------------------------

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Add the derivative of this number to `.grad` of every leaf it was computed from.

        Gradients accumulate until they are cleared. The graph is freed, unless `retain_graph` or inside
        `with openbook.record():`.
        """
        backward(self, gradient, retain_graph=retain_graph, create_graph=create_graph)

    def accumulate_grad(self, cotangent: Any) -> None:
        """Add a cotangent to `.grad`: in place, unless it is a Tensor with a past. The first, if an array, becomes `.grad`."""
        grad = self.grad
        if grad is None:
            self.grad = _plain(cotangent) if type(cotangent) is np.ndarray else cotangent
        elif isinstance(cotangent, Tensor):
            self.grad = grad + cotangent
        elif grad.requires_grad:
            self.grad = grad + Tensor(cotangent)
        else:
            grad.data = np.asarray(np.add(grad.data, cotangent, out=grad.data))
            grad.changed_in_place()

    def register_hook(self, hook: Callable[[Tensor], Any]) -> HookHandle:
        """Call `hook(gradient)` whenever this tensor's gradient is computed; what it returns takes its place.

        Returns a handle whose `remove()` ends it.
        """
        if not self.requires_grad:
            raise GraphError("only tensors that require gradients can have hooks", do="call requires_grad_() first")
        holder: Any = self if self.node is None else self.node
        holder.hooks = {} if holder.hooks is None else holder.hooks
        return HookHandle(holder.hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> HookHandle:
        """Call `hook(self)` whenever a backward has added to this leaf's `.grad`: to step, and clear it, at once."""
        if not self.requires_grad or self.node is not None:
            raise GraphError(
                "only leaves that require gradients have hooks after accumulation", do="use register_hook for others"
            )
        self.after = {} if self.after is None else self.after
        return HookHandle(self.after, hook)

    @property
    def retains_grad(self) -> bool:
        """Whether this computed value keeps its gradient in `.grad`."""
        hooks = self.node.hooks if self.node is not None else None
        return any(getattr(hook, "keeps_for", _nobody)() is self for hook in (hooks or {}).values())

    def retain_grad(self) -> None:
        """Keep this computed value's gradient in `.grad` too, as a leaf's is."""
        if not self.requires_grad:
            raise GraphError(
                "a tensor that does not require gradients has none to keep", do="call requires_grad_() first"
            )
        if self.node is None or self.retains_grad:
            return
        mine = weakref.ref(self)

        def keep(gradient: Tensor) -> None:
            tensor = mine()
            if tensor is not None:
                tensor.accumulate_grad(gradient if gradient.requires_grad else np.array(gradient.data))

        keep.keeps_for = mine  # type: ignore[attr-defined]
        self.register_hook(keep)

    @property
    def is_leaf(self) -> bool:
        """Whether this was given rather than computed."""
        return self.node is None

    @property
    def grad_fn(self) -> GraphNode | None:
        """The operation this came from, under PyTorch's name."""
        return self.node

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask (or stop asking) for this leaf's gradient."""
        if self.node is not None and not requires_grad:
            raise GraphError("only leaves can stop requiring gradients", do="use x.detach()")
        if requires_grad:
            self._require_float()
        self.requires_grad = requires_grad
        return self

    def detach(self) -> Tensor:
        """The same numbers in the same memory, without their past."""
        twin = Tensor(self.data)
        twin.changed = self.changed
        return twin

    def new_zeros(self, *size: Any, dtype: Any = None) -> Tensor:
        """Zeros of this dtype."""
        return Tensor(np.zeros(sizes_of(size), dtype or self.dtype))

    def new_ones(self, *size: Any, dtype: Any = None) -> Tensor:
        """Ones of this dtype."""
        return Tensor(np.ones(sizes_of(size), dtype or self.dtype))

    def new_full(self, size: Any, fill_value: Any, dtype: Any = None) -> Tensor:
        """One value of this dtype everywhere."""
        return Tensor(np.full(tuple(size), fill_value, dtype or self.dtype))

    def new_tensor(self, data: Any, dtype: Any = None) -> Tensor:
        """A new tensor of this dtype."""
        return Tensor(np.array(data, dtype or self.dtype))

    def detach_(self) -> Tensor:
        """Forget the past, in place."""
        self.node, self.requires_grad, self.source = None, False, None
        self.past.clear()
        return self

    def _require_float(self) -> None:
        if self.data.dtype.kind != "f":
            raise DTypeError(
                f"only floating-point tensors have gradients, not {self.data.dtype}",
                do="write tensor([1., 2.]) or pass dtype=openbook.float32",
            )

    # --- looking ------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

    @property
    def ndim(self) -> int:
        return self.data.ndim

    def numpy(self) -> np.ndarray:
        """The array itself, sharing memory; a tensor that requires gradients must be detached first."""
        if self.requires_grad:
            raise GraphError("a tensor that requires gradients is no plain array", do="use x.detach().numpy()")
        return self.data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.data, dtype=dtype, copy=copy)

    def item(self) -> Any:
        """The single entry, as a Python number."""
        if self.data.size != 1:
            raise ShapeError(f"item() wants a single entry, and this has shape {self.shape}", do="use tolist()")
        return self.data.item()

    def tolist(self) -> Any:
        """The entries as nested lists."""
        return self.data.tolist()

    def __len__(self) -> int:
        if not self.shape:
            raise ShapeError("a single number has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self.data == getattr(value, "data", value)))

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        value: SupportsIndex = self.item()
        return value.__index__()

    def __hash__(self) -> int:
        return id(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self.node is not None:
            raise GraphError("only tensors that were given can be copied deeply", do="use x.detach().clone()")
        twin = type(self)(self.data.copy(), self.requires_grad)
        twin.name = self.name
        if self.grad is not None:
            twin.grad = Tensor(self.grad.data.copy())
        memo[id(self)] = twin
        return twin

    def __reduce__(self) -> Any:
        if self.node is not None:
            raise GraphError("a computed tensor cannot be pickled with its past", do="use x.detach()")
        return type(self), (self.data, self.requires_grad)

    def __repr__(self) -> str:
        body = np.array2string(self.data, precision=4, separator=", ", prefix="tensor(", threshold=200)
        extra = "" if self.dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.dtype}"
        if self.node is not None:
            extra += f", from={self.node.op.name}"
        elif self.requires_grad:
            extra += ", requires_grad=True"
        return f"tensor({body}{extra})"


def _output(
    op: type[Op],
    inputs: tuple[Any, ...],
    arrays: list[Any],
    parameters: dict[str, Any],
    data: Any,
    kept: Any,
    recorded: bool,
) -> Tensor:
    """The result as a Tensor that remembers, if anybody may want its gradient."""
    output = _plain(data)
    if op.aliases and isinstance(inputs[0], Tensor) and np.may_share_memory(output.data, arrays[0]):
        output.changed = inputs[0].changed
        register_view(output, inputs[0], op, parameters)
    if recorded and output.data.dtype.kind == "f":
        output.requires_grad = True
        output.node = GraphNode(op, inputs, arrays, parameters, output.data, output.changed, kept)
    return output


def _plain(data: Any) -> Tensor:
    """An array as a Tensor without a past; past `Tensor.__init__`, for this is made at every operation."""
    tensor: Tensor = _new(Tensor)
    tensor.data = data if type(data) is np.ndarray else np.asarray(data)
    tensor.changed = [0, 0]
    tensor.requires_grad = False
    tensor.node = None
    return tensor


def _explained(problem: ValueError, op: type[Op], arrays: list[Any]) -> ValueError:
    """NumPy's complaint about shapes that cannot be broadcast, in the words of whoever called."""
    if not op.elementwise or isinstance(problem, OpenbookError) or "broadcast" not in str(problem):
        return problem
    shapes = ", ".join(str(np.shape(a)) for a in arrays)
    return ShapeError(
        f"{op.name} cannot pair the entries of shapes {shapes}",
        do="make lengths equal or 1, counted from the last axis; reshape() and unsqueeze() add axes",
    )


_new = object.__new__


def _nobody() -> None:
    return None


class HookHandle:
    """A registered hook; `remove()` ends it."""

    def __init__(self, hooks: dict[int, Any], hook: Callable[..., Any]):
        self._hooks, self._number = hooks, now()
        hooks[self._number] = hook

    def remove(self) -> None:
        """Do not call the hook any more."""
        self._hooks.pop(self._number, None)
