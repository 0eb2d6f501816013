"""Special functions under PyTorch's names (`torch.special`), for tensors and arrays alike."""

from __future__ import annotations

from typing import Any

from openbook.tensor.functions import method_as_function

# What has the same name here as everywhere else.
_OWN = (
    "bessel_j0", "bessel_j1", "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expm1", "i0", "i0e", "i1",
    "i1e", "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "ndtr", "ndtri", "round", "sinc", "softmax",
    "spherical_bessel_j0", "xlog1py", "xlogy",
)  # fmt: skip
_RENAMED = {
    "expit": "sigmoid", "gammaln": "lgamma", "modified_bessel_i0": "i0", "modified_bessel_i1": "i1",
    "multigammaln": "mvlgamma", "psi": "digamma",
}  # fmt: skip

__all__ = sorted([*_OWN, *_RENAMED, "polygamma"])

globals().update({name: method_as_function(_RENAMED.get(name, name)) for name in (*_OWN, *_RENAMED)})


def polygamma(n: int, input: Any) -> Any:
    """The n-th derivative of digamma."""
    return input.polygamma(n)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module {__name__!r} has no function {name!r}")
