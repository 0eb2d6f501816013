"""How tensors are printed."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["entries_text", "set_printoptions"]

_DEFAULTS: dict[str, Any] = {"precision": 4, "threshold": 200, "edgeitems": 3, "linewidth": 80, "sci_mode": None}
_options = dict(_DEFAULTS)
_PROFILES = {
    "default": _DEFAULTS,
    "short": {**_DEFAULTS, "precision": 2, "edgeitems": 2},
    "full": {**_DEFAULTS, "threshold": 2**62},
}


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Say how tensors are printed: digits, from how many entries on some are left out, how many are shown then, line width.

    `profile` ("default", "short", "full") sets all at once; `sci_mode` wants (or forbids) powers of ten.
    """
    if profile is not None:
        _options.update(_PROFILES[profile])
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    _options.update({name: value for name, value in given.items() if value is not None}, sci_mode=sci_mode)


def entries_text(data: np.ndarray, prefix: str) -> str:
    """The entries as nested lists, cut short where there are many."""
    sci_mode, digits = _options["sci_mode"], _options["precision"]
    formatter: Any = {"float": lambda x: f"{x:.{digits}e}"} if sci_mode else None
    return np.array2string(
        data,
        precision=digits,
        threshold=_options["threshold"],
        edgeitems=_options["edgeitems"],
        max_line_width=_options["linewidth"],
        suppress_small=True if sci_mode is False else None,
        separator=", ",
        prefix=prefix,
        formatter=formatter,
    )
