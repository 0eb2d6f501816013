"""`openbook explain`: a formula worked out, in the form asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from openbook.errors import InputError
from openbook.explain.of_formula import explain_formula
from openbook.files import require_writable, write_whole
from openbook.record import Working
from openbook.record.draw.terminal import WIDTH, terminal

__all__ = ["explain_command"]

FORMS = ("text", "latex", "markdown", "html", "svg", "json")


def explain_command(formula: str, values: Mapping[str, float], wrt: str | None, form: str, out: Path | None) -> None:
    """Print the working, or write it to a file."""
    if form not in FORMS:
        raise InputError(f"there is no format {form!r}", where="--format", do=f"choose one of {', '.join(FORMS)}")
    if out is not None:
        require_writable(out)
    working = explain_formula(formula, wrt, **values)
    if out is not None:
        write_whole(out, _drawn(working, form, WIDTH, color=False))
        return
    sys.stdout.write(_drawn(working, form, *terminal()) + "\n")


def _drawn(working: Working, form: str, width: int, color: bool) -> str:
    match form:
        case "text":
            return working.text(width, color)
        case "json":
            return json.dumps(working.to_dict(), indent=1, allow_nan=False, ensure_ascii=False)
    return getattr(working, form)()
