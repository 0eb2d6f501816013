"""From a path to rows ready to learn from, every guess written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from openbook.data import (
    DesignMatrix,
    Guess,
    Kind,
    Split,
    Table,
    Target,
    TreeMatrix,
    bundled,
    find_target,
    read_table,
    split_rows,
    understand,
)
from openbook.data.bundled import BUNDLED
from openbook.data.columns import is_missing
from openbook.errors import ColumnError
from openbook.study.options import Options

__all__ = ["Rows", "Task", "prepare"]


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows in every form the models take: standardised, for trees, as targets; and where they stood."""

    design: np.ndarray
    tree: np.ndarray
    y: np.ndarray
    places: np.ndarray


@dataclass(frozen=True, eq=False)
class Task:
    """The table, what is learnt from it, and the rows to fit, to steer by, and to judge on."""

    table: Table
    test_table: Table
    target: Target
    kinds: Mapping[str, Kind]
    design: DesignMatrix
    tree: TreeMatrix
    train: Rows
    validation: Rows
    test: Rows
    guesses: tuple[Guess, ...]
    separate_test: bool

    @property
    def kind(self) -> str:
        """ "two" or "many" classes, or "regression"."""
        if self.target.task == "regression":
            return "regression"
        return "two" if self.target.classes == 2 else "many"


def prepare(options: Options) -> Task:
    """Read, understand, split and encode; raises the errors of `openbook.data` for what cannot be used."""
    table, guesses = _read(options.table, options)
    target, about_target = find_target(table, options.target, options.task, options.positive)
    kinds, about_columns = understand(_without_kept(table, options), target.name)
    kinds |= dict.fromkeys(options.keep, Kind.CATEGORY)
    guesses = [*guesses, *about_target, *about_columns]
    held_out = None
    if options.test is not None:
        held_out, _ = _read(options.test, options)
        held_out = _aligned(held_out, table, kinds, target)
    split = split_rows(target.y, target.classes, options.seed, test=0.0 if held_out is not None else 0.25)
    design = DesignMatrix.learn(table, kinds, split.train)
    tree = TreeMatrix.learn(table, kinds, split.train, target.y, target.classes)
    whole = Rows(design.matrix(table), tree.matrix(table), target.y, np.arange(len(table)))
    train, validation, test = (_some(whole, rows) for rows in (split.train, split.validation, split.test))
    if held_out is not None:
        test = Rows(design.matrix(held_out), tree.matrix(held_out), target.encode(held_out), np.arange(len(held_out)))
        guesses += tree.unseen(held_out)
    guesses.append(_said_of(split, held_out, target.task, options.seed))
    return Task(table, held_out if held_out is not None else table, target, kinds, design, tree, train, validation, test,
                tuple(guesses), held_out is not None)  # fmt: skip


def _read(source: str | None, options: Options) -> tuple[Table, list[Guess]]:
    guesses = []
    if source is None:
        table = bundled()
        guesses.append(Guess(f"no table was given: this is {table.source}, {len(table)} rows of real data", "TABLE"))
    elif source in BUNDLED and not Path(source).exists():
        table = bundled(source)
    else:
        table = read_table(source)
    table = table.without(tuple(n for n in options.drop if n in table.columns or source == options.table))
    return _with_categories(table, options.categories), guesses


def _with_categories(table: Table, names: tuple[str, ...]) -> Table:
    """Columns of codes as text."""
    columns = dict(table.columns)
    for name in names:
        columns[name] = as_text(table.column(name))
    return Table(table.source, columns)


def as_text(column: np.ndarray) -> np.ndarray:
    """Numbers as people write them, missing ones as None."""
    if column.dtype.kind != "f":
        return column
    return np.array(
        [None if np.isnan(v) else str(int(v)) if v == int(v) else repr(float(v)) for v in column], dtype=object
    )


def _without_kept(table: Table, options: Options) -> Table:
    """Columns that are kept whatever they look like need not be understood."""
    for name in options.keep:
        table.column(name)
    return table.without(options.keep) if options.keep else table


def _some(rows: Rows, chosen: np.ndarray) -> Rows:
    return Rows(rows.design[chosen], rows.tree[chosen], rows.y[chosen], chosen)


def _aligned(test: Table, train: Table, kinds: Mapping[str, Kind], target: Target) -> Table:
    """The test table with the training table's columns, in its kinds; a ColumnError where that cannot be."""
    missing = [name for name in (*kinds, target.name) if name not in test.columns]
    if missing:
        raise ColumnError(f"the test table lacks {', '.join(missing)}", where=test.source,
                          do="give it the same columns as the training table")  # fmt: skip
    columns = {}
    for name, kind in kinds.items():
        column = test.columns[name]
        if kind is Kind.CATEGORY:
            column = as_text(column)
        elif column.dtype.kind != "f" and is_missing(column).all():
            column = np.full(len(column), np.nan)
        elif column.dtype.kind != "f":
            raise ColumnError(f"column {name!r} holds numbers in training, but text in the test table", where=test.source,
                              do="make both the same kind")  # fmt: skip
        columns[name] = column
    own = test.columns[target.name]
    columns[target.name] = as_text(own) if train.columns[target.name].dtype.kind != "f" else own
    return Table(test.source, columns)


def _said_of(split: Split, held_out: Table | None, task: str, seed: int) -> Guess:
    steering = "to stop the training by" if task == "regression" else "to stop, calibrate and choose the threshold"
    if held_out is not None:
        return Guess(f"{len(split.train)} rows to fit, {len(split.validation)} {steering}, "
                     f"{len(held_out)} rows of {held_out.source} to judge", f"--seed {seed}")  # fmt: skip
    return Guess(f"{len(split.train)} rows to fit, {len(split.validation)} {steering}, "
                 f"{len(split.test)} to judge", f"--test TABLE, --seed {seed}")  # fmt: skip
