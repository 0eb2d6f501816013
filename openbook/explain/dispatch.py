"""Who explains what: by the kind of the thing, loaded when the first of its kind is asked about."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from importlib import import_module
from typing import Any, TypeVar

from openbook.errors import ExplainError
from openbook.record import Working

__all__ = ["explain", "explains"]

# The package a thing's class comes from, and the modules here that know its kinds.
_KNOWN = {
    "builtins": ("of_formula",),
    "openbook.explain": ("of_derivation",),
    "openbook.tensor": ("of_tensor", "of_differences", "of_gradcheck"),
    "openbook.nn": ("of_module", "of_activation"),
    "openbook.linear": ("of_linear",),
    "openbook.sampling": ("of_sampling",),
    "openbook.forest": ("of_forest",),
    "openbook.decide": ("of_decision", "of_calibration", "of_costs", "of_scores"),
    "sklearn": ("of_sklearn",),
    "torch": ("of_torch",),
}

Explainer = TypeVar("Explainer", bound=Callable[..., Working])


@singledispatch
def _explain(thing: Any, *arguments: Any, **options: Any) -> Working:
    raise ExplainError(
        f"nothing here explains a {type(thing).__module__}.{type(thing).__qualname__}",
        do="pass a formula as text, a Tensor, a module, a fitted model, or a result of openbook, scikit-learn or torch",
    )


def explains(kind: type) -> Callable[[Explainer], Explainer]:
    """Register a function as the explanation of a kind of thing."""

    def register(explainer: Explainer) -> Explainer:
        _explain.register(kind, explainer)
        return explainer

    return register


def explain(thing: Any, *arguments: Any, **options: Any) -> Working:
    """Show how a number came about, as a Working: steps with formula, numbers, value and reason, checked another way.

    What can be asked, and with which options, depends on the thing; see the functions of `openbook.explain.of_*`.
    Raises ExplainError for things nobody here understands.
    """
    _load(type(thing))
    return _explain(thing, *arguments, **options)


def _load(kind: type) -> None:
    """Import the explainers for the packages that a class and its bases come from."""
    for base in kind.__mro__:
        for package, modules in _KNOWN.items():
            if base.__module__ == package or base.__module__.startswith(package + "."):
                for module in modules:
                    import_module(f"openbook.explain.{module}")
