"""Claim: a working costs fractions of a second also for models of real size."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

import openbook as ob


def timed(name: str, run: Callable[[], ob.record.Working]) -> None:  # type: ignore[name-defined]
    run()  # the first call of a kind imports what explains it
    began = time.perf_counter()
    working = run()
    built = time.perf_counter() - began
    working.check()
    checked = time.perf_counter() - began - built
    print(f"| {name} | {built * 1e3:.0f} ms | {checked * 1e3:.0f} ms |")


if __name__ == "__main__":
    print("| | built | checked |\n|---|--:|--:|")
    timed("part 4, a formula", lambda: ob.explain("0.5*(y - tanh(w*x + b))**2", x=2, y=1, w=0.5, b=0))
    X, y = load_breast_cancer(return_X_y=True)
    random = np.random.default_rng(0)
    large = random.standard_normal((10_000, 20))
    sides = (large[:, 0] * large[:, 1] + large[:, 2] + random.standard_normal(10_000) > 0).astype(int)
    for rows, targets in ((X, y), (large, sides)):
        size = f"{len(rows):,} rows × {rows.shape[1]} features"
        forest = RandomForestClassifier(500, random_state=0, n_jobs=-1).fit(rows, targets)
        timed(f"a row through scikit-learn's 500 trees, {size}", partial(ob.explain, forest, row=rows[0]))
        forest = ob.RandomForestClassifier(500, random_state=0, n_jobs=-1).fit(rows, targets)
        timed(f"a row through our 500 trees, {size}", partial(ob.explain, forest, row=rows[0]))
    boosted = GradientBoostingClassifier(n_estimators=500, random_state=0).fit(X, y)
    timed("a row through scikit-learn's 500 boosting stages", lambda: ob.explain(boosted, row=X[0]))
    p, labels = random.random(50_000), random.integers(0, 2, 50_000)
    timed("the best threshold over 50,000 rows", lambda: ob.explain(ob.best_threshold(labels, p, "f1")))
    model = ob.nn.Sequential(
        ob.nn.Linear(784, 1024), ob.nn.ReLU(), ob.nn.Linear(1024, 1024), ob.nn.ReLU(), ob.nn.Linear(1024, 10)
    )
    x, classes = ob.tensor(random.standard_normal((64, 784)).astype(np.float32)), ob.tensor(random.integers(0, 10, 64))
    loss = ob.nn.CrossEntropyLoss()(model(x), classes)
    timed("an entry of a 1.9-million-parameter net", lambda: ob.explain(loss, wrt="0.weight", model=model))
    big = ob.nn.Sequential(
        ob.nn.Linear(1000, 2000), ob.nn.Tanh(), ob.nn.Linear(2000, 2000), ob.nn.ReLU(), ob.nn.Linear(2000, 2000),
        ob.nn.ReLU(), ob.nn.Linear(2000, 10),
    )  # fmt: skip
    rows, marks = (
        ob.tensor(random.standard_normal((16, 1000)).astype(np.float32)),
        ob.tensor(random.integers(0, 10, 16)),
    )
    cost = ob.nn.CrossEntropyLoss()(big(rows), marks)
    timed("an entry of a 10-million-parameter net", lambda: ob.explain(cost, wrt="0.weight", model=big))
    timed("a derivation, tanh by its definition", lambda: ob.derive("tanh(z)", "z"))
    timed("a derivation, cross-entropy of a linear map", lambda: ob.derive("cross_entropy(W@x + b, y)", "W"))
