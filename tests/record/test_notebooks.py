"""What IPython and marimo are handed, and what a cell costs that only names a result."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import pytest

import openbook as ob
from openbook import nn
from openbook.record import Working
from openbook.record.step import Witness
from tests.gallery import GALLERY, chain_of, working

FORMS = {"text/html", "text/latex", "text/markdown", "text/plain"}


def diagnosis() -> ob.diagnose.Diagnosis:
    ob.manual_seed(0)
    return ob.diagnose(nn.Linear(2, 1), (ob.randn(8, 2), ob.randn(8, 1)), nn.MSELoss(), steps=5)


def test_all_forms() -> None:
    whole = working("part four")
    bundle = whole._repr_mimebundle_()
    assert set(bundle) == FORMS
    assert bundle["text/latex"] == whole.latex() and bundle["text/markdown"] == whole.markdown()
    assert bundle["text/plain"] == whole.text() and "<html" not in bundle["text/html"]
    assert set(diagnosis()._repr_mimebundle_()) == FORMS - {"text/latex"}


def test_only_what_is_wanted_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = replace(working("part four"))
    assert set(whole._repr_mimebundle_(include=["text/plain", "text/html"], exclude=["text/html"])) == {"text/plain"}
    assert set(whole._repr_mimebundle_(exclude={"text/plain"})) == FORMS - {"text/plain"}
    monkeypatch.setattr(Working, "html", lambda *_, **__: pytest.fail("nobody asked for HTML"))
    assert set(whole._repr_mimebundle_(include=["text/latex"])) == {"text/latex"}


def test_marimo_shows_the_page() -> None:
    if importlib.util.find_spec("marimo") is None:
        pytest.skip("marimo is not installed")
    from marimo._output.formatting import try_format

    for shown in (working("part four"), diagnosis()):
        formatted = try_format(shown)
        assert formatted.exception is None and formatted.mimetype == "text/html"
        assert 'class="ob-notebook"' in formatted.data


@pytest.mark.parametrize("name", GALLERY)
def test_a_repr_is_a_line_and_checks_nothing(name: str) -> None:
    def refuse() -> float:
        raise AssertionError("a repr must not derive anything")

    whole = working(name)
    steps = tuple(replace(s, witnesses=(Witness("never", refuse),)) for s in whole.steps)
    fresh = replace(whole, steps=steps)
    assert "\n" not in repr(fresh) and len(repr(fresh)) < 400
    assert "verification" not in vars(fresh)


def test_a_repr_does_not_grow_with_the_steps() -> None:
    assert len(repr(chain_of(1000))) < len(repr(chain_of(10))) + 10
