"""The colours of the house, by day, by night and on paper: what `var(--ob-NAME)` is in a style."""

from __future__ import annotations

__all__ = ["DARK", "LIGHT", "PRINTED"]

LIGHT = (
    "--ob-paper:#fffefb;--ob-ink:#1d2129;--ob-quiet:#5d6571;--ob-line:#d9dce1;--ob-soft:#f4f3ee;--ob-accent:#1f5b9e;"
    "--ob-contrast:#b4400c;--ob-good:#1a7346;--ob-bad:#b42318;--ob-mark:#fff1c2"
)
DARK = (
    "--ob-paper:#16181d;--ob-ink:#e6e6e3;--ob-quiet:#9aa2ae;--ob-line:#373c45;--ob-soft:#1f2229;--ob-accent:#7db4f0;"
    "--ob-contrast:#f4935e;--ob-good:#6cc495;--ob-bad:#ff8a7d;--ob-mark:#5a4a12"
)
PRINTED = "--ob-paper:#fff;--ob-ink:#000;--ob-quiet:#444;--ob-line:#bbb;--ob-soft:#fff;--ob-mark:#eee"
