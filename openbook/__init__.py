"""openbook: a machine-learning library that shows its working.

Train with the names of PyTorch (`openbook.tensor`, `openbook.nn`, `openbook.optim`) and scikit-learn
(`openbook.RandomForestClassifier`, …); ask any number how it came about with `openbook.explain(…)`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as _np

from openbook.record.keeping import record
from openbook.tensor import (
    StepSweep,
    Tensor,
    arange,
    as_tensor,
    cat,
    central_differences,
    empty,
    enable_grad,
    eye,
    from_numpy,
    full,
    full_like,
    functions,
    grad,
    grad_and_value,
    gradcheck,
    gradgradcheck,
    hessian,
    hvp,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    linspace,
    load,
    logspace,
    manual_seed,
    no_grad,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    save,
    set_grad_enabled,
    stack,
    step_sweep,
    tensor,
    value_and_grad,
    vjp,
    vmap,
    zeros,
    zeros_like,
)

__version__ = "0.1.0"

float16, float32, float64 = _np.float16, _np.float32, _np.float64
int32, int64, uint8, bool = _np.int32, _np.int64, _np.uint8, _np.bool_
pi, inf, nan = _np.pi, _np.inf, _np.nan

# Loaded when first used: `import openbook` costs NumPy and the core, nothing more.
_LATER = {
    "openbook.decide": ("Metric", "at_thresholds", "best_threshold", "reliability"),
    "openbook.forest": (
        "DecisionTreeClassifier", "DecisionTreeRegressor", "RandomForestClassifier", "RandomForestRegressor",
    ),
    "openbook.linear": ("LinearRegression", "LogisticRegression", "newton_step"),
    "openbook.sampling": ("draw", "temper", "truncate"),
}  # fmt: skip
_PACKAGES = (
    "autograd", "data", "decide", "explain", "expr", "forest", "func", "linalg", "linear", "nn", "optim", "sampling", "study", "utils",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"openbook.{name}")
    for home, names in _LATER.items():
        if name in names:
            return getattr(import_module(home), name)
    found = getattr(functions, name) if name in functions.__all__ else functions.method_as_function(name)
    if found is None:
        raise AttributeError(f"module 'openbook' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    methods = (name for name in dir(functions.Methods) if functions.method_as_function(name))
    return sorted(
        {*globals(), *_PACKAGES, *functions.__all__, *methods, *(n for names in _LATER.values() for n in names)}
    )
