"""The same working as text, JSON, LaTeX, Markdown, HTML and SVG."""

from __future__ import annotations

import json
import math
import re
from html import unescape
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

import openbook as ob
from openbook.record import Working
from tests.gallery import working as odd

VOID = {"meta", "link", "br", "img", "input"}


@pytest.fixture(scope="module")
def working() -> Working:
    return ob.explain("0.5*(y - tanh(w*x + b))**2", x=2, y=1, w=0.5, b=0, wrt="w,b")


class Balanced(HTMLParser):
    """Every element that is opened is closed, in order; collects what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [v for k, v in attrs if k in ("src", "href") and v and not v.startswith(("#", "data:"))]

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        """Closed at once."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def assert_sound_page(page: str) -> None:
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert not parser.open
    assert not parser.fetched
    assert not re.search(r"url\((?!['\"]?(#|data:))|@import|https?://(?!www\.w3\.org)", page)


def test_text_holds_the_hand_calculation(working: Working) -> None:
    shown = working.text(width=100)
    for line in (
        "z = w·x + b = 0.5·2 + 0 = 1",
        "h = tanh(z) = tanh(1) ≈ 0.7616",
        "dL/dw = dL/dz·∂z/∂w = −0.1001·2 ≈ −0.2002",
    ):
        assert line in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_text_folds_to_a_narrow_terminal(working: Working) -> None:
    assert max(map(len, working.text(width=60).splitlines())) <= 60


def test_json_is_strict(working: Working) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    told = json.loads(json.dumps(working.to_dict(), allow_nan=False), parse_constant=refuse)
    by_name = {step["name"]: step for step in told["steps"]}
    assert by_name["dL/dw"]["value"] == pytest.approx(-2 * (1 - math.tanh(1)) * (1 - math.tanh(1) ** 2), rel=1e-14)
    assert told["verification"]["passed"] is True


def test_json_writes_infinities_as_text() -> None:
    told = ob.explain(ob.best_threshold([0, 1], [0.2, 0.8], "recall")).to_dict()
    json.dumps(told, allow_nan=False)


def test_page_stands_alone(working: Working) -> None:
    assert_sound_page(working.html())


def test_fragment_for_notebooks(working: Working) -> None:
    bundle = working._repr_mimebundle_()
    assert {"text/html", "text/latex", "text/plain"} <= set(bundle)
    assert "<html" not in bundle["text/html"]


def test_svg_is_xml_with_values_and_slopes(working: Working) -> None:
    root = ElementTree.fromstring(working.svg())
    drawn = " ".join(root.itertext())
    for shown in ("0.7616", "dL/dw = −0.2002", "×0.4200"):
        assert shown in drawn


def test_latex_and_markdown(working: Working) -> None:
    assert r"\frac{dL}{dw} &= \frac{dL}{dz} \cdot \frac{\partial z}{\partial w}" in working.latex()
    assert "$" in working.markdown()


def test_markup_in_names_is_harmless() -> None:
    from openbook.record import Step, given

    x = given("<script>alert(1)</script>", 1.0, "<b>bold</b>")
    page = Working("<i>title</i>", (x, Step("y", 1.0, None, (x,))), 1.0).html()
    assert "<script>alert" not in page and "<b>bold" not in page and "<i>title" not in page


def test_markdown_shows_odd_text_as_it_is() -> None:
    """As markdown-it reads it (rich brings it along): nothing turns into markup, and no table falls apart."""
    from markdown_it import MarkdownIt

    whole = odd("odd names")
    rendered = MarkdownIt("commonmark").enable("table").render(whole.markdown())
    shown = unescape(re.sub(r"<[^>]+>", "", rendered))
    assert shown.count(whole.title) == 8  # title, question, two reasons, the table, a cell, its note, the last note
    assert rendered.count("<td") == 8 and rendered.count("<th>") + rendered.count("<th ") == 4
