"""A model as a file holds it: named arrays, and one note in JSON that says what they are and how to tell damage."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from openbook.errors import ModelError

__all__ = ["VERSION", "Stored"]

VERSION = 1  # of the format; a file of a higher one is refused, not guessed at


@dataclass(frozen=True, eq=False)
class Stored:
    """The kind of a model, what JSON can say about it, and its arrays."""

    kind: str
    facts: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def note(self) -> str:
        """The note beside the arrays; the digest in it covers everything else in the file."""
        facts = json.dumps(self.facts, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
        says = {"version": VERSION, "kind": self.kind, "facts": facts, "sha256": _digest(self.kind, facts, self.arrays)}
        return json.dumps(says, ensure_ascii=False)

    @classmethod
    def of(cls, note: str, arrays: dict[str, np.ndarray]) -> Stored:
        """What a note and arrays say, if the digest is theirs; raises ModelError for all else."""
        try:
            says = json.loads(note)
            version, kind, facts = says["version"], says["kind"], says["facts"]
            known = json.loads(facts, parse_constant=_no_number)
        except (ValueError, TypeError, KeyError, RecursionError) as problem:
            raise ModelError(f"the note about the model cannot be read ({type(problem).__name__})") from problem
        if version != VERSION:
            raise ModelError(
                f"the file is of version {version} of the format, and {VERSION} is what this openbook reads",
                do="read it with a newer openbook",
            )
        if says.get("sha256") != _digest(kind, facts, arrays):
            raise ModelError("the contents are not those that were written: the digest differs")
        if not isinstance(known, dict):
            raise ModelError("the note about the model names no facts")
        return cls(kind, known, arrays)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number in JSON")


def _digest(kind: Any, facts: str, arrays: dict[str, np.ndarray]) -> str:
    total = hashlib.sha256(f"{kind}\n{facts}".encode())
    for name in sorted(arrays):
        array = arrays[name]
        total.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()
