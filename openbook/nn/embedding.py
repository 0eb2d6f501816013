"""Embeddings: a vector for each of many numbered things, one by one or in bags."""

from __future__ import annotations

from typing import Any, Self

from openbook.errors import InputError, ShapeError
from openbook.nn import functional, init
from openbook.nn.module import Module
from openbook.nn.parameter import Parameter, empty_parameter, float_dtype
from openbook.tensor.create import as_tensor

__all__ = ["Embedding", "EmbeddingBag"]


class _Rows(Module):
    """The rows that embeddings look up, how they start, and how looking them up changes them."""

    weight: Parameter

    def _begin(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None, max_norm: float | None, norm_type: float,
        scale_grad_by_freq: bool, sparse: bool, weight: Any, freeze: bool, device: Any, dtype: Any,
    ) -> None:  # fmt: skip
        name = type(self).__name__
        if sparse:
            raise InputError(f"{name} has dense gradients only", do="leave sparse out")
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise InputError(f"padding_idx={padding_idx} is not one of the {num_embeddings} rows", where=name)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        if weight is None:
            self.weight = empty_parameter(num_embeddings, embedding_dim, dtype=float_dtype(device, dtype))
            self.weight.requires_grad_(not freeze)
            self.reset_parameters()
        else:
            if tuple(weight.shape) != (num_embeddings, embedding_dim):
                raise ShapeError(f"{(num_embeddings, embedding_dim)} rows were announced, and {weight.shape} came")
            self.weight = Parameter(weight, requires_grad=not freeze)

    def reset_parameters(self) -> None:
        """Draw new rows."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0
            self.weight.changed_in_place()

    def _said(self, *before: str, **after: Any) -> str:
        """What is unusual, in PyTorch's order."""
        said = [f"{self.num_embeddings}, {self.embedding_dim}", *before]
        if self.max_norm is not None:
            said.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            said.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq:
            said.append(f"scale_grad_by_freq={self.scale_grad_by_freq}")
        return ", ".join([*said, *(f"{name}={value!r}" for name, value in after.items() if value is not None)])


class Embedding(_Rows):
    """The rows of `weight` (num_embeddings, embedding_dim) at whole numbers of any shape; starts standard normal.

    Row `padding_idx` starts as zeros and gets no gradient. With `max_norm`, rows whose `norm_type`-norm is larger are
    brought down to it, in place, when they are looked up. With `scale_grad_by_freq` each row's gradient is divided by how
    often it was looked up.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Any = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self._begin(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, _weight,
                    _freeze, device, dtype)  # fmt: skip

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """An embedding of given rows, whose memory it shares; they are learnt further only with `freeze=False`."""
        rows = _given(embeddings)
        count, width = rows.shape
        return cls(count, width, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, rows, freeze)

    def forward(self, input: Any) -> Any:
        return functional.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq
        )

    def extra_repr(self) -> str:
        return self._said(*([] if self.padding_idx is None else [f"padding_idx={self.padding_idx}"]))


class EmbeddingBag(_Rows):
    """The "sum", "mean" or "max" (`mode`) of the rows of each bag: numbers (B, N), or in a row, bags from `offsets` on.

    In the call, `per_sample_weights` (mode "sum") multiplies the rows. Row `padding_idx` starts as zeros, is left out of
    bags, and gets no gradient; an empty bag gives zeros. With `include_last_offset` the last offset ends the last bag. The
    other options are those of `Embedding`.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Any = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        if mode not in ("sum", "mean", "max"):
            raise InputError(f"EmbeddingBag has no mode {mode!r}", do='choose "sum", "mean" or "max"')
        self._begin(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, _weight,
                    False, device, dtype)  # fmt: skip
        self.mode, self.include_last_offset = mode, include_last_offset

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> Self:
        """Bags of given rows, whose memory they share; they are learnt further only with `freeze=False`."""
        rows = _given(embeddings)
        count, width = rows.shape
        bag = cls(
            count, width, max_norm, norm_type, scale_grad_by_freq, mode, sparse, rows, include_last_offset, padding_idx
        )
        bag.weight.requires_grad_(not freeze)
        return bag

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        return functional.embedding_bag(
            input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.mode, self.sparse,
            per_sample_weights, self.include_last_offset, self.padding_idx,
        )  # fmt: skip

    def extra_repr(self) -> str:
        return self._said(mode=self.mode, padding_idx=self.padding_idx)


def _given(rows: Any) -> Any:
    """Rows to begin with, as a tensor."""
    rows = as_tensor(rows)
    if rows.ndim != 2:
        raise ShapeError(f"an embedding is made of rows, not of shape {rows.shape}", where="from_pretrained")
    return rows
