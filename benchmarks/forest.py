"""Claim: forests as good as the best peers', in a fraction of their time, on one thread and on two.

Small by default (a few minutes); `--full` has the sizes of the claim. LightGBM, XGBoost and YDF run where they are installed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from forest_peers import in_onnx_runtime, of_categories, peers
from sklearn import ensemble
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    make_classification,
    make_friedman1,
)
from sklearn.metrics import log_loss, r2_score, roc_auc_score
from turns import race, table

from openbook import forest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
_ROWS = 21  # rounds for a single row, which takes microseconds
Rows = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
KINDS = {
    "classes": ("RandomForestClassifier", {}),
    "numbers": ("RandomForestRegressor", {}),
    "random thresholds": ("ExtraTreesClassifier", {}),
    "categories": ("RandomForestClassifier", {}),
    "several outputs": ("RandomForestRegressor", {}),
    "counts": ("RandomForestRegressor", {"criterion": "poisson"}),
    "distances": ("RandomForestRegressor", {"criterion": "absolute_error"}),
    "constraints": ("RandomForestRegressor", {"monotonic_cst": [1] * 5 + [0] * 15}),
}
PEERS_KNOW = ("classes", "numbers")


def halves(X: np.ndarray, y: np.ndarray) -> Rows:
    order = np.random.default_rng(0).permutation(len(X))
    half = len(X) // 2
    return X[order[:half]], y[order[:half]], X[order[half:]], y[order[half:]]


def classes(rows: int, columns: int, k: int = 2) -> Rows:
    return halves(*make_classification(2 * rows, columns, n_informative=10, n_classes=k, flip_y=0.05, random_state=0))


def two_outputs(rows: int) -> Rows:
    X, y = make_friedman1(2 * rows, 20, noise=1, random_state=0)
    return halves(X, np.column_stack([y, X[:, 0] + X[:, 5]]))


def counts(rows: int) -> Rows:
    X, y = make_friedman1(2 * rows, 20, noise=0, random_state=0)
    return halves(X, np.random.default_rng(0).poisson(y).astype(float))


def adult() -> Rows:
    """Categories in the order of their share of positives, as `openbook study` gives them to its forest."""
    from openbook.data import TreeMatrix, find_target, read_table, understand

    train, test = read_table(SHARED / "adult_train.csv"), read_table(SHARED / "adult_test.csv")
    target, _ = find_target(train, "income")
    kinds, _ = understand(train, "income")
    tree = TreeMatrix.learn(train, kinds, np.arange(len(train)), target.y, 2)
    return tree.matrix(train), target.y, tree.matrix(test), target.encode(test)


def adult_frames() -> Rows:
    """The table as it is: texts, and "?" where something is missing."""
    import pandas as pd

    train, test = (pd.read_csv(SHARED / f"adult_{part}.csv", na_values="?") for part in ("train", "test"))
    rich, held = (frame.pop("income").str.contains(">50K").to_numpy().astype(int) for frame in (train, test))
    return train, rich, test, held


def works(full: bool) -> dict[str, tuple[str, Callable[[], Rows]]]:
    found: dict[str, tuple[str, Callable[[], Rows]]] = {
        "2 classes, 10k × 20": ("classes", lambda: classes(10_000, 20)),
        "2 classes, 100k × 20": ("classes", lambda: classes(100_000, 20)),
        f"10 classes, {'100k' if full else '20k'} × 20": ("classes", lambda: classes(100_000 if full else 20_000, 20, 10)),
        f"regression, {'50k' if full else '10k'} × 20": (
            "numbers", lambda: halves(*make_friedman1(100_000 if full else 20_000, 20, noise=1, random_state=0)),
        ),
        f"ExtraTrees, {'100k' if full else '20k'} × 20": (
            "random thresholds", lambda: classes(100_000 if full else 20_000, 20),
        ),
        "two outputs, 5k × 20": ("several outputs", lambda: two_outputs(5_000)),
        "counts, 5k × 20": ("counts", lambda: counts(5_000)),
        "absolute errors, 2k × 20": (
            "distances", lambda: halves(*make_friedman1(4_000, 20, noise=1, random_state=0)),
        ),
        "constraints, 5k × 20": (
            "constraints", lambda: halves(*make_friedman1(10_000, 20, noise=1, random_state=0)),
        ),
        "digits": ("classes", lambda: halves(*load_digits(return_X_y=True))),
        "diabetes": ("numbers", lambda: halves(*load_diabetes(return_X_y=True))),
    }  # fmt: skip
    if full:
        found |= {
            "2 classes, 10k × 50": ("classes", lambda: classes(10_000, 50)),
            "2 classes, 100k × 50": ("classes", lambda: classes(100_000, 50)),
            "2 classes, 500k × 20": ("classes", lambda: classes(500_000, 20)),
            "2 classes, 500k × 50": ("classes", lambda: classes(500_000, 50)),
            "iris": ("classes", lambda: halves(*load_iris(return_X_y=True))),
            "breast cancer": ("classes", lambda: halves(*load_breast_cancer(return_X_y=True))),
        }
    if SHARED.is_dir():
        found["adult, levels ordered"] = ("classes", adult)
        found["adult, native categories"] = ("categories", adult_frames)
    return found


def contestants(kind: str, trees: int, threads: int, seed: int) -> dict[str, Callable[[], Any]]:
    """Who can do this kind of work here: makers of unfitted models."""
    name, options = KINDS[kind]
    common = {"n_estimators": trees, "n_jobs": threads, "random_state": seed, **options}
    found = {
        "openbook": lambda: getattr(forest, name)(**common),
        "scikit-learn": lambda: getattr(ensemble, name)(**common),
    }
    if kind == "categories":
        return {"openbook": found["openbook"], **of_categories(common)}
    if kind == "classes":
        found["openbook, entropy"] = lambda: getattr(forest, name)(criterion="entropy", **common)
    return found | (peers(kind == "numbers", common) if kind in PEERS_KNOW else {})


def quality(model: Any, X: np.ndarray, y: np.ndarray) -> str:
    if not hasattr(model, "predict_proba"):
        return f"R² {r2_score(y, model.predict(X)):.4f}"
    p = np.clip(model.predict_proba(X), 1e-3, 1)
    p /= p.sum(axis=1, keepdims=True)
    auc = roc_auc_score(y, p[:, 1]) if p.shape[1] == 2 else roc_auc_score(y, p, multi_class="ovr")
    right = np.mean(model.classes_[p.argmax(axis=1)] == y)
    return f"accuracy {right:.4f}, log loss {log_loss(y, p):.4f}, ROC AUC {auc:.4f}"


def compare(name: str, kind: str, rows: Rows, threads: int, trees: int, rounds: int, without: list[str]) -> None:
    X, y, held, truth = rows
    makers = {who: maker for who, maker in contestants(kind, trees, threads, 0).items() if who not in without}
    fitted: dict[str, Any] = {}

    def fit(who: str) -> None:
        fitted[who] = makers[who]().fit(X, y)

    times = race({who: (lambda who=who: fit(who)) for who in makers}, rounds, warm=0)  # type: ignore[misc]
    print(table(f"{name}: fit {trees} trees on {X.shape[0]:,} × {X.shape[1]}, {threads} thread(s)", times))
    for who, model in fitted.items():
        print(f"{who}: {quality(model, held, truth)}")
    ask = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    asked = {who: getattr(model, ask) for who, model in fitted.items()}
    theirs = fitted.get("scikit-learn") if kind in PEERS_KNOW else None
    if theirs and (inside := in_onnx_runtime(theirs, X.shape[1], threads)):
        asked["ONNX Runtime"] = inside
    for some in (held, held[:1]):
        runs = {who: (lambda f=f, some=some: f(some)) for who, f in asked.items()}
        turns = max(rounds, _ROWS if len(some) == 1 else 3)
        print("\n" + table(f"{name}: predict {len(some):,} row(s)", race(runs, turns)))  # type: ignore[arg-type]


def compiled() -> None:
    """Kernels are compiled once after installing; say what that takes, and keep it out of the rest."""
    X = np.random.default_rng(0).normal(size=(200, 20))
    for name, y in (("classes", X[:, 0] > 0), ("classes", np.digitize(X[:, 0], [-1, 1])), ("numbers", X[:, 0]),
                    ("random thresholds", X[:, 0] > 0), ("several outputs", X[:, :2]), ("counts", abs(X[:, 0])),
                    ("distances", X[:, 0]), ("constraints", X[:, 0])):  # fmt: skip
        began = time.perf_counter()
        kind, options = KINDS[name]
        for more in ({}, {"criterion": "entropy"}) if name == "classes" else ({},):
            model = getattr(forest, kind)(2, **options, **more).fit(X, y)
            (
                model.predict(X),
                model.predict(X[:1]),
                model.predict(X[:1]),
            )  # a single row goes another way from the second on
        print(f"first fit and prediction, {name}, {len(np.unique(y))} values of y: {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--trees", type=int, help="100 with --full, else 10")
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--only", default="", help="works whose name contains this")
    parser.add_argument(
        "--without", nargs="*", default=[], help='peers to leave out, as "XGBoost rf": those known to be slow'
    )
    parser.add_argument("--full", action="store_true", help="the sizes of the claim; hours")
    options = parser.parse_args()
    compiled()
    for title, (kind, rows) in works(options.full).items():
        if options.only in title:
            made = rows()
            for threads in options.threads:
                compare(title, kind, made, threads, options.trees or (100 if options.full else 10), options.rounds,
                        options.without)  # fmt: skip
