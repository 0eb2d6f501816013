"""A matplotlib Display as inline SVG, without a window, the same every time."""

from __future__ import annotations

import io
import re
import zlib
from html import escape
from typing import Any

__all__ = ["figure_svg"]

_SETTINGS: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "openbook", "font.size": 10, "font.family": ["sans-serif"],
    "axes.edgecolor": "#8a8f98", "axes.linewidth": 0.8,
}  # fmt: skip


def figure_svg(display: Any) -> str:
    """Draw a Display and return its `<svg>` element; black becomes the page's own text colour."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    with matplotlib.rc_context(_SETTINGS):
        figure = display.plot().figure_
        FigureCanvasSVG(figure)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = out.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.S)
    drawn = re.sub(r'\s(width|height)="[\d.]+pt"', "", drawn, count=2)
    drawn = re.sub(r"#000000|\bblack\b", "currentColor", drawn)
    drawn = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font: \1px system-ui, sans-serif", drawn)
    drawn = re.sub(r"<text(?=[ >])", '<text fill="currentColor"', drawn)
    drawn = _unique(drawn)
    alt = str(getattr(display, "alt", ""))
    return drawn.replace("<svg", f'<svg class="ob-figure" role="img" aria-label="{escape(alt, quote=True)}"', 1)


def _unique(svg: str) -> str:
    """Ids that two figures on one page share would make them borrow each other's parts."""
    ids = set(re.findall(r'id="([^"]+)"', svg))
    prefix = f"f{zlib.crc32(svg.encode()):08x}-"
    for old in sorted(ids, key=len, reverse=True):
        svg = re.sub(rf'(id="|url\(#|href="#){re.escape(old)}(["\)])', rf"\g<1>{prefix}{old}\g<2>", svg)
    return svg
