"""`openbook explain --model` and `openbook derive`, as a user types them."""

from __future__ import annotations

import importlib.util
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression as TheirLogistic
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import openbook as ob
from openbook import cli, nn
from openbook.linear import LinearRegression, LogisticRegression

NAMES = ["sepal length", "sepal width", "petal length", "petal width"]
IRIS = pd.DataFrame(load_iris().data, columns=NAMES)
SPECIES = np.array(["setosa", "versicolor", "virginica"])[load_iris().target]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, as CSV, Parquet and Arrow, with the columns in another order and one that no model takes; models."""
    place = tmp_path_factory.mktemp("files")
    table = IRIS[NAMES[::-1]].assign(species=SPECIES)
    table.to_csv(place / "iris.csv", index=False)
    table.to_parquet(place / "iris.parquet")
    table.to_feather(place / "iris.arrow")
    ob.save(ob.RandomForestClassifier(8, random_state=0).fit(IRIS, SPECIES), place / "forest.safetensors")
    ob.save(LogisticRegression().fit(IRIS.to_numpy(), SPECIES), place / "logistic.safetensors")
    ob.save(LinearRegression().fit(IRIS[NAMES[:3]], IRIS[NAMES[3]]), place / "line.safetensors")
    ob.save(nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)), place / "net.safetensors")
    ob.save(nn.Linear(4, 2).state_dict(), place / "state.safetensors")
    theirs = make_pipeline(StandardScaler(), TheirLogistic()).fit(IRIS, SPECIES)
    joblib.dump(theirs, place / "theirs.joblib")
    (place / "theirs.pkl").write_bytes(pickle.dumps(theirs))
    return place


def run(*arguments: object, monkeypatch: pytest.MonkeyPatch) -> int:
    """The command in this process: its exit code."""
    monkeypatch.setattr(sys, "argv", ["openbook", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize("table", ["iris.csv", "iris.parquet", "iris.arrow"])
def test_a_forest_of_ours(
    table: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("explain", "--model", folder / "forest.safetensors", "--row", 133, folder / table, "--of", "virginica")
    assert run(*asked, "--target", "species", "--format", "json", monkeypatch=monkeypatch) == 0
    told = capsys.readouterr()
    forest = ob.load(folder / "forest.safetensors")
    assert json.loads(told.out)["result"]["soft"] == pytest.approx(
        forest.predict_proba(IRIS.iloc[[133]])[0, 2], rel=1e-12
    )
    assert not told.err
    assert run(*asked, monkeypatch=monkeypatch) == 0
    told = capsys.readouterr()
    assert "petal width" in told.out and "note: the model does not take species" in told.err


@pytest.mark.parametrize("kind", ["forest of ours", "pipeline of theirs"])
def test_texts_reach_the_models_that_take_them(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.DataFrame({"colour": ["red", "blue", "red", "green"] * 20, "size": np.arange(80.0)})
    wanted = np.where(table["colour"] == "red", "ripe", "raw")
    table.assign(fruit=wanted).to_csv(tmp_path / "fruit.csv", index=False)
    if kind == "forest of ours":
        path, trust = tmp_path / "model.safetensors", ()
        ob.save(ob.RandomForestClassifier(4, random_state=0).fit(table, wanted), path)
    else:
        path, trust = tmp_path / "model.joblib", ("--trust",)
        encoder = make_column_transformer((OneHotEncoder(), ["colour"]), remainder="passthrough")
        joblib.dump(make_pipeline(encoder, TheirLogistic()).fit(table, wanted), path)
    asked = (
        "explain",
        "--model",
        path,
        "--row",
        2,
        tmp_path / "fruit.csv",
        "--target",
        "fruit",
        "--of",
        "ripe",
        *trust,
    )
    assert run(*asked, monkeypatch=monkeypatch) == 0
    told = capsys.readouterr().out
    assert "colour" in told and "WRONG" not in told


def test_a_user_types_it(folder: Path) -> None:
    command = [sys.executable, "-m", "openbook", "explain", "--model", folder / "forest.safetensors", "--row", "3"]
    done = subprocess.run([*command, folder / "iris.csv"], capture_output=True, text=True, encoding="utf-8", timeout=300,
                          check=False)  # fmt: skip
    assert done.returncode == 0 and "One row through a forest" in done.stdout and "checked:" in done.stdout


@pytest.mark.parametrize("name", ["theirs.joblib", "theirs.pkl"])
def test_a_pickle_only_with_trust(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("explain", "--model", folder / name, "--row", 0, folder / "iris.csv", "--of", "setosa")
    assert run(*asked, monkeypatch=monkeypatch) == 2
    told = capsys.readouterr().err
    assert "run the program in it" in told and "--trust" in told
    assert run(*asked, "--trust", "--format", "json", monkeypatch=monkeypatch) == 0
    model = joblib.load(folder / "theirs.joblib")
    assert json.loads(capsys.readouterr().out)["result"] == pytest.approx(
        model.predict_proba(IRIS.iloc[[0]])[0, 0], rel=1e-9
    )


def test_an_evil_pickle_does_not_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (folder / "it ran",)

    for name in ("evil.pkl", "evil.safetensors", "evil.onnx"):
        (folder / name).write_bytes(pickle.dumps(Evil()))
        assert run("explain", "--model", folder / name, "--row", 0, folder / "iris.csv", monkeypatch=monkeypatch) == 2
        assert capsys.readouterr().err.startswith("error: ")
    assert not (folder / "it ran").exists()


def test_columns_by_place_where_the_model_knows_no_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    IRIS.assign(kind=SPECIES).iloc[[7]].to_csv(folder / "one.csv", index=False)
    asked = ("explain", "--model", folder / "logistic.safetensors", "--row", 0, folder / "one.csv")
    assert run(*asked, monkeypatch=monkeypatch) == 2
    assert "takes 4 columns and knows no names, and the table has 5" in capsys.readouterr().err
    assert run(*asked, "--target", "kind", "--of", "setosa", "--format", "json", monkeypatch=monkeypatch) == 0
    model = ob.load(folder / "logistic.safetensors")
    result = json.loads(capsys.readouterr().out)["result"]
    assert result == pytest.approx(model.predict_proba(IRIS.to_numpy()[[7]])[0, 0], rel=1e-12)


def test_a_line_and_a_net(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    line = ("explain", "--model", folder / "line.safetensors", "--row", 2, folder / "iris.csv")
    assert run(*line, monkeypatch=monkeypatch) == 0
    assert "sepal length" in capsys.readouterr().out
    assert run(*line, "--of", "setosa", monkeypatch=monkeypatch) == 2
    assert "has no classes" in capsys.readouterr().err
    net = ("explain", "--model", folder / "net.safetensors", "--row", 2, folder / "iris.csv", "--target", "species")
    assert run(*net, monkeypatch=monkeypatch) == 2
    assert "0 to 1" in capsys.readouterr().err
    assert run(*net, "--of", "1", monkeypatch=monkeypatch) == 0
    assert "checked:" in capsys.readouterr().out


@pytest.mark.skipif(importlib.util.find_spec("onnx") is None, reason="onnx is not installed")
def test_onnx(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    ob.save(ob.load(folder / "forest.safetensors"), folder / "forest.onnx")
    asked = ("explain", "--model", folder / "forest.onnx", "--row", 133, folder / "iris.csv", "--of", "virginica")
    assert run(*asked, "--format", "json", monkeypatch=monkeypatch) == 0
    forest = ob.load(folder / "forest.safetensors")
    result = json.loads(capsys.readouterr().out)["result"]
    assert result == pytest.approx(forest.predict_proba(IRIS.iloc[[133]])[0, 2], abs=1e-6)


@pytest.mark.torch
def test_a_net_of_pytorch(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    torch.save(torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)), folder / "net.pt")
    asked = ("explain", "--model", folder / "net.pt", "--row", 2, folder / "iris.csv", "--target", "species")
    assert run(*asked, monkeypatch=monkeypatch) == 2
    assert "--trust" in capsys.readouterr().err
    assert run(*asked, "--trust", monkeypatch=monkeypatch) == 0
    assert "checked:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--model", "nowhere.safetensors", "--row", "0", "iris.csv"], "there is no file"),
        (["--model", "forest.safetensors", "iris.csv"], "Say which row"),
        (["--model", "forest.safetensors", "--row", "150", "iris.csv"], "150 rows, counted from 0: there is no row 150"),
        (["--model", "forest.safetensors", "--row", "-1", "iris.csv"], "there is no row -1"),
        (["--model", "forest.safetensors", "--row", "0", "nowhere.csv"], "no file nowhere.csv"),
        (["--model", "forest.safetensors", "--row", "0", "iris.csv", "--target", "spices"], "no column 'spices'"),
        (["--model", "forest.safetensors", "--row", "0", "iris.csv", "--target", "petal width"], "no column 'petal width'"),
        (["--model", "forest.safetensors", "--row", "0", "iris.csv", "--of", "rose"], "no class 'rose'"),
        (["--model", "forest.safetensors", "--row", "0", "iris.csv", "x=2"], "follows the table"),
        (["--model", "forest.safetensors", "--row", "0", "iris.csv", "--wrt", "w"], "--wrt belongs to a formula"),
        (["--model", "forest.safetensors", "--row", "0", "iris.csv", "--format", "pdf"], "no format 'pdf'"),
        (["--model", "net.safetensors", "--row", "0", "iris.csv"], "holds text"),
        (["--model", "state.safetensors", "--row", "0", "iris.csv"], "a state without the model"),
        (["--model", "iris.csv", "--row", "0", "iris.csv", "--trust"], "cannot be read"),
        (["w*x", "w=2", "x=3", "--row", "0"], "--row belongs to --model"), (["w*x", "w=2", "x=3", "--trust"], "--trust belongs"),
    ],
)  # fmt: skip
def test_mistakes_get_one_clear_error(
    arguments: list[str], told: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert run("explain", *arguments, monkeypatch=monkeypatch) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and told in error and error.count("\n") == 1


@pytest.mark.parametrize("form", ["text", "latex", "markdown", "html", "json"])
def test_derivations(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("derive", "tanh(z)", "z", "--format", form, "--out", tmp_path / "d", monkeypatch=monkeypatch) == 0
    text = (tmp_path / "d").read_text(encoding="utf-8")
    assert "quotient rule" in text
    if form == "json":
        assert json.loads(text)["verification"]["passed"]


def test_a_derivation_needs_a_name_where_there_are_several(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("derive", "w*z", monkeypatch=monkeypatch) == 2
    assert "say which" in capsys.readouterr().err.lower()
