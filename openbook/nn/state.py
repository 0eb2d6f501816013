"""Whether a saved state fits a module, said in full before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from openbook.errors import InputError, ShapeError

__all__ = ["require_fit"]


def require_fit(
    owner: str, shapes: Mapping[str, tuple[int, ...]], arrays: Mapping[str, np.ndarray], strict: bool
) -> None:
    """All names (if strict) and all shapes, or an error that lists every one that does not fit."""
    missing, extra = sorted(shapes.keys() - arrays.keys()), sorted(arrays.keys() - shapes.keys())
    if strict and (missing or extra):
        raise InputError(
            f"the state does not fit {owner}: missing {missing or 'nothing'}, unexpected {extra or 'nothing'}",
            do="build the same module that the state was saved from, or pass strict=False to load what fits",
        )
    wrong = [
        f"{name} has shape {shape}, the state {arrays[name].shape}"
        for name, shape in shapes.items()
        if name in arrays and arrays[name].shape != shape
    ]
    if wrong:
        raise ShapeError("; ".join(wrong), where=owner, do="build the module with the sizes the state was saved with")
