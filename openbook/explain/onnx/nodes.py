"""What a node of an ONNX graph does, by its operator: a formula of what it reads where there is one, and its value.

Every row is explained by itself, so the first axis has length one; sums over a row are sums over everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import ExplainError
from openbook.expr import evaluate, parse
from openbook.record import Step, given

__all__ = ["Node", "class_labels", "floats", "formula_step", "label_step", "operator", "scores_step", "steps_of"]


@dataclass(frozen=True, eq=False)
class Node:
    """One node with what it reads: steps (None where an input is left out), attributes, the names of its outputs.

    `columns` are the names of the row's entries, for the steps that have some.
    """

    kind: str
    inputs: tuple[Step | None, ...]
    attributes: Mapping[str, Any]
    outputs: tuple[str, ...]
    opset: int
    columns: Mapping[str, Sequence[str]]

    def value(self, place: int) -> Any:
        step = self.inputs[place] if place < len(self.inputs) else None
        return step.value if step is not None else None

    def formula(self, text: str, names: str = "abc", why: str = "", rule: str = "") -> Step:
        """The first output as a formula of the inputs, called a, b, c there."""
        known = [(name, step) for name, step in zip(names, self.inputs, strict=False) if step is not None]
        return formula_step(self.outputs[0], text, dict(known), rule or self.kind, why)

    def moved(self, value: Any, why: str = "") -> Step:
        """The first output as entries that stood elsewhere, or were chosen: no formula."""
        read = tuple(step for step in self.inputs if step is not None)
        return Step(self.outputs[0], value, None, read, rule=self.kind, why=why, dtype_eps=_eps(value))


def formula_step(name: str, text: str, inputs: Mapping[str, Step], rule: str, why: str = "") -> Step:
    formula = parse(text)
    values = {letter: step.value for letter, step in inputs.items()}
    with np.errstate(over="ignore"):  # a sigmoid far to the left
        value = np.asarray(evaluate(formula, values))
    renamed = formula.rename({letter: step.name for letter, step in inputs.items()})
    return Step(name, value, renamed, tuple(inputs.values()), rule=rule, why=why, dtype_eps=_eps(value))


def floats(values: Any) -> np.ndarray:
    """The numbers of an attribute, as ONNX computes with them."""
    return np.asarray(values, dtype=np.float32)


def _eps(value: Any) -> float:
    dtype = getattr(value, "dtype", np.dtype(np.float64))
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0


_OPERATORS: dict[str, Callable[[Node], Sequence[Step]]] = {}


def operator(*kinds: str) -> Callable[[Callable[[Node], Sequence[Step]]], Callable[[Node], Sequence[Step]]]:
    """Register what the nodes of these kinds do: the last steps it gives are the node's outputs, in their order."""

    def register(work: Callable[[Node], Sequence[Step]]) -> Callable[[Node], Sequence[Step]]:
        _OPERATORS.update(dict.fromkeys(kinds, work))
        return work

    return register


def steps_of(node: Node) -> list[Step]:
    """The steps of one node; an ExplainError names an operator that nothing here knows."""
    if node.kind in _FORMULAS:
        return [node.formula(_FORMULAS[node.kind])]
    if node.kind not in _OPERATORS:
        raise ExplainError(
            f"the ONNX operator {node.kind} is not explained", where=f"the node that gives {node.outputs[0]}",
            do=f"explain the model it was exported from; known are {', '.join(sorted({*_FORMULAS, *_OPERATORS}))}",
        )  # fmt: skip
    return list(_OPERATORS[node.kind](node))


_FORMULAS = {
    "Abs": "abs(a)", "Add": "a + b", "Div": "a / b", "Erf": "erf(a)", "Exp": "exp(a)", "Log": "log(a)",
    "MatMul": "a @ b", "Mul": "a * b", "Neg": "-a", "Pow": "a ** b", "Reciprocal": "1 / a", "Relu": "max(a, 0)",
    "Sigmoid": "1 / (1 + exp(-a))", "Softplus": "log(1 + exp(a))", "Sqrt": "sqrt(a)", "Sub": "a - b", "Tanh": "tanh(a)",
}  # fmt: skip


# --- products and sums ------------------------------------------------------------------------------------------------


@operator("Gemm")
def _gemm(node: Node) -> Sequence[Step]:
    a = "transpose(a)" if node.attributes.get("transA") else "a"
    b = "transpose(b)" if node.attributes.get("transB") else "b"
    text = f"{a} @ {b}"
    if (alpha := node.attributes.get("alpha", 1.0)) != 1:
        text = f"{alpha!r} * ({text})"
    if node.value(2) is not None:
        beta = node.attributes.get("beta", 1.0)
        text += " + c" if beta == 1 else f" + {beta!r} * c"
    return [node.formula(text, why="weights times inputs, plus the bias")]


@operator("Scaler")
def _scaler(node: Node) -> Sequence[Step]:
    offset = given(f"{node.outputs[0]} offset", floats(node.attributes["offset"]))
    scale = given(f"{node.outputs[0]} scale", floats(node.attributes["scale"]))
    inputs = {"x": _read(node), "o": offset, "s": scale}
    return [
        offset,
        scale,
        formula_step(node.outputs[0], "(x - o) * s", inputs, "Scaler", "each column in its own unit"),
    ]


@operator("Normalizer")
def _normalizer(node: Node) -> Sequence[Step]:
    texts = {"MAX": "a / max(a)", "L1": "a / sum(abs(a))", "L2": "a / norm(a)"}
    return [node.formula(texts[node.attributes.get("norm", "MAX")], why="so that the row adds up as it should")]


@operator("BatchNormalization")
def _batch_normalization(node: Node) -> Sequence[Step]:
    x, *columns = (node.value(i) for i in range(5))
    shape = (1, -1, *(1,) * (np.ndim(x) - 2))
    scale, bias, mean, variance = (np.reshape(c, shape) for c in columns)
    value = (x - mean) / np.sqrt(variance + np.float32(node.attributes.get("epsilon", 1e-5))) * scale + bias
    return [node.moved(value, "(x − mean)/√(variance + ε)·scale + bias, for each channel")]


@operator("LinearRegressor")
def _linear_regressor(node: Node) -> Sequence[Step]:
    steps = _linear_sums(node, node.outputs[0], int(node.attributes.get("targets", 1)))
    _require_plain(node)
    return steps


@operator("LinearClassifier")
def _linear_classifier(node: Node) -> Sequence[Step]:
    classes = class_labels(node.attributes)
    rows = len(node.attributes["coefficients"]) // np.size(node.value(0))
    sums = _linear_sums(node, f"{node.outputs[1]} sums", rows)
    scores = scores_step(node, node.outputs[1], sums[-1], len(classes))
    return [*sums, label_step(node.outputs[0], scores, classes), scores]


def _linear_sums(node: Node, name: str, rows: int) -> list[Step]:
    weights = floats(node.attributes["coefficients"]).reshape(rows, -1)
    shift = floats(node.attributes.get("intercepts") or np.zeros(rows))
    w, b = given(f"{name} weights", weights), given(f"{name} intercepts", shift)
    inputs = {"x": _read(node), "w": w, "b": b}
    return [w, b, formula_step(name, "x @ transpose(w) + b", inputs, node.kind, "weight × value, added up")]


def _read(node: Node) -> Step:
    step = node.inputs[0]
    assert step is not None
    return step


def _require_plain(node: Node) -> None:
    transform = node.attributes.get("post_transform", "NONE")
    if transform != "NONE":
        raise ExplainError(f"the transform {transform} of a {node.kind} is not explained")


# --- scores and classes -----------------------------------------------------------------------------------------------

_TRANSFORMS = {
    "NONE": "s",
    "LOGISTIC": "1 / (1 + exp(-s))",
    "SOFTMAX": "exp(s - max(s)) / sum(exp(s - max(s)))",
}


def scores_step(node: Node, name: str, sums: Step, classes: int) -> Step:
    """What a classifier makes of its sums; of one sum for two classes, both."""
    transform = node.attributes.get("post_transform", "NONE")
    if transform not in _TRANSFORMS:
        raise ExplainError(f"the transform {transform} of a {node.kind} is not explained")
    if np.size(sums.value) == 1 and classes == 2:
        second = formula_step(name, _TRANSFORMS[transform], {"s": sums}, transform.lower())
        first = -second.value if transform == "NONE" and (sums.value < 0).any() else 1 - second.value
        return Step(name, np.concatenate([first, second.value], axis=1), None, (sums,), rule=transform.lower(),
                    why="the second class, and the rest", dtype_eps=second.dtype_eps)  # fmt: skip
    return formula_step(name, _TRANSFORMS[transform], {"s": sums}, transform.lower())


def label_step(name: str, scores: Step, classes: Sequence[Any]) -> Step:
    """The class with the largest score."""
    return Step(name, _entry(classes[int(np.argmax(scores.value))]), None, (scores,), rule="argmax",
                why="the class with the largest score; of equal ones, the first")  # fmt: skip


def _entry(label: Any) -> Any:
    return label if isinstance(label, str) else np.array([label])


def class_labels(attributes: Mapping[str, Any]) -> list[Any]:
    """The names of the classes that a node says; the operators do not agree on what to call them."""
    kinds = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
    return next((list(attributes[kind]) for kind in kinds if attributes.get(kind)), [])


@operator("ZipMap", "Identity", "Dropout")
def _same(node: Node) -> Sequence[Step]:
    why = {"ZipMap": "the same numbers, by the names of the classes", "Dropout": "nothing is dropped in use"}
    told = why.get(node.kind, "the same")
    return [node.moved(node.value(0), told) if isinstance(node.value(0), str) else node.formula("a", "a", told)]


@operator("ArgMax")
def _argmax(node: Node) -> Sequence[Step]:
    axis, keep = node.attributes.get("axis", 0), node.attributes.get("keepdims", 1)
    found = np.argmax(node.value(0), axis=axis, keepdims=bool(keep))
    return [node.moved(found, "the place of the largest entry")]


@operator("Softmax", "LogSoftmax")
def _softmax(node: Node) -> Sequence[Step]:
    x = np.asarray(node.value(0))
    axis = node.attributes.get("axis", -1 if node.opset >= 13 else 1)
    if x.size != x.shape[axis]:
        raise ExplainError(
            f"a {node.kind} of several groups in one row is not explained", do="explain the model itself"
        )
    text = _TRANSFORMS["SOFTMAX"].replace("s -", "a -").replace("(s)", "(a)")
    return [node.formula(text if node.kind == "Softmax" else "a - max(a) - log(sum(exp(a - max(a))))")]


@operator("Gelu")
def _gelu(node: Node) -> Sequence[Step]:
    if node.attributes.get("approximate", "none") == "tanh":
        return [node.formula("a/2 * (1 + tanh(sqrt(2/pi) * (a + 0.044715*a**3)))")]
    return [node.formula("a/2 * (1 + erf(a/sqrt(2)))")]


# --- entries that move ------------------------------------------------------------------------------------------------


@operator("Cast")
def _cast(node: Node) -> Sequence[Step]:
    import onnx

    dtype = onnx.helper.tensor_dtype_to_np_dtype(node.attributes["to"])
    value = node.value(0)
    if isinstance(value, str):
        return [node.moved(value)]
    return [node.moved(np.asarray(value).astype(dtype), f"the same as {dtype}")]


@operator("Constant")
def _constant(node: Node) -> Sequence[Step]:
    (value,) = node.attributes.values()
    return [given(node.outputs[0], np.asarray(value))]


@operator("Concat")
def _concat(node: Node) -> Sequence[Step]:
    return [node.moved(np.concatenate([node.value(i) for i in range(len(node.inputs))], node.attributes["axis"]))]


@operator("Reshape")
def _reshape(node: Node) -> Sequence[Step]:
    x = node.value(0)
    if isinstance(x, str):
        return [node.moved(x)]
    shape = [x.shape[i] if n == 0 else int(n) for i, n in enumerate(node.value(1))]
    return [node.moved(np.reshape(x, shape))]


@operator("Flatten")
def _flatten(node: Node) -> Sequence[Step]:
    x, axis = node.value(0), node.attributes.get("axis", 1)
    return [node.moved(np.reshape(x, (int(np.prod(x.shape[:axis])), -1)))]


@operator("Transpose")
def _transpose(node: Node) -> Sequence[Step]:
    return [node.moved(np.transpose(node.value(0), node.attributes.get("perm")))]


@operator("Squeeze", "Unsqueeze")
def _squeeze(node: Node) -> Sequence[Step]:
    x, axes = node.value(0), _axes(node)
    if node.kind == "Unsqueeze":
        return [node.moved(np.expand_dims(x, axes or ()))]
    return [node.moved(np.squeeze(x, axes))]


def _axes(node: Node) -> tuple[int, ...] | None:
    """The axes meant, which older graphs say in an attribute and newer ones in an input; None for all."""
    axes = node.attributes.get("axes") or node.value(1)
    return None if axes is None else tuple(int(axis) for axis in axes)


@operator("Gather", "ArrayFeatureExtractor")
def _gather(node: Node) -> Sequence[Step]:
    axis = node.attributes.get("axis", 0) if node.kind == "Gather" else -1
    where = np.asarray(node.value(1)).astype(np.int64)
    found = np.take(node.value(0), where.reshape(-1) if node.kind != "Gather" else where, axis)
    if found.dtype.kind in "OSU" and found.size == 1:
        return [node.moved(str(found.item()), "the entries at these places")]
    return [
        node.moved(found[None] if found.ndim == 1 and node.kind != "Gather" else found, "the entries at these places")
    ]


@operator("Imputer")
def _imputer(node: Node) -> Sequence[Step]:
    x = np.asarray(node.value(0))
    missing = node.attributes.get("replaced_value_float", 0.0)
    filled = np.broadcast_to(np.asarray(node.attributes["imputed_value_floats"], x.dtype), x.shape)
    return [
        node.moved(
            np.where(np.isnan(x) if np.isnan(missing) else x == missing, filled, x), "missing entries are filled"
        )
    ]


@operator("ReduceSum", "ReduceMean")
def _reduce(node: Node) -> Sequence[Step]:
    whole = np.sum if node.kind == "ReduceSum" else np.mean
    keep = bool(node.attributes.get("keepdims", 1))
    return [node.moved(whole(node.value(0), _axes(node), keepdims=keep))]


# --- images -----------------------------------------------------------------------------------------------------------


@operator("Conv")
def _conv(node: Node) -> Sequence[Step]:
    from openbook.nn import functional

    x, weight, bias = (None if v is None else np.asarray(v) for v in (node.value(0), node.value(1), node.value(2)))
    assert x is not None and weight is not None
    n = x.ndim - 2
    convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[n - 1]
    options = {"stride": node.attributes.get("strides", [1] * n), "dilation": node.attributes.get("dilations", [1] * n)}
    value = convolve(_tensor(_padded(node, x, 0)), _tensor(weight), None if bias is None else _tensor(bias),
                     groups=node.attributes.get("group", 1), **{k: tuple(v) for k, v in options.items()})  # fmt: skip
    return [node.moved(value.data, "each entry: window times weights, added up, plus the bias")]


@operator("MaxPool")
def _max_pool(node: Node) -> Sequence[Step]:
    from openbook.nn import functional

    x = np.asarray(node.value(0))
    if node.attributes.get("ceil_mode") or len(node.outputs) > 1:
        raise ExplainError("a MaxPool that rounds up, or gives places, is not explained")
    pool = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)[x.ndim - 3]
    kernel = tuple(node.attributes["kernel_shape"])
    ones = [1] * len(kernel)
    value = pool(_tensor(_padded(node, x, -np.inf)), kernel, tuple(node.attributes.get("strides", ones)),
                 dilation=tuple(node.attributes.get("dilations", ones)))  # fmt: skip
    return [node.moved(value.data, "the largest entry of each window")]


@operator("GlobalAveragePool")
def _global_average(node: Node) -> Sequence[Step]:
    x = np.asarray(node.value(0))
    return [node.moved(x.mean(axis=tuple(range(2, x.ndim)), keepdims=True), "the mean of each channel")]


def _tensor(array: np.ndarray) -> Any:
    from openbook.tensor import from_numpy

    return from_numpy(array)


def _padded(node: Node, x: np.ndarray, filling: float) -> np.ndarray:
    if node.attributes.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise ExplainError(
            f"auto_pad={node.attributes['auto_pad']} is not explained", do="export with explicit padding"
        )
    n = x.ndim - 2
    pads = node.attributes.get("pads", [0] * 2 * n)
    return np.pad(x, [(0, 0), (0, 0), *zip(pads[:n], pads[n:], strict=True)], constant_values=filling)
