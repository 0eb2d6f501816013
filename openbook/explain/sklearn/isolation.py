"""Isolation forests: how few questions part a row from the others."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest

from openbook.explain.rows.links import from_formula
from openbook.explain.sklearn.account import Account, Asked, tells
from openbook.explain.sklearn.trees import way_down
from openbook.record import Step, Working, given

__all__: list[str] = []

DEPTH, SCORE = "How deep the row falls", "The score"


@tells(IsolationForest)
def _isolated(model: Any, asked: Asked) -> Account:
    """Liu, Ting & Zhou 2008, equations 1 and 2."""
    x = asked.x(model).astype(np.float32)
    ways = [
        (tree.tree_, way_down(tree.tree_, x[features])[0])
        for tree, features in zip(model.estimators_, model.estimators_features_, strict=True)
    ]
    turns = given("d", np.array([len(nodes) - 1.0 for _, nodes in ways]), "the questions each tree asks", DEPTH)
    left = given(
        "n",
        np.array([float(tree.n_node_samples[nodes[-1]]) for tree, nodes in ways]),
        "the rows left in its leaf",
        DEPTH,
    )
    more = _average_path("c", left, "what a tree grown further would ask", DEPTH)
    sample = given("ψ", model.max_samples_, "rows each tree was grown on", SCORE)
    usual = _average_path("c_ψ", sample, "the path of an ordinary row", SCORE)
    count = given("T", len(ways), "trees", DEPTH)
    mean = from_formula("h", "sum(d + c)/T", {"d": turns, "c": more, "T": count}, "mean path", DEPTH)
    anomaly = from_formula(
        "s", "2**(-h/c)", {"h": mean, "c": usual}, "anomaly score", SCORE, why="near 1: alone; near ½: ordinary"
    )
    offset = given("offset", float(model.offset_), "set by contamination=", SCORE)
    answer = from_formula("score", "-s - o", {"s": anomaly, "o": offset}, "decision", SCORE, asked.by(model, "decision_function"),
                          why="below 0 is an outlier")  # fmt: skip
    working = Working(
        title="One row through scikit-learn's IsolationForest", question="How soon is the row alone?",
        steps=(turns, left, count, more, mean, sample, usual, anomaly, offset, answer), result=answer.value,
    )  # fmt: skip
    return Account(working, answer, answer)


def _average_path(name: str, rows: Step, why: str, part: str) -> Step:
    """The path of an unsuccessful search in a tree of n rows; 0 for one row, 1 for two."""
    euler = given("γ", float(np.euler_gamma), "Euler's constant", part)
    formula = "where(n <= 1, 0, where(n <= 2, 1, 2*(log(max(n - 1, 1)) + g) - 2*(n - 1)/n))"
    return from_formula(name, formula, {"n": rows, "g": euler}, "average path", part, why=why)
