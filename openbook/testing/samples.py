"""What inputs of each operation look like: by operation, by family, or from the domains of an elementwise one."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from openbook.ops import OPS
from openbook.ops.along import Along
from openbook.ops.domain import Reals
from openbook.ops.loss import Loss
from openbook.ops.op import Elementwise, Op

__all__ = ["Given", "given", "samples_of"]

Maker = Callable[[np.random.Generator], Any]


@dataclass(frozen=True)
class Given:
    """One kind of input: how each array is drawn, the options, and which inputs have slopes (all real ones, if None)."""

    makers: tuple[Maker, ...]
    options: dict[str, Any] = field(default_factory=dict)
    by: tuple[int, ...] | None = None

    def draw(self, op: type[Op], variant: int = 0) -> tuple[Any, ...]:
        """Arrays, the same ones for the same operation, options and variant."""
        seed = zlib.crc32(f"{op.name} {sorted(self.options.items(), key=str)} {variant}".encode())
        random = np.random.default_rng(seed)
        return tuple(make(random) for make in self.makers)

    def slopes(self, inputs: tuple[Any, ...]) -> tuple[int, ...]:
        """The places of the inputs to differentiate by."""
        real = tuple(i for i, x in enumerate(inputs) if x is not None and x.dtype.kind == "f")
        return real if self.by is None else self.by


def given(*makers: Maker, by: tuple[int, ...] | None = None, **options: Any) -> Given:
    """Inputs drawn by these makers, under these options."""
    return Given(makers, options, by)


# --- how arrays are drawn ----------------------------------------------------------------------------------------


def real(*shape: int, low: float = -2.0, high: float = 2.0) -> Maker:
    """Numbers, spread evenly over an interval; as good as never equal."""
    return lambda random: np.asarray(random.uniform(low, high, shape))


def whole(low: int, high: int, *shape: int) -> Maker:
    """Whole numbers from `low` to `high` − 1."""
    return lambda random: np.asarray(random.integers(low, high, shape))


def truth_values(*shape: int) -> Maker:
    return lambda random: np.asarray(random.random(shape) < 0.5)


def shuffled(count: int) -> Maker:
    """The numbers below `count`, each once: places without a tie."""
    return lambda random: random.permutation(count)


def nothing(random: np.random.Generator) -> None:
    """An optional input that is not given."""
    return


def distribution(*shape: int) -> Maker:
    """Rows of probabilities."""
    return lambda random: (lambda p: p / p.sum(axis=1, keepdims=True))(random.uniform(0.2, 1, shape))


def regular(*shape: int) -> Maker:
    """Matrices far from singular ones, their eigenvalues and singular values apart."""

    def make(random: np.random.Generator) -> Any:
        x = random.uniform(-1, 1, shape)
        k = min(shape[-2:], default=0)
        x[..., range(k), range(k)] += 1.5 + np.arange(k)
        return x

    return make


def symmetric(*shape: int) -> Maker:
    """Symmetric positive definite matrices."""

    def make(random: np.random.Generator) -> Any:
        x = regular(*shape)(random)
        return x + np.swapaxes(x, -1, -2) + 2 * np.eye(shape[-1])

    return make


# --- what the operations take ----------------------------------------------------------------------------------------

_CONVOLUTION = {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2)}
_WINDOW = {"kernel": (2, 2), "stride": (1, 2), "dilation": (2, 1)}
_MATRICES = [given(regular(3, 3)), given(regular(2, 2, 2)), given(regular(1, 1)), given(regular(0, 2, 2))]
_SYMMETRIC = [given(symmetric(3, 3)), given(symmetric(2, 2, 2)), given(symmetric(0, 2, 2))]
_TALL = [given(regular(3, 2)), given(regular(2, 2)), given(regular(2, 3, 2)), given(regular(0, 3, 2))]
_ANY_MATRIX = [*_TALL, given(regular(2, 3))]
_GRIDS = [given(real(2, 3), axis=0), given(real(2, 2, 2), axis=-2), given(real(4), axis=0)]
_ALONG = [*_GRIDS, given(real(0, 2), axis=1), given(real(2, 0), axis=0)]
_REDUCED = [
    given(real(2, 3), axis=1, keepdims=True),
    given(real(2, 3, 2), axis=(0, -1)),
    given(real(2, 3)),
    given(real()),
    given(real(2, 0), axis=0),
    given(real(0, 3), axis=1),
]
_EMPTY_SUM = [given(real(0, 2), axis=0), given(real(0))]
_LOSS = [
    given(real(2, 3), real(2, 3), reduction="mean"),
    given(real(2, 3), real(2, 3), reduction="sum"),
    given(real(2, 3), real(2, 3), reduction="none"),
    given(real(), real()),
    given(real(0, 3), real(0, 3), reduction="sum"),
    given(real(0, 3), real(0, 3), reduction="none"),
]
_PROBABILITY = {"low": 0.05, "high": 0.95}
_CLASSES = [
    given(real(3, 4), whole(0, 4, 3)),
    given(real(2, 3, 2), whole(0, 3, 2, 2), real(3, low=0.5, high=2), by=(0,), reduction="none"),
    given(real(3, 4), lambda random: np.array([1, 2, 3]), ignore_index=2, reduction="sum"),
    given(real(3, 4), whole(0, 4, 3), real(4, low=0.5, high=2), by=(0,), reduction="mean"),
    given(real(4), whole(0, 4)),
    given(real(0, 4), whole(0, 4, 0), reduction="sum"),
]
_PLACES = np.array([0, 2, 0])

BY_NAME: dict[str, list[Given]] = {
    # moves
    "reshape": [given(real(2, 3), shape=(3, 2)), given(real(2, 3), shape=(-1,)), given(real(2, 0), shape=(0, 5)),
                given(real(), shape=(1, 1))],
    "permute": [given(real(2, 3, 2), axes=(2, 0, 1)), given(real(2, 3), axes=(-1, -2)), given(real(2, 0), axes=(1, 0)),
                given(real(), axes=())],
    "broadcast_to": [given(real(3), shape=(2, 3)), given(real(2, 1), shape=(2, 2, 3)), given(real(), shape=(2,)),
                     given(real(1, 3), shape=(0, 3)), given(real(0, 1), shape=(0, 2))],
    "getitem": [given(real(3, 4), index=(slice(1, None), slice(None, None, 2))), given(real(3, 2), index=_PLACES),
                given(real(3, 4), index=(slice(None), _PLACES)), given(real(3), index=-1),
                given(real(2, 3), index=(None, ..., 1)), given(real(3, 2), index=slice(3, None)),
                given(real(3, 2, 3), index=(_PLACES, slice(None), _PLACES)), given(real(2, 0), index=0)],
    "scatter": [given(real(2, 2), index=(slice(1, None), slice(None, None, 2)), shape=(3, 4)),
                given(real(3, 2), index=_PLACES, shape=(3, 2)), given(real(), index=1, shape=(3,)),
                given(real(0, 2), index=slice(3, None), shape=(3, 2))],
    "overwrite": [given(real(3, 4), real(2, 2), index=(slice(1, None), slice(None, None, 2))),
                  given(real(3, 4), real(4), index=slice(1, None)), given(real(4), real(), index=2),
                  given(real(3, 2), real(2, 2), index=np.array([2, 0])),
                  given(real(0, 2), real(2), index=slice(None))],
    "cat": [given(real(2, 2), real(1, 2), axis=0), given(real(2, 2), real(2, 3), real(2, 0), axis=-1),
            given(real(0), real(0), axis=0)],
    "stack": [given(real(2, 2), real(2, 2), axis=1), given(real(), real(), real(), axis=0),
              given(real(0, 2), real(0, 2), axis=-1)],
    "flip": [*_ALONG, given(real(2, 3), axis=(0, 1))],
    "roll": [given(real(2, 3), shifts=1, axis=1), given(real(2, 3), shifts=(1, -2), axis=(0, 1)),
             given(real(2, 3), shifts=2), given(real(0, 2), shifts=1, axis=0)],
    "tril": [given(real(3, 3)), given(real(2, 2, 3), diagonal=1), given(real(3, 2), diagonal=-1), given(real(0, 2))],
    "triu": [given(real(3, 3)), given(real(2, 2, 3), diagonal=1), given(real(3, 2), diagonal=-1), given(real(0, 2))],
    "diagonal_part": [given(real(3, 3)), given(real(2, 2, 2)), given(real(0, 2, 2))],
    "pad": [given(real(2, 2), widths=((1, 0), (0, 2)), value=0.0), given(real(2), widths=((2, 1),), value=1.5),
            given(real(0, 2), widths=((0, 1), (0, 0)), value=-1.0)],
    "cast": [given(real(2, 3), dtype=np.dtype(np.float64)), given(real(0), dtype=np.dtype(np.float64)),
             given(real(), dtype=np.dtype(np.float64))],
    # reductions
    "sum": [*_REDUCED, *_EMPTY_SUM], "prod": [*_REDUCED, *_EMPTY_SUM], "mean": _REDUCED,
    "var": [given(real(2, 3), axis=1, keepdims=True), given(real(3, 2), axis=0, correction=0),
            given(real(2, 3, 2), axis=(0, 2), correction=2), given(real(4)), given(real(0, 3), axis=1)],
    "amax": _REDUCED[:-2], "amin": _REDUCED[:-2], "any": [*_REDUCED, *_EMPTY_SUM], "all": [*_REDUCED, *_EMPTY_SUM],
    "count_nonzero": [given(whole(0, 3, 2, 3), axis=0), given(whole(0, 3, 2, 3)), given(whole(0, 3)),
                      given(whole(0, 3, 0, 2), axis=0)],
    "middle_entry": [given(real(2, 3)), given(real(5)), given(real())],
    "norm": [*_REDUCED[:3], given(real(3, 2), axis=0, p=3.0), given(real(3), p=1.0), given(real(2, 3), axis=1, p=0.0),
             given(real(2, 3), axis=1, p=np.inf), given(real(2, 3), axis=0, p=-np.inf), given(real(2, 2), p=0.5),
             given(real(0, 2), axis=1)],
    "logsumexp": [*_GRIDS, given(real(2, 3), axis=(0, 1), keepdims=True), given(real(2, 0), axis=0)],
    "argmax": [given(real(2, 3), axis=1), given(real(2, 3)), given(real(2, 2, 2), axis=0, keepdims=True),
               given(real(2, 0), axis=0)],
    "argmin": [given(real(2, 3), axis=1), given(real(2, 3)), given(real(2, 2, 2), axis=0, keepdims=True),
               given(real(2, 0), axis=0)],
    "argsort": [*_ALONG, given(real(2, 3), axis=1, descending=True), given(whole(0, 3, 8), axis=0),
                given(whole(0, 3, 8), axis=0, descending=True), given(real(), axis=-1)],
    "gather": [given(real(3, 2), whole(0, 3, 4, 2), axis=0), given(real(2, 3), whole(0, 3, 2, 2), axis=-1),
               given(real(3), whole(0, 3, 0), axis=0), given(real(), whole(0, 1), axis=0)],
    "scatter_add": [given(real(3, 2), whole(0, 3, 4, 2), real(4, 2), axis=0),
                    given(real(2, 3), whole(0, 3, 2, 2), real(2, 3), axis=1),
                    given(real(3), whole(0, 3, 0), real(0), axis=0)],
    # along two entries a standardized slope is what nearly nothing is left of: take three or more
    "standardize": [given(real(2, 4), axis=-1), given(real(2, 2, 3), axis=(0, 2)), given(real(4), axis=0, eps=0.01),
                    given(real(0, 3), axis=1)],
    "cumprod": [*_ALONG, given(lambda random: np.array([1.5, 0.0, -2.0, 0.5]), axis=0)],
    # products
    "matmul": [given(real(2, 3), real(3, 2)), given(real(3), real(3)), given(real(3), real(3, 2)),
               given(real(2, 3), real(3)), given(real(2, 2, 3), real(3, 2)), given(real(2, 1, 1, 3), real(2, 3, 1)),
               given(real(3), real(2, 3, 2)), given(real(2, 2, 3), real(3)), given(real(0, 3), real(3, 2)),
               given(real(2, 0), real(0, 2))],
    "linear": [given(real(2, 3), real(2, 3), real(2)), given(real(2, 2, 3), real(2, 3), real(2)),
               given(real(3), real(2, 3)), given(real(2, 3), real(4, 3)), given(real(0, 3), real(2, 3), real(2))],
    "einsum": [given(real(2, 3), real(3, 2), subscripts="ij,jk->ki"), given(real(3, 3), subscripts="ii->i"),
               given(real(3, 3), subscripts="ii->"), given(real(2, 3), real(2), real(3), subscripts="ij,i,j->"),
               given(real(2, 3), subscripts="ij->j"), given(real(2, 2), real(2, 2), subscripts="bi,bi->b"),
               given(real(2, 0), real(0, 2), subscripts="ij,jk->ik")],
    "convolution": [given(real(2, 1, 3, 4), real(2, 1, 2, 2), real(2), **_CONVOLUTION),
                    given(real(1, 2, 4), real(2, 1, 2), groups=2, stride=(1,), padding=(1,), dilation=(1,)),
                    given(real(2, 1, 3), real(1, 1, 3), stride=(1,), padding=(0,), dilation=(1,)),
                    given(real(0, 1, 3), real(2, 1, 2), real(2), stride=(1,), padding=(0,), dilation=(1,))],
    "windows": [given(real(2, 3, 4), **_WINDOW), given(real(5), kernel=(3,), stride=(2,), dilation=(1,)),
                given(real(0, 3), kernel=(2,), stride=(1,), dilation=(1,))],
    "fold": [given(real(1, 1, 2, 2, 2), sizes=(3, 4), **_WINDOW),
             given(real(2, 3), sizes=(5,), kernel=(3,), stride=(2,), dilation=(1,)),
             given(real(0, 2, 2), sizes=(3,), kernel=(2,), stride=(1,), dilation=(1,))],
    # tables and losses
    "embedding": [given(real(3, 2), whole(0, 3, 4)), given(real(3, 2), whole(0, 3, 2, 2), padding_idx=1),
                  given(real(3), whole(0, 3, 2)), given(real(3, 2), whole(0, 3, 0)), given(real(3, 2), whole(0, 3))],
    "embedding_rows": [given(real(4, 2), whole(0, 3, 4), count=3), given(real(2, 2, 2), whole(0, 3, 2, 2), count=3),
                       given(real(4), whole(0, 3, 4), count=3, padding_idx=1), given(real(0, 2), whole(0, 3, 0), count=2)],
    "huber_loss": [*_LOSS, given(real(2, 3), real(2, 3), delta=0.5)],
    "smooth_l1_loss": [*_LOSS, given(real(2, 3), real(2, 3), beta=0.5), given(real(2, 3), real(2, 3), beta=0.0)],
    "bce": [given(real(2, 3, **_PROBABILITY), real(2, 3, **_PROBABILITY), reduction=r) for r in ("mean", "sum", "none")]
    + [given(real(2, 3, **_PROBABILITY), real(2, 3, **_PROBABILITY), real(2, 3, low=0.5), by=(0, 1)),
       given(real(0, 3), real(0, 3), reduction="sum")],
    "bce_with_logits": [*_LOSS, given(real(2, 3), real(2, 3), real(2, 3), by=(0, 1)),
                        given(real(2, 3), real(2, 3), nothing, real(3, low=0.5), by=(0, 1)),
                        given(real(2, 3), real(2, 3), real(3), real(3, low=0.5), by=(0, 1), reduction="none")],
    "kl_div": [*(given(real(2, 3), real(2, 3, low=0.1), reduction=r) for r in ("mean", "sum", "none", "batchmean")),
               *(given(real(2, 3), real(2, 3), reduction=r, log_target=True) for r in ("mean", "none", "batchmean")),
               given(real(0, 3), real(0, 3), reduction="sum")],
    "cross_entropy": [*_CLASSES, given(real(3, 4), whole(0, 4, 3), label_smoothing=0.25),
                      given(real(2, 4), whole(0, 4, 2), real(4, low=0.5), by=(0,), label_smoothing=0.25, reduction="sum"),
                      given(real(2, 3), distribution(2, 3)),
                      given(real(2, 3), distribution(2, 3), real(3, low=0.5), by=(0, 1), label_smoothing=0.1)],
    "nll_loss": _CLASSES,
    # matrices
    "cholesky": _SYMMETRIC, "eigenvalues": _SYMMETRIC, "eigenvectors": _SYMMETRIC, "inv": _MATRICES, "det": _MATRICES,
    "log_abs_det": _MATRICES, "sign_det": _MATRICES, "singular_values": _ANY_MATRIX, "left_singular": _ANY_MATRIX,
    "right_singular": _ANY_MATRIX, "qr_basis": _TALL, "qr_factor": _TALL,
    "solve": [given(regular(2, 2), real(2, 2)), given(regular(2, 2, 2), real(2, 1)), given(regular(2, 2), real(2, 2, 1)),
              given(regular(0, 2, 2), real(0, 2, 1))],
    "solve_triangular": [given(regular(3, 3), real(3, 2), upper=True), given(regular(2, 2, 2), real(2, 1), upper=False),
                         given(regular(3, 3), real(3, 1), upper=False, unitriangular=True),
                         given(regular(0, 2, 2), real(0, 2, 1), upper=True)],
    # entry by entry, but not on real numbers from an interval
    "where": [given(truth_values(2, 3), real(2, 3), real(2, 3)), given(truth_values(3), real(2, 1), real()),
              given(truth_values(0), real(0), real(0)), given(truth_values(), real(), real())],
    "eq": [given(whole(0, 3, 3, 4), whole(0, 3, 3, 4)), given(whole(0, 3, 4), whole(0, 3, 3, 1)),
           given(whole(0, 3), whole(0, 3)), given(whole(0, 3, 0), whole(0, 3, 0))],
    "heaviside": [given(whole(-1, 2, 3, 4), whole(5, 9, 3, 4)), given(real(4), real(3, 1)), given(real(0), real(0))],
}  # fmt: skip
_BITS = [given(whole(-8, 8, 3, 4), whole(-8, 8, 4)), given(truth_values(3), truth_values(3)),
         given(truth_values(), truth_values()), given(whole(0, 8, 2, 0), whole(0, 8, 2, 0))]  # fmt: skip
BY_NAME |= dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), _BITS)
BY_NAME |= dict.fromkeys(("not_equal", "greater", "greater_equal", "less", "less_equal"), BY_NAME["eq"])
BY_NAME |= dict.fromkeys(("logical_and", "logical_or", "logical_xor"), BY_NAME["eq"])
BY_NAME["std"] = BY_NAME["var"]
BY_NAME["bitwise_not"] = [given(whole(-8, 8, 3, 4)), given(truth_values(3)), given(whole(0, 8)), given(whole(0, 8, 0))]
BY_NAME["logical_not"] = [given(whole(0, 2, 3, 4)), given(truth_values(3)), given(whole(0, 2)), given(whole(0, 2, 0))]

BY_FAMILY: dict[type[Op], list[Given]] = {Loss: _LOSS, Along: _ALONG}


def samples_of(op: type[Op]) -> list[Given]:
    """The operation's own samples, its family's, or what its domains say."""
    if op.name in BY_NAME and OPS.get(op.name) is op:
        return BY_NAME[op.name]
    if issubclass(op, Elementwise):
        return _entry_by_entry(op)
    for family, found in BY_FAMILY.items():
        if issubclass(op, family):
            return found
    raise LookupError(f"{op.name} has no samples: say in openbook/testing/samples.py what its inputs look like")


def _entry_by_entry(op: type[Elementwise]) -> list[Given]:
    """Grids; rows against columns; single numbers; nothing."""
    count = len(op.arguments)
    domains = op.domain if isinstance(op.domain, tuple) else (op.domain,) * count
    crossed: list[tuple[int, ...]] = [(3,), (2, 1), (2, 1, 1)][:count]
    shapes: list[list[tuple[int, ...]]] = [[(2, 3)] * count, [()] * count, [(2, 0)] * count]
    if count > 1:
        shapes += [crossed, crossed[::-1]]
    return [given(*(_within(d, *shape) for d, shape in zip(domains, kind, strict=True))) for kind in shapes]


def _within(domain: Reals, *shape: int) -> Maker:
    return real(*shape, low=max(domain.low, -8.0), high=min(domain.high, 8.0))
