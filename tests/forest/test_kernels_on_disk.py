"""Compiled kernels on disk, older than the sources, while other processes take them away as well."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openbook.forest import kernels


class Folder:
    """A folder as one process lists it, just before another one removes a file."""

    def __init__(self, path: Path, gone: str) -> None:
        self.path, self.gone = path, gone

    def glob(self, pattern: str) -> list[Path]:
        return [*self.path.glob(pattern), self.path / pattern.replace("*", self.gone)]


def test_stale_kernels_go_with_their_lists_whoever_else_removes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, written in (("old.nbi", 0), ("old.1.nbc", 0), ("new.nbi", 2**32), ("new.1.nbc", 2**32)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (written, written))
    monkeypatch.setattr(kernels, "_folder", lambda: Folder(tmp_path, "gone"))
    kernels.forget_stale()
    assert {p.name for p in tmp_path.iterdir()} == {"new.nbi", "new.1.nbc"}
    assert not kernels.kernels_cached()
