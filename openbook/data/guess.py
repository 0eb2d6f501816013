"""What was guessed, said aloud with the option that overrides it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Guess"]


@dataclass(frozen=True)
class Guess:
    """A sentence, and the command-line option that says otherwise ("" where there is nothing to override)."""

    what: str
    option: str = ""

    def __str__(self) -> str:
        return f"{self.what} ({self.option})" if self.option else self.what
