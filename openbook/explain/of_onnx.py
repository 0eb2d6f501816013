"""Models in ONNX: every node of the graph a step, beside the reference evaluator of ONNX."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import onnx

from openbook.errors import ExplainError
from openbook.explain.dispatch import explains
from openbook.explain.onnx import trees  # noqa: F401  # to import it is to know its operators
from openbook.explain.onnx.nodes import Node, class_labels, steps_of
from openbook.explain.rows.row import class_index
from openbook.expr import Index, Name, Number
from openbook.record import Step, Witness, Working, given

__all__ = ["explain_onnx", "input_names", "input_size"]

_RTOL, _ATOL = 1e-5, 1e-6  # how far two honest float32 evaluations of one node may lie apart


@explains(onnx.ModelProto)
def explain_onnx(
    model: onnx.ModelProto, row: Any = None, names: Sequence[str] | None = None, of: Any = None
) -> Working:
    """One row through a model in ONNX: each node a step with its formula and value.

    `row` are the inputs (features,), in the shape of the model's input if that is an image; `names` what to call them;
    `of` the class asked about, or the place of an output (default: the second of two classes, else the likeliest). Each
    value is held against ONNX's reference evaluator, and the outputs against onnxruntime where that is installed. Raises
    ExplainError naming an operator that nothing here knows.
    """
    if row is None:
        raise ExplainError("a model is explained one row at a time", do="pass row=X[0]")
    feeds = _feeds(model, row)
    walk = _Walk(model, names or input_names(model), _referee(model, feeds), _runtime(model, feeds))
    walk.start(feeds)
    for node in model.graph.node:
        walk.follow(node)
    outputs = [walk.known[output.name] for output in model.graph.output]
    answer = _answer(outputs, _classes(model), of)
    return Working(
        title=f"One row through the ONNX graph {model.graph.name or 'of a model'}",
        question=f"How does {answer.name} come about?",
        steps=tuple(walk.steps) if answer in outputs else (*walk.steps, answer),
        result=answer.value,
        notes=()
        if walk.referee
        else (
            "Neither ONNX's reference evaluator nor onnxruntime runs this graph: nobody else has computed these values.",
        ),
    )


# --- the graph --------------------------------------------------------------------------------------------------------


@dataclass
class _Walk:
    """The steps so far, and by the graph's own names what was computed.

    `referee` is what ONNX's evaluator gives for every node, `runtime` what onnxruntime gives for the outputs.
    """

    model: onnx.ModelProto
    names: Sequence[str] | None
    referee: Mapping[str, Any]
    runtime: Mapping[str, Any]
    steps: list[Step] = field(default_factory=list)
    known: dict[str, Step] = field(default_factory=dict)
    columns: dict[str, Sequence[str]] = field(default_factory=dict)

    def start(self, feeds: Mapping[str, np.ndarray]) -> None:
        for name, value in feeds.items():
            self._keep(name, given(_label(name), value, "the row"))
            if self.names is not None and value.size == len(self.names):
                self.columns[_label(name)] = self.names
        for tensor in self.model.graph.initializer:
            self._keep(tensor.name, given(_label(tensor.name), onnx.numpy_helper.to_array(tensor), "from the file"))

    def follow(self, proto: onnx.NodeProto) -> None:
        made = steps_of(self._node(proto))
        outputs = [name for name in proto.output if name]
        self.steps += made[: -len(outputs)]
        for name, step in zip(outputs, made[-len(outputs) :], strict=True):
            witnesses = () if step.rule == "given" else self._witnesses(name)
            self._keep(name, replace(step, witnesses=(*step.witnesses, *witnesses)))

    def _keep(self, name: str, step: Step) -> None:
        self.steps.append(step)
        self.known[name] = step

    def _node(self, proto: onnx.NodeProto) -> Node:
        missing = [name for name in proto.input if name and name not in self.known]
        if missing:
            raise ExplainError(f"the {proto.op_type} reads {missing[0]!r}, which nothing gives", do="check the file")
        opset = max((o.version for o in self.model.opset_import if o.domain == proto.domain), default=1)
        outputs = tuple(_label(name) for name in proto.output if name)
        return Node(
            proto.op_type,
            tuple(self.known.get(n) for n in proto.input),
            _attributes(proto),
            outputs,
            opset,
            self.columns,
        )

    def _witnesses(self, name: str) -> list[Witness]:
        others = {"ONNX's reference evaluator": self.referee, "onnxruntime": self.runtime}
        return [
            Witness(who, partial(_entries, found[name]), rtol=_RTOL, atol=_ATOL)
            for who, found in others.items()
            if name in found
        ]


def _label(name: str) -> str:
    """A name of the graph's as a formula can have it: "/0/Gemm_output_0" is Gemm_0."""
    parts = [part for part in re.split(r"\W+", name.removesuffix("_output_0")) if part]
    digits = [part for part in parts if part[0].isdigit()]
    return "_".join([part for part in parts if part not in digits] + digits) or "x" if parts else "x"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, onnx.TensorProto):
        return onnx.numpy_helper.to_array(value)
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], bytes):
        return [text.decode() for text in value]
    return value


# --- what goes in -----------------------------------------------------------------------------------------------------


def _inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    constants = {tensor.name for tensor in model.graph.initializer}
    return [i for i in model.graph.input if i.name not in constants]


def input_names(model: onnx.ModelProto) -> list[str] | None:
    """What the model calls its columns: as openbook wrote it into the file, or by an input for each; None if it does not."""
    said = {prop.key: prop.value for prop in model.metadata_props}.get("feature_names")
    inputs = [i.name for i in _inputs(model)]
    return said.split("\n") if said else inputs if len(inputs) > 1 else None


def input_size(model: onnx.ModelProto) -> int | None:
    """How many entries a row has, where the graph says so."""
    inputs = _inputs(model)
    shape = [d.dim_value for d in inputs[0].type.tensor_type.shape.dim][1:]
    return len(inputs) if len(inputs) > 1 else int(np.prod(shape)) or None


def _feeds(model: onnx.ModelProto, row: Any) -> dict[str, np.ndarray]:
    """The row by the names of the graph's inputs: all in one, or an entry for each."""
    inputs = _inputs(model)
    values = np.asarray(row)
    if len(inputs) == 1:
        return {inputs[0].name: _shaped(inputs[0], values)}
    if len(inputs) != values.size:
        raise ExplainError(f"the model has {len(inputs)} inputs, and the row {values.size} entries",
                           do=f"give one entry for each of {', '.join(i.name for i in inputs)}")  # fmt: skip
    return {i.name: _shaped(i, entry) for i, entry in zip(inputs, values.reshape(-1), strict=True)}


def _shaped(wanted: onnx.ValueInfoProto, values: np.ndarray) -> np.ndarray:
    kind = wanted.type.tensor_type
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
    shape = [d.dim_value if d.HasField("dim_value") else -1 for d in kind.shape.dim][1:] or [-1]
    fixed = int(np.prod([n for n in shape if n > 0]))
    if values.size % fixed or (-1 not in shape and values.size != fixed):
        raise ExplainError(f"the row has {values.size} entries, and the input {wanted.name} the shape {shape}",
                           do="pass one row, such as X[0]")  # fmt: skip
    if shape.count(-1) > 1:
        return values.astype(dtype)[None]
    return values.astype(dtype).reshape(1, *shape)


# --- others who compute the same --------------------------------------------------------------------------------------


def _referee(model: onnx.ModelProto, feeds: Mapping[str, np.ndarray]) -> Mapping[str, Any]:
    """Every result in the graph, as ONNX's own evaluator has it; nothing, where it does not know an operator."""
    from onnx.reference import ReferenceEvaluator

    numbers = onnx.ModelProto()
    numbers.CopyFrom(model)
    for node in numbers.graph.node:
        if node.op_type == "ZipMap":  # which it does not know: a name for each number
            node.CopyFrom(onnx.helper.make_node("Identity", node.input, node.output))
    try:
        found = ReferenceEvaluator(numbers).run(None, dict(feeds), intermediate=True)
    except Exception:  # an operator it does not know raises whatever its author thought of
        return {}
    assert isinstance(found, dict)
    return found


def _runtime(model: onnx.ModelProto, feeds: Mapping[str, np.ndarray]) -> Mapping[str, Any]:
    """The graph's outputs as onnxruntime has them, where it is installed."""
    try:
        import onnxruntime
    except ImportError:
        return {}
    names = [output.name for output in model.graph.output]
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return dict(zip(names, session.run(names, dict(feeds)), strict=True))
    except Exception:  # its errors have no common base; a graph it cannot run has one witness fewer
        return {}


def _entries(value: Any) -> Any:
    """As a step has it: a label as text, the probabilities of a ZipMap as a row."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return np.array([list(value[0].values())])
    array = np.asarray(value)
    return str(array.item()) if array.dtype.kind in "OSU" and array.size == 1 else array


# --- what was asked ---------------------------------------------------------------------------------------------------


def _classes(model: onnx.ModelProto) -> list[Any]:
    """The names of the classes: a constant of that name (ours, and skl2onnx's for nets), else by the first node that says them."""
    for tensor in model.graph.initializer:
        if tensor.name == "classes":
            return [c.decode() if isinstance(c, bytes) else c for c in onnx.numpy_helper.to_array(tensor).tolist()]
    said = (class_labels(_attributes(node)) for node in model.graph.node)
    return next((labels for labels in said if labels), [])


def _attributes(proto: onnx.NodeProto) -> dict[str, Any]:
    return {a.name: _plain(onnx.helper.get_attribute_value(a)) for a in proto.attribute}


def _answer(outputs: Sequence[Step], classes: Sequence[Any], of: Any) -> Step:
    """The entry of the last output of numbers that was asked for."""
    numbers = [step for step in outputs if np.asarray(step.value).dtype.kind == "f"]
    step = numbers[-1] if numbers else outputs[0]
    size = np.size(step.value)
    if size == 1 or (of is None and size != len(classes)):
        return step
    chosen = class_index(classes if size == len(classes) else range(size), of, np.ravel(step.value))
    place = np.unravel_index(chosen, np.shape(step.value))
    called = str(classes[chosen]) if size == len(classes) else str(chosen)
    formula = Index(Name(step.name), tuple(Number(int(i)) for i in place))
    return Step(f"p({called})", float(step.value[place]), formula, (step,), rule="the entry of that class",
                dtype_eps=step.dtype_eps)  # fmt: skip
