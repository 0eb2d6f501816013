"""What users meet first: the import, its names, the command line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import openbook as ob

HEAVY = {"numba", "scipy", "sympy", "mpmath", "sklearn", "matplotlib", "polars", "narwhals", "rich", "typer", "torch"}


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:  # type: ignore[no-untyped-def]
    return subprocess.run([sys.executable, "-m", "openbook", *arguments], capture_output=True, text=True,
                          encoding="utf-8", timeout=300, check=False, **options)  # fmt: skip


def loaded_by(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


def test_the_import_is_light() -> None:
    assert not loaded_by("import openbook; openbook.nn, openbook.optim") & HEAVY


def test_the_tests_own_truth_stays_out() -> None:
    code = "import openbook, openbook.cli, sys; assert 'openbook.testing' not in sys.modules, 'the package imports its tests'"
    loaded_by(code)


def test_help_loads_nothing_it_does_not_show() -> None:
    code = "import sys; sys.argv = ['openbook', '--help']\ntry:\n import openbook.cli; openbook.cli.main()\nexcept SystemExit: pass"
    assert loaded_by(code) & HEAVY <= {"typer", "rich"}


def test_every_promised_name_is_there() -> None:
    for name in dir(ob):
        getattr(ob, name)
    with pytest.raises(AttributeError, match="frobnicate"):
        ob.frobnicate  # noqa: B018


def test_explain_on_the_command_line() -> None:
    done = run("explain", "0.5*(y - tanh(w*x + b))**2", "x=2", "y=1", "w=0.5", "b=0", "--wrt", "w,b")
    assert done.returncode == 0 and not done.stderr
    assert "dL/dw = dL/dz·∂z/∂w = −0.1001·2 ≈ −0.2002" in done.stdout
    assert "\x1b[" not in done.stdout  # no colours into a pipe


@pytest.mark.parametrize("form", ["text", "latex", "markdown", "html", "svg", "json"])
def test_every_format(form: str, tmp_path: Path) -> None:
    done = run("explain", "w*x", "w=2", "x=3", "--format", form, "--out", str(tmp_path / "w"))
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "w").read_text(encoding="utf-8")
    assert "6" in text
    if form == "json":
        json.loads(text)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["w*x", "w=2"], "x has no value"), (["w*x", "w=2", "x=3", "q=1"], "q"), (["w*", "w=2"], "not a formula"),
        (["w*x", "w=2", "x"], "x=2"), (["w*x", "w=2", "w=3", "x=1"], "twice"), (["log(x)", "x=-1"], "finite"),
        (["w*x", "w=2", "x=abc"], "no number"), (["w*x", "w=2", "x=3", "--format", "pdf"], "format"),
        (["w*x", "w=2", "x=3", "--wrt", "z"], "z"), (["w*x", "w=2", "x=3", "--out", "/nowhere/at/all"], "no folder"),
    ],
)  # fmt: skip
def test_mistakes_get_one_clear_error(arguments: list[str], told: str) -> None:
    done = run("explain", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and told in done.stderr
    assert "Traceback" not in done.stderr and not done.stdout


def test_version() -> None:
    assert run("--version").stdout.strip() == f"openbook {ob.__version__}"


def test_errors_keep_the_words_of_the_house() -> None:
    """Every error says what to do; and is what callers of NumPy, torch and scikit-learn already catch."""
    from openbook import errors

    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.OpenbookError)]
    builtin = {
        errors.InputError: ValueError,
        errors.DTypeError: TypeError,
        errors.GraphError: RuntimeError,
        errors.FileError: OSError,
    }
    for kind, base in builtin.items():
        assert issubclass(kind, base) and kind in kinds
    told = str(errors.InputError("what", where="where", do="do this"))
    assert re.fullmatch(r"what \(in where\)\. Do this\.", told)
