"""The command line. Each command imports what it needs when it runs, so that `--help` answers at once.

Exit codes: 0 done, 2 bad input or usage (one clear line on standard error), 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from openbook.errors import FormulaError, InputError, OpenbookError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True, add_completion=True, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Machine learning that shows its working.",
)  # fmt: skip


def _version(asked: bool) -> None:
    if asked:
        from openbook import __version__

        print(f"openbook {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Machine learning that shows its working."""


@app.command()
def study(
    table: Annotated[str | None, typer.Argument(help="CSV, Parquet or Arrow file, or a bundled set (iris, …).")] = None,
    target: Annotated[str | None, typer.Option(help="Column to learn; the last by default.")] = None,
    task: Annotated[str | None, typer.Option(help='"classes" or "regression"; guessed by default.')] = None,
    test: Annotated[str | None, typer.Option(help="Table to judge on; else a quarter of the rows.")] = None,
    positive: Annotated[str | None, typer.Option(help="The positive class; the rarer by default.")] = None,
    metric: Annotated[str, typer.Option(help='What the threshold maximises, such as "precision*recall".')] = "f1",
    seed: Annotated[int, typer.Option(help="Same seed, same numbers.", min=0)] = 0,
    out: Annotated[Path, typer.Option(help="Where the report goes.")] = Path("report.html"),
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer trees and epochs.")] = False,
    drop: Annotated[list[str] | None, typer.Option(help="Leave a column out (repeatable).")] = None,
    keep: Annotated[list[str] | None, typer.Option(help="Keep a column as a category (repeatable).")] = None,
    categories: Annotated[list[str] | None, typer.Option(help="Numbers that are codes (repeatable).")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads; changes no number.", min=1)] = None,
) -> None:
    """Learn a table three ways and write one report that tells its story, every number with its working."""
    from openbook.study.command import study_command
    from openbook.study.options import Options

    options = Options(table, target, task, test, positive, metric, seed, quick, tuple(drop or ()), tuple(keep or ()),
                      tuple(categories or ()), threads)  # fmt: skip
    study_command(options, out, as_json)


@app.command()
def explain(
    formula: Annotated[
        str, typer.Argument(help='Such as "0.5*(y - tanh(w*x + b))**2", or lines parted by ";"; with --model, a table.')
    ],
    values: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE…", help="A value for every name.")] = None,
    wrt: Annotated[str | None, typer.Option(help="Names to differentiate by, such as w,b; all by default.")] = None,
    model: Annotated[Path | None, typer.Option(help="A model: .safetensors, .onnx, or a pickle with --trust.")] = None,
    row: Annotated[int | None, typer.Option(help="Which row of the table, counted from 0.")] = None,
    of: Annotated[str | None, typer.Option(help="The class asked about, or the place of an output.")] = None,
    target: Annotated[str | None, typer.Option(help="The column that is no feature but the target.")] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Read a pickle, which may run any program as you.")] = False,
    form: Annotated[str, typer.Option("--format", help="text, latex, markdown, html, svg or json.")] = "text",
    out: Annotated[Path | None, typer.Option(help="Write to a file.")] = None,
) -> None:
    """Work a formula out by hand: forward, local slopes, backward; or, with --model, how a model answers for one row."""
    from openbook.explain.command import explain_command, explain_model_command

    if model is None:
        _require_none(row=row, of=of, target=target, trust=trust or None)
        explain_command(formula, _values(values or []), wrt, form, out)
        return
    from openbook.explain.of_file import Asked

    _require_none(wrt=wrt)
    if values:
        raise InputError(f"{values[0]!r} follows the table, and a model takes its values from there", do="leave it out")
    explain_model_command(Asked(model, formula, row, of, target, trust), form, out)


def _require_none(**options: object) -> None:
    """Options of the other form of `explain` say nothing here, and are not passed over."""
    for name, value in options.items():
        if value is not None:
            other = "a formula" if name == "wrt" else "--model"
            raise InputError(f"--{name} belongs to {other}", do="leave it out, or see openbook explain --help")


@app.command()
def derive(
    formula: Annotated[str, typer.Argument(help='Such as "tanh(z)" or "softmax(z)".')],
    by: Annotated[str | None, typer.Argument(help="The name to differentiate by; several as w,b.")] = None,
    form: Annotated[str, typer.Option("--format", help="text, latex, markdown, html, svg or json.")] = "text",
    out: Annotated[Path | None, typer.Option(help="Write to a file.")] = None,
) -> None:
    """Differentiate a formula by named rules, one line each, every line verified."""
    from openbook.explain.command import derive_command

    derive_command(formula, by, form, out)


def _values(texts: list[str]) -> dict[str, float]:
    """`x=2` as a number by name."""
    found: dict[str, float] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise FormulaError(f"{text!r} gives no name a value", do="write x=2")
        if name in found:
            raise InputError(f"{name} is given twice", do="give each name one value")
        try:
            found[name] = int(value) if value.strip().lstrip("+-").isdigit() else float(value)
        except ValueError:
            raise InputError(f"{value!r} is no number", where=name, do=f"write {name}=2 or {name}=0.5") from None
    return found


def main() -> None:
    """Run a command; every error of ours is one line on standard error and exit code 2."""
    for stream in (sys.stdout, sys.stderr):  # formulas are not ASCII, and some consoles think they are
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except OpenbookError as problem:
        if os.environ.get("OPENBOOK_TRACEBACK"):
            raise
        print(f"error: {problem}", file=sys.stderr)
        raise SystemExit(2) from None
    except BrokenPipeError:
        # The reader has left (`| head`): nothing more to say, and nothing to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
