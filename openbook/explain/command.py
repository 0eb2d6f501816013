"""`openbook explain` and `openbook derive`: a working in the form asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from openbook.errors import InputError
from openbook.explain.of_file import Asked, explain_file
from openbook.explain.of_formula import explain_formula
from openbook.files import require_writable, write_whole
from openbook.record import Working

__all__ = ["derive_command", "explain_command", "explain_model_command"]

FORMS = ("text", "latex", "markdown", "html", "svg", "json")


def explain_command(formula: str, values: Mapping[str, float], wrt: str | None, form: str, out: Path | None) -> None:
    """Print the working of a formula, or write it to a file."""
    _show(lambda: explain_formula(formula, wrt, **values), form, out)


def explain_model_command(asked: Asked, form: str, out: Path | None) -> None:
    """Print the working of one row of a model in a file, or write it to a file."""
    _show(lambda: explain_file(asked), form, out)


def derive_command(formula: str, by: str | None, form: str, out: Path | None) -> None:
    """Print a derivation line by line, or write it to a file."""
    from openbook.explain.of_derivation import derive

    _show(lambda: derive(formula, by), form, out)


def _show(build: Callable[[], Working], form: str, out: Path | None) -> None:
    """Print a working, or write it to a file; what cannot be is said before the work."""
    if form not in FORMS:
        raise InputError(f"there is no format {form!r}", where="--format", do=f"choose one of {', '.join(FORMS)}")
    if out is not None:
        require_writable(out)
    working = build()
    if out is not None:
        text = _drawn(working, form, width=100, color=False)
        write_whole(out, text)
        return
    from rich.console import Console

    console = Console()
    sys.stdout.write(_drawn(working, form, console.width, console.is_terminal and not console.no_color))
    sys.stdout.write("\n")


def _drawn(working: Working, form: str, width: int, color: bool) -> str:
    match form:
        case "text":
            return working.text(width, color)
        case "json":
            return json.dumps(working.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)
    return getattr(working, form)()
