"""Models in files, to be explained: ours, ONNX, and, where somebody vouches for them, pickles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openbook.errors import FileError, MissingPackageError
from openbook.files import load_file

__all__ = ["open_model"]

_WHERE = "--model"


def open_model(path: Path, trust: bool = False) -> Any:
    """The model in a file: openbook's (.safetensors), ONNX (.onnx), or a pickle (scikit-learn's by joblib, PyTorch's .pt).

    A pickle is opened only with `trust`: to read it is to run whatever program it holds. Raises FileError otherwise, and for
    files that hold no model.
    """
    if not path.is_file():
        raise FileError(f"there is no file {path}", where=_WHERE, do="check the name, and the folder you are in")
    with path.open("rb") as file:
        start = file.read(9)
    if path.suffix.lower() == ".onnx":
        return _onnx(path)
    if path.suffix.lower() == ".safetensors" or start[8:] == b"{":
        return _ours(path)
    if not trust:
        raise FileError(
            f"{path} looks like a pickle, and to read a pickle is to run the program in it, as you, with all your rights",
            where=_WHERE,
            do="add --trust if you made the file yourself or know who did; or save the model as .safetensors (openbook.save) "
            "or .onnx, which run nothing",
        )
    return _torch(path) if start[:4] == b"PK\x03\x04" else _pickle(path)


def _ours(path: Path) -> Any:
    found = load_file(path)
    if isinstance(found, dict):
        raise FileError(f"{path} holds named tensors, a state without the model it belongs to", where=_WHERE,
                        do="save the model itself: openbook.save(model, path)")  # fmt: skip
    return found


def _onnx(path: Path) -> Any:
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as problem:
        raise _missing("onnx", path) from problem
    try:
        return onnx.load(path)
    except (DecodeError, OSError, ValueError) as problem:
        raise FileError(f"{path} is no ONNX model: {problem}", where=_WHERE, do="export it again") from problem


def _torch(path: Path) -> Any:
    try:
        import torch
    except ImportError as problem:
        raise _missing("torch", path) from problem
    try:
        found = torch.load(path, weights_only=False, map_location="cpu")
    except Exception as problem:  # whatever the program in the pickle raises
        raise _unreadable(path, problem) from problem
    if not isinstance(found, torch.nn.Module):
        raise FileError(f"{path} holds a {type(found).__name__}, no model", where=_WHERE,
                        do="save the module itself: torch.save(model, path)")  # fmt: skip
    return found.eval()


def _pickle(path: Path) -> Any:
    import joblib

    try:
        return joblib.load(path)
    except Exception as problem:  # whatever the program in the pickle raises
        raise _unreadable(path, problem) from problem


def _missing(package: str, path: Path) -> MissingPackageError:
    return MissingPackageError(f"reading {path} takes the package {package}, which is not installed", where=_WHERE,
                               do=f"pip install 'openbook[{package}]'")  # fmt: skip


def _unreadable(path: Path, problem: Exception) -> FileError:
    told = " ".join(str(problem).split())[:200]
    return FileError(f"{path} cannot be read: {type(problem).__name__}: {told}", where=_WHERE,
                     do="save it again, with the versions of the packages that are installed here")  # fmt: skip
