"""Files are replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from openbook.errors import FileError
from openbook.files import require_writable, whole, write_whole


def test_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("the old one")
    write_whole(path, "the new one")
    assert path.read_text() == "the new one"


def test_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("the old one")

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole.os, "replace", full)
    with pytest.raises(FileError, match="No space"):
        write_whole(path, "a new one")
    assert path.read_text() == "the old one"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]  # nothing half-written is left behind


def test_places_that_cannot_be_written_are_known_before_the_work(tmp_path: Path) -> None:
    for bad in (tmp_path, tmp_path / "nowhere" / "r.html"):
        with pytest.raises(FileError):
            require_writable(bad)
    require_writable(tmp_path / "r.html")
