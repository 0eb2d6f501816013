"""Model files changed at random: each is read, or refused with one clear error; what was read predicts."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

import openbook as ob
from openbook import nn
from openbook.errors import FileError
from openbook.files import Stored
from openbook.files.models import to_stored
from openbook.forest import DecisionTreeClassifier, ExtraTreeRegressor, RandomForestClassifier, RandomForestRegressor
from openbook.linear import LinearRegression, LogisticRegression

ODD = [
    0,
    1,
    -1,
    2,
    3,
    255,
    0.5,
    True,
    None,
    "",
    "a",
    [],
    {},
    [[]],
    {"array": "value"},
    {"tuple": [1]},
    {"float": "nan"},
]
HUGE = [2**31 - 1, 2**31, 2**63 - 1, -(2**63), 1e308]  # not for nets, whose padding may be as large as memory


def _models() -> dict[str, Any]:
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 4))
    X[::7, 1] = np.nan
    y = random.integers(0, 3, 60)
    full = np.nan_to_num(X)
    weight = np.linspace(0.5, 1.5, 60)
    pairs = np.column_stack([y > 0, y > 1])
    return {
        "tree": DecisionTreeClassifier(max_depth=3).fit(X, np.array(["a", "b", "c"])[y]),
        "forest": RandomForestClassifier(3, max_depth=3, random_state=0, oob_score=True).fit(X, y),
        "numbers": RandomForestRegressor(3, max_depth=3, random_state=0).fit(X, X[:, 0]),
        "compact": RandomForestClassifier(3, max_depth=3, random_state=0).fit(X, y).compact(),
        "several": RandomForestClassifier(2, max_depth=3, random_state=0, oob_score=True).fit(X, pairs, sample_weight=weight),
        "quantiles": RandomForestRegressor(2, max_depth=3, random_state=0, keep_targets=True, oob_score=True).fit(
            X, X[:, 0], sample_weight=weight
        ),
        "two numbers": ExtraTreeRegressor(max_depth=3, random_state=0).fit(X, full[:, :2]),
        "compact several": RandomForestClassifier(2, max_depth=3, random_state=0).fit(X, pairs).compact(),
        "logistic": LogisticRegression().fit(full, y),
        "line": LinearRegression().fit(full, full[:, 0]),
        "net": nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Sequential(nn.LayerNorm(3), nn.Dropout(0.5)), nn.Linear(3, 2)).eval(),
        "images": nn.Sequential(nn.Conv1d(1, 2, 3), nn.MaxPool1d(2), nn.Flatten()),
    }  # fmt: skip


MODELS = _models()


def use(model: Any) -> None:
    """Predict with it: values are what they are, but nothing may crash or hang."""
    random = np.random.default_rng(0)
    if isinstance(model, nn.Module):
        model(ob.tensor(random.normal(size=(3, 1, 4)), ob.float32))
    elif not isinstance(model, dict) and model.n_features_in_ < 1000:
        X = random.normal(size=(9, model.n_features_in_))
        model.predict_proba(X) if hasattr(model, "classes_") else model.predict(X)
        use_forest(model, X)


def use_forest(model: Any, X: np.ndarray) -> None:
    """What else a forest can be asked: its drawn rows, the targets in its leaves, its intervals."""
    if hasattr(model, "leaf_targets_"):
        model.predict_quantiles(X)
    if hasattr(model, "oob_residuals_") and model.oob_residuals_.ndim == 1 and len(model.oob_residuals_):
        model.predict_interval(X, by="out_of_bag")
    drawn = getattr(model, "bootstrap_", None)
    if drawn is not None and model.seeds_ and max(drawn.rows, drawn.size) < 1000:
        assert len(model.estimators_samples_) == len(model.estimators_) == len(model)
    if hasattr(model, "tree_") and hasattr(model.tree_, "impurity"):
        assert len(model.tree_.impurity) == len(model.tree_)


def outcome(data: bytes, path: Path) -> str:
    """What became of it: read, or refused with the one kind of error there may be."""
    path.write_bytes(data)
    try:
        model = ob.load(path)
    except FileError:
        return "refused"
    try:
        with np.errstate(all="ignore"):  # coefficients of 1e300 are coefficients
            use(model)
    except Exception:
        # Somebody has forged settings that contradict the weights, and put a right digest on them: Python says so at the
        # first call. A forest never gets as far: its kernels would read what is not theirs.
        assert isinstance(model, nn.Module)
        return "refused when called"
    return "read"


# --- bytes -----------------------------------------------------------------------------------------------------------


def mutated_bytes(data: bytes, random: np.random.Generator) -> bytes:
    """A few bits flipped, a piece lost, doubled or overwritten: mostly in the header, which says what the rest is."""
    changed = bytearray(data)
    header = 8 + int.from_bytes(data[:8], "little")
    place = int(random.integers(header if random.random() < 0.7 else len(data)))
    match random.integers(6):
        case 0 | 1:
            changed[place] ^= 1 << int(random.integers(8))
        case 2:
            changed[place] = int(random.integers(256))
        case 3:
            del changed[place:]
        case 4:
            del changed[place : place + int(random.integers(1, 9))]
        case 5:
            changed[place:place] = changed[place : place + int(random.integers(1, 9))]
    return bytes(changed)


# --- contents, with a digest that is right ----------------------------------------------------------------------------


def mutated_contents(stored: Stored, random: np.random.Generator) -> bytes:
    """Another entry, dtype or shape of an array, another value anywhere in the facts; sealed as if it had been written so."""
    facts, arrays = copy.deepcopy(stored.facts), dict(stored.arrays)
    if arrays and random.random() < 0.6:
        name = list(arrays)[int(random.integers(len(arrays)))]
        with np.errstate(all="ignore"):
            changed = _mutated_array(np.array(arrays[name]), random)
        if changed is None:
            del arrays[name]
        else:
            arrays[name] = changed
    else:
        places = list(_places(facts))
        holder, key = places[int(random.integers(len(places)))]
        _change(holder, key, ODD if stored.kind == "net" else ODD + HUGE, random)
    changed_model = Stored(
        stored.kind, facts, {k: np.ascontiguousarray(v).reshape(np.shape(v)) for k, v in arrays.items()}
    )
    return save(changed_model.arrays, {"openbook": changed_model.note()})


def _mutated_array(array: np.ndarray, random: np.random.Generator) -> np.ndarray | None:
    match random.integers(7):
        case 0:
            return None
        case 1:
            return array.astype(random.choice(["i1", "u1", "i8", "f4", "f8", "?", "u4", "f2"]))
        case 2:
            return array[: int(random.integers(len(array) + 1))] if array.ndim else array
        case 3:
            return array.reshape(-1) if random.random() < 0.5 else array[None]
        case 4 if array.size:
            array.reshape(-1).view(np.uint8)[int(random.integers(array.nbytes))] ^= 1 << int(random.integers(8))
        case 5 if array.size:
            array.flat[int(random.integers(array.size))] = array.flat[int(random.integers(array.size))]
        case 6 if array.size and array.dtype.kind == "f":
            array.flat[int(random.integers(array.size))] = random.choice([np.nan, np.inf, -np.inf, 0.0, -1.0, 1e308])
    return array


def _places(value: Any) -> Any:
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])


def _change(holder: Any, key: Any, odd: list[Any], random: np.random.Generator) -> None:
    match random.integers(4):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder["".join(random.permutation(list(str(key)))) + random.choice(["", "_"])] = holder.pop(key)
        case 2 if isinstance(holder[key], (int, float)):
            holder[key] = type(holder[key])(random.choice([-7, -1, 0, 1, 2, 7, 100]))
        case _:
            holder[key] = odd[int(random.integers(len(odd)))]


# --- the test --------------------------------------------------------------------------------------------------------


def mutants(name: str, random: np.random.Generator, count: int) -> Callable[[Path], dict[str, int]]:
    """A function that writes so many mutants to a path, one after the other, and counts what became of them."""
    stored = to_stored(MODELS[name])
    whole = save({k: np.ascontiguousarray(v) for k, v in stored.arrays.items()}, {"openbook": stored.note()})

    def outcomes(path: Path) -> dict[str, int]:
        seen: dict[str, int] = {}
        for turn in range(count):
            data = mutated_bytes(whole, random) if turn % 2 else mutated_contents(stored, random)
            found = outcome(data, path)
            seen[found] = seen.get(found, 0) + 1
        return seen

    return outcomes


@pytest.mark.parametrize("name", MODELS)
def test_a_changed_file_is_read_or_refused(name: str, tmp_path: Path) -> None:
    seen = mutants(name, np.random.default_rng(1), 600)(tmp_path / "mutant")
    assert seen["refused"] > 100 and seen["read"] > 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", MODELS)
def test_a_million_changed_files(name: str, seed: int, tmp_path: Path) -> None:
    seen = mutants(name, np.random.default_rng([seed, 2]), 7_200)(tmp_path / "mutant")
    assert sum(seen.values()) == 7_200
