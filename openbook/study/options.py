"""What may be asked of a study."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """The options of `openbook study`; None means "guess, and say so".

    `table` and `test` are paths (or one of scikit-learn's bundled data sets by name); `drop`, `keep` and `categories` are
    names of columns; `threads` does not change any number in the result.
    """

    table: str | None = None
    target: str | None = None
    task: str | None = None
    test: str | None = None
    positive: str | None = None
    metric: str = "f1"
    seed: int = 0
    quick: bool = False
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    threads: int | None = None
