"""Tables in: read, understood column by column, split, and turned into matrices."""

from openbook.data.bundled import bundled
from openbook.data.columns import Kind, understand
from openbook.data.encode import DesignMatrix, TreeMatrix
from openbook.data.guess import Guess
from openbook.data.split import Split, split_rows
from openbook.data.table import Table, read_table
from openbook.data.target import Target, find_target

__all__ = [
    "DesignMatrix",
    "Guess",
    "Kind",
    "Split",
    "Table",
    "Target",
    "TreeMatrix",
    "bundled",
    "find_target",
    "read_table",
    "split_rows",
    "understand",
]
