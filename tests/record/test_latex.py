"""LaTeX that compiles: all kinds of workings in one document, and names with everything that is markup somewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

import openbook as ob
from openbook.expr import latex_text, name_latex
from openbook.record import Step, Table, Working, given
from tests.gallery import GALLERY, working

HEAD = r"\documentclass[a4paper]{article}\usepackage{amsmath,booktabs}\begin{document}"
WIDEST = 20.0  # points: a matrix cannot be broken
ODD = ["a_b", "50 %", "x & y", "#1", "~", "^2", "{", "}", "\\", "$", "<i>", "|", '"', "θ′", "∂L", "→", "≤", "½", "χ²", "ŷ",
       "p̂_1", "Ω", "Α", "ς", "é", "ł", "10⁻¹²", "x₁₂", "x₁²₃ᵀ", "ᵀ", "µ", "ﬁ", "你", "🙂", "−∞", "a…b", "“q”",
       "".join(map(chr, range(0xA0, 0x180))), "\t\x00\x7f", "f‴", "‖v‖"]  # fmt: skip


def compiled(body: str, folder: Path) -> str:
    """pdflatex's log; the document compiles or the test fails with the first error."""
    (folder / "document.tex").write_text(f"{HEAD}\n{body}\n\\end{{document}}\n", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=180, check=False)
    log = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, log[log.find("\n!") :][:600]
    return log


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex is installed")
def test_all_workings_compile_in_one_document(tmp_path: Path) -> None:
    log = compiled("\n".join(working(name).latex() for name in GALLERY), tmp_path)
    overfull = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert max(overfull, default=0.0) <= WIDEST, overfull
    assert "Missing character" not in log


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex is installed")
def test_odd_letters_compile_everywhere(tmp_path: Path) -> None:
    steps = [given(f"n{odd}", 1.5, odd, odd, rule=odd) for odd in ODD]
    table = Table("t", tuple(ODD), (tuple(ODD),))
    sums = Step("s", sum(s.value for s in steps), "+".join(f"v{i}" for i in range(len(steps))), ())
    assert sums.formula is not None
    named = sums.formula.rename({f"v{i}": s.name for i, s in enumerate(steps)})
    whole = Working("t", (*steps, Step("s_%", sums.value, named, tuple(steps))), 1, "q", tuple(ODD), (table,))
    compiled(whole.latex(), tmp_path)


def test_a_formula_with_every_construction_compiles(tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex is installed")
    every = " + ".join(f"{f}(x)" for f in ob.expr.FUNCTIONS if ob.expr.FUNCTIONS[f].arity == (1,))
    expr = ob.expr.parse(f"where(x <= 1, {every}, -(a*b)**2/c) + diff(f, x)")
    compiled(f"\\[\\begin{{aligned}}{ob.expr.latex(expr)}\\end{{aligned}}\\]", tmp_path)


# --- without TeX ----------------------------------------------------------------------------------------------------


def assert_sound(tex: str) -> None:
    """Braces, dollars and environments are balanced; no letter that pdflatex has no font for."""
    plain = re.sub(r"\\[\\{}$%&#_]", "", tex)
    depth = 0
    for character in plain:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0 and plain.count("$") % 2 == 0
    opened: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", tex):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened
    assert all(ord(c) < 0x180 for c in tex), {c: unicodedata.name(c, "?") for c in tex if ord(c) >= 0x180}
    assert "%" not in plain and "#" not in plain


@pytest.mark.parametrize("name", GALLERY)
def test_every_working_is_sound(name: str) -> None:
    tex = working(name).latex()
    assert_sound(tex)
    for environment in re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}", tex, re.S):
        rows = [row for row in environment.split(r"\tabularnewline") if "&" in row]
        assert len({re.sub(r"\\&", "", row).count("&") for row in rows}) <= 1


@settings(max_examples=300, deadline=None)
@forall(st.text(max_size=12))
def test_any_text_is_sound(words: str) -> None:
    assert_sound(latex_text(words))
    assert_sound(name_latex(words))


@pytest.mark.parametrize(
    ("name", "tex"),
    [
        ("alpha", r"\alpha"), ("θ_0′", r"\theta_{0}'"), ("ŷ", r"\hat{y}"), ("dL/dw", r"\frac{dL}{dw}"),
        ("∂z/∂w_1", r"\frac{\partial z}{\partial w_{1}}"), ("d²f/dz²", r"\frac{d^{2} f}{dz^{2}}"),
        ("learning_rate", r"\text{learning\_rate}"), ("Δx", r"\Delta x"), ("10⁻¹²", r"\text{10$^{-12}$}"),
    ],
)  # fmt: skip
def test_names_as_mathematicians_write_them(name: str, tex: str) -> None:
    assert name_latex(name) == tex


def test_equations_are_aligned_and_reasons_beside_them() -> None:
    assert r"\frac{dL}{dw} &= \frac{dL}{dz} \cdot \frac{\partial z}{\partial w}" in working("part four").latex()
    assert r"0.4287 && \text{\small softmax}" in working("temperature").latex()
