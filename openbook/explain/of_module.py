"""A network: what its parameters are, whether it can bend at all, and how its gradients shrink on the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from openbook.errors import ExplainError
from openbook.explain.affine import explain_affine
from openbook.explain.dispatch import explains
from openbook.explain.shrinkage import explain_shrinkage
from openbook.expr import Expr, Name, parse
from openbook.nn import Linear, Module
from openbook.nn.module import Parameter
from openbook.record import Step, Table, Witness, Working, given

__all__ = ["explain_module", "explain_parameters"]

_QUESTIONS: Mapping[str, Callable[..., Working]]


@explains(Module)
def explain_module(model: Module, inputs: Any = None, targets: Any = None, about: str = "", **options: Any) -> Working:
    """Answer a question about a network: `about` is "parameters", "affine" or "gradients".

    Without data, its parameter count. With `inputs` (and `targets`), by default whether it is affine and what that
    costs; `about="gradients"` needs a `loss` as well.
    """
    question = about or ("parameters" if inputs is None else "affine")
    if question not in _QUESTIONS:
        raise ExplainError(
            f"a network is not explained about {question!r}", do=f"choose one of {', '.join(_QUESTIONS)}"
        )
    if question == "parameters":
        return explain_parameters(model)
    if inputs is None:
        raise ExplainError(f"a question about {question!r} needs data", do="pass inputs= (and targets=)")
    return _QUESTIONS[question](model, inputs, targets, **options)


def explain_parameters(model: Module) -> Working:
    """Count the parameters of a network layer by layer: in·out + out for each linear layer."""
    steps: list[Step] = []
    layers: list[Step] = []
    for name, module in model.named_modules():
        called = f"layer {name}" if name[:1].isdigit() else name  # a bare "0" would read as a number
        if isinstance(module, Linear):
            made = list(_linear_steps(called or "layer", module))
        else:
            own = [v for v in module.__dict__["_parameters"].values() if isinstance(v, Parameter)]
            made = [given(called or "own", sum(p.data.size for p in own), part=called)] if own else []
        if made:
            steps += made
            layers.append(made[-1])
    if not layers:
        raise ExplainError(f"{type(model).__name__} has no parameters to count")
    total = _total(model, layers)
    rows = tuple((layer.name, layer.value) for layer in layers)
    return Working(
        title=f"The parameters of {type(model).__name__}",
        question="How many numbers does it learn?",
        steps=(*steps, total),
        result=total.value,
        tables=(Table("Parameters by layer", ("layer", "parameters"), rows),),
    )


def _linear_steps(name: str, layer: Linear) -> Iterator[Step]:
    inputs = given("in", layer.in_features, "inputs", part=name)
    outputs = given("out", layer.out_features, "outputs", part=name)
    formula = parse("m*n + n" if layer.bias is not None else "m*n").rename({"m": "in", "n": "out"})
    count = layer.in_features * layer.out_features + (layer.out_features if layer.bias is not None else 0)
    why = "a weight from every input to every output" + (
        ", and a bias for each output" if layer.bias is not None else ""
    )
    yield inputs
    yield outputs
    yield Step(name, count, formula, (inputs, outputs), rule="linear layer", why=why, part=name)


def _total(model: Module, layers: list[Step]) -> Step:
    formula: Expr = Name(layers[0].name)
    for layer in layers[1:]:
        formula = formula + Name(layer.name)
    counted = Witness("entries of model.parameters()", lambda: sum(p.data.size for p in model.parameters()))
    return Step("parameters", sum(layer.value for layer in layers), formula, tuple(layers), rule="sum over the layers",
                part="Together", witnesses=(counted,))  # fmt: skip


_QUESTIONS = {"parameters": explain_parameters, "affine": explain_affine, "gradients": explain_shrinkage}
