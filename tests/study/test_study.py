"""The main job: a table in, three models and one report out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.record.test_draw import assert_sound_page
from tests.test_package import run

PARTS = (
    "Is the gradient right?", "The linear model, by Newton", "The network, and what its activations are for",
    "One weight, followed back by hand", "Logits and temperature", "How much gradient arrives", "One row through the forest",
    "The threshold",
)  # fmt: skip


def customers(n: int = 700, seed: int = 0) -> pl.DataFrame:
    """A small table with all that tables have: numbers, categories, gaps, and a rule to find."""
    random = np.random.default_rng(seed)
    age, plan = random.integers(18, 80, n), random.choice(["basic", "plus", "pro"], n, p=[0.6, 0.3, 0.1])
    spent = np.round(random.gamma(2, 40, n), 2)
    score = 0.04 * (age - 45) - 0.01 * spent + (plan == "pro") * 1.5 + random.logistic(size=n) * 0.3
    kind = np.select([score < -0.8, score < 0.4], ["low", "middle"], "high")
    return pl.DataFrame({
        "age": [None if random.random() < 0.05 else int(a) for a in age],
        "plan": [None if random.random() < 0.05 else str(p) for p in plan],
        "spent": spent, "noise": random.normal(size=n), "value": np.round(score * 10 + 50, 3),
        "kind": kind, "left": np.where(score > 0, "yes", "no"),
    })  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tables, one for each task, and the reports made of them."""
    home = tmp_path_factory.mktemp("study")
    table = customers()
    for target in ("left", "kind", "value"):
        others = {"left", "kind", "value"} - {target}
        table.drop(others).write_csv(home / f"{target}.csv")
        done = run("study", str(home / f"{target}.csv"), "--quick", "--json", "--out", str(home / f"{target}.html"))
        assert done.returncode == 0, done.stderr
        (home / f"{target}.json").write_text(done.stdout, encoding="utf-8")
        (home / f"{target}.said").write_text(done.stderr, encoding="utf-8")
    return home


def told(folder: Path, target: str) -> dict:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads((folder / f"{target}.json").read_text(encoding="utf-8"), parse_constant=refuse)


@pytest.mark.parametrize("target", ["left", "kind", "value"])
def test_reports_stand_alone_and_tell_all_eight_parts(folder: Path, target: str) -> None:
    page = (folder / f"{target}.html").read_text(encoding="utf-8")
    assert_sound_page(page)
    headings = re.findall(r'<h2 id="part-\d"><span[^>]*>\d</span>([^<]+)</h2>', page)
    assert tuple(headings) == PARTS
    assert page.count("<svg") >= 6
    assert "ob-wrong" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S)  # every check passed


@pytest.mark.parametrize(
    ("target", "score", "least"), [("left", "ROC AUC", 0.75), ("kind", "ROC AUC", 0.7), ("value", "R²", 0.3)]
)
def test_models_learn_the_rule(folder: Path, target: str, score: str, least: float) -> None:
    summary = told(folder, target)
    for model in ("linear", "network", "forest"):
        assert summary["models"][model]["scores"][score] > least, model


def test_every_working_in_the_summary_was_checked(folder: Path) -> None:
    for target in ("left", "kind", "value"):
        for part in told(folder, target)["parts"]:
            for working in part["workings"]:
                assert working["verification"]["passed"], working["title"]


def test_regression_says_what_does_not_apply(folder: Path) -> None:
    parts = told(folder, "value")["parts"]
    assert "does not apply" in parts[4]["text"][0] and "no threshold applies" in parts[7]["text"][0]


def test_every_guess_is_said_with_its_option(folder: Path) -> None:
    said = (folder / "left.said").read_text(encoding="utf-8")
    for option in ("--target", "--task", "--positive", "--categories", "--test", "--seed"):
        assert option in said


def test_same_seed_same_bytes_on_any_number_of_threads(folder: Path) -> None:
    first, second = (
        run(
            "study",
            str(folder / "left.csv"),
            "--quick",
            "--json",
            "--threads",
            k,
            "--out",
            str(folder / f"again{k}.html"),
        )
        for k in ("1", "2")
    )
    assert first.stdout == second.stdout
    assert (folder / "again1.html").read_bytes() == (folder / "again2.html").read_bytes()
    assert json.loads(first.stdout) == told(folder, "left")


def test_a_table_to_judge_on(folder: Path) -> None:
    customers(200, seed=9).drop("kind", "value").write_parquet(folder / "later.parquet")
    done = run(
        "study",
        str(folder / "left.csv"),
        "--quick",
        "--test",
        str(folder / "later.parquet"),
        "--out",
        str(folder / "t.html"),
    )
    assert done.returncode == 0, done.stderr
    assert "200 held-out rows" in done.stdout


def test_a_bundled_table_by_default(tmp_path: Path) -> None:
    done = run("study", "--quick", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "breast_cancer" in done.stderr and (tmp_path / "report.html").exists()


def mistake(*arguments: str) -> str:
    done = run("study", *arguments)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    return line


ROWS = [f"{i},{i * 7 % 5},{int(i * 7 % 5 > 2)}" for i in range(40)]
TABLES = {
    "constant target": (["a,b,y", *(f"{i},{i},1" for i in range(40))], "same value"),
    "all-missing column": (["a,b,y", *(f"{i},NA,{i % 2}" for i in range(40))], "--drop b"),
    "one row": (["a,b,y", "1,2,0"], "1 row"),
    "no rows": (["a,b,y"], "0 rows"),
    "target with gaps": (["a,b,y", *ROWS, "1,2,"], "line 42"),
    "dates": (["d,y", *(f"2024-01-{i % 28 + 1:02d},{i % 2}" for i in range(40))], "dates"),
    "an infinite number": (["a,y", *(f"{'inf' if i == 3 else i},{i % 2}" for i in range(40))], "infinite"),
}


@pytest.mark.parametrize("case", TABLES)
def test_tables_that_cannot_be_studied(case: str, tmp_path: Path) -> None:
    lines, expected = TABLES[case]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    assert expected in mistake(str(tmp_path / "t.csv"), "--out", str(tmp_path / "r.html"))
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--target", "nope"], "Choose one of"), (["--metric", "precisoin*recall"], "precision"),
        (["--positive", "7"], "0, 1"), (["--task", "banana"], "classes"), (["--out", "/nowhere/r.html"], "no folder"),
        (["--test", "nofile.csv"], "no file"), (["--drop", "zzz"], "zzz"), (["--out", "."], "folder"),
    ],
)  # fmt: skip
def test_options_that_cannot_be(options: list[str], expected: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\n".join(["a,b,y", *ROWS]) + "\n")
    assert expected in mistake(str(tmp_path / "t.csv"), "--out", str(tmp_path / "r.html"), *options)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(bytes(range(256)) * 20)
    assert "no text" in mistake(str(tmp_path / "t.csv"))
    assert "no file" in mistake(str(tmp_path / "gone.csv"))


@pytest.mark.data
@pytest.mark.parametrize(
    ("table", "score", "least"),
    [
        ("german_credit", "ROC AUC", {"linear": 0.75, "network": 0.74, "forest": 0.74}),
        ("mammography", "ROC AUC", {"linear": 0.92, "network": 0.92, "forest": 0.95}),
        ("wine_quality_white", "accuracy", {"linear": 0.48, "network": 0.5, "forest": 0.63}),
        ("boston_housing", "R²", {"linear": 0.7, "network": 0.85, "forest": 0.88}),
    ],
)
def test_real_tables(table: str, score: str, least: dict[str, float], shared_data: Path, tmp_path: Path) -> None:
    done = run("study", str(shared_data / f"{table}.csv"), "--json", "--out", str(tmp_path / "r.html"))
    assert done.returncode == 0, done.stderr
    models = json.loads(done.stdout)["models"]
    for name, bound in least.items():
        assert models[name]["scores"][score] >= bound, (name, models[name]["scores"])


@pytest.mark.data
@pytest.mark.slow
def test_adult_reaches_its_figures(shared_data: Path, tmp_path: Path) -> None:
    train, test = (str(shared_data / f"adult_{part}.csv") for part in ("train", "test"))
    done = run("study", train, "--target", "income", "--test", test, "--json", "--out", str(tmp_path / "r.html"))
    models = json.loads(done.stdout)["models"]
    assert models["forest"]["scores"]["ROC AUC"] >= 0.912
    assert models["network"]["scores"]["ROC AUC"] >= 0.908
