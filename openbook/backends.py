"""What scripts ask of, and set for, other libraries that compute; none of them is used here."""

from __future__ import annotations

from types import SimpleNamespace

__all__ = ["cudnn", "mps"]

# Settings may be written to and change nothing: what they ask for (repeatable results) holds here anyway.
cudnn = SimpleNamespace(enabled=False, benchmark=False, deterministic=True, is_available=lambda: False)
mps = SimpleNamespace(is_available=lambda: False, is_built=lambda: False)
