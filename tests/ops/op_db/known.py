"""Every skip and every known difference between openbook and PyTorch's samples, each with its reason."""

from __future__ import annotations

import re
from typing import Any

# --- operations that openbook does not have --------------------------------------------------------------------------

NOT_MEANT = {
    "complex numbers, which openbook does not have": (
        r"complex|polar|imag|view_as_(complex|real)|c(half|float|double)|linalg\.(eig|eigvals)|fft\..*|stft|istft"
    ),
    "sparse, quantised, nested or device-bound arrays": (
        r"sparse\..*|to_sparse|torch\._scaled_mm.*|torch\.ops\..*|jiterator_.*|bfloat16|_segment_reduce|hash_tensor"
    ),
    "internal forms of operations that openbook has under their public name": (
        r"(?!index_copy).*_copy|_[a-z].*|native_.*|.*_backward|unsafe_.*|slice|__rdiv__|constant_pad_nd|grid_sampler_.*|"
        r"nn\.functional\.(multi_head_attention_forward|linear_cross_entropy)|linalg\.(ldl_factor_ex|lu_factor_ex)"
    ),
    "memory by hand (strides, sizes, unwritten entries), which NumPy has": (
        r"as_strided.*|new_empty.*|empty_.*|resize_.*|nonzero_static"
    ),
    "LAPACK's packed reflectors and pivots, in which no model is written": (
        r"geqrf|ormqr|linalg\.(householder_product|ldl.*)|lu_unpack|lu"
    ),
    "masked tensors and signal processing, which are libraries of their own": r"masked\..*|signal\..*",
    "random draws of layers that are hardly in use": r"nn\.functional\.fractional_max_pool.*",
    "random approximations and tables of several dimensions, which scikit-learn and NumPy do": r".*_lowrank|histogram.*",
}  # fmt: skip


def reason_not_there(name: str) -> str | None:
    """Why openbook does not have PyTorch's operation of this name; None if nobody has said why."""
    return next((reason for reason, pattern in NOT_MEANT.items() if re.fullmatch(pattern, name)), None)


# --- samples that are not compared -----------------------------------------------------------------------------------

RANDOM = re.compile(r"rand.*|nn\.functional\.(dropout.*|alpha_dropout|rrelu|gumbel_softmax)|empty.*")
WRAPPERS = {
    ("linalg.pinv", "singular"): "the sample's function multiplies its inputs first",
    ("linalg.pinv", "hermitian"): "the sample's function adds its input's transpose first",
}
OPTIONS = {
    "recompute_scale_factor": "says how to round sizes that nearest entries do not need",
    "device": "one device",
    "layout": "one layout",
    "memory_format": "one layout",
    "pin_memory": "one kind of memory",
    "sparse": "gradients are dense",
    "requires_grad": "gradients are asked for by requires_grad_()",
}


def without_options(options: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments without those that have a single value here."""
    return {k: v for k, v in options.items() if k not in OPTIONS}


def reason_to_skip(op: Any, sample: Any) -> str | None:
    """Why a sample is not compared."""
    name, options = op.name, sample.kwargs
    if (
        RANDOM.fullmatch(name)
        or options.get("dropout_p")
        or (name == "nn.functional.scaled_dot_product_attention" and _dropped(sample))
    ):
        return "random draws are not PyTorch's"
    if (name, op.variant_test_name) in WRAPPERS:
        return WRAPPERS[name, op.variant_test_name]
    if name == "nn.functional.batch_norm" and sample.input.ndim < 2:
        return "no axis of channels"
    if (kind := str(sample.input.dtype) if hasattr(sample.input, "dtype") else "") and kind in (
        "torch.int64",
        "torch.bool",
    ):
        return next((why for why, pattern in WHOLE.items() if re.fullmatch(pattern, name)), None)
    if (
        name == "arange"
        and "int64" in str(options.get("dtype"))
        and any(isinstance(a, float) for a in (sample.input, *sample.args))
    ):
        return "PyTorch cuts off the ends before it counts, NumPy and openbook after"
    if name == "zero_":
        return "a leaf that requires gradients cannot be changed in place (the sample's function clones it)"
    return None


# Of whole numbers and truth values.
WHOLE = {
    "factors that are no whole numbers are cut off by PyTorch": r"add(mv|mm|r|cmul)|baddbmm",
    "NumPy refuses negative powers of whole numbers, and so do we": r"__rpow__|pow",
    "means of whole numbers are real numbers here": r"nn\.functional\.avg_pool\dd",
    "lengths are of real numbers": r"nn\.functional\.cosine_embedding_loss",
    "truth values are not subtracted or multiplied": r"diff|isclose|square|index_add|sign|heaviside",
}  # fmt: skip


def _dropped(sample: Any) -> bool:
    return any(isinstance(a, float) and a for a in (*sample.args, sample.kwargs.get("dropout_p", 0.0)))


# --- tolerances ------------------------------------------------------------------------------------------------------

TOLERANCE = {
    "sinc": (2e-5, "PyTorch's float32 sine of whole multiples of π is not 0, ours is"),
    "nn.functional.softplus": (2e-2, "PyTorch's is x itself beyond `threshold`, ours is right there too"),
    "linalg.svd": (1e-6, "singular vectors of nearly equal values are ill-conditioned"),
    "svd": (1e-6, "singular vectors of nearly equal values are ill-conditioned"),
}

NO_SECOND = {
    "linalg.norm/subgradients_at_zero": "PyTorch's second derivative at 0 is NaN, ours 0",
}

NO_GRADIENT = {
    "nextafter": "PyTorch has no rule for it; here it is flat",
    "nn.functional.ctc_loss": "PyTorch's rule holds only for what log_softmax made: it adds what that takes away again",
}

# Of equal entries PyTorch names any place, openbook the first (mode: the last): values alone are compared.
PLACES_OF_EQUALS = {"sort", "topk", "kthvalue", "mode", "median", "nanmedian"}
