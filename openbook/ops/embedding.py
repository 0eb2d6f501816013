"""Rows of a table by their numbers, and the way back."""

from __future__ import annotations

import numpy as np

from openbook.errors import InputError
from openbook.ops.op import Op, apply
from openbook.ops.vocabulary import embedding, embedding_rows


class Embedding(Op):
    """Rows of a table, by their numbers; the row `padding_idx` learns nothing."""

    formula = "W[i]"

    @staticmethod
    def forward(weight, indices, *, padding_idx=None):
        return weight[_rows(weight, indices)]

    @staticmethod
    def gradient(g, y, weight, indices, *, padding_idx=None):
        return embedding_rows(g, indices, count=weight.shape[0], padding_idx=padding_idx), None

    @classmethod
    def batched(cls, size, inputs, stacked, parameters):
        if stacked[0]:
            return super().batched(size, inputs, stacked, parameters)
        return apply(cls, *inputs, **parameters)


class EmbeddingRows(Op):
    """Vectors added up by the row of a table that each belongs to: what carries a gradient back to an embedding."""

    name = "embedding_rows"
    formula = "sum(g[i == row])"

    @staticmethod
    def forward(g, indices, *, count, padding_idx=None):
        flat = np.asarray(indices).reshape(-1)
        vectors = np.asarray(g).reshape(flat.size, -1)
        out = np.zeros((count, vectors.shape[1]), vectors.dtype)
        if flat.size:
            order = np.argsort(flat, kind="stable")
            rows, starts = np.unique(flat[order], return_index=True)
            out[rows] = np.add.reduceat(vectors[order], starts, axis=0)
        if padding_idx is not None:
            out[padding_idx] = 0
        return out.reshape(count, *g.shape[np.ndim(indices) :])

    @staticmethod
    def gradient(g, y, vectors, indices, *, count, padding_idx=None):
        taken = embedding(g, indices)
        if padding_idx is not None:
            kept = (np.asarray(indices) != padding_idx).astype(g.dtype)
            taken = taken * kept.reshape(kept.shape + (1,) * (taken.ndim - kept.ndim))
        return taken, None


def _rows(weight, indices):
    if indices.dtype.kind not in "iu":
        raise InputError(
            f"rows of an embedding are named by whole numbers, not {indices.dtype}", do="cast them to int64"
        )
    if indices.size and (indices.min() < 0 or indices.max() >= len(weight)):
        wrong = indices.min() if indices.min() < 0 else indices.max()
        raise InputError(
            f"row {wrong} does not exist: the embedding has {len(weight)} rows", do="number the words from 0 up"
        )
    return indices
