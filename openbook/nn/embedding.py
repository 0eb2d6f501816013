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

    Row `padding_idx` starts as zeros and gets no gradient.
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
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        asked = {"max_norm": max_norm is not None, "scale_grad_by_freq": scale_grad_by_freq, "sparse": sparse}
        if any(asked.values()):
            names = ", ".join(name for name, wanted in asked.items() if wanted)
            raise InputError(f"Embedding cannot do {names}", do="leave it out")
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise InputError(f"padding_idx={padding_idx} is not one of the {num_embeddings} rows", where="Embedding")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = empty_parameter(num_embeddings, embedding_dim, dtype=float_dtype(device, dtype))
        self.reset_parameters()

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None) -> Self:
        """An embedding of given rows; they are learnt further only with `freeze=False`."""
        rows = as_tensor(embeddings)
        if rows.ndim != 2:
            raise ShapeError(f"an embedding is made of rows, not of shape {rows.shape}", where="from_pretrained")
        module = cls(rows.shape[0], rows.shape[1], padding_idx=padding_idx, dtype=rows.dtype)
        module.weight = Parameter(np.array(rows.data), requires_grad=not freeze)
        return module

    def reset_parameters(self) -> None:
        """Draw new rows."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0
            self.weight.changed_in_place()

    def forward(self, input: Any) -> Any:
        return functional.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
