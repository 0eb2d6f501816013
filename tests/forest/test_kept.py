"""A forest's trees as it keeps them: spread out again they are what was grown, to the last bit, and they need little room."""

from __future__ import annotations

import pickle
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import ensemble

from openbook import forest
from openbook.forest.grown import Grown, Kept
from openbook.forest.kept import WORTH_PACKING, KeptTree, KeptTrees
from openbook.forest.tree import Tree

ROWS = 5000
FORESTS = {
    "classes": forest.RandomForestClassifier(2, random_state=0),
    "many classes": forest.RandomForestClassifier(2, random_state=0),
    "weights": forest.ExtraTreesClassifier(2, random_state=0, max_features=2),
    "subsamples": forest.RandomForestClassifier(2, random_state=0, class_weight="balanced_subsample"),
    "numbers": forest.RandomForestRegressor(2, random_state=0),
    "weighted numbers": forest.ExtraTreesRegressor(2, random_state=0),
    "several outputs": forest.RandomForestClassifier(2, random_state=0),
    "ordered": forest.RandomForestClassifier(2, random_state=0, monotonic_cst=[1, 0, 0, 0]),
    "categories": forest.RandomForestClassifier(2, random_state=0),
}


def grown(name: str) -> list[Tree]:
    """The trees of a fit, as they are before the forest packs them."""
    random = np.random.default_rng(0)
    X = random.normal(size=(ROWS, 4))
    X[random.random(X.shape) < 0.05] = np.nan
    score = np.nan_to_num(X[:, 0]) + random.normal(0, 1, ROWS)
    y = score if "numbers" in name else np.digitize(score, np.linspace(-1, 1, 9) if name == "many classes" else [0])
    weight = random.random(ROWS) if "weight" in name else None
    table: Any = X
    if name == "several outputs":
        y = np.stack([y, X[:, 1] > 0], axis=1)
    if name == "categories":
        table = pd.DataFrame(X, columns=list("abcd")).assign(
            level=pd.Categorical.from_codes(random.integers(0, 40, ROWS), categories=range(40))
        )
    trees: list[Tree] = []
    pack, keep = KeptTree.of, Grown.kept

    def packed(tree: Tree) -> KeptTree:
        trees.append(tree)
        return pack(tree)

    def kept(grown: Grown) -> Kept:
        trees.extend(grown.trees())
        return keep(grown)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KeptTree, "of", packed)
        patch.setattr(Grown, "kept", kept)
        FORESTS[name].fit(table, y, weight)
    return trees


def same(a: Tree, b: Tree) -> None:
    for name in Tree._by_node():
        mine, other = getattr(a, name), getattr(b, name)
        assert mine.dtype == other.dtype, name
        np.testing.assert_array_equal(mine, other, strict=True, err_msg=name)
        np.testing.assert_array_equal(np.signbit(mine), np.signbit(other), err_msg=name)
    assert a.orders.keys() == b.orders.keys() and all(np.array_equal(a.orders[f], b.orders[f]) for f in a.orders)


@pytest.mark.parametrize("name", FORESTS)
def test_nothing_is_lost(name: str) -> None:
    trees = grown(name)
    assert len(trees) == 2
    for tree, again in zip(trees, FORESTS[name].trees_, strict=True):
        same(again, tree.by_level())
    for tree, again in zip(trees, pickle.loads(pickle.dumps(FORESTS[name])).trees_, strict=True):
        same(again, tree.by_level())


@pytest.mark.parametrize("name", FORESTS)
def test_a_tree_packed_as_it_is_grown_is_the_one_that_is_packed_later(name: str) -> None:
    trees = grown(name)
    for kept, tree in zip(FORESTS[name].trees_.held, trees, strict=True):
        assert isinstance(kept, KeptTree)
        for field in fields(KeptTree):
            mine, other = getattr(kept, field.name), getattr(KeptTree.of(tree), field.name)
            np.testing.assert_array_equal(mine, other, strict=isinstance(mine, np.ndarray), err_msg=field.name)


@pytest.mark.parametrize("name", ["numbers", "random thresholds"])
def test_of_trees_grown_together_the_large_ones_are_packed(name: str) -> None:
    """With 815 rows five trees are grown in one call, and have about as many nodes as make a tree worth packing."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(815, 4)), random.normal(size=815)
    kind = forest.RandomForestRegressor if name == "numbers" else forest.ExtraTreesRegressor
    model = kind(20, random_state=0, bootstrap=True).fit(X, y)
    assert {type(kept) for kept in model.trees_.held} == {Tree, KeptTree}
    for tree, seed in zip(model.trees_, model.seeds_, strict=True):
        (alone,) = model._grown(
            X, model._targets(y, np.ones(815)), model._growth(4, ()), [seed], model.bootstrap_.counts
        )
        same(tree, alone.by_level() if len(tree) >= WORTH_PACKING else alone)


@pytest.mark.parametrize("changed", ["value", "weight", "samples"])
def test_what_is_no_sum_is_kept_whole(changed: str) -> None:
    tree = grown("classes")[0]
    getattr(tree, changed)[0] += 1
    same(KeptTree.of(tree).spread(), tree.by_level())


def test_a_chain_and_a_leaf_alone() -> None:
    X = np.arange(40.0)[:, None]
    for depth in (None, 1):
        tree = forest.DecisionTreeRegressor(max_depth=depth).fit(X, 2.0 ** np.arange(40)).tree_
        same(KeptTree.of(tree).spread(), tree.by_level())
    alone = forest.DecisionTreeRegressor().fit(X, np.ones(40)).tree_
    same(KeptTree.of(alone).spread(), alone)


def test_the_room_is_a_fraction_of_scikit_learns() -> None:
    for name, share in (("classes", 1 / 6), ("many classes", 1 / 6), ("numbers", 1 / 3)):
        trees = grown(name)
        theirs = getattr(ensemble, type(FORESTS[name]).__name__)(2, random_state=0)
        random = np.random.default_rng(0)
        theirs.fit(random.normal(size=(ROWS, 4)), random.integers(0, 10 if name == "many classes" else 2, ROWS))
        state = theirs.estimators_[0].tree_.__getstate__()
        a_node = (state["nodes"].nbytes + state["values"].nbytes) / len(state["nodes"])
        nodes = sum(len(tree) for tree in trees)
        assert FORESTS[name].trees_.nbytes == sum(KeptTree.of(tree).nbytes for tree in trees) < share * a_node * nodes


def test_trees_are_a_sequence() -> None:
    trees = grown("numbers")
    kept = KeptTrees(trees)
    assert len(kept) == 2 and len(kept[:1]) == 1 and KeptTrees(kept).nbytes == kept.nbytes
    same(kept[-1], trees[-1].by_level())
    same(kept[:1][0], trees[0].by_level())
    kept[0].left[0] = 7  # of a tree spread out for this line
    same(kept[0], trees[0].by_level())
