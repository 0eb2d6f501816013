"""Claim: our forests are as good as scikit-learn's, on many data sets and seeds, for classes and numbers.

Each seed splits the rows anew; all forests learn the same rows and are judged on the same others, so what is compared is
the mean of paired differences and its standard error. `--write` puts the table into docs/forest_quality.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from sklearn import datasets, ensemble
from sklearn.metrics import log_loss, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split

from openbook import forest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
LESS_IS_BETTER = {"log loss"}
HEAD = "| data | rows × columns | metric | scikit-learn | ours (gini) − theirs | ours (entropy) − theirs |\n|---|--:|---|--:|--:|--:|"


@dataclass(frozen=True)
class Table:
    """Rows to learn from; `y` whole numbers for classes."""

    name: str
    X: np.ndarray
    y: np.ndarray

    @property
    def classes(self) -> bool:
        return self.y.dtype.kind == "i"


def tables(most: int) -> Iterator[Table]:
    for name in ("iris", "wine", "breast_cancer", "digits"):
        yield Table(name, *getattr(datasets, f"load_{name}")(return_X_y=True))
    for k in (2, 6, 10):
        X, y = datasets.make_classification(6000, 20, n_informative=10, n_classes=k, flip_y=0.05, random_state=k)
        yield Table(f"made, {k} classes", X, y)
    yield Table("diabetes", *datasets.load_diabetes(return_X_y=True))
    for name, maker in (("friedman1", datasets.make_friedman1), ("friedman2", datasets.make_friedman2)):
        yield Table(name, *maker(4000, noise=1.0, random_state=0))
    if not SHARED.is_dir():
        print("the data sets of ../shared/data are not here")
        return
    for name, target, numbers in (("german_credit", "risk", False), ("mammography", "label", False), ("adult_train", "income", False),
                                  ("wine_quality_white", "quality", False), ("wine_quality_white", "quality", True),
                                  ("boston_housing", "medv", True)):  # fmt: skip
        yield from_file(name, target, numbers, most)


def from_file(name: str, target: str, numbers: bool, most: int) -> Table:
    """Categories as whole numbers, alike for all; of large tables as many rows as asked."""
    frame = pl.read_csv(SHARED / f"{name}.csv", null_values=["?", ""])
    if len(frame) > most:
        frame = frame.sample(most, seed=0)
    codes = [
        pl.col(c).cast(pl.Categorical).to_physical()
        for c, kind in frame.schema.items()
        if kind == pl.String and c != target
    ]
    X = frame.with_columns(codes).drop(target).to_numpy().astype(np.float64)
    y = frame[target].to_numpy()
    return Table(
        f"{name}, {'numbers' if numbers else 'classes'}",
        X,
        y.astype(float) if numbers else np.unique(y, return_inverse=True)[1],
    )


def forests(classes: bool, trees: int, seed: int) -> dict[str, Callable]:
    common = {"n_estimators": trees, "random_state": seed, "n_jobs": 1}
    if not classes:
        return {
            "scikit-learn": lambda: ensemble.RandomForestRegressor(**common),
            "gini": lambda: forest.RandomForestRegressor(**common),
        }
    return {
        "scikit-learn": lambda: ensemble.RandomForestClassifier(**common),
        "gini": lambda: forest.RandomForestClassifier(**common),
        "entropy": lambda: forest.RandomForestClassifier(criterion="entropy", **common),
    }


def judged(model: object, X: np.ndarray, y: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    if not hasattr(model, "predict_proba"):
        return {"R²": r2_score(y, model.predict(X))}  # type: ignore[attr-defined]
    p = np.clip(model.predict_proba(X), 1e-3, 1)
    p /= p.sum(axis=1, keepdims=True)
    present = [c for c in classes if 0 < np.sum(y == c) < len(y)]
    auc = [
        roc_auc_score(y == c, p[:, np.searchsorted(classes, c)])
        for c in (present[1:] if len(classes) == 2 else present)
    ]
    right = float(np.mean(classes[p.argmax(axis=1)] == y))
    return {"accuracy": right, "log loss": log_loss(y, p, labels=classes), "ROC AUC": float(np.mean(auc))}


def compare(table: Table, trees: int, seeds: int) -> list[str]:
    """A line for each metric; † where we are worse by more than two standard errors."""
    found: dict[str, dict[str, list[float]]] = {}
    classes = np.unique(table.y) if table.classes else np.empty(0)
    for seed in range(seeds):
        parts = train_test_split(table.X, table.y, test_size=0.3, random_state=seed, stratify=_strata(table))
        for who, make in forests(table.classes, trees, seed).items():
            for metric, value in judged(make().fit(parts[0], parts[2]), parts[1], parts[3], classes).items():
                found.setdefault(metric, {}).setdefault(who, []).append(value)
    lines = []
    for metric, values in found.items():
        theirs = np.array(values["scikit-learn"])
        ours = [
            _difference(np.array(values[who]) - theirs, metric) if who in values else "" for who in ("gini", "entropy")
        ]
        lines.append(
            f"| {table.name} | {table.X.shape[0]} × {table.X.shape[1]} | {metric} | {theirs.mean():.4f} | {ours[0]} | {ours[1]} |"
        )
    return lines


def _strata(table: Table) -> np.ndarray | None:
    rare = table.classes and np.bincount(table.y).min() < 10
    return table.y if table.classes and not rare else None


def _difference(d: np.ndarray, metric: str) -> str:
    error = d.std(ddof=1) / np.sqrt(len(d))
    worse = d.mean() if metric in LESS_IS_BETTER else -d.mean()
    return f"{d.mean():+.4f} ± {error:.4f}{' †' if worse > 2 * error else ''}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--rows", type=int, default=8000, help="of the large tables")
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    lines = [HEAD]
    print(HEAD)
    for table in tables(options.rows):
        if options.only in table.name:
            new = compare(table, options.trees, options.seeds)
            print("\n".join(new), flush=True)
            lines += new
    if options.write:
        introduction = (
            "# Are the forests as good?\n\n"
            f"{options.trees} trees, {options.seeds} seeds; each seed splits the rows 70 to 30 anew, and all forests learn and\n"
            "are judged on the same rows. Differences are paired: mean ± standard error. † marks where we are worse by more\n"
            "than two standard errors.\n"
            "Written by `benchmarks/forest_quality.py --write`; categories are whole numbers here, alike for both.\n\n"
        )
        (ROOT / "docs" / "forest_quality.md").write_text(introduction + "\n".join(lines) + "\n", encoding="utf-8")
