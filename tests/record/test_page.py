"""The page of a working: what lights up together, what a screen reader meets, and what a browser says of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from openbook.record import Step, Working, given
from openbook.record.draw.html import draw_figures, draw_working
from tests.browser import browse
from tests.gallery import GALLERY, chain_of, working
from tests.record.test_draw import assert_sound_page

# The number of dL/dw, whose value also stands in the graph, then what happens under the mouse, a finger and the keys.
HOVER = """
const own=[...document.querySelectorAll('[data-of]')].find(c=>c.querySelector('math').getAttribute('alttext')==='dL/dz');
const k=own.dataset.of, tip=()=>document.querySelector('.ob-tip');
const lit=()=>[...document.querySelectorAll('.ob-lit:not(.ob-tip *)')].map(e=>e.dataset.s);
const shown=()=>tip()&&!tip().hidden?[...tip().querySelectorAll('math')].map(m=>m.getAttribute('alttext')).join(' '):'';
const over=(e,type)=>e.dispatchEvent(new PointerEvent('pointerover',{bubbles:true,pointerType:type}));
const told={};
const inGraph=document.querySelector(`svg [data-s="${k}"]`);
over(inGraph,'mouse');
told.lit=lit();told.tip=shown();told.inside=['svg','.ob-calc','.ob-more'].map(p=>document.querySelectorAll(p+' .ob-lit').length);
told.number=k;
over(document.querySelector('h1'),'mouse');told.after=lit().length;told.hidden=shown();
over(inGraph,'mouse');document.dispatchEvent(new KeyboardEvent('keydown',{key:'Escape',bubbles:true}));told.escaped=lit().length;
const tapped=document.querySelector(`.ob-step summary [data-s="${k}"]`);
told.kept=!tapped.dispatchEvent(new PointerEvent('click',{bubbles:true,cancelable:true,pointerType:'touch'}));
told.tapped=lit().length;
const step=[...document.querySelectorAll('.ob-step summary')].find(s=>s.querySelectorAll('[data-s]').length>4);
const names=[];
for(let i=0;i<3;i++){step.dispatchEvent(new KeyboardEvent('keydown',{key:'ArrowRight',bubbles:true}));names.push(lit()[0])}
told.walked=names;
told.math=getComputedStyle(document.querySelector('.ob-calc math')).getPropertyValue('math-style');
return told
"""

WIDE = """
document.querySelectorAll('details').forEach(d=>d.open=true);
return {width:innerWidth,scroll:document.documentElement.scrollWidth,
resources:performance.getEntriesByType('resource').length}
"""


@pytest.mark.browser
def test_a_symbol_is_tied_to_its_number_everywhere(tmp_path: Path) -> None:
    seen, console = browse(working("part four").html(), HOVER, tmp_path)
    assert set(seen["lit"]) == {seen["number"]} and all(seen["inside"])
    assert "dL/dz" in seen["tip"] and "−0.1001" in seen["tip"]
    assert seen["after"] == 0 and seen["hidden"] == "" and seen["escaped"] == 0
    assert seen["kept"] and seen["tapped"] == len(seen["lit"])
    assert len(seen["walked"]) == 3 and None not in seen["walked"]
    assert seen["math"] == "normal"
    assert "CONSOLE" not in console


@pytest.mark.browser
@pytest.mark.parametrize("name", ["entry of a net", "draws", "forest", "derivation of vectors", "odd names"])
@pytest.mark.parametrize("width", [500, 1400])
def test_no_page_is_wider_than_its_window(tmp_path: Path, name: str, width: int) -> None:
    seen, console = browse(working(name).html(), WIDE, tmp_path, width)
    assert seen["scroll"] <= seen["width"]
    assert seen["resources"] == 0 and "CONSOLE" not in console


@pytest.mark.parametrize("name", GALLERY)
def test_every_page_is_sound(name: str) -> None:
    assert_sound_page(working(name).html())


def test_a_name_means_the_step_at_hand() -> None:
    """Two steps of one name are two steps: each lights only what is its own."""
    first, second = given("tp", 3.5, part="T = 0.2"), given("tp", 4.25, part="T = 0.4")
    steps = (
        first,
        Step("a", 7.0, "2*tp", (first,), part="T = 0.2"),
        second,
        Step("b", 8.5, "2*tp", (second,), part="T = 0.4"),
    )
    page = Working("t", steps, 8.5).html()
    for step, number in zip(steps[::2], (0, 2), strict=True):
        line = page[page.index(f"data-of={steps.index(step) + 1}>") :].partition("</span>")[0]
        assert set(re.findall(r"data-s=(\d+)", line)) == {str(number), str(number + 1)}


def test_figures_shown_elsewhere_stay_tied() -> None:
    whole = working("part four")
    marks = {
        re.search(r'data-w="(\w+)"', drawn)[1] for drawn in (draw_figures(whole), draw_working(whole, figures=False))
    }  # type: ignore[index]
    assert len(marks) == 1
    assert f'data-w="{marks.pop()}"' not in draw_working(working("cross entropy"))


def test_cells_are_tied_to_the_only_step_of_their_value() -> None:
    page = working("temperature").html()
    probability = page.index("p_a")
    assert probability
    cells = re.findall(r'<td class="n" data-s=(\d+)>0\.4287</td>', page)
    steps = [i for i, s in enumerate(working("temperature").steps) if s.name == "p_a"]
    assert cells and set(cells) == {str(steps[0])}


class Outline(HTMLParser):
    """Headings, and what of tables, formulas and pictures has a name."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.found: dict[str, list[dict[str, str | None]]] = {}
        self.captions = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.captions += tag == "caption"
        self.found.setdefault(tag, []).append(dict(attrs))


@pytest.mark.parametrize("name", GALLERY)
def test_what_a_screen_reader_meets(name: str) -> None:
    """One h1, no level left out; every table has its caption and heads, every picture and formula its words."""
    page, outline = working(name).html(), Outline()
    outline.feed(page)
    assert outline.headings[0] == 1 and outline.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
    assert outline.captions == len(outline.found.get("table", []))
    assert all(th.get("scope") in ("col", "row") for th in outline.found.get("th", []))
    for picture in outline.found.get("svg", []):
        assert picture.get("role") in ("img", "group")
        assert picture.get("aria-label") or page.count("<desc>")
    calculated = re.findall(r'<span class="ob-calc"[^>]*>(.*?)</span>', page, re.S)
    for calculation in calculated:
        assert all(
            "alttext" in tag or "mphantom" in tag for tag in re.findall(r"<math[^>]*>(?:<mphantom)?", calculation)
        )
    ids = [a["id"] for attributes in outline.found.values() for a in attributes if "id" in a]
    assert len(ids) == len(set(ids))


def test_a_thousand_steps_are_a_megabyte_at_most() -> None:
    assert len(chain_of(1000).html().encode()) < 1_000_000


def test_the_notebook_brings_its_style_and_leaves_the_notebook_alone() -> None:
    bundle = working("part four")._repr_mimebundle_()
    drawn = bundle["text/html"]
    style = re.match(r'<div class="ob-notebook"><style>(.*?)</style>', drawn, re.S)[1]  # type: ignore[index]
    selectors = re.findall(r"(?:^|[}{])\s*([^{}@]+)\{", re.sub(r"@media[^{]*\{", "", style))
    assert selectors
    for selector in (part.strip() for chosen in selectors for part in chosen.split(",")):
        assert selector.startswith((".ob-", "[data-w]")), selector
    assert "prefers-color-scheme" not in style
