"""A diagnosis: the findings in the order of causes, and what was looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from openbook.diagnose.finding import Finding
from openbook.record import Explains
from openbook.record.renders import Renders

__all__ = ["Diagnosis"]


@dataclass(frozen=True, eq=False)
class Diagnosis(Renders, Explains):
    """What is wrong with a model's training; empty where nothing is.

    `findings` stand in the order of causes: each was proved on the model as repaired by those before. `let_go` holds
    suspicions that no fix bore out, by code; `muted` the codes that were not wanted, `too_late` those the time did not
    suffice for. `rows` are those looked at, and those there are.
    """

    model: str
    findings: tuple[Finding, ...]
    looked_at: tuple[str, ...]
    let_go: Mapping[str, str] = field(default_factory=dict)
    muted: tuple[str, ...] = ()
    too_late: tuple[str, ...] = ()
    rows: tuple[int, int] = (0, 0)

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes found, in order."""
        return tuple(f.code for f in self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __getitem__(self, code: str | int) -> Finding:
        """A finding by its code or place."""
        if isinstance(code, int):
            return self.findings[code]
        for finding in self.findings:
            if finding.code == code:
                return finding
        raise KeyError(f"{code} was not found; there are {', '.join(self.codes) or 'no findings'}")

    def text(self, width: int = 100, color: bool = False) -> str:
        """For a terminal, folded to `width`."""
        from openbook.diagnose.draw import text

        return text(self, width, color)

    def markdown(self) -> str:
        """Markdown, a section for each finding."""
        from openbook.diagnose.draw import markdown

        return markdown(self)

    def html(self, standalone: bool = True) -> str:
        """One self-contained page, every finding folding open to its working; or the bare fragment."""
        from openbook.diagnose.draw import html

        return html(self, standalone)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        return {
            "model": self.model, "healthy": self.healthy, "findings": [f.to_dict() for f in self.findings],
            "looked_at": list(self.looked_at), "let_go": dict(self.let_go), "muted": list(self.muted),
            "too_late": list(self.too_late), "rows": list(self.rows),
        }  # fmt: skip

    def __repr__(self) -> str:
        return f"<Diagnosis of {self.model}: {', '.join(self.codes) or 'healthy'}>"
