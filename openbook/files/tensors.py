"""Named tensors in a safetensors file: what PyTorch's users save with safetensors.torch, and nothing that runs code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import DTypeError, FileError
from openbook.files.whole import write_whole

__all__ = ["load_arrays", "load_arrays_and_notes", "save_arrays"]


def save_arrays(arrays: Mapping[str, Any], path: str | Path, notes: Mapping[str, str] | None = None) -> None:
    """Write named arrays (or tensors) to a safetensors file, replaced whole or not at all.

    Tensors that share memory (tied weights) are written once each, under every name. Raises DTypeError for what is no
    array, FileError where the file cannot be written.
    """
    from safetensors.numpy import save

    plain: dict[str, np.ndarray] = {}
    for name, value in arrays.items():
        array = np.asarray(getattr(value, "data", value))
        if not isinstance(name, str) or array.dtype.kind not in "biuf":
            raise DTypeError(f"{name!r} is a {type(value).__name__}, no tensor with a name", where="save")
        plain[name] = np.asarray(array, order="C")
    write_whole(Path(path), save(plain, dict(notes or {})), where="save")


def load_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """The named arrays of a safetensors file, in its order; a FileError says what is wrong with it."""
    return load_arrays_and_notes(path)[0]


def load_arrays_and_notes(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The named arrays of a safetensors file, and the notes that were written with them."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = Path(path)
    if not path.is_file():
        raise FileError(f"there is no file {path}", where="load", do="check the name, and the folder you are in")
    data = path.read_bytes()
    if data[:2] in (b"\x80\x02", b"\x80\x04") or data[:4] == b"PK\x03\x04":
        raise FileError(
            f"{path} is a pickle, which may run code when it is read",
            where="load",
            do="save the state with safetensors.torch.save_file in PyTorch, and load that",
        )
    try:
        return load(data), _notes(data)
    except KeyError as problem:
        raise FileError(
            f"{path} holds numbers of kind {problem.args[0]}, which NumPy does not have",
            where="load",
            do="save them as float32: {name: tensor.float() for …} in PyTorch",
        ) from problem
    except (SafetensorError, ValueError, json.JSONDecodeError) as problem:
        raise FileError(
            f"{path} is no whole safetensors file: {problem}", where="load", do="save it again"
        ) from problem


def _notes(data: bytes) -> dict[str, str]:
    """The texts in the header (its length, eight bytes, stands before it) of a file that `load` has found whole."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]).get("__metadata__") or {}
