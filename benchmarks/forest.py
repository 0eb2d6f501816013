"""Claim: a forest as good as scikit-learn's, in less time, on one thread and on two."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier as Theirs
from sklearn.metrics import log_loss, roc_auc_score
from turns import race, table

from openbook.data import TreeMatrix, find_target, read_table, understand
from openbook.forest import RandomForestClassifier as Ours

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
Rows = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def generated(rows: int) -> Rows:
    X, y = make_classification(rows, 30, n_informative=12, flip_y=0.05, random_state=0)
    half = rows // 2
    return X[:half], y[:half], X[half:], y[half:]


def adult() -> Rows:
    """Categories in the order of their share of positives, as `openbook study` gives them to its forest."""
    train, test = read_table(SHARED / "adult_train.csv"), read_table(SHARED / "adult_test.csv")
    target, _ = find_target(train, "income")
    kinds, _ = understand(train, "income")
    tree = TreeMatrix.learn(train, kinds, np.arange(len(train)), target.y, 2)
    return tree.matrix(train), target.y, tree.matrix(test), target.encode(test)


def compare(name: str, rows: Rows, threads: int, trees: int, rounds: int) -> None:
    X, y, held, truth = rows
    fitted: dict[str, object] = {}

    def fit(kind: type, who: str) -> None:
        fitted[who] = kind(n_estimators=trees, min_samples_leaf=5, n_jobs=threads, random_state=0).fit(X, y)

    times = race(
        {"openbook": lambda: fit(Ours, "openbook"), "scikit-learn": lambda: fit(Theirs, "scikit-learn")}, rounds
    )
    print(table(f"{name}: fit {trees} trees on {X.shape[0]:,} × {X.shape[1]}, {threads} thread(s)", times))
    proba = {who: model.predict_proba(held)[:, 1] for who, model in fitted.items()}  # type: ignore[attr-defined]
    for who, p in proba.items():
        print(f"{who}: ROC AUC {roc_auc_score(truth, p):.4f}, log loss {log_loss(truth, p):.4f}")
    predict = {who: (lambda model=model: model.predict_proba(held)) for who, model in fitted.items()}  # type: ignore[attr-defined]
    print("\n" + table(f"{name}: predict {len(held):,} rows", race(predict, rounds)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--trees", type=int, default=100)
    options = parser.parse_args()
    tables = {"generated": generated(40_000)} | ({"adult": adult()} if SHARED.is_dir() else {})
    for threads in (1, 2):
        for name, rows in tables.items():
            compare(name, rows, threads, options.trees, options.rounds)
