"""Models of every kind to one file and back. What a kind's file says is the matter of the floor the kind lives on."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import FileError, ModelError, OpenbookError
from openbook.files.stored import Stored
from openbook.files.tensors import load_arrays_and_notes, save_arrays
from openbook.files.whole import write_whole

__all__ = ["from_stored", "load_file", "save_model", "to_stored"]

_NOTE = "openbook"  # the name of the note in a safetensors file that says it is ours
# The packages whose classes can be written, and the kind that a file calls theirs. Each has a module `file` with
# to_stored(model) and from_stored(stored), found by name: nothing here imports a higher floor.
_KINDS = {"openbook.forest": "forest", "openbook.linear": "linear", "openbook.nn": "net"}


def to_stored(model: Any) -> Stored:
    """A model as a file holds it; ModelError for what cannot be written."""
    for base in type(model).__mro__:
        for package in _KINDS:
            if base.__module__.startswith(package + "."):
                return import_module(f"{package}.file").to_stored(model)
    raise ModelError(
        f"a {type(model).__module__}.{type(model).__qualname__} is no model of openbook's, nor a state", where="save",
        do="save an openbook model or a state_dict(); openbook.from_sklearn(model) makes scikit-learn's forests ours",
    )  # fmt: skip


def from_stored(stored: Stored) -> Any:
    """The model that a file holds, everything in it validated; ModelError says what contradicts what."""
    for package, kind in _KINDS.items():
        if stored.kind == kind:
            return import_module(f"{package}.file").from_stored(stored)
    raise ModelError(
        f"the file holds a {str(stored.kind)[:40]!r}, a kind of model that this openbook does not know",
        do="read it with a newer openbook",
    )


def save_model(model: Any, path: str | Path) -> None:
    """Write a model to a safetensors file, whole or not at all; to an ONNX file where the name ends in .onnx."""
    path = Path(path)
    if path.suffix.lower() == ".onnx":
        if not hasattr(model, "to_onnx"):
            raise ModelError(f"a {type(model).__name__} has no form in ONNX here", where="save",
                             do="save it as .safetensors; forests can be saved as .onnx")  # fmt: skip
        write_whole(path, model.to_onnx().SerializeToString(deterministic=True), where="save")
        return
    stored = to_stored(model)
    save_arrays(stored.arrays, path, {_NOTE: stored.note()})


def load_file(path: str | Path) -> Any:
    """The model in a file, or the named arrays of a safetensors file that holds no model; a FileError says what is wrong."""
    if Path(path).suffix.lower() == ".onnx":
        raise FileError(f"{path} is named as an ONNX model, which openbook explains but does not turn into its own classes",
                        where="load", do="openbook.explain(onnx.load(path), row=x), or openbook explain --model")  # fmt: skip
    arrays, notes = load_arrays_and_notes(path)
    if _NOTE not in notes:
        return arrays
    try:
        return from_stored(_writable(Stored.of(notes[_NOTE], arrays)))
    except FileError:
        raise
    except OpenbookError as problem:
        raise FileError(
            f"{path} holds no model that can be used: {problem.what}", where="load",
            do=problem.do or "save the model again; this file is damaged, or was made by something else",
        ) from problem  # fmt: skip


def _writable(stored: Stored) -> Stored:
    """Arrays of the model's own, not windows on the file's bytes."""
    return Stored(stored.kind, stored.facts, {name: np.array(a) for name, a in stored.arrays.items()})
