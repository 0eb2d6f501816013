"""openbook: a machine-learning library that shows its working."""

from __future__ import annotations

__version__ = "0.1.0"
