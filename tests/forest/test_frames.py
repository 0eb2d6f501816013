"""Columns of a frame that are no numbers, texts or categories: the message names them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from openbook.errors import ColumnError
from openbook.forest import RandomForestClassifier

FRAMES: dict[str, Callable[[dict[str, Any]], Any]] = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "Arrow": pa.table}
ROWS = 20
NUMBERS, TARGET = np.arange(ROWS) * 1.0, np.arange(ROWS) % 2
DATES = np.array(["2026-11-26"] * ROWS, "datetime64[ns]")


def forest(**options: Any) -> RandomForestClassifier:
    return RandomForestClassifier(2, random_state=0, **options)


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("beside", [{}, {"width": NUMBERS}, {"town": ["a", "b"] * (ROWS // 2)}])
@pytest.mark.parametrize("values, holds", [(DATES, "datetime"), (DATES - DATES[0], "duration")])
def test_no_date_is_taken_for_a_number(kind: str, beside: dict[str, Any], values: np.ndarray, holds: str) -> None:
    frame = FRAMES[kind]({**beside, "since": values})
    with pytest.raises(ColumnError, match=f"the column 'since' holds {holds} values"):
        forest().fit(frame, TARGET)


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("rows", [1, ROWS])
def test_dates_where_numbers_were_learnt(kind: str, rows: int) -> None:
    model = forest().fit(FRAMES[kind]({"width": NUMBERS, "since": NUMBERS}), TARGET)
    with pytest.raises(ColumnError, match="the column 'since' holds datetime values"):
        model.predict(FRAMES[kind]({"width": NUMBERS[:rows], "since": DATES[:rows]}))


@pytest.mark.parametrize("strange", ["wide", b"x", [1], {}, date(2026, 11, 26), 1j], ids=str)
def test_a_value_that_is_no_number_is_named_with_its_place(strange: Any) -> None:
    width = pd.Series([*NUMBERS[:3], None, strange, *NUMBERS[5:]], dtype=object)
    with pytest.raises(ColumnError, match=r"the column 'width' holds .*, which is no number \(in row 4\)"):
        forest().fit(pd.DataFrame({"height": NUMBERS, "width": width}), TARGET)


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("rows", [1, ROWS])
@pytest.mark.parametrize("beside", [{}, {"town": ["a"] * ROWS}])
def test_texts_where_numbers_were_learnt(kind: str, rows: int, beside: dict[str, Any]) -> None:
    model = forest().fit(FRAMES[kind]({**beside, "width": NUMBERS}), TARGET)
    asked = {name: values[:rows] for name, values in {**beside, "width": ["wide"] * ROWS}.items()}
    with pytest.raises(ColumnError, match=r"the column 'width' holds 'wide', which is no number \(in row 0\)"):
        model.predict(FRAMES[kind](asked))


@pytest.mark.parametrize("make", [
    lambda names, columns: pd.DataFrame(np.column_stack(columns), columns=names),
    lambda names, columns: pa.table(columns, names=names),
])  # fmt: skip
def test_two_columns_of_one_name(make: Callable[..., Any]) -> None:
    frame = make(["width", "width"], [NUMBERS, NUMBERS])
    with pytest.raises(ColumnError, match="two columns are named 'width'"):
        forest().fit(frame, TARGET)


def test_what_scikit_learn_says_of_names_and_targets_stands() -> None:
    frame = pd.DataFrame({"width": NUMBERS, "height": NUMBERS})
    model = forest().fit(frame, TARGET)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["height", "width"]])
    with pytest.raises(ValueError, match="Input y contains NaN"):
        forest().fit(frame, np.where(TARGET == 1, np.nan, 0))
    with pytest.raises(ValueError, match="infinity"):
        model.predict(frame.assign(width=np.inf))
