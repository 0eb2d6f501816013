"""openbook: a machine-learning library that shows its working.

Train with the names of PyTorch (`openbook.tensor`, `openbook.nn`, `openbook.optim`) and scikit-learn
(`openbook.RandomForestClassifier`, …); ask any number how it came about with `openbook.explain(…)`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as _np

from openbook.ops import OPS, vocabulary
from openbook.ops.vocabulary import absolute as abs
from openbook.ops.vocabulary import (
    cos,
    cross_entropy,
    exp,
    log,
    log1p,
    log_softmax,
    logsigmoid,
    logsumexp,
    matmul,
    maximum,
    mean,
    minimum,
    relu,
    sigmoid,
    sign,
    silu,
    sin,
    softmax,
    softplus,
    sqrt,
    tanh,
    where,
)
from openbook.ops.vocabulary import total as sum
from openbook.record import record
from openbook.tensor import (
    StepSweep,
    Tensor,
    arange,
    as_tensor,
    cat,
    central_differences,
    enable_grad,
    eye,
    from_numpy,
    full,
    grad,
    gradcheck,
    hessian,
    hvp,
    is_grad_enabled,
    jacobian,
    jvp,
    linspace,
    manual_seed,
    no_grad,
    ones,
    ones_like,
    rand,
    randint,
    randn,
    randperm,
    set_grad_enabled,
    stack,
    step_sweep,
    tensor,
    value_and_grad,
    vjp,
    zeros,
    zeros_like,
)

__version__ = "0.1.0"

float32, float64, int64, bool = _np.float32, _np.float64, _np.int64, _np.bool_

# Loaded when first used: `import openbook` costs NumPy and the core, nothing more.
_LATER = {
    "openbook.decide": ("Metric", "at_thresholds", "best_threshold", "reliability"),
    "openbook.forest": (
        "DecisionTreeClassifier", "DecisionTreeRegressor", "RandomForestClassifier", "RandomForestRegressor",
    ),
    "openbook.linear": ("LinearRegression", "LogisticRegression", "newton_step"),
    "openbook.sampling": ("draw", "temper", "truncate"),
}  # fmt: skip
_PACKAGES = ("data", "decide", "explain", "expr", "forest", "linear", "nn", "optim", "sampling", "study", "utils")


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"openbook.{name}")
    for home, names in _LATER.items():
        if name in names:
            return getattr(import_module(home), name)
    if name in OPS and OPS[name].elementwise:  # every operation on single numbers, under its own name
        return getattr(vocabulary, name)
    raise AttributeError(f"module 'openbook' has no attribute {name!r}")


def __dir__() -> list[str]:
    elementwise = (name for name, op in OPS.items() if op.elementwise)
    return sorted({*globals(), *_PACKAGES, *elementwise, *(name for names in _LATER.values() for name in names)})
