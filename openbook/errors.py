"""Every error openbook raises: what happened, where, and what to do about it.

Each class also inherits from the built-in exception that users of NumPy, PyTorch and scikit-learn already catch.
"""

from __future__ import annotations

__all__ = [
    "CheckError",
    "ColumnError",
    "DTypeError",
    "ExplainError",
    "FileError",
    "FormulaError",
    "GraphError",
    "InputError",
    "MetricError",
    "MissingPackageError",
    "ModelError",
    "OpenbookError",
    "ShapeError",
    "StoppedWarning",
    "TableError",
    "TargetError",
]


class OpenbookError(Exception):
    """Say what happened, where it happened, and what the reader can do.

    `what` is a sentence without its full stop, `where` names the place (a column, a row, a file, an argument),
    `do` is the way out, as an imperative.
    """

    def __init__(self, what: str, *, where: str = "", do: str = ""):
        self.what = what
        self.where = where
        self.do = do
        super().__init__(what, where, do)

    def __str__(self) -> str:
        place = f" (in {self.where})" if self.where else ""
        way_out = f"{self.do[:1].upper()}{self.do[1:].rstrip('.')}." if self.do else ""
        if "\n" in self.what:  # a picture of the place: the way out goes below it
            return f"{self.what}{place}\n{way_out}".rstrip()
        return f"{self.what.rstrip('.')}{place}. {way_out}".rstrip()

    def __reduce__(self):
        return _rebuild, (type(self), self.what, self.where, self.do)


def _rebuild(kind: type[OpenbookError], what: str, where: str, do: str) -> OpenbookError:
    return kind(what, where=where, do=do)


class InputError(OpenbookError, ValueError):
    """A value that cannot be worked with: NaN where none may be, an empty array, a number out of range."""


class ShapeError(InputError):
    """Arrays whose shapes do not fit each other or the operation."""


class DTypeError(OpenbookError, TypeError):
    """A value of the wrong kind: text where numbers are wanted, integers where gradients are asked for."""


class FormulaError(InputError):
    """A formula that cannot be read; the message points at the character."""


class MetricError(InputError):
    """A metric that names a rate nobody knows, or that has no value."""


class TableError(InputError):
    """A table that cannot be used as it is: no rows, a single column, ragged lines."""


class ColumnError(TableError):
    """One column of a table that is unknown, empty, or of a type nothing is made for."""


class TargetError(TableError):
    """A target nothing can be learnt from: constant, with missing values, or of one class."""


class ModelError(InputError):
    """A fitted model whose arrays contradict each other."""


class GraphError(OpenbookError, RuntimeError):
    """A gradient or an explanation that the recorded computation can no longer give."""


class ExplainError(OpenbookError, TypeError):
    """A thing that `explain` has no account of, or a question about it that it cannot answer."""


class CheckError(OpenbookError, AssertionError):
    """A step of a working whose second derivation gives another number."""


class FileError(OpenbookError, OSError):
    """A file that cannot be found, read or written."""


class MissingPackageError(OpenbookError, ImportError):
    """An optional package that the call needs and that is not installed."""


class StoppedWarning(UserWarning):
    """Something ended before it was done, because its limit of time or memory, or a callback, said so."""
