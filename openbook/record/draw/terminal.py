"""What standard output is, how wide and whether it shows colours; and a console that only captures."""

from __future__ import annotations

from typing import Any, cast

__all__ = ["WIDTH", "console_of", "terminal", "wrapped"]

WIDTH = 100  # of what goes into a file or a pipe


def terminal() -> tuple[int, bool]:
    """Width and colours of standard output; plain and `WIDTH` wide where it is no terminal.

    A dumb terminal (`TERM=dumb`) and one whose user wants no colours (`NO_COLOR`, https://no-color.org) get none.
    """
    from rich.console import Console

    console = Console(force_jupyter=False)
    if not console.is_terminal:
        return WIDTH, False
    return console.width, console.color_system is not None and not console.no_color and not console.legacy_windows


def console_of(width: int, color: bool) -> Any:
    """A rich console that only captures: no markup, no guessing, the same everywhere."""
    from rich.console import Console

    return Console(
        width=width, force_terminal=color, color_system="standard" if color else None, no_color=not color,
        highlight=False, emoji=False, markup=False, legacy_windows=False, force_jupyter=False,
        file=cast(Any, _Sink()),
    )  # fmt: skip


class _Sink:
    """Where a capturing console would write; nothing arrives."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        """There is nothing to flush."""


def wrapped(words: str, width: int, style: str = "") -> list[Any]:
    """A sentence in lines of whole words; a word longer than a line is cut."""
    from rich.text import Text

    lines = Text(words).wrap(console_of(width, color=False), width)
    return [Text(line.plain.rstrip(), style=style) for line in lines]
