"""The README says what really happens."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from tests.test_package import run

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.M | re.S)


def test_the_worked_number_is_really_printed() -> None:
    command, *lines = blocks("")[0].splitlines()
    done = run(*shlex.split(command.removeprefix("$ openbook ")), env={**os.environ, "COLUMNS": "100"})
    printed = done.stdout.splitlines()
    for line in lines:
        assert line == "…" or line in printed, line


@pytest.mark.parametrize("code", blocks("python"))
def test_examples_run(
    code: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where their files go
    exec(compile(code, "README.md", "exec"), {})


def test_every_link_leads_somewhere() -> None:
    for page in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").glob("*.md"),
        ROOT / "benchmarks" / "README.md",
    ):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), (page.name, target)


def test_all_commands_exist() -> None:
    commands = run("--help").stdout.split()
    for command in blocks("sh"):
        for line in command.splitlines():
            program, name = line.split("#")[0].split()[:2]
            assert name in commands if program.endswith("openbook") else (ROOT / name).exists()
