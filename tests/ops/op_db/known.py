"""Every skip and every known difference between openbook and PyTorch's samples, each with its reason."""

from __future__ import annotations

import re
from typing import Any

# --- operations that openbook does not have --------------------------------------------------------------------------

NOT_MEANT = {
    "complex numbers, which openbook does not have": (
        r"angle|complex|polar|real|imag|conj.*|resolve_.*|view_as_(complex|real)|H|c(half|float|double)|isreal|sgn|vdot|"
        r"linalg\.(eig|eigvals)|fft\..*|stft|istft"
    ),
    "sparse, quantised, nested or device-bound arrays": (
        r"sparse\..*|to_sparse|torch\._scaled_mm.*|torch\.ops\..*|jiterator_.*|bfloat16|_segment_reduce|hash_tensor"
    ),
    "internal forms of operations that openbook has under their public name": (
        r"(?!index_copy).*_copy|_[a-z].*|native_.*|.*_backward|unsafe_.*|split_with_sizes|sum_to_size|as_strided.*|new_empty.*|empty_.*|"
        r"resize_.*|constant_pad_nd|lu.*|linalg\.(lu|ldl).*|.*_ex|geqrf|ormqr|linalg\.householder_product|scalar_tensor|"
        r"max_pool2d_with_indices_backward|nn\.functional\.(multi_head_attention_forward|linear_cross_entropy)|rsub|slice|"
        r"nonzero_static|__rdiv__|(?!masked_scatter).*_scatter|index_reduce|scatter_reduce|put|renorm|frexp"
    ),
    "masked tensors and signal processing, which are libraries of their own": r"masked\..*|signal\..*",
    "special functions beyond those that models use": (
        r"special\..*|i0|igamma.*|mvlgamma|nextafter|gcd|lcm|ldexp|bitwise_(left|right)_shift|float_power|positive"
    ),
    "random draws with parameters of their own: openbook.sampling and NumPy's generators draw": (
        r"bernoulli|cauchy|exponential|geometric|log_normal|multinomial|normal|uniform|randint_like|"
        r"nn\.functional\.(feature_alpha_dropout|fractional_max_pool.*)"
    ),
    "statistics and tables, which NumPy and pandas do": (
        r"corrcoef|cov|hist.*|quantile|nan(mean|median|quantile|sum)|mode|isin|unique_consecutive|unravel_index|"
        r"(cumulative_)?trap.*|gradient|combinations|cartesian_prod|(std|var)_mean|.*_lowrank|cdist_.*"
    ),
    "layers and losses that openbook.nn does not have": (
        r"nn\.functional\.(channel_shuffle|ctc_loss|embedding_bag|grid_sample|"
        r"local_response_norm|max_unpool.*|multi_margin_loss|multilabel_margin_loss|pdist|pixel_.*|triplet_margin_with_distance_loss|"
        r"upsample_.*)|_upsample.*|grid_sampler_.*"
    ),
    "spellings that openbook leaves to others it has": (
        r"addbmm|atleast_3d|broadcast_shapes|byte|char|short|cholesky_(inverse|solve)|clamp_(max|min)|diagflat|dist|"
        r"dsplit|hsplit|vsplit|fill|f(max|min)|is(neg|pos)inf|linalg\.(cond|lstsq|matrix_rank|tensor.*|vander)|"
        r"logcumsumexp|cum(max|min)|matrix_exp|pinverse|signbit|triangular_solve|unfold"
    ),
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
    if op.name in ("linalg.svd", "svd") and (options.get("full_matrices", True) and options.get("some") is not True):
        return "svd gives the reduced form"
    if name in ("linalg.qr", "qr") and options.get("mode", "reduced") != "reduced":
        return "qr gives the reduced form"
    if name == "qr" and (options.get("some") is False or (sample.args and sample.args[0] is False)):
        return "qr gives the reduced form"
    if options.get("return_indices") or (name.startswith("nn.functional.adaptive_max") and sample.args[1:]):
        return "pooling does not give the places"
    if name == "nn.functional.interpolate" and options.get("mode", "nearest") != "nearest":
        return "interpolate repeats nearest entries only"
    if name == "nn.functional.batch_norm" and sample.input.ndim < 2:
        return "no axis of channels"
    if name == "scatter" and options.get("reduce"):
        return "scatter overwrites; scatter_add adds"
    if name == "nn.functional.embedding" and (options.get("max_norm") or options.get("scale_grad_by_freq")):
        return "embeddings are neither renormalised nor scaled by how often a row occurs"
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
    "PyTorch puts ties in any order": r"sort|argsort|topk|kthvalue|msort",
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
