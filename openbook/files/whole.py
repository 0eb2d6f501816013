"""Writing a file whole or not at all: no file that somebody had is lost to a full disk."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from openbook.errors import FileError

__all__ = ["require_writable", "write_whole"]


def require_writable(path: Path) -> None:
    """Raise FileError now rather than after the training, if the file cannot be written there."""
    if path.is_dir():
        raise FileError(f"{path} is a folder", where="--out", do="name a file in it, such as report.html")
    folder = path.parent
    if not folder.is_dir():
        raise FileError(f"there is no folder {folder}", where="--out", do="make it first, or choose another")
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise FileError(f"{path} cannot be written", where="--out", do="choose a place you may write to")


def write_whole(path: Path, content: str | bytes, where: str = "--out") -> None:
    """Replace a file whole or not at all: written beside it first, then moved into its place.

    `where` is what an error names as the place that asked for it.
    """
    handle = None
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        with os.fdopen(handle, "wb") as out:
            out.write(content.encode() if isinstance(content, str) else content)
        os.chmod(beside, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        os.replace(beside, path)
    except OSError as problem:
        if handle is not None and os.path.exists(beside):
            os.unlink(beside)
        raise FileError(f"{path} cannot be written: {problem.strerror}", where=where,
                        do="choose a place you may write to, with room for the file") from problem  # fmt: skip


def _umask() -> int:
    """The mask new files are made with."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
