"""Walking eight rows at a time ends where one row's path, followed by hand, ends."""

from __future__ import annotations

import numpy as np
import pytest

from openbook.errors import ModelError
from openbook.forest import RandomForestClassifier, RandomForestRegressor
from openbook.forest.prediction import Walk, leaf_values, leaves_of
from openbook.forest.tree import LEAF, Tree


def table(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    X = np.round(random.normal(size=(n, 6)), 1)
    X[random.random((n, 6)) < 0.1] = np.nan
    return X, random.integers(0, 3, n)


@pytest.mark.parametrize("n", [1, 3, 7, 8, 9, 50])
def test_every_row_ends_where_its_path_does(n: int) -> None:
    X, y = table(400)
    model = RandomForestClassifier(11, max_depth=6, random_state=0).fit(X, y)
    rows = table(n, 1)[0]
    ends = np.array([[tree.path(x)[1] for tree in model.trees_] for x in rows])
    np.testing.assert_array_equal(model.apply(rows), ends)
    shares = np.array([[tree.fractions(leaf) for tree, leaf in zip(model.trees_, line, strict=True)] for line in ends])
    np.testing.assert_allclose(model.predict_proba(rows), shares.mean(axis=1), rtol=1e-12)
    votes = np.eye(3)[shares.argmax(axis=2)].sum(axis=1)
    np.testing.assert_array_equal(model.votes(rows), votes)


def test_threads_and_blocks_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    from openbook.forest import prediction

    X, y = table(3000)
    model = RandomForestRegressor(7, random_state=0).fit(X, y)
    alone = model.predict(X)
    monkeypatch.setattr(prediction, "_WORTH_THREADS", 0)
    monkeypatch.setattr(prediction, "_BLOCK", 100)
    for threads in (1, 2, 8):
        np.testing.assert_array_equal(model.set_params(n_jobs=threads).predict(X), alone)
    one_by_one = np.array([model.predict(x[None])[0] for x in X[:50]])
    np.testing.assert_array_equal(one_by_one, alone[:50])


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("trees", [1, 2, 9])
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_a_few_rows_go_at_once_and_end_where_their_paths_do(trees: int, rows: int, kind: type) -> None:
    from openbook.forest import prediction

    X, y = table(300)
    X = X.astype(kind)
    model = RandomForestRegressor(trees, random_state=0).fit(X, y)
    model.predict(X)
    for k in range(0, 60, rows):
        some = X[k : k + rows]
        ends = [[tree.value[tree.path(x)[1], 0] for tree in model.trees_] for x in some]
        means = prediction.means_at_once(model, some)
        assert means is not None
        np.testing.assert_allclose(means[:, 0], np.mean(ends, axis=1), rtol=1e-13)
        np.testing.assert_array_equal(model.predict(some), leaf_values(model._walk(), some)[:, 0])


def test_a_row_goes_at_once_however_it_lies_and_its_answer_is_its_own() -> None:
    X, y = table(300)
    model = RandomForestRegressor(9, random_state=0).fit(X, y)
    want, at_once = model.predict(X), model._walk().at_once
    across, locked = np.asfortranarray(X), X.copy()
    locked.flags.writeable = False
    found = [
        [at_once(rows[k : k + 1]) for rows in (X, across, locked, np.repeat(X, 2, axis=1)[:, ::2])] for k in range(60)
    ]
    np.testing.assert_array_equal(np.array(found)[:, :, 0, 0], np.repeat(want[:60, None], 4, axis=1))


@pytest.mark.parametrize("kind", [int, bool, complex, object, ">f8"])
def test_of_what_are_no_floats_nothing_is_said_at_once(kind: type) -> None:
    """They go the long way, which makes floats of them or says that it cannot; no kernel is compiled for them."""
    X, y = table(300)
    model = RandomForestClassifier(3, random_state=0).fit(X, y)
    row = np.ones((1, 6), kind)
    if kind is complex:
        for _ in range(2):
            with pytest.raises(ValueError, match=r"[Cc]omplex"):
                model.predict_proba(row)
        return
    first = model.predict_proba(row)
    np.testing.assert_array_equal(model.predict_proba(row), first)
    np.testing.assert_array_equal(first, model.predict_proba(np.ones((1, 6))))


@pytest.mark.parametrize("shape", [(1, 5), (1, 7), (3, 5), (6,), (1, 1, 6), (0, 6)])
def test_rows_of_another_shape_are_refused_each_time(shape: tuple[int, ...]) -> None:
    X, y = table(300)
    model = RandomForestClassifier(3, random_state=0).fit(X, y)
    model.predict_proba(X[:1])
    model.predict_proba(X[:1])
    for _ in range(2):
        with pytest.raises(ValueError, match=r"features|1D|2D|dim|[Ss]ample"):
            model.predict_proba(np.ones(shape))


def test_how_trees_vote_may_be_set_between_rows() -> None:
    X, y = table(300)
    model = RandomForestClassifier(9, max_depth=3, random_state=0).fit(X, y)
    row = X[:1]
    soft = [model.predict_proba(row) for _ in range(3)][-1]
    hard = model.set_params(voting="hard").predict_proba(row)
    np.testing.assert_array_equal(hard, model.votes(row) / 9)
    assert not np.array_equal(hard, soft)
    with pytest.raises(ValueError, match="voting"):
        model.set_params(voting="loud").predict_proba(row)
    np.testing.assert_array_equal(model.set_params(voting="soft").predict_proba(row), soft)


def test_behind_two_children_stands_what_is_below_the_one_with_more_below_it() -> None:
    X, y = table(400)
    model = RandomForestClassifier(4, random_state=0).fit(X, y)
    walk, ends = model._walk(), np.cumsum([len(tree) for tree in model.trees_])
    child = walk.child.astype(int)
    for tree, start, end in zip(model.trees_, walk.starts.astype(int), ends, strict=True):
        np.testing.assert_array_equal(np.sort(walk.numbers[start:end]), np.arange(len(tree)))
        number, inner = walk.numbers[start:end], np.flatnonzero(child[start:end] != np.arange(start, end))
        np.testing.assert_array_equal(tree.left[number[inner]], walk.numbers[child[start:end][inner]])
        below = np.zeros(end - start, int)
        for node in inner[::-1]:
            left = child[start + node] - start
            below[node] = below[left] + below[left + 1] + 2
        for node in inner:
            left = child[start + node] - start
            more = left if below[left] >= below[left + 1] else left + 1
            assert below[more] == 0 or child[start + more] == start + left + 2


def test_what_is_known_of_a_model_goes_with_it() -> None:
    from openbook.forest import prediction

    X, y = table(100)
    model = RandomForestClassifier(2, random_state=0).fit(X, y)
    model.predict_proba(X)
    number = id(model)
    assert number in prediction._walks
    del model
    assert number not in prediction._walks


def test_float32_rows_are_compared_as_the_numbers_they_are() -> None:
    X, y = table(300)
    model = RandomForestClassifier(5, random_state=0).fit(X.astype(np.float32), y)
    np.testing.assert_array_equal(
        model.predict_proba(X.astype(np.float32)), model.predict_proba(X.astype(np.float32).astype(float))
    )


def test_children_that_are_not_neighbours_are_moved_together() -> None:
    """Depth-first numbers (as other libraries have them) give the same leaves, under new numbers."""
    own, third = np.zeros(5), np.ones((5, 1))
    tree = Tree(
        feature=np.array([0, 0, LEAF, LEAF, LEAF], np.int32), threshold=np.array([2.0, 1.0, 0, 0, 0]),
        left=np.array([1, 2, LEAF, LEAF, LEAF], np.int32), right=np.array([4, 3, LEAF, LEAF, LEAF], np.int32),
        missing_left=np.zeros(5, bool), value=np.arange(5.0)[:, None] * third, weight=own + 1, samples=own + 1, gain=own,
    )  # fmt: skip
    X = np.array([[0.5], [1.0], [1.5], [2.0], [2.5], [np.nan]])
    want = [tree.value[tree.path(x)[1], 0] for x in X]
    walk = Walk.of([tree], 1)
    np.testing.assert_array_equal(leaf_values(walk, X)[:, 0], want)
    assert want == [2, 2, 3, 3, 4, 4]
    assert (leaves_of(walk, X) < 5).all()


def test_fitting_again_forgets_the_old_trees() -> None:
    X, y = table(200)
    model = RandomForestClassifier(3, random_state=0).fit(X, y)
    before = model.predict_proba(X)
    model.set_params(random_state=1).fit(X, y)
    fresh = RandomForestClassifier(3, random_state=1).fit(X, y).predict_proba(X)
    assert not np.array_equal(before, fresh)
    np.testing.assert_array_equal(model.predict_proba(X), fresh)


def test_a_damaged_tree_is_not_walked() -> None:
    X, y = table(100)
    model = RandomForestClassifier(3, random_state=0).fit(X, y)
    model.trees_[1].left[0] = 10_000
    with pytest.raises(ModelError, match="child"):
        model.predict_proba(X)


@pytest.mark.parametrize(
    "rows",
    [
        np.full((1, 6), np.inf), np.zeros((1, 5)), np.zeros(6), np.zeros((0, 6)), np.array([["a"] * 6]), np.zeros((1, 1, 6)),
    ],
)  # fmt: skip
def test_rows_that_look_as_fitted_are_refused_where_they_are_not(rows: np.ndarray) -> None:
    """scikit-learn's checks are spared where there is nothing to check, and only there."""
    X, y = table(200)
    model = RandomForestClassifier(3, random_state=0).fit(X, y)
    assert model.predict_proba(X[:2].astype(np.float32)).shape == (2, 3)
    assert model.predict_proba(np.asfortranarray(X[:3])[:, ::1]).shape == (3, 3)
    with pytest.raises(ValueError):
        model.predict_proba(rows)
