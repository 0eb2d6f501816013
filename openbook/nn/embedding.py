"""Embeddings: a vector for each of many numbered things."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn import functional, init
from openbook.nn.module import Module
from openbook.nn.parameter import Parameter, empty_parameter, float_dtype
from openbook.tensor.create import as_tensor

__all__ = ["Embedding"]


class Embedding(Module):
    """The rows of `weight` (num_embeddings, embedding_dim) at whole numbers of any shape; starts standard normal.

    Row `padding_idx` starts as zeros and gets no gradient. With `max_norm`, rows whose `norm_type`-norm is larger are
    brought down to it, in place, when they are looked up.
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
        asked = {"scale_grad_by_freq": scale_grad_by_freq, "sparse": sparse}
        if any(asked.values()):
            names = ", ".join(name for name, wanted in asked.items() if wanted)
            raise InputError(f"Embedding cannot do {names}", do="leave it out")
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise InputError(f"padding_idx={padding_idx} is not one of the {num_embeddings} rows", where="Embedding")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        if _weight is None:
            self.weight = empty_parameter(num_embeddings, embedding_dim, dtype=float_dtype(device, dtype))
            self.weight.requires_grad_(not _freeze)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise ShapeError(f"{(num_embeddings, embedding_dim)} rows were announced, and {_weight.shape} came")
            self.weight = Parameter(_weight, requires_grad=not _freeze)

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
        rows = as_tensor(embeddings)
        if rows.ndim != 2:
            raise ShapeError(f"an embedding is made of rows, not of shape {rows.shape}", where="from_pretrained")
        return cls(
            rows.shape[0], rows.shape[1], padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, rows, freeze
        )

    def reset_parameters(self) -> None:
        """Draw new rows."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0
            self.weight.changed_in_place()

    def forward(self, input: Any) -> Any:
        if self.max_norm is not None:
            self._shorten(input)
        return functional.embedding(input, self.weight, self.padding_idx)

    def _shorten(self, input: Any) -> None:
        """Bring the rows that are asked for down to `max_norm`, in place, as PyTorch does (with its 1e-7)."""
        rows = np.unique(np.asarray(getattr(input, "data", input)))
        values = self.weight.data[rows]
        norms = np.linalg.norm(values, self.norm_type, axis=1, keepdims=True)
        long = norms[:, 0] > self.max_norm
        if long.any():
            self.weight.data[rows[long]] = values[long] * (self.max_norm / (norms[long] + 1e-7))
            self.weight.changed_in_place()

    def extra_repr(self) -> str:
        said = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            said += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            said += f", max_norm={self.max_norm}"
        return said if self.norm_type == 2 else f"{said}, norm_type={self.norm_type}"
