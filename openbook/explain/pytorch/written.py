"""How one entry of what an operation gave comes from entries of what went in, for PyTorch's commonest operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import torch

from openbook.explain.ledgers.entries import Index
from openbook.explain.pytorch.recording import Performed
from openbook.expr import Call, Expr, Name, Number, parse, substitute
from openbook.ops import OPS

__all__ = ["Part", "Total", "Written", "moved_from", "written"]


@dataclass(frozen=True)
class Part:
    """One entry of one of an operation's tensors."""

    place: int
    index: Index


@dataclass(frozen=True, eq=False)
class Total:
    """A sum over many entries: `body` in the letters of each of its `terms`, divided by `count`."""

    name: str
    body: Expr
    terms: list[dict[str, Part]]
    count: int = 1
    over: str = ""  # which entries, as "0, ·"; where there is none, the sum is written into the formula that uses it


@dataclass(frozen=True, eq=False)
class Written:
    """The formula of one entry, in letters for its parts and for its totals."""

    formula: Expr
    parts: Mapping[str, Part] = field(default_factory=dict)
    totals: Mapping[str, Total] = field(default_factory=dict)
    why: str = ""


def written(performed: Performed, output: int, at: Index) -> Written | None:
    """The formula of one entry; None for operations that have none here."""
    if performed.name in _RULES:
        return _RULES[performed.name](performed, at) if output == 0 else None
    if performed.name in _TOTALS:
        return _total(performed, at)
    return _entrywise(performed, at)


# --- what only moves -----------------------------------------------------------------------------------------------

_MOVES = {
    "view", "unsafe_view", "reshape_alias", "t", "transpose", "permute", "expand", "select", "slice", "unsqueeze", "squeeze",
    "clone", "unbind", "split", "split_with_sizes", "unsafe_split", "unsafe_split_with_sizes", "chunk", "unsafe_chunk", "cat",
    "stack", "index", "index_select", "gather", "roll", "flip", "to_copy", "detach", "alias", "lift_fresh", "embedding",
    "diagonal", "unfold", "narrow", "repeat", "copy", "as_strided", "reshape", "flatten",
}  # fmt: skip


def moved_from(performed: Performed, output: int, at: Index) -> Part | None:
    """Where an entry stood before, if the operation only moves entries."""
    if performed.name == "embedding":
        words = performed.tensors[1]
        assert words is not None
        return Part(0, (int(words[at[:-1]]), at[-1]))
    if performed.name not in _MOVES:
        return None
    return _by_address(performed, output, at) or _by_count(performed, output, at)


def _by_address(performed: Performed, output: int, at: Index) -> Part | None:
    """A view looks at the same memory: the entry at the same address."""
    first = performed.tensors[0]
    view = performed.again(performed.tensors)[output]
    if first is None or view is None or view.untyped_storage().data_ptr() != first.untyped_storage().data_ptr():
        return None
    offset = view.storage_offset() - first.storage_offset()
    address = int(offset) + sum(i * int(step) for i, step in zip(at, view.stride(), strict=True))
    steps = [int(step) if size > 1 else 0 for step, size in zip(first.stride(), first.shape, strict=True)]
    index = [0] * len(steps)
    for axis in sorted(range(len(steps)), key=lambda axis: -steps[axis]):
        if steps[axis]:
            index[axis], address = divmod(address, steps[axis])
    return Part(0, tuple(index))


def _by_count(performed: Performed, output: int, at: Index) -> Part | None:
    """Found by moving numbers that count places."""
    starts, counted, start = [], [], 1
    for tensor in performed.tensors:
        floats = isinstance(tensor, torch.Tensor) and tensor.is_floating_point()
        size = tensor.numel() if floats and tensor is not None else 0
        starts.append(range(start, start + size))
        counted.append(
            torch.arange(start, start + size).double().view(tensor.shape) if floats and tensor is not None else tensor
        )
        start += size
    moved = performed.again(counted)[output]
    number = 0 if moved is None else int(moved[at])
    for place, places in enumerate(starts):
        tensor = performed.tensors[place]
        if number in places and tensor is not None:
            return Part(place, _unravelled(number - places.start, tensor.shape))
    return None


def _unravelled(number: int, shape: torch.Size) -> Index:
    index = []
    for size in reversed(shape):
        number, place = divmod(number, size)
        index.append(place)
    return tuple(reversed(index))


# --- entry by entry ------------------------------------------------------------------------------------------------

_OURS = {"threshold": "relu", "log_sigmoid_forward": "logsigmoid", "rsub": "sub"}


def _entrywise(performed: Performed, at: Index) -> Written | None:
    """By the formula of openbook's operation of that name, its options as numbers."""
    given = _named(performed)
    ours = OPS.get(_ours_for(performed.name, given))
    if ours is None or not ours.elementwise or not ours.formula:
        return None
    formula = parse(_SPECIAL.get(performed.name, ours.formula))
    taken = list(_arguments(performed))[: len(ours.arguments)]
    letters = dict(zip(ours.arguments, reversed(taken) if performed.name == "rsub" else taken, strict=False))
    parts: dict[str, Part] = {}
    for name in formula.names():
        value, place = letters.get(name, ((dict(ours.options) | given).get(name), 0))
        if isinstance(value, torch.Tensor):
            parts[name] = Part(place, _aligned(value.shape, at))
        elif isinstance(value, (int, float)):
            formula = substitute(formula, Name(name), Number(value))
        elif name not in ("pi", "inf"):
            return None
    return Written(formula, parts)


def _arguments(performed: Performed) -> Iterator[tuple[Any, int]]:
    """What an operation was given, each with its place among the tensors."""
    place = 0
    for declared, value in zip(performed.function._schema.arguments, performed.arguments, strict=False):
        yield value, place
        if "Tensor" in str(declared.type):
            place += len(value) if isinstance(value, (list, tuple)) else 1


_SPECIAL = {"elu": "where(x > 0, scale*x, scale*alpha*(exp(input_scale*x) - 1))"}


def _ours_for(name: str, given: Mapping[str, Any]) -> str:
    if name == "gelu" and given.get("approximate") == "tanh":
        return "gelu_tanh"
    if name in ("add", "sub", "rsub") and given.get("alpha", 1) != 1:
        return ""
    return _OURS.get(name, name)


def _named(performed: Performed) -> dict[str, Any]:
    """An operation's arguments by name, the defaults too."""
    declared = performed.function._schema.arguments
    defaults = {a.name: a.default_value for a in declared if a.has_default_value()}
    return defaults | dict(zip((a.name for a in declared), performed.arguments, strict=False)) | dict(performed.options)


def _aligned(shape: torch.Size, at: Index) -> Index:
    """The entry of a smaller tensor that is used for an entry of the whole."""
    return tuple(0 if size == 1 else place for size, place in zip(shape, at[len(at) - len(shape) :], strict=True))


# --- products ------------------------------------------------------------------------------------------------------


def _products(terms: list[dict[str, Part]], bias: Part | None = None) -> Written:
    total = Total("sum", parse("a*b"), terms)
    formula: Expr = Name("S") if bias is None else Name("S") + Name("c")
    return Written(formula, {} if bias is None else {"c": bias}, {"S": total})


def _matrix_product(performed: Performed, at: Index) -> Written | None:
    """Rows times columns; addmm and baddbmm add a bias."""
    given = _named(performed)
    if given.get("alpha", 1) != 1 or given.get("beta", 1) != 1:
        return None
    first = 1 if performed.name in ("addmm", "baddbmm", "addmv") else 0
    left, right = performed.tensors[first : first + 2]
    assert left is not None and right is not None
    rows, columns = (at[: left.dim() - 1], at[left.dim() - 1 :])
    batch = rows[: left.dim() - 2]
    terms = [
        {"a": Part(first, (*rows, k)), "b": Part(first + 1, (*batch[: right.dim() - 2], k, *columns))}
        for k in range(left.shape[-1])
    ]
    bias = performed.tensors[0]
    return _products(terms, Part(0, _aligned(bias.shape, at)) if first and bias is not None else None)


def _convolution(performed: Performed, at: Index) -> Written | None:
    """The kernel laid over a window, entry by entry; what lies beyond the edge is 0."""
    given = _named(performed)
    if given["transposed"]:
        return None
    x, weight, bias = performed.tensors[:3]
    assert x is not None and weight is not None
    image, channel, *place = at
    per_group, outputs = weight.shape[1], weight.shape[0] // given["groups"]
    start = channel // outputs * per_group
    terms = []
    for c, *offset in product(range(per_group), *map(range, weight.shape[2:])):
        where = tuple(
            p * given["stride"][a] - given["padding"][a] + o * given["dilation"][a]
            for a, (p, o) in enumerate(zip(place, offset, strict=True))
        )
        if all(0 <= w < size for w, size in zip(where, x.shape[2:], strict=True)):
            terms.append({"a": Part(1, (channel, c, *offset)), "b": Part(0, (image, start + c, *where))})
    return _products(terms, None if bias is None else Part(2, (channel,)))


# --- sums and shares -----------------------------------------------------------------------------------------------

_TOTALS = {"sum", "mean", "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"}


def _total(performed: Performed, at: Index) -> Written | None:
    """A sum or mean of some entries: those on which this one depends, all with the same weight."""
    x = performed.tensors[0]
    assert x is not None
    moving = x.detach().double().requires_grad_(True)
    with torch.enable_grad():
        entry = performed.function(moving, *performed.arguments[1:], **_wide_options(performed))[at]
    (weights,) = torch.autograd.grad(entry, moving)
    places = [tuple(i) for i in weights.nonzero().tolist()]
    shares = {float(weights[i]) for i in places}
    if len(shares) != 1:
        return None
    count = round(1 / shares.pop())
    why = "" if count == 1 else f"the mean of {count}"
    total = Total("sum", Name("a"), [{"a": Part(0, i)} for i in places], count)
    return Written(Name("S"), {}, {"S": total}, why)


def _wide_options(performed: Performed) -> dict[str, Any]:
    return {k: torch.float64 if k == "dtype" and v is not None else v for k, v in performed.options.items()}


def _share(performed: Performed, at: Index) -> Written:
    """softmax and its kin: what an entry's exponential is of the sum of all."""
    x = performed.tensors[0]
    assert x is not None
    axes = _named(performed)["dim"]
    axis = (axes[0] if isinstance(axes, (list, tuple)) else axes) % x.dim()
    if performed.name == "logsumexp" and not _named(performed)["keepdim"]:
        at = (*at[:axis], 0, *at[axis:])
    terms = [{"a": Part(0, (*at[:axis], k, *at[axis + 1 :]))} for k in range(x.shape[axis])]
    total = Total("sum of exponentials", parse("exp(a)"), terms, over=_line(*at[:axis], "·", *at[axis + 1 :]))
    formula = {"log_softmax": "x - log(S)", "logsumexp": "log(S)"}.get(performed.name, "exp(x)/S")
    return Written(parse(formula), {} if formula == "log(S)" else {"x": Part(0, at)}, {"S": total})


def _line(*places: Any) -> str:
    """The entries of a line, as they are written: `0, ·`."""
    return ", ".join(map(str, places))


# --- normalisation -------------------------------------------------------------------------------------------------


def _normalised(
    entries: list[Index], over: str, at: Index, eps: float, scale: Part | None, shift: Part | None
) -> Written:
    """(x − mean)/√(variance + ε), scaled and shifted."""
    terms = [{"a": Part(0, i)} for i in entries]
    mean = Total("mean", Name("a"), terms, len(terms), over)
    variance = Total("variance", parse("(a - m)**2"), terms, len(terms), over)
    return _standardised(at, eps, scale, shift, {}, {"m": mean, "v": variance})


def _standardised(
    at: Index, eps: float, scale: Part | None, shift: Part | None, parts: dict[str, Part], totals: dict[str, Total]
) -> Written:
    formula = parse("(x - m)/sqrt(v + eps)").fill({"eps": eps})
    if scale is not None:
        formula, parts = formula * Name("w"), {**parts, "w": scale}
    if shift is not None:
        formula, parts = formula + Name("b"), {**parts, "b": shift}
    return Written(formula, {"x": Part(0, at), **parts}, totals)


def _layer_norm(performed: Performed, at: Index) -> Written:
    given = _named(performed)
    inside = len(given["normalized_shape"])
    x, weight, bias = performed.tensors[:3]
    assert x is not None
    lead, own = at[: len(at) - inside], at[len(at) - inside :]
    entries = [(*lead, *i) for i in product(*map(range, x.shape[len(lead) :]))]
    return _normalised(entries, _line(*lead, *"·" * inside), at, given["eps"], *_affine(weight, bias, own))


def _group_norm(performed: Performed, at: Index) -> Written:
    given = _named(performed)
    x, weight, bias = performed.tensors[:3]
    assert x is not None
    size = given["C"] // given["group"]
    start = at[1] // size * size
    entries = [(at[0], *i) for i in product(range(start, start + size), *map(range, x.shape[2:]))]
    over = _line(at[0], f"{start}…{start + size - 1}", *"·" * len(at[2:]))
    return _normalised(entries, over, at, given["eps"], *_affine(weight, bias, (at[1],)))


def _batch_norm(performed: Performed, at: Index) -> Written:
    given = _named(performed)
    x, weight, bias = performed.tensors[:3]
    assert x is not None
    channel = (at[1],)
    scale, shift = _affine(weight, bias, channel)
    if not given.get("training", given.get("train")):
        kept = {"m": Part(3, channel), "v": Part(4, channel)}
        return _standardised(at, given["eps"], scale, shift, kept, {})
    entries = [(i[0], at[1], *i[1:]) for i in product(range(x.shape[0]), *map(range, x.shape[2:]))]
    return _normalised(entries, _line("·", at[1], *"·" * len(at[2:])), at, given["eps"], scale, shift)


def _affine(weight: Any, bias: Any, at: Index) -> tuple[Part | None, Part | None]:
    return (None if weight is None else Part(1, at)), (None if bias is None else Part(2, at))


# --- choices -------------------------------------------------------------------------------------------------------


def _clamped(performed: Performed, at: Index) -> Written | None:
    """Between bounds, of which one may be missing."""
    given = _named(performed)
    formula: Expr = Name("x")
    for bound, function in (("min", "max"), ("max", "min")):
        if isinstance(given.get(bound), torch.Tensor):
            return None
        if given.get(bound) is not None:
            formula = Call(function, (formula, Number(given[bound])))
    return Written(formula, {"x": Part(0, at)})


def _largest_in_window(performed: Performed, at: Index) -> Written | None:
    """Max pooling tells where each largest entry stood."""
    x, places = performed.tensors[0], performed.outputs[1]
    if x is None or places is None:
        return None
    spread = places.dim() - 2
    where = _unravelled(int(places[at]), x.shape[-spread:])
    return Written(Name("x"), {"x": Part(0, (*at[:-spread], *where))}, why="the largest of its window")


def _largest_along(performed: Performed, at: Index) -> Written | None:
    """max and min along an axis tell where theirs stood."""
    x, places = performed.tensors[0], performed.outputs[1] if len(performed.outputs) > 1 else None
    if x is None or places is None:
        return None
    given = _named(performed)
    axis, place = given["dim"] % x.dim(), int(places[at])
    rest = (*at[:axis], *at[axis + 1 :]) if given["keepdim"] else at
    return Written(
        Name("x"), {"x": Part(0, (*rest[:axis], place, *rest[axis:]))}, why=f"the {performed.name} of its line"
    )


def _rules() -> Iterator[tuple[str, Callable[[Performed, Index], Written | None]]]:
    for rule, names in (
        (_matrix_product, "addmm mm bmm baddbmm addmv mv dot"),
        (_convolution, "convolution"),
        (_share, "softmax safe_softmax log_softmax logsumexp"),
        (_layer_norm, "native_layer_norm"),
        (_group_norm, "native_group_norm"),
        (_batch_norm, "native_batch_norm native_batch_norm_legit native_batch_norm_legit_functional cudnn_batch_norm"),
        (_largest_in_window, "max_pool2d_with_indices max_pool3d_with_indices"),
        (_largest_along, "max min"),
        (_clamped, "clamp clamp_min clamp_max"),
    ):
        yield from ((name, rule) for name in names.split())


_RULES = dict(_rules())
