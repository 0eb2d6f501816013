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
        r"as_strided.*|new_empty_strided|empty_(permuted|quantized|strided)|resize_.*|nonzero_static"
    ),
    "LAPACK's packed reflectors and pivots, in which no model is written": (
        r"geqrf|ormqr|linalg\.(householder_product|ldl.*)|lu_unpack|lu"
    ),
    "masked tensors and signal processing, which are libraries of their own": r"masked\..*|signal\..*",
    "forms that return an error's number instead of raising it": r"linalg\.(inv|solve|cholesky)_ex",
    "draws that tensors are filled with, under their names with an underscore": (
        r"cauchy|exponential|geometric|log_normal|uniform|fill"
    ),
    "special functions that no model uses: polynomials are sums of powers, incomplete gammas belong to statistics": (
        r"special\..*_polynomial_.*|igammac?"
    ),
    "special functions that SciPy gives with fewer digits than we promise, and that no model uses": (
        r"special\.(airy_ai|bessel_y[01]|(scaled_)?modified_bessel_k[01]|zeta)"
    ),
    "parts of a number's bits": r"frexp",
    "random draws of layers that are hardly in use": r"nn\.functional\.fractional_max_pool.*",
    "random approximations and tables of several dimensions, which scikit-learn and NumPy do": r".*_lowrank|histogram.*",
}  # fmt: skip


def reason_not_there(name: str) -> str | None:
    """Why openbook does not have PyTorch's operation of this name; None if nobody has said why."""
    return next((reason for reason, pattern in NOT_MEANT.items() if re.fullmatch(pattern, name)), None)


# --- samples that are not compared -----------------------------------------------------------------------------------

RANDOM = re.compile(
    r"rand.*|bernoulli|multinomial|normal|nn\.functional\.(dropout.*|(feature_)?alpha_dropout|rrelu|gumbel_softmax)|(new_)?empty.*"
)
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
    if name == "nn.functional.triplet_margin_with_distance_loss" and options.get("distance_function"):
        return "the distance is a function of PyTorch's"
    if name == "matrix_exp" and str(sample.input.dtype) == "torch.float32":
        return "PyTorch's float32 loses digits to cancellation; ours is the float64 one, rounded"
    if name == "nn.functional.gaussian_nll_loss" and sample.args[0].ndim < sample.input.ndim:
        return "targets that lack axes are not broadcast in silence"
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
    "factors that are no whole numbers are cut off by PyTorch": r"add(mv|mm|r|cmul|bmm)|baddbmm",
    "NumPy refuses negative powers of whole numbers, and so do we": r"__rpow__|pow",
    "PyTorch takes 1 − erf in float32, which has no digits in the tail": r"special\.ndtr",
    "lengths are of real numbers": r"nn\.functional\.(cosine_embedding_loss|local_response_norm)",
    "truth values are not subtracted or multiplied": r"diff|isclose|square|index_add|sign|heaviside",
}  # fmt: skip


def _dropped(sample: Any) -> bool:
    return any(isinstance(a, float) and a for a in (*sample.args, sample.kwargs.get("dropout_p", 0.0)))


# --- tolerances ------------------------------------------------------------------------------------------------------

_BESSEL = (1e-5, "PyTorch's have eight digits in places, ours (SciPy's) fourteen")
_UNREAD = "PyTorch gives slopes to the half of the factor that is not read"
TOLERANCE = {
    **dict.fromkeys(("special.bessel_j0", "special.bessel_j1"), _BESSEL),
    "sinc": (2e-5, "PyTorch's float32 sine of whole multiples of π is not 0, ours is"),
    "nn.functional.softplus": (2e-2, "PyTorch's is x itself beyond `threshold`, ours is right there too"),
    "linalg.svd": (1e-6, "singular vectors of nearly equal values are ill-conditioned"),
    "svd": (1e-6, "singular vectors of nearly equal values are ill-conditioned"),
}

NO_SECOND = {
    "linalg.norm/subgradients_at_zero": "PyTorch's second derivative at 0 is NaN, ours 0",
}

NO_GRADIENT = {
    "cholesky_solve": _UNREAD,
    "cholesky_inverse": _UNREAD,
    "nextafter": "PyTorch has no rule for it; here it is flat",
    "nn.functional.ctc_loss": "PyTorch's rule holds only for what log_softmax made: it adds what that takes away again",
}

# Of equal entries PyTorch names any place, openbook the first (mode: the last): values alone are compared.
PLACES_OF_EQUALS = {"sort", "topk", "kthvalue", "mode", "median", "nanmedian"}
