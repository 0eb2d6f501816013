"""Words as vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.errors import InputError
from openbook.nn import functional, init
from openbook.nn.module import Module, Parameter
from openbook.tensor.tensor import Tensor

__all__ = ["Embedding"]


class Embedding(Module):
    """A table of learnt vectors, looked up by number; the row `padding_idx` stays as it is (zeros to start with)."""

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, max_norm: float | None = None,
        dtype: Any = np.float32,
    ):  # fmt: skip
        super().__init__()
        if max_norm is not None:
            raise InputError(
                "rows are not renormalised when they are looked up", where="Embedding", do="leave max_norm out"
            )
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise InputError(f"there is no row {padding_idx} of {num_embeddings}", where="Embedding")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), dtype))
        self.reset_parameters()

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None) -> Embedding:
        """A table that is already known; not learnt further if `freeze`."""
        count, width = embeddings.shape
        layer = cls(count, width, padding_idx=padding_idx)
        layer.weight = Parameter(embeddings.data, requires_grad=not freeze)
        return layer

    def reset_parameters(self) -> None:
        """Draw new vectors from the standard normal distribution."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, x: Any) -> Any:
        return functional.embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}"
