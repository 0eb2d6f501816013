"""The colours and letters of tree pictures: those of the page, by day, by night and on paper, in the picture itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from openbook.explain.displays.canvas import CLASSES, QUIET
from openbook.record.draw.colours import DARK, LIGHT, PRINTED

__all__ = ["BOLD", "NAME", "class_colours", "fitted", "lettered", "said", "style", "width_of", "wrapped"]

BOLD = 1.12  # how much wider bold letters are
NAME = 12.5 * BOLD  # the size of names, as wide as their bold letters
_GREYS = ("#94a4a2", "#717581")  # of the colours of classes

# `@ink` stands for the page's colour of that name; programs that know no CSS variables get that of the day.
_RULES = """
.ob-tree{font:12px/1.3 system-ui,-apple-system,"Segoe UI","Noto Sans","DejaVu Sans",sans-serif;background:@paper;max-width:none;height:auto}
.ob-tree text{fill:@ink}.ob-tree .quiet{fill:@quiet;font-size:11px}.ob-tree .name{font-weight:600;font-size:12.5px}
.ob-tree .title{font-weight:650;font-size:15px}.ob-tree .end{font-size:10.5px;fill:@quiet}
.ob-tree .at{font-size:11px;font-weight:600}.ob-tree .card{fill:@paper;stroke:@line;stroke-width:1.2}
.ob-tree .folded .card{stroke-dasharray:5 3;stroke:@quiet}.ob-tree .lit .card{fill:@soft;stroke:@ink;stroke-width:2.2}
.ob-tree .edge{fill:none;stroke:@line}.ob-tree .edge.lit{stroke:@ink}
.ob-tree .side{font-size:11px}.ob-tree .plate{fill:@paper}
.ob-tree .side.lit{font-weight:650}.ob-tree .axis{stroke:@quiet;stroke-width:1;fill:none}.ob-tree .ink{fill:@ink}
.ob-tree .cut{stroke:@ink;stroke-width:1;stroke-dasharray:3 2;fill:none}.ob-tree .mean{stroke:@ink;stroke-width:2.2;fill:none}
.ob-tree .row{stroke:@contrast;stroke-width:1.6;fill:none}.ob-tree .rowmark{fill:@contrast}
.ob-tree .dots{fill:none;stroke:@accent;stroke-width:3;stroke-linecap:round;stroke-opacity:.45}
.ob-tree .cells{fill:@accent}.ob-tree .plain{fill:@accent}.ob-tree .overview .lit{fill:none;stroke:@ink;stroke-width:1.2}
.ob-tree .goes.left{fill:@accent}.ob-tree .goes.right{fill:@quiet}
.ob-tree .track{fill:@soft;stroke:@line;stroke-width:.8}
"""


def style() -> str:
    """The `<style>` of a picture, which holds on a page, in a notebook, and for the picture alone."""
    colours = dict(re.findall(r"--ob-(\w+):([^;]+)", LIGHT))
    rules = re.sub(
        r"([\w-]+):@(\w+)", lambda m: f"{m[1]}:{colours[m[2]]};{m[1]}:var(--ob-{m[2]},{colours[m[2]]})", _RULES
    )
    return (
        f"<style>.ob-tree{{{LIGHT}}}@media (prefers-color-scheme:dark){{.ob-tree{{{DARK}}}}}"
        f"{rules}@media print{{.ob-tree{{{PRINTED};max-width:100%}}}}</style>"
    )


def class_colours(weights: Sequence[float]) -> list[str]:
    """A colour for each class. More than ten have eight colours and their paler tints, the heaviest classes first; those
    left over are grey."""
    if len(weights) <= len(CLASSES):
        return list(CLASSES[: len(weights)])
    strong = [colour for colour in CLASSES if colour not in _GREYS]
    colours = strong + [_paler(colour) for colour in strong]
    heaviest = sorted(range(len(weights)), key=lambda k: (-weights[k], k))[: len(colours)]
    colour = dict(zip(sorted(heaviest), colours, strict=False))
    return [colour.get(k, QUIET) for k in range(len(weights))]


def _paler(colour: str) -> str:
    """Halfway to white."""
    return "#" + "".join(f"{(int(colour[i : i + 2], 16) + 255) // 2:02x}" for i in (1, 3, 5))


def said(text: str) -> str:
    """Text as XML has it; characters that XML cannot hold are shown as �."""
    return escape(re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", text), quote=True)


def width_of(text: str, size: float = 12.0) -> float:
    """About how wide a text is in a system font, in pixels; rather too wide than too narrow."""
    return size * sum(map(_em, text))


def _em(character: str) -> float:
    if ord(character) > 0x2E7F:
        return 1.05  # the ideographs and pictures, all of one width
    if character in "iljt.,:;|!'()[]fI ":
        return 0.36
    return 0.9 if character in "mwMW@%—" else 0.72 if character.isupper() else 0.64


def fitted(text: str, width: float, size: float = 12.0) -> str:
    """A text that fits; too long a one loses its middle, so that both its ends can tell it from others."""
    if width_of(text, size) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        end = kept * 2 // 5
        told = f"{text[: kept - end]}…{text[len(text) - end :]}"
        if width_of(told, size) <= width:
            return told
    return "…"


def wrapped(text: str, width: float, size: float = 12.0) -> list[str]:
    """A text in lines of at most this width, parted at spaces and after signs; a longer piece loses its middle."""
    lines: list[str] = []
    for piece in re.findall(r"[^\s_=/.,;-]*[_=/.,;-]?\s*", text):
        if lines and width_of((lines[-1] + piece).rstrip(), size) <= width:
            lines[-1] += piece
        elif piece:
            lines.append(fitted(piece, width, size))
    return [line.rstrip() for line in lines]


def lettered(text: str, x: float, y: float, kind: str, anchor: str = "start") -> str:
    """A `<text>`."""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{place}>{said(text)}</text>'
