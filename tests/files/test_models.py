"""Models to files and back: the same predictions to the last bit; what is damaged or strange is refused with one error."""

from __future__ import annotations

import json
import pickle
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file as any_reader
from safetensors.numpy import save_file as any_writer
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier as TheirForest

import openbook as ob
from openbook import nn
from openbook.errors import ExplainError, FileError, ModelError
from openbook.files import Stored
from openbook.files.models import from_stored, to_stored
from openbook.forest import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from openbook.forest.kept import KeptTrees
from openbook.linear import LinearRegression, LogisticRegression

CLASSIFIERS = {
    "tree": DecisionTreeClassifier(random_state=0),
    "forest": RandomForestClassifier(7, random_state=0, oob_score=True, class_weight={"no": 1.0, "yes": 2.0}),
    "balanced": RandomForestClassifier(5, random_state=1, class_weight="balanced", voting="hard", max_depth=4),
    "extra": ExtraTreesClassifier(6, random_state=2, ccp_alpha=0.002),
}
REGRESSORS = {
    "tree": DecisionTreeRegressor(max_leaf_nodes=20, random_state=0),
    "forest": RandomForestRegressor(7, random_state=0, oob_score=True),
    "extra": ExtraTreesRegressor(6, random_state=2, min_samples_leaf=3),
}
LABELS = {
    "two texts": np.array(["no", "yes"]), "texts": np.array(["c", "a", "long name"], dtype=object),
    "numbers": np.array([7, -3, 11]), "floats": np.array([-1.0, 2.0]), "truth": np.array([False, True]),
}  # fmt: skip


def table(missing: bool = True, rows: int = 240) -> np.ndarray:
    random = np.random.default_rng(3)
    X = random.normal(size=(rows, 5))
    X[:, 3] = np.round(X[:, 3])
    if missing:
        X[random.random(X.shape) < 0.1] = np.nan
    return X


def codes(X: np.ndarray, classes: int) -> np.ndarray:
    score = np.nan_to_num(X[:, 0]) + np.random.default_rng(4).normal(0, 0.5, len(X))
    return np.searchsorted(np.quantile(score, np.arange(1, classes) / classes), score)


def read_again(model: Any, folder: Path) -> Any:
    ob.save(model, folder / "model.safetensors")
    return ob.load(folder / "model.safetensors")


def same(a: Any, b: Any) -> None:
    """Equal to the last bit, of one dtype; lists and dataclasses in each of their parts."""
    if is_dataclass(a) or isinstance(a, list | KeptTrees):
        assert type(a) is type(b)
        parts = zip(a, b, strict=True) if not is_dataclass(a) else zip(vars(a).values(), vars(b).values(), strict=True)
        for mine, other in parts:
            same(mine, other)
        return
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)


def require_same_model(model: Any, again: Any, X: np.ndarray) -> None:
    assert type(again) is type(model) and set(vars(again)) == set(vars(model))
    assert repr(again.get_params()) == repr(model.get_params())
    same(model.predict(X), again.predict(X))
    same(model.feature_importances_, again.feature_importances_)
    for name in set(vars(model)) - set(model.get_params()):
        same(getattr(model, name), getattr(again, name))


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_come_back_bit_for_bit(name: str, labels: str, missing: bool, tmp_path: Path) -> None:
    X = table(missing)
    model = clone(CLASSIFIERS[name])
    if isinstance(model.get_params().get("class_weight"), dict) and labels != "two texts":
        model.set_params(class_weight=None)
    model.fit(X, LABELS[labels][codes(X, len(LABELS[labels]))], sample_weight=np.linspace(0.5, 1.7, len(X)))
    again = read_again(model, tmp_path)
    require_same_model(model, again, X)
    same(model.predict_proba(X), again.predict_proba(X))
    assert again.explain(row=X[0]).result == model.explain(row=X[0]).result


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_come_back_bit_for_bit(name: str, missing: bool, tmp_path: Path) -> None:
    X = table(missing)
    model = clone(REGRESSORS[name]).fit(X, np.nan_to_num(X[:, 0]) ** 2 / 3)
    require_same_model(model, read_again(model, tmp_path), X)


def test_linear_models_come_back_bit_for_bit(tmp_path: Path) -> None:
    X = table(missing=False)
    for classes in (2, 3):
        model = LogisticRegression(C=np.inf if classes == 2 else 2.0).fit(
            X, np.array(["x", "y", "z"])[codes(X, classes)]
        )
        again = read_again(model, tmp_path)
        same(model.predict_proba(X), again.predict_proba(X))
        same(model.predict(X), again.predict(X))
        assert again.newton_ == model.newton_ and again.C == model.C
        assert again.explain().check().passed and again.explain(row=X[0]).check().passed
    line = LinearRegression(ridge=0.1).fit(X, X @ [1, 2, 3, 4, 5])
    again = read_again(line, tmp_path)
    same(line.predict(X), again.predict(X))
    assert again.explain(row=X[0]).check().passed
    with pytest.raises(ExplainError, match="keeps no training rows"):
        again.explain()


def test_names_of_features_come_back(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(table(), columns=["a", "b", "ü", "d", "e"])
    model = RandomForestClassifier(3, random_state=0).fit(frame, codes(table(), 2))
    again = read_again(model, tmp_path)
    same(again.feature_names_in_, model.feature_names_in_)
    same(again.predict_proba(frame), model.predict_proba(frame))


def test_pickle_and_clone_keep_scikit_learns_contract(tmp_path: Path) -> None:
    X = table()
    model = RandomForestClassifier(5, random_state=0).fit(X, codes(X, 3))
    joblib.dump(model, tmp_path / "model.joblib")
    for again in (
        pickle.loads(pickle.dumps(model)),
        joblib.load(tmp_path / "model.joblib"),
        read_again(model, tmp_path),
    ):
        same(again.predict_proba(X), model.predict_proba(X))
        same(clone(again).fit(X, codes(X, 3)).predict_proba(X), model.predict_proba(X))


# --- nets ------------------------------------------------------------------------------------------------------------

NETS = {
    "mlp": lambda: (nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.GELU("tanh"), nn.Dropout(0.2), nn.Linear(8, 2)), (4, 5)),
    "convolutions": lambda: (
        nn.Sequential(nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 2)),
        (3, 2, 8, 8),
    ),
    "transformer": lambda: (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, activation="gelu"), 2), (3, 2, 8)),
    "lstm": lambda: (nn.LSTM(4, 3, 2, bidirectional=True, batch_first=True), (2, 5, 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", NETS)
def test_nets_come_back_bit_for_bit(name: str, tmp_path: Path) -> None:
    net, shape = NETS[name]()
    net(ob.randn(*shape))  # running means move
    net.eval()
    next(net.parameters()).requires_grad_(False)
    before = ob.get_rng_state()
    again = read_again(net, tmp_path)
    assert ob.get_rng_state() == before  # reading draws nothing
    x = ob.randn(*shape)
    ours, theirs = net(x), again(x)
    for a, b in zip(
        ours if isinstance(ours, tuple) else (ours,), theirs if isinstance(theirs, tuple) else (theirs,), strict=True
    ):
        if not isinstance(a, tuple):
            same(a.data, b.data)
    assert repr(again) == repr(net) and not again.training
    assert [p.requires_grad for p in again.parameters()] == [p.requires_grad for p in net.parameters()]
    assert list(again.state_dict()) == list(net.state_dict())
    assert set(any_reader(tmp_path / "model.safetensors")) >= set(net.state_dict())


def test_what_is_shared_in_a_net_stays_shared(tmp_path: Path) -> None:
    part = nn.Linear(4, 4)
    net = nn.Sequential(part, nn.Linear(4, 4), part)
    net[1].weight = part.weight
    again = read_again(net, tmp_path)
    assert again[0] is again[2] and again[1].weight is again[0].weight and again[1].bias is not again[0].bias
    same(again(ob.ones(2, 4)).data, net(ob.ones(2, 4)).data)


def test_a_net_that_a_file_cannot_hold_is_refused(tmp_path: Path) -> None:
    class Mine(nn.Module):
        def forward(self, x: ob.Tensor) -> ob.Tensor:
            return x

    hooked = nn.Linear(2, 2)
    hooked.register_forward_hook(lambda *a: None)
    for net, told in ((nn.Sequential(Mine()), "state_dict"), (hooked, "hooks"), (nn.LazyLinear(3), "call the net")):
        with pytest.raises(ModelError, match="(?i)" + told):
            ob.save(net, tmp_path / "net.safetensors")
    assert not list(tmp_path.iterdir())


# --- files that are not what they should be ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def forest() -> RandomForestClassifier:
    X = table()
    return RandomForestClassifier(4, random_state=0, max_depth=5).fit(X, codes(X, 3))


def test_anybody_can_read_the_arrays(forest: RandomForestClassifier, tmp_path: Path) -> None:
    ob.save(forest, tmp_path / "forest.safetensors")
    arrays = any_reader(tmp_path / "forest.safetensors")
    assert arrays["sizes"].tolist() == [len(tree) for tree in forest.trees_]
    with safe_open(tmp_path / "forest.safetensors", "numpy") as file:
        note = json.loads(file.metadata()["openbook"])
    assert note["version"] == 1 and note["kind"] == "forest"
    assert json.loads(note["facts"])["class"] == "RandomForestClassifier"


def test_the_same_model_is_the_same_file(forest: RandomForestClassifier, tmp_path: Path) -> None:
    for name in ("a", "b"):
        ob.save(forest, tmp_path / name)
    again = ob.load(tmp_path / "a")
    ob.save(again, tmp_path / "c")
    assert len({(tmp_path / name).read_bytes() for name in "abc"}) == 1


def test_the_file_is_small(tmp_path: Path) -> None:
    """Less than a quarter of what joblib makes of scikit-learn's forest, node for node."""
    X = table(missing=False, rows=2000)
    y = codes(X, 2)
    ours = RandomForestClassifier(10, random_state=0).fit(X, y)
    theirs = TheirForest(10, random_state=0).fit(X, y)
    ob.save(ours, tmp_path / "ours")
    joblib.dump(theirs, tmp_path / "theirs")
    nodes = sum(len(tree) for tree in ours.trees_), sum(tree.tree_.node_count for tree in theirs.estimators_)
    sizes = [(tmp_path / name).stat().st_size for name in ("ours", "theirs")]
    assert sizes[0] / nodes[0] < sizes[1] / nodes[1] / 4


def test_what_is_no_model_is_not_saved(tmp_path: Path) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.linear_model import Ridge

    with pytest.raises(ModelError, match="from_sklearn"):
        ob.save(Ridge(), tmp_path / "x")
    with pytest.raises(NotFittedError):
        ob.save(RandomForestClassifier(), tmp_path / "x")
    model = DecisionTreeRegressor(random_state=np.random.RandomState(0)).fit(table(), np.arange(240.0))
    with pytest.raises(ModelError, match="random_state is a RandomState"):
        ob.save(model, tmp_path / "x")
    model.set_params(random_state=0, criterion="guess")
    with pytest.raises(ModelError, match="criterion 'guess' is none"):
        ob.save(model, tmp_path / "x")
    model.set_params(criterion="squared_error").note = "mine"
    with pytest.raises(ModelError, match=r"del model\.note"):
        ob.save(model, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def resaved(stored: Stored, path: Path, **changes: Any) -> Path:
    """The file of a changed model whose digest is right all the same: as somebody who means harm would make it."""
    changed = Stored(**{"kind": stored.kind, "facts": stored.facts, "arrays": stored.arrays, **changes})
    any_writer({k: np.ascontiguousarray(v) for k, v in changed.arrays.items()}, path, {"openbook": changed.note()})
    return path


def with_entry(array: np.ndarray, place: int, value: Any) -> np.ndarray:
    wide = array.astype(np.promote_types(array.dtype, np.min_scalar_type(value)))
    wide.flat[place] = value
    return wide


WRONG_ARRAYS = {
    "NaN threshold": lambda a: {"threshold": with_entry(a["threshold"], 0, np.nan)},
    "endless value": lambda a: {"value": with_entry(a["value"].astype(float), 3, np.inf)},
    "negative weight": lambda a: {"value": with_entry(a["value"].astype(float), 3, -1.0)},
    "no weight at all": lambda a: {"value": a["value"] * 0},
    "cycle": lambda a: {"left": with_entry(a["left"], int(np.flatnonzero(a["left"])[1]), 1)},
    "own child": lambda a: {"left": with_entry(a["left"], 2, 2)},
    "child out of range": lambda a: {"left": with_entry(a["left"], 0, 2**31 - 2)},
    "child beyond 32 bits": lambda a: {"left": with_entry(a["left"], 0, 2**40)},
    "feature out of range": lambda a: {"feature": with_entry(a["feature"], 0, 5)},
    "feature as float": lambda a: {"feature": a["feature"].astype(np.float32)},
    "sizes": lambda a: {"sizes": a["sizes"][:-1]},
    "size zero": lambda a: {"sizes": np.append(a["sizes"], 0)},
    "huge size": lambda a: {"sizes": with_entry(a["sizes"], 0, 2**62)},
    "shape": lambda a: {"value": a["value"][:, :2]},
    "short": lambda a: {"samples": a["samples"][1:]},
    "scalar": lambda a: {"sizes": np.int64(3)},
}


@pytest.mark.parametrize("damage", WRONG_ARRAYS)
def test_wrong_trees_are_refused_before_any_kernel_reads_them(
    damage: str, forest: RandomForestClassifier, tmp_path: Path
) -> None:
    stored = to_stored(forest)
    arrays = {name: np.asarray(a) for name, a in (stored.arrays | WRONG_ARRAYS[damage](stored.arrays)).items()}
    with pytest.raises(FileError, match="no model that can be used"):
        ob.load(resaved(stored, tmp_path / "wrong", arrays=arrays))


def test_an_array_that_is_missing_is_named(forest: RandomForestClassifier, tmp_path: Path) -> None:
    stored = to_stored(forest)
    for name in set(stored.arrays) - {"weight"}:
        arrays = {k: v for k, v in stored.arrays.items() if k != name}
        with pytest.raises(FileError, match=r"no array|stands for nothing|sizes"):
            ob.load(resaved(stored, tmp_path / "wrong", arrays=arrays))


@pytest.mark.parametrize(
    ("part", "changes", "told"),
    [
        ("params", {"voting": "loud"}, "voting"), ("params", {"n_jobs": "all"}, "n_jobs"),
        ("params", {"depth": 3}, "depth"), ("learnt", {"n_features_in_": 0}, "of 0 features"),
        ("learnt", {"n_features_in_": 2}, "feature . of 2|one for each feature"), ("learnt", {"predict": 3}, "predict"),
        ("learnt", {"feature_importances_": 3}, "feature_importances_"), ("learnt", {"n_classes_": 2}, "classes"),
        ("learnt", {"classes_": {"texts": ["a", "b"], "dtype": "str"}}, "classes"), ("learnt", {"seeds_": [1]}, "seed"),
        ("learnt", {"classes_": {"array": "nowhere"}}, "stands for nothing"), ("learnt", {"n_rows_": {"float": "7"}}, "stands"),
    ],
)  # fmt: skip
def test_wrong_facts_are_refused(
    part: str, changes: dict[str, Any], told: str, forest: RandomForestClassifier, tmp_path: Path
) -> None:
    stored = to_stored(forest)
    facts = {**stored.facts, part: {**stored.facts[part], **changes}}
    with pytest.raises(FileError, match=told):
        ob.load(resaved(stored, tmp_path / "wrong", facts=facts))


def test_newer_versions_other_kinds_and_damage_are_told_apart(forest: RandomForestClassifier, tmp_path: Path) -> None:
    stored = to_stored(forest)
    note = json.loads(stored.note())
    path = tmp_path / "forest.safetensors"
    for change, told in (
        ({"version": 2}, "newer openbook"),
        ({"sha256": "0" * 64}, "digest"),
        ({"facts": "[" * 10_000}, "note"),
    ):
        any_writer(stored.arrays, path, {"openbook": json.dumps({**note, **change})})
        with pytest.raises(FileError, match=told):
            ob.load(path)
    any_writer(stored.arrays, path, {"openbook": "{"})
    with pytest.raises(FileError, match="note"):
        ob.load(path)
    with pytest.raises(FileError, match="'dragon', a kind"):
        ob.load(resaved(stored, path, kind="dragon"))
    with pytest.raises(FileError, match="no class"):
        ob.load(resaved(stored, path, facts={**stored.facts, "class": "LinearRegression"}))


def test_one_bit_is_noticed(forest: RandomForestClassifier, tmp_path: Path) -> None:
    ob.save(forest, tmp_path / "forest")
    data = bytearray((tmp_path / "forest").read_bytes())
    data[-5] ^= 4
    (tmp_path / "forest").write_bytes(data)
    with pytest.raises(FileError, match="digest"):
        ob.load(tmp_path / "forest")


def test_what_is_stored_can_be_kept_in_memory(forest: RandomForestClassifier) -> None:
    same(from_stored(to_stored(forest)).predict_proba(table()), forest.predict_proba(table()))
