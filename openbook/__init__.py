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
    device,
    empty,
    empty_like,
    enable_grad,
    eye,
    from_numpy,
    full,
    full_like,
    functions,
    get_default_dtype,
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
    scalar_tensor,
    set_default_dtype,
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
int8, int16, int32, int64, uint8, bool = _np.int8, _np.int16, _np.int32, _np.int64, _np.uint8, _np.bool_
half, float, double, short, int, long = float16, float32, float64, int16, int32, int64
e, pi, inf, nan, newaxis = _np.e, _np.pi, _np.inf, _np.nan, None

# Loaded when first used: `import openbook` costs NumPy and the core, nothing more.
_LATER = {
    "openbook.explain.derivations.equal": ("check_line",),
    "openbook.explain.of_derivation": ("check_lines", "derive"),
    "openbook.explain.of_parting": ("diff",),
    "openbook.explain.trees": ("plot_forest", "plot_tree", "tree_text"),
    "openbook.decide": ("Metric", "at_thresholds", "best_threshold", "least_cost", "reliability"),
    "openbook.forest": (
        "DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor",
        "ExtraTreesClassifier", "ExtraTreesRegressor", "RandomForestClassifier", "RandomForestRegressor",
    ),
    "openbook.forest.scikit": ("from_sklearn",),
    "openbook.linear": ("LinearRegression", "LogisticRegression", "newton_step"),
    # functions that PyTorch has here as well as in nn.functional
    "openbook.nn.functional": (
        "adaptive_avg_pool1d", "adaptive_max_pool1d", "alpha_dropout", "avg_pool1d", "batch_norm", "bilinear",
        "binary_cross_entropy_with_logits", "channel_shuffle", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
        "conv_transpose2d", "conv_transpose3d", "cosine_embedding_loss", "cosine_similarity", "ctc_loss",
        "dropout", "embedding", "embedding_bag", "feature_alpha_dropout", "group_norm", "hinge_embedding_loss",
        "instance_norm", "kl_div", "layer_norm", "margin_ranking_loss", "max_pool1d", "max_pool2d", "max_pool3d",
        "pairwise_distance", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "prelu", "rms_norm",
        "rrelu", "triplet_margin_loss",
    ),
    "openbook.sampling": ("draw", "temper", "truncate"),
    "openbook.tensor.dtypes": ("can_cast", "finfo", "iinfo", "is_complex", "is_tensor", "promote_types", "result_type"),
    "openbook.tensor.generators": ("Generator", "get_rng_state", "initial_seed", "seed", "set_rng_state"),
    "openbook.tensor.printing": ("set_printoptions",),
    "openbook.threads": ("get_num_threads", "set_num_threads", "use_deterministic_algorithms"),
}  # fmt: skip
_PACKAGES = (
    "autograd", "backends", "cuda", "data", "decide", "diagnose", "explain", "expr", "forest", "func", "linalg", "linear",
    "nn", "optim", "sampling", "special", "study", "utils",
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
