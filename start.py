#!/usr/bin/env python3
"""From a fresh machine to openbook at work, with nothing but Python 3.11+ and pip.

    python3 start.py                      set up, then study a real table and write report.html
    python3 start.py study TABLE …        the same on a table of yours (all options of `openbook study`)
    python3 start.py explain FORMULA …    any other openbook command
    python3 start.py test [PYTEST …]      set up, then style, types, architecture and the test suite

The environment is `.venv` beside this file; nothing outside it is touched. It is made again only when what it is made
from has changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "openbook-setup.txt"
CHECKS = (
    ("style", ["ruff", "check", "."]),
    ("layout", ["ruff", "format", "--check", "."]),
    ("types", ["mypy"]),
    ("architecture", ["lint-imports"]),
)


def main(arguments: list[str]) -> int:
    """Set up what the command needs, then run it."""
    if sys.version_info < (3, 11):  # noqa: UP036  (this is what tells them)
        return _complain(f"this is Python {sys.version.split()[0]}, openbook needs 3.11 or newer",
                         "install one, and call it: python3.12 start.py")  # fmt: skip
    testing = arguments[:1] == ["test"]
    try:
        set_up(["test"] if testing else [])
    except subprocess.CalledProcessError as problem:
        return _complain(
            "setting up failed; the lines above say why", "mend it and call start.py again", problem.returncode
        )
    if testing:
        return test(arguments[1:])
    return subprocess.call([str(PYTHON), "-m", "openbook", *(arguments or ["study"])])


def set_up(extras: list[str]) -> None:
    """Make `.venv` and install openbook into it, unless that has been done from the same pyproject.toml."""
    done = STAMP.read_text(encoding="utf-8").split() if STAMP.exists() else []
    state = _state()
    if PYTHON.exists() and done[:1] == [state] and set(extras) <= set(done[1:]):
        return
    extras = sorted({*extras, *(done[1:] if PYTHON.exists() else [])})
    print(f"openbook: setting up {VENV} (once; takes a minute or two)", file=sys.stderr, flush=True)
    _make_environment()
    wanted = f"{HERE}[{','.join(extras)}]" if extras else str(HERE)
    _pip("install", "--quiet", "--disable-pip-version-check", "--editable", wanted)
    STAMP.write_text(" ".join([state, *extras]), encoding="utf-8")


def _state() -> str:
    made_from = (HERE / "pyproject.toml").read_bytes() + sys.version.encode()
    return hashlib.sha256(made_from).hexdigest()[:16]


def _make_environment() -> None:
    """Debian and Ubuntu ship Python without ensurepip: there the environment is made bare, and filled from outside."""
    options = [] if importlib.util.find_spec("ensurepip") else ["--without-pip"]
    subprocess.run([sys.executable, "-m", "venv", *options, str(VENV)], check=True)


def _pip(*arguments: str) -> None:
    """The environment's own pip, or this Python's pip working on the environment (pip 22.3 or newer)."""
    has_own = subprocess.run([str(PYTHON), "-c", "import pip"], stderr=subprocess.DEVNULL, check=False).returncode == 0
    pip = [str(PYTHON), "-m", "pip"] if has_own else [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    subprocess.run([*pip, *arguments], check=True)


def test(arguments: list[str]) -> int:
    """Style, layout, types, architecture, tests; everything is run, and the first failure is the exit status."""
    status = 0
    for name, (tool, *options) in CHECKS:
        print(f"== {name}: {tool}", flush=True)
        status = status or subprocess.call([str(SCRIPTS / tool), *options], cwd=HERE)
    print("== tests: pytest", flush=True)
    workers = [] if arguments else ["-n", "auto", "--dist", "loadfile"]  # what a file prepares is prepared once
    return status or subprocess.call([str(PYTHON), "-m", "pytest", *workers, *arguments], cwd=HERE)


def _complain(what: str, do: str, status: int = 1) -> int:
    print(f"start.py: {what}; {do}", file=sys.stderr)
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
