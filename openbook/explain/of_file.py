"""`openbook explain --model FILE --row N TABLE`: a model in a file, asked about one row of a table."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openbook.errors import ExplainError, InputError, OpenbookError
from openbook.explain.dispatch import explain
from openbook.explain.files.models import open_model
from openbook.explain.files.rows import Row, row_of
from openbook.record import Working

__all__ = ["Asked", "explain_file"]


@dataclass(frozen=True)
class Asked:
    """What the command line says: the files, the row (from 0), the class, the column that is the target."""

    model: Path
    table: str
    row: int | None
    of: str | None = None
    target: str | None = None
    trust: bool = False


def explain_file(asked: Asked) -> Working:
    """The working of the row; columns that the model does not take are named on standard error."""
    if asked.row is None:
        raise InputError("a model is explained one row at a time", where="--model", do="say which row: --row 0")
    model = open_model(asked.model, asked.trust)
    row = row_of(asked.table, asked.row, _names(model), _count(model), asked.target)
    try:
        working = _explained(model, row, asked.of)
    except OpenbookError:
        raise
    except (ValueError, RuntimeError) as problem:  # the model's own library has looked at the row
        raise InputError(f"the model cannot take the row: {' '.join(str(problem).split())[:300]}", where=f"row {asked.row}",
                         do="give the columns, and in the form, that it was fitted with") from problem  # fmt: skip
    if row.unused:
        print(f"note: the model does not take {', '.join(row.unused)}", file=sys.stderr)
    return working


def _home(model: Any) -> str:
    return next((home for home in ("onnx", "torch", "openbook.nn")
                 if any(base.__module__.startswith(home) for base in type(model).__mro__)), "")  # fmt: skip


def _names(model: Any) -> list[str] | None:
    """What the model calls its columns, if it knows."""
    if _home(model) == "onnx":
        from openbook.explain.of_onnx import input_names

        return input_names(model)
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def _count(model: Any) -> int | None:
    if _home(model) == "onnx":
        from openbook.explain.of_onnx import input_size

        return input_size(model)
    return getattr(model, "n_features_in_", None)


def _explained(model: Any, row: Row, of: str | None) -> Working:
    home = _home(model)
    if home in ("torch", "openbook.nn"):
        return _of_net(home, model, row, of)
    options = {"of": of} if of is not None else {}
    if of is not None and home != "onnx" and not hasattr(model, "classes_"):
        raise ExplainError(
            f"{type(model).__name__} gives a number, and has no classes", where="--of", do="leave --of out"
        )
    if home == "onnx" or not hasattr(model, "feature_names_in_"):
        return explain(model, row=row.numbers, names=row.names, **options)
    return explain(model, row=_as_fitted(model, row), **options)


def _as_fitted(model: Any, row: Row) -> Any:
    """A row with the names of its columns, which scikit-learn's pipelines ask for, and our forests for their categories."""
    if type(model).__module__.startswith("openbook."):
        named = dict(zip(row.names, row.entries, strict=True))
        return named if getattr(model, "levels", dict)() else row.numbers
    import pandas as pd

    return pd.DataFrame([row.entries], columns=list(row.names))


def _of_net(home: str, model: Any, row: Row, of: str | None) -> Working:
    """How one output of a net comes about from the row; of ours, what each entry of the row does to it."""
    x = row.numbers[None].astype(np.float32)
    if home == "torch":
        import torch

        model.eval()
        with torch.no_grad():
            outputs = model(torch.tensor(x))[0]
        return explain(model, x, at=(0, _place(of, len(outputs))) if outputs.ndim else 0)
    import openbook

    given = openbook.tensor(x, requires_grad=True)
    outputs = model.eval()(given)[0]
    return explain(
        outputs[_place(of, len(outputs))] if outputs.ndim else outputs, wrt=given, names={"x": given}, model=model
    )


def _place(of: str | None, count: int) -> int:
    if of is None and count == 1:
        return 0
    if of is None or not of.isdigit() or int(of) >= count:
        raise ExplainError(f"the net has {count} outputs, known by their places", where="--of",
                           do=f"say which, 0 to {count - 1}")  # fmt: skip
    return int(of)
