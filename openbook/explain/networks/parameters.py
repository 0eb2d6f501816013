"""How many numbers a network learns: a formula for each kind of layer, openbook's and PyTorch's, which share their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

from openbook.errors import ExplainError
from openbook.expr import Expr, Name, parse
from openbook.record import Step, Table, Witness, Working, given

__all__ = ["explain_parameters"]


@dataclass(frozen=True)
class Count:
    """A layer's parameters: a formula in numbers that its settings give, and what they are."""

    formula: str
    numbers: dict[str, tuple[int, str]]
    why: str


def _linear(layer: Any) -> Count:
    biased = layer.bias is not None
    return Count(
        "m*n + n" if biased else "m*n", {"m": (layer.in_features, "inputs"), "n": (layer.out_features, "outputs")},
        "a weight from every input to every output" + (", and a bias for each output" if biased else ""),
    )  # fmt: skip


def _bilinear(layer: Any) -> Count:
    biased = layer.bias is not None
    numbers = {"a": (layer.in1_features, "inputs"), "b": (layer.in2_features, "inputs of the other kind"),
               "n": (layer.out_features, "outputs")}  # fmt: skip
    return Count("a*b*n + n" if biased else "a*b*n", numbers, "a weight for every pair of inputs, to every output")


def _convolution(layer: Any) -> Count:
    """`weight` is (out, in / groups, *kernel); of a transposed one (in, out / groups, *kernel)."""
    biased = layer.bias is not None
    numbers = {
        "m": (layer.in_channels // layer.groups, "input channels" + (" of a group" if layer.groups > 1 else "")),
        "k": (prod(layer.kernel_size), " × ".join(map(str, layer.kernel_size)) + " places of the window"),
        "n": (layer.out_channels, "output channels"),
    }
    return Count("m*k*n + n" if biased else "m*k*n", numbers,
                 "a weight for every place of the window in every input channel, the same wherever the window lies")  # fmt: skip


def _embedding(layer: Any) -> Count:
    numbers = {"v": (layer.num_embeddings, "tokens"), "d": (layer.embedding_dim, "numbers for each")}
    return Count("v*d", numbers, "a row to look up for every token")


def _norm(layer: Any) -> Count:
    """A weight for each channel, and a bias where there is one."""
    biased = getattr(layer, "bias", None) is not None
    kind = "channels" if hasattr(layer, "num_channels") or hasattr(layer, "num_features") else "features"
    numbers = {"c": (layer.weight.numel(), kind)}
    return Count("2*c" if biased else "c", numbers, "a scale" + (" and a shift" if biased else "") + " for each")


def _recurrent(layer: Any) -> Count:
    """Every layer and direction: gates × (input weights + state weights + two biases)."""
    gates = {"LSTM": 4, "GRU": 3}.get(type(layer).__name__, 1)
    two = 2 if layer.bidirectional else 1
    state = layer.proj_size or layer.hidden_size
    first = "D*g*(i*h + s*h + b*h)"
    later = "(L - 1)*D*g*(D*s*h + s*h + b*h)" if layer.num_layers > 1 else ""
    projected = "L*D*s*h" if layer.proj_size else ""
    numbers = {
        "D": (two, "directions"), "g": (gates, "gates"), "i": (layer.input_size, "inputs"), "h": (layer.hidden_size, "units"),
        "s": (state, "numbers handed on"), "b": (2 if layer.bias else 0, "biases of each unit and gate"),
        "L": (layer.num_layers, "layers"),
    }  # fmt: skip
    formula = " + ".join(part for part in (first, later, projected) if part)
    return Count(
        formula,
        {k: v for k, v in numbers.items() if k in formula},
        "weights from the input and from the state, in every gate",
    )


def _cell(layer: Any) -> Count:
    gates = {"LSTMCell": 4, "GRUCell": 3}.get(type(layer).__name__, 1)
    numbers = {"g": (gates, "gates"), "i": (layer.input_size, "inputs"), "h": (layer.hidden_size, "units"),
               "b": (2 if layer.bias else 0, "biases of each unit and gate")}  # fmt: skip
    return Count("g*(i*h + h*h + b*h)", numbers, "weights from the input and from the state, in every gate")


def _attention(layer: Any) -> Count:
    """Queries, keys and values, each projected; the output projection is a layer of its own and counts itself."""
    numbers = {
        "e": (layer.embed_dim, "numbers of a query"),
        "k": (layer.kdim, "of a key"),
        "v": (layer.vdim, "of a value"),
    }
    extra = " + 3*e" if layer.in_proj_bias is not None else ""
    more = " + 2*e" if layer.bias_k is not None else ""
    return Count("e*e + k*e + v*e" + extra + more, numbers, "projections of queries, keys and values")


def _prelu(layer: Any) -> Count:
    return Count("c", {"c": (layer.num_parameters, "slopes")}, "a slope for negative inputs")


_NORMS = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d",
          "LayerNorm", "RMSNorm", "SyncBatchNorm")  # fmt: skip
_COUNTS: dict[str, Callable[[Any], Count]] = {
    "Linear": _linear, "NonDynamicallyQuantizableLinear": _linear, "Bilinear": _bilinear, "PReLU": _prelu,
    **{f"Conv{way}{n}d": _convolution for way in ("", "Transpose") for n in (1, 2, 3)},
    "Embedding": _embedding, "EmbeddingBag": _embedding, **dict.fromkeys(_NORMS, _norm),
    **dict.fromkeys(("RNN", "LSTM", "GRU"), _recurrent), **dict.fromkeys(("RNNCell", "LSTMCell", "GRUCell"), _cell),
    "MultiheadAttention": _attention,
}  # fmt: skip


def explain_parameters(model: Any) -> Working:
    """Count the parameters of a network layer by layer, each by its formula: in·out + out for a linear layer.

    A parameter that stands in several places (tied weights) counts once. Raises ExplainError where there are none.
    """
    steps, layers = [], []
    seen: set[int] = set()
    for path, module in model.named_modules():
        made = list(_layer_steps(path, module, seen))
        if made:
            steps += made
            layers.append(made[-1])
    if not layers:
        raise ExplainError(f"{type(model).__name__} has no parameters to count")
    total = _total(model, layers)
    frozen = sum(p.numel() for p in model.parameters() if not p.requires_grad)
    rows = tuple((layer.name, layer.rule, layer.value) for layer in layers)
    return Working(
        title=f"The parameters of {type(model).__name__}", question="How many numbers does it learn?",
        steps=(*steps, total), result=total.value,
        tables=(Table("Parameters by layer", ("layer", "kind", "parameters"), rows),),
        notes=(f"{frozen:,} of them are frozen: no optimiser moves them.",) if frozen else (),
    )  # fmt: skip


def _layer_steps(path: str, module: Any, seen: set[int]) -> Iterator[Step]:
    """The numbers of one layer's formula and the count; nothing for a layer without parameters of its own."""
    own = [p for p in module._parameters.values() if p is not None]
    fresh = [p for p in own if id(p) not in seen]
    seen.update(id(p) for p in own)
    if not own:
        return
    name = f"layer {path}" if path[:1].isdigit() else path or "own"  # a bare "0" would read as a number
    entries = sum(p.numel() for p in fresh)
    counted = Witness("entries of its parameters", lambda: sum(prod(p.shape) for p in fresh))
    kind = type(module).__name__
    if len(fresh) < len(own):
        yield Step(name, entries, rule=kind, why="shares parameters with a layer above: those count there", part=name,
                   witnesses=(counted,))  # fmt: skip
        return
    if kind not in _COUNTS or any(p.numel() == 0 for p in own):
        yield Step(name, entries, rule=kind, why=" + ".join(_shape(p) for p in own), part=name, witnesses=(counted,))
        return
    count = _COUNTS[kind](module)
    inputs = [given(symbol, number, what, name) for symbol, (number, what) in count.numbers.items()]
    yield from inputs
    yield Step(
        name, entries, parse(count.formula), tuple(inputs), rule=kind, why=count.why, part=name, witnesses=(counted,)
    )


def _shape(parameter: Any) -> str:
    return "×".join(map(str, parameter.shape)) or "1"


def _total(model: Any, layers: list[Step]) -> Step:
    formula: Expr = Name(layers[0].name)
    for layer in layers[1:]:
        formula = formula + Name(layer.name)
    counted = Witness("entries of model.parameters()", lambda: sum(p.numel() for p in model.parameters()))
    return Step("parameters", sum(layer.value for layer in layers), formula, tuple(layers), rule="sum over the layers",
                part="Together", witnesses=(counted,))  # fmt: skip
