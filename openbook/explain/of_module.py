"""A network: what its parameters are, whether it can bend at all, and how its gradients shrink on the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from openbook.errors import ExplainError
from openbook.explain.dispatch import explains
from openbook.explain.networks.affine import explain_affine
from openbook.explain.networks.curvature import explain_curvature
from openbook.explain.networks.parameters import explain_parameters
from openbook.explain.networks.shrinkage import explain_shrinkage
from openbook.nn import Module
from openbook.record import Working

__all__ = ["explain_module"]

_QUESTIONS: Mapping[str, Callable[..., Working]]


@explains(Module)
def explain_module(model: Module, inputs: Any = None, targets: Any = None, about: str = "", **options: Any) -> Working:
    """Answer a question about a network: `about` is "parameters", "affine", "gradients" or "curvature".

    Without data, its parameter count. With `inputs` (and `targets`), by default whether it is affine and what that
    costs; "gradients" and "curvature" need a `loss` as well.
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


_QUESTIONS = {"parameters": explain_parameters, "affine": explain_affine, "gradients": explain_shrinkage,
              "curvature": explain_curvature}  # fmt: skip
