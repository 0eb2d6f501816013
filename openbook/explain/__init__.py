"""How any number came about: one function, and one file for each kind of thing it explains.

`openbook.explain(thing, ...)` gives a `Working`. Our own results and other libraries' models are both understood.
"""

import sys
from types import ModuleType
from typing import Any

from openbook.explain.dispatch import explain, explains

__all__ = ["explain", "explains"]


class _Explain(ModuleType):
    """`openbook.explain` is this package and, called, the function."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return explain(*arguments, **options)


sys.modules[__name__].__class__ = _Explain
