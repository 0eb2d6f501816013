"""Operations on whole arrays at ±0, ±∞, NaN, the smallest and the largest numbers: values and gradients are PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.ops import OPS, apply
from openbook.tensor import Tensor

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
F = torch.nn.functional
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

ROWS = {
    "largest": [1e308, 1e308, -1e308, 1.0],
    "one infinity": [1.0, np.inf, -2.0, 0.5],
    "minus infinity": [1.0, -np.inf, -2.0, 0.5],
    "both infinities": [np.inf, 1.0, -np.inf, 0.5],
    "only minus infinities": [-np.inf] * 4,
    "not a number": [1.0, np.nan, 2.0, -1.0],
    "zeros": [0.0, -0.0, 0.0, -0.0],
    "one zero": [2.0, 0.0, -3.0, 0.5],
    "two zeros": [2.0, 0.0, -3.0, 0.0],
    "subnormal": [5e-324, -1e-310, 1e-308, 2e-320],
    "ties": [1.0, 3.0, 3.0, -1.0],
    "far apart": [800.0, 0.0, -800.0, 40.0],
}
TARGET = [0.25, 1.0, 0.0, 0.75]

CASES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sum": (lambda x: apply(OPS["sum"], x), torch.sum),
    "mean": (lambda x: apply(OPS["mean"], x), torch.mean),
    "prod": (lambda x: apply(OPS["prod"], x), torch.prod),
    "var": (lambda x: apply(OPS["var"], x), torch.var),
    "std": (lambda x: apply(OPS["std"], x), torch.std),
    "amax": (lambda x: apply(OPS["amax"], x), torch.amax),
    "amin": (lambda x: apply(OPS["amin"], x), torch.amin),
    "logsumexp": (lambda x: apply(OPS["logsumexp"], x), lambda x: torch.logsumexp(x, -1)),
    "softmax": (lambda x: apply(OPS["softmax"], x), lambda x: torch.softmax(x, -1)),
    "log_softmax": (lambda x: apply(OPS["log_softmax"], x), lambda x: torch.log_softmax(x, -1)),
    "cumsum": (lambda x: apply(OPS["cumsum"], x, axis=0), lambda x: torch.cumsum(x, 0)),
    "cumprod": (lambda x: apply(OPS["cumprod"], x, axis=0), lambda x: torch.cumprod(x, 0)),
    "norm": (lambda x: apply(OPS["norm"], x), torch.linalg.vector_norm),
    "norm_1": (lambda x: apply(OPS["norm"], x, p=1.0), lambda x: torch.linalg.vector_norm(x, 1)),
    "norm_inf": (lambda x: apply(OPS["norm"], x, p=np.inf), lambda x: torch.linalg.vector_norm(x, np.inf)),
    "mse_loss": (lambda x: apply(OPS["mse_loss"], x, _ours(x)), lambda x: F.mse_loss(x, _theirs())),
    "l1_loss": (lambda x: apply(OPS["l1_loss"], x, _ours(x)), lambda x: F.l1_loss(x, _theirs())),
    "huber_loss": (lambda x: apply(OPS["huber_loss"], x, _ours(x)), lambda x: F.huber_loss(x, _theirs())),
    "smooth_l1_loss": (lambda x: apply(OPS["smooth_l1_loss"], x, _ours(x)), lambda x: F.smooth_l1_loss(x, _theirs())),
    "bce_with_logits": (lambda x: apply(OPS["bce_with_logits"], x, _ours(x)),
                        lambda x: F.binary_cross_entropy_with_logits(x, _theirs())),
    "kl_div": (lambda x: apply(OPS["kl_div"], x, _ours(x)), lambda x: F.kl_div(x, _theirs())),
    "cross_entropy": (lambda x: apply(OPS["cross_entropy"], x.reshape((1, 4)), ob.tensor([1])),
                      lambda x: F.cross_entropy(x.reshape(1, 4), torch.tensor([1]))),
    "linear": (lambda x: apply(OPS["linear"], x, Tensor(np.array([TARGET, TARGET]))),
               lambda x: F.linear(x, torch.tensor([TARGET, TARGET], dtype=torch.float64))),
    "standardize": (lambda x: apply(OPS["standardize"], x, axis=-1), lambda x: F.layer_norm(x, (4,))),
    "argmax": (lambda x: apply(OPS["argmax"], x), torch.argmax), "argmin": (lambda x: apply(OPS["argmin"], x), torch.argmin),
    "argsort": (lambda x: apply(OPS["argsort"], x), lambda x: torch.argsort(x, stable=True)),
    "middle_entry": (lambda x: apply(OPS["middle_entry"], x), torch.median),
}  # fmt: skip


def _ours(x: Any) -> Tensor:
    return Tensor(np.array(TARGET))


def _theirs() -> Any:
    return torch.tensor(TARGET, dtype=torch.float64)


# Where the two differ, and why.
_OTHERS = "the slope is the product of the others; PyTorch divides the product of all, ∞/∞"
_SCALED = "squares are scaled by the largest, so that they neither overflow nor vanish; PyTorch's do"
_SIGN = "the sign of NaN is NaN; PyTorch's is 0"
DIFFERENT: dict[tuple[str, str], str] = {
    ("prod", "one infinity"): _OTHERS,
    ("prod", "minus infinity"): _OTHERS,
    ("prod", "both infinities"): _OTHERS,
    ("prod", "only minus infinities"): _OTHERS,
    ("prod", "not a number"): _OTHERS,
    ("norm", "largest"): _SCALED,
    ("norm", "subnormal"): _SCALED,
    ("norm_1", "not a number"): _SIGN,
    ("l1_loss", "not a number"): _SIGN,
    ("norm_inf", "not a number"): "no entry equals NaN, so every share is 0/0; PyTorch's gradient is 0",
    ("middle_entry", "not a number"): "no entry equals NaN, so every share is 0/0; PyTorch's goes to the NaN",
    ("bce_with_logits", "minus infinity"): "the limit is ∞; PyTorch multiplies 0·∞",
}


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("name", CASES)
def test_edges(name: str, row: str) -> None:
    ours, theirs = CASES[name]
    x = Tensor(np.array(ROWS[row]), requires_grad=True)
    t = torch.tensor(ROWS[row], dtype=torch.float64, requires_grad=True)
    with np.errstate(all="ignore"):
        found, expected = ours(x), theirs(t)
        pairs = [(np.asarray(found.data), expected.detach().numpy())]
        if expected.requires_grad:
            cotangent = np.arange(1.0, 1.0 + found.data.size).reshape(found.shape)
            found.backward(Tensor(cotangent))
            expected.backward(torch.from_numpy(cotangent.copy()).reshape(expected.shape))
            pairs.append((x.grad.data, t.grad.numpy()))
    same = all(np.allclose(a, b, rtol=1e-12, atol=0, equal_nan=True) for a, b in pairs)
    assert same != ((name, row) in DIFFERENT), (pairs, DIFFERENT.get((name, row)))
