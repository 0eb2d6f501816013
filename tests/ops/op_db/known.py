"""Every skip and every known difference between openbook and PyTorch's samples, each with its reason."""

from __future__ import annotations

import re
from typing import Any

# --- operations that openbook does not have --------------------------------------------------------------------------

NOT_MEANT = {
    "complex numbers, which openbook does not have": (
        r"angle|complex|polar|real|imag|conj.*|resolve_.*|view_as_(complex|real)|mH|H|c(half|float|double)|isreal|sgn|vdot|"
        r"linalg\.(eig|eigvals)|fft\..*|stft|istft"
    ),
    "sparse, quantised, nested or device-bound arrays": (
        r"sparse\..*|to_sparse|torch\._scaled_mm.*|torch\.ops\..*|jiterator_.*|bfloat16|_segment_reduce|hash_tensor"
    ),
    "internal forms of operations that openbook has under their public name": (
        r".*_copy|_.*|native_.*|.*_backward|unsafe_.*|split_with_sizes|sum_to_size|as_strided.*|new_empty.*|empty_.*|"
        r"resize_.*|constant_pad_nd|lu.*|linalg\.(lu|ldl).*|.*_ex|geqrf|ormqr|linalg\.householder_product|scalar_tensor|"
        r"max_pool2d_with_indices_backward|nn\.functional\.(multi_head_attention_forward|linear_cross_entropy)|rsub|slice|"
        r"nonzero_static|__rdiv__|.*_scatter|index_reduce|scatter_reduce|put|renorm|frexp"
    ),
    "masked tensors and signal processing, which are libraries of their own": r"masked\..*|signal\..*",
    "special functions beyond those that models use": (
        r"special\..*|i0|igamma.*|mvlgamma|nextafter|gcd|lcm|ldexp|bitwise_(left|right)_shift|float_power|positive"
    ),
    "random draws with parameters of their own: openbook.sampling and NumPy's generators draw": (
        r"bernoulli|cauchy|exponential|geometric|log_normal|multinomial|normal|uniform|randint_like|.*dropout[23]d|"
        r".*alpha_dropout|.*fractional_max_pool.*|nn\.functional\.rrelu"
    ),
    "statistics and tables, which NumPy and pandas do": (
        r"corrcoef|cov|hist.*|quantile|nan(mean|median|quantile|sum)|mode|isin|unique_consecutive|unravel_index|"
        r"(cumulative_)?trap.*|gradient|combinations|cartesian_prod|(std|var)_mean|.*_lowrank|cdist_.*"
    ),
    "layers and losses that openbook.nn does not have": (
        r"nn\.functional\.(adaptive_(avg|max)_pool3d|channel_shuffle|ctc_loss|embedding_bag|grid_sample|"
        r"local_response_norm|max_unpool.*|multi_?(margin|label).*|pdist|pixel_.*|triplet_margin_with_distance_loss|"
        r"upsample_.*)|_upsample.*|grid_sampler_.*"
    ),
    "spellings that openbook leaves to others it has": (
        r"addbmm|atleast_3d|broadcast_shapes|byte|char|short|cholesky_(inverse|solve)|clamp_(max|min)|diagflat|dist|"
        r"dsplit|hsplit|vsplit|fill|f(max|min)|is(neg|pos)inf|item|linalg\.(cond|lstsq|matrix_rank|tensor.*|vander)|"
        r"logcumsumexp|cum(max|min)|matrix_exp|mT|T|new_(full|ones|zeros)|pinverse|signbit|triangular_solve|unfold"
    ),
}  # fmt: skip


def reason_not_there(name: str) -> str | None:
    """Why openbook does not have PyTorch's operation of this name; None if nobody has said why."""
    return next((reason for reason, pattern in NOT_MEANT.items() if re.fullmatch(pattern, name)), None)


# --- samples that are not compared -----------------------------------------------------------------------------------

RANDOM = re.compile(r"rand.*|nn\.functional\.(dropout|gumbel_softmax)|empty.*")
WRAPPERS = {
    ("linalg.pinv", "singular"): "the sample's function multiplies its inputs first",
    ("where", ""): "the sample's function takes the condition second",
    ("nn.functional.embedding", ""): "the sample's function takes the table first",
}
OPTIONS = {
    "device": "one device",
    "layout": "one layout",
    "memory_format": "one layout",
    "pin_memory": "one kind of memory",
    "requires_grad": "gradients are asked for by requires_grad_()",
}


def without_options(options: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments without those that have a single value here."""
    return {k: v for k, v in options.items() if k not in OPTIONS}


def reason_to_skip(op: Any, sample: Any) -> str | None:
    """Why a sample is not compared."""
    name, options = op.name, sample.kwargs
    if RANDOM.fullmatch(name) or options.get("dropout_p") or (name == "nn.functional.scaled_dot_product_attention" and _dropped(sample)):
        return "random draws are not PyTorch's"
    if (name, op.variant_test_name) in WRAPPERS:
        return WRAPPERS[name, op.variant_test_name]
    if op.name in ("linalg.svd", "svd") and (options.get("full_matrices", True) and options.get("some") is not True):
        return "svd gives the reduced form"
    if name in ("linalg.qr", "qr") and options.get("mode", "reduced") != "reduced":
        return "qr gives the reduced form"
    if name == "qr" and options.get("some") is False or (name == "qr" and sample.args and sample.args[0] is False):
        return "qr gives the reduced form"
    if options.get("return_indices") or (name.startswith("nn.functional.adaptive_max") and sample.args[1:]):
        return "pooling does not give the places"
    if name == "nn.functional.interpolate" and options.get("mode", "nearest") != "nearest":
        return "interpolate repeats nearest entries only"
    if name == "nn.functional.batch_norm" and sample.input.ndim < 2:
        return "no axis of channels"
    if name == "nn.functional.instance_norm" and sample.args:
        return "instance_norm keeps no running statistics"
    if name == "zero_":
        return "a leaf that requires gradients cannot be changed in place (the sample's function clones it)"
    return None


def _dropped(sample: Any) -> bool:
    return any(isinstance(a, float) and a for a in (*sample.args, sample.kwargs.get("dropout_p", 0.0)))


# --- tolerances ------------------------------------------------------------------------------------------------------

TOLERANCE = {
    "nn.functional.softplus": (1e-6, "PyTorch's is x itself beyond `threshold`, ours is right there too"),
    "linalg.svd": (1e-6, "singular vectors of nearly equal values are ill-conditioned"),
    "svd": (1e-6, "singular vectors of nearly equal values are ill-conditioned"),
}

NO_GRADIENT = {
    "linalg.qr": "PyTorch has gradients for wide matrices, ours are for tall ones",
    "qr": "PyTorch has gradients for wide matrices, ours are for tall ones",
}
NO_SECOND = {
    "linalg.norm/subgradients_at_zero": "PyTorch's second derivative at 0 is NaN, ours 0",
}
