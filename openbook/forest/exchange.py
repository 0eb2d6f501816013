"""Forests in other forms, smaller or for other programs: the methods; what they do stands in a file for each."""

from __future__ import annotations

from typing import Any

from openbook.errors import ModelError

__all__ = ["Exchanges"]


class Exchanges:
    """Mix in to give a tree or forest its other forms."""

    def to_sklearn(self) -> Any:
        """The same tree or forest as scikit-learn's own class; see `openbook.forest.scikit`."""
        from openbook.forest.scikit import to_sklearn

        _require_numbers(self, "to_sklearn")
        return to_sklearn(self)

    def to_onnx(self) -> Any:
        """The same tree or forest as an ONNX model (`onnx.ModelProto`); see `openbook.forest.onnx_model`."""
        from openbook.forest.onnx_model import to_onnx

        _require_numbers(self, "to_onnx")
        return to_onnx(self)

    def compact(self) -> Any:
        """A `CompactForest` with the same predictions, in about a tenth of the room, that can do nothing else."""
        from sklearn.utils.validation import check_is_fitted

        from openbook.forest.compact import compact_of

        check_is_fitted(self)
        _require_numbers(self, "compact")
        return compact_of(self)


def _require_numbers(model: Any, where: str) -> None:
    """Other forms know no categories."""
    if any(levels is not None for levels in getattr(model, "categories_", ())):
        raise ModelError("the forest splits categories, which this form cannot hold", where=where,
                         do="encode the categories as numbers, and fit again")  # fmt: skip
