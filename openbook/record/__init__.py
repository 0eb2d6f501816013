"""What every result hands out: steps with formula, numbers, value and reason, and the working they make up.

`with openbook.record(): …` keeps the graphs of everything computed inside, so that they can be explained after
`backward()`.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from openbook.later import later
from openbook.record.hook import Explains
from openbook.record.keeping import keeping, record

if TYPE_CHECKING:
    from openbook.record.graph import Edge, Graph, Node
    from openbook.record.parting import Pair, Parting, diff
    from openbook.record.step import Step, Witness, given
    from openbook.record.table import Table
    from openbook.record.verify import Check, Verification
    from openbook.record.working import Working

__all__ = [
    "Check",
    "Edge",
    "Explains",
    "Graph",
    "Node",
    "Pair",
    "Parting",
    "Step",
    "Table",
    "Verification",
    "Witness",
    "Working",
    "diff",
    "given",
    "keeping",
    "record",
]


__getattr__ = later(
    __name__,
    {
        "graph": ("Edge", "Graph", "Node"),
        "parting": ("Pair", "Parting", "diff"),
        "step": ("Step", "Witness", "given"),
        "table": ("Table",),
        "verify": ("Check", "Verification"),
        "working": ("Working",),
    },
)


class _Record(ModuleType):
    """`openbook.record` is this package and, called, the context that keeps graphs."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return record(*arguments, **options)


sys.modules[__name__].__class__ = _Record
