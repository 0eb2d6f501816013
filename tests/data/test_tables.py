"""Tables are read as they are, and every guess is said aloud."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from openbook.data import DesignMatrix, Kind, TreeMatrix, find_target, read_table, split_rows, understand
from openbook.errors import ColumnError, FileError, OpenbookError, TableError, TargetError

FRAME = {"a": [1.0, None, 3.5, 4.0], "b": ["x", "y", None, "x"], "y": [0, 1, 0, 1]}


@pytest.fixture(params=["csv", "tsv", "parquet", "arrow", "pandas", "polars", "pyarrow"])
def table(request: pytest.FixtureRequest, tmp_path: Path):  # type: ignore[no-untyped-def]
    frame = pl.DataFrame(FRAME)
    match request.param:
        case "csv":
            frame.write_csv(tmp_path / "t.csv")
        case "tsv":
            frame.write_csv(tmp_path / "t.tsv", separator="\t")
        case "parquet":
            frame.write_parquet(tmp_path / "t.parquet")
        case "arrow":
            frame.write_ipc(tmp_path / "t.arrow")
        case "pandas":
            return read_table(pd.DataFrame(FRAME))
        case "polars":
            return read_table(frame)
        case "pyarrow":
            return read_table(frame.to_arrow())
    return read_table(tmp_path / f"t.{request.param}")


def test_every_form_gives_the_same_table(table) -> None:  # type: ignore[no-untyped-def]
    np.testing.assert_array_equal(table.column("a"), [1, np.nan, 3.5, 4])
    assert list(table.column("b")) == ["x", "y", None, "x"]
    assert len(table) == 4 and list(table.names) == ["a", "b", "y"]


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("word", ["", "?", "NA", "N/A", "nan", "NULL", " "])
def test_words_for_missing(word: str, tmp_path: Path) -> None:
    column = read_table(write(tmp_path / "t.csv", f"a,y\n1,0\n{word},1\n3,0\n")).column("a")
    assert np.isnan(column[1]) and column[2] == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"), ("a,a\n1,2\n", "'a'"), ("1,2\n3,4\n", "names"), (",b\n1,2\n", "no name"), ("a,b\n1,2,3\n", "columns"),
        (b"\x00\x01\x02", "no text"), ("a,b\nk\u00e9,1\n".encode("latin-1"), "UTF-8"),
    ],
)  # fmt: skip
def test_files_that_are_no_tables(text: str | bytes, told: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=told):
        read_table(write(tmp_path / "t.csv", text))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no file"):
        read_table(tmp_path / "t.csv")
    with pytest.raises(FileError, match="folder"):
        read_table(tmp_path)
    with pytest.raises(TableError):
        read_table(write(tmp_path / "t.parquet", b"PAR1"))


def test_blank_lines_at_the_end_are_no_rows(tmp_path: Path) -> None:
    assert len(read_table(write(tmp_path / "t.csv", "a,y\r\n1,0\r\n2,1\r\n\r\n\r\n"))) == 2


def test_windows_marks_are_no_part_of_a_name(tmp_path: Path) -> None:
    assert list(read_table(write(tmp_path / "t.csv", "\ufeffa,y\r\n1,0\r\n2,1\r\n")).names) == ["a", "y"]


def some(**columns: list) -> object:
    return read_table(pl.DataFrame(columns))


def test_kinds_and_identifiers() -> None:
    n = 120
    table = some(i=[f"u{k}" for k in range(n)], c=["r", "g", "b"] * 40, x=list(range(n)), y=[0, 1] * 60)
    kinds, guesses = understand(table, "y")
    assert kinds == {"c": Kind.CATEGORY, "x": Kind.NUMBER}
    assert any("--keep i" in g.option for g in guesses)


def test_dates_are_refused() -> None:
    with pytest.raises(ColumnError, match="dates"):
        understand(some(d=["2024-01-31", "2024-02-01"], y=[0, 1]), "y")


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (["no", "yes", "no"] * 9, "classes", ("no", "yes")),
        ([1, 2, 1] * 9, "classes", ("1", "2")),
        ([3, 4, 5, 6] * 9, "classes", ("3", "4", "5", "6")),
        ([k / 7 for k in range(27)], "regression", ()),
        (list(range(27)), "regression", ()),
    ],
)
def test_tasks(values: list, task: str, classes: tuple[str, ...]) -> None:
    target, guesses = find_target(some(x=list(range(len(values))), y=values))
    assert (target.task, target.labels) == (task, classes)
    assert any(g.option == "--task" for g in guesses) and any(g.option == "--target" for g in guesses)


def test_the_rarer_class_is_positive() -> None:
    target, _ = find_target(some(x=[1, 2, 3, 4], y=["a", "b", "b", "b"]))
    assert target.labels[-1] == "a"
    target, _ = find_target(some(x=[1, 2, 3, 4], y=["a", "b", "b", "b"]), positive="b")
    assert target.labels[-1] == "b"


@pytest.mark.parametrize("y", [[1, 1, 1], ["a", None, "b"], [None, None, None]])
def test_targets_nothing_can_be_learnt_from(y: list) -> None:
    with pytest.raises(OpenbookError):
        find_target(some(x=[1, 2, 3], y=y))


def test_missing_targets_name_their_lines() -> None:
    with pytest.raises(TargetError, match="line 3"):
        find_target(some(x=[1, 2, 3], y=["a", None, "b"]))


def test_splits_keep_the_classes_shares_and_share_no_row() -> None:
    y = np.repeat([0, 1], [900, 100])
    split = split_rows(y, 2, seed=4)
    parts = (split.train, split.validation, split.test)
    assert sorted(np.concatenate(parts)) == list(range(1000))
    assert all(abs(y[part].mean() - 0.1) < 0.02 for part in parts)
    np.testing.assert_array_equal(split.train, split_rows(y, 2, seed=4).train)
    assert not np.array_equal(split.train, split_rows(y, 2, seed=5).train)


def test_design_learns_from_training_rows_only() -> None:
    table = some(x=[1.0, 3.0, None, 1000.0], c=["a", "b", "a", "new"], y=[0, 1, 0, 1])
    kinds = {"x": Kind.NUMBER, "c": Kind.CATEGORY}
    design = DesignMatrix.learn(table, kinds, np.array([0, 1, 2]))
    matrix = design.matrix(table)
    assert np.isfinite(matrix).all()
    named = dict(zip(design.names, matrix.T, strict=True))
    assert named["x"][:3].mean() == pytest.approx(0, abs=1e-12)  # a gap is the mean
    np.testing.assert_array_equal(named["x (missing)"], [0, 0, 1, 0])
    assert named["x"][3] > 100  # judged by the training rows' scale


def test_trees_see_gaps_and_ordered_levels() -> None:
    table = some(c=["a", "b", "a", None, "c", "b"] * 5, y=[0, 1, 0, 1, 1, 1] * 5)
    target, _ = find_target(table)
    tree = TreeMatrix.learn(table, {"c": Kind.CATEGORY}, np.arange(30), target.y, 2)
    column = tree.matrix(table)[:, 0]
    assert np.isnan(column[3]) and len(np.unique(column[~np.isnan(column)])) == 3


def test_frames_that_need_a_package_name_it() -> None:
    from openbook.errors import MissingPackageError

    class Frame:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise ModuleNotFoundError("No module named 'pyarrow'")

    with pytest.raises(MissingPackageError, match="pyarrow"):
        read_table(Frame())
    with pytest.raises(TableError, match="no table"):
        read_table(object())
