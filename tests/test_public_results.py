"""The walk over the public API: whatever a public function hands out that holds numbers explains itself, and checks itself.

Found are the classes that a package offers, those its functions say they return, and those that these hold in their
fields. Each is asked for its working below, or stands in `NO_RESULTS` with the reason why it is none.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook import decide, forest, linear, nn
from openbook.record import Brief, Explains, Working

_RANDOM = np.random.default_rng(0)
X = _RANDOM.normal(size=(40, 3))
LABELS = (X[:, 0] > 0.2).astype(int)
NUMBERS = X @ [1.0, -2.0, 0.5]
TRUE, P = [0, 1, 0, 1, 0, 1], [0.2, 0.9, 0.4, 0.7, 0.1, 0.35]
LOGITS = [2.0, 1.0, 0.0]


def _loss() -> ob.Tensor:
    w = ob.tensor([0.5, -1.0], requires_grad=True)
    return (w.double() * ob.tensor([2.0, 3.0]).double()).tanh().sum()


@cache
def _diagnosis() -> ob.diagnose.Diagnosis:
    ob.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    return ob.diagnose(model, (corners, np.array([[0.0], [1], [1], [0]], np.float32)), nn.MSELoss(), steps=10)


def _gradcheck() -> Any:
    return ob.gradcheck(lambda x: (x.sin() * x).sum(), ob.tensor([0.3, -1.2]).double())


def _logistic() -> linear.LogisticRegression:
    return linear.LogisticRegression().fit(X, LABELS)


@cache
def _tree() -> forest.DecisionTreeClassifier:
    return forest.DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, LABELS)


ROW = {"row": X[3]}
# How one of each kind comes about, and what is asked of it besides.
RESULTS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "BestThreshold": (lambda: ob.best_threshold(TRUE, P), {}),
    "CostDecision": (lambda: ob.least_cost(P, [[0, 1], [5, 0]], y=TRUE), {}),
    "DecisionTreeClassifier": (_tree, ROW),
    "DecisionTreeRegressor": (lambda: forest.DecisionTreeRegressor(max_depth=2).fit(X, NUMBERS), ROW),
    "Diagnosis": (_diagnosis, {}),
    "Draws": (lambda: ob.draw(LOGITS, 60, top_k=2, seed=0), {}),
    "Effect": (lambda: _diagnosis()[0].effect, {}),
    "EntryCheck": (lambda: _gradcheck().worst, {}),
    "ExtraTreeClassifier": (lambda: forest.ExtraTreeClassifier(max_depth=2, random_state=0).fit(X, LABELS), ROW),
    "ExtraTreeRegressor": (lambda: forest.ExtraTreeRegressor(max_depth=2, random_state=0).fit(X, NUMBERS), ROW),
    "ExtraTreesClassifier": (lambda: forest.ExtraTreesClassifier(5, random_state=0).fit(X, LABELS), ROW),
    "ExtraTreesRegressor": (lambda: forest.ExtraTreesRegressor(5, random_state=0).fit(X, NUMBERS), ROW),
    "Finding": (lambda: _diagnosis()[0], {}),
    "Gradcheck": (_gradcheck, {}),
    "Iteration": (lambda: _logistic().newton_[0], {}),
    "Judgement": (lambda: decide.Judgement("two", np.array(TRUE), np.c_[1 - np.array(P), P]), {}),
    "LineCheck": (lambda: ob.check_line("(a + b)**2", "a**2 + 2*a*b + b**2"), {}),
    "LinearRegression": (lambda: linear.LinearRegression().fit(X, NUMBERS), ROW),
    "LogisticRegression": (_logistic, ROW),
    "NewtonStep": (lambda: ob.newton_step(X, NUMBERS), {}),
    "Outcome": (lambda: ob.at_thresholds(TRUE, P, [0.3]).best, {}),
    "RandomForestClassifier": (lambda: forest.RandomForestClassifier(5, random_state=0).fit(X, LABELS), ROW),
    "RandomForestRegressor": (lambda: forest.RandomForestRegressor(5, random_state=0).fit(X, NUMBERS), ROW),
    "Parting": (lambda: ob.diff(ob.explain("x*y", x=2, y=3), ob.explain("x*y", x=2, y=4)), {}),
    "Reliability": (lambda: ob.reliability(TRUE, P, bins=3), {}),
    "Spread": (lambda: ob.best_threshold(TRUE, P).spread(20), {}),
    "StepSweep": (lambda: ob.step_sweep(lambda x: (x.tanh() * x.exp()).sum(), np.array([0.3, -0.7])), {}),
    "TemperatureScaling": (lambda: decide.TemperatureScaling.learn(np.c_[NUMBERS, -NUMBERS], (NUMBERS < 0.4) * 1), {}),
    "Tempered": (lambda: ob.temper(LOGITS, 2.0), {}),
    "Tensor": (_loss, {}),
    "ThresholdTable": (lambda: ob.at_thresholds(TRUE, P, [0.3, 0.5]), {}),
    "Tree": (lambda: forest.RandomForestClassifier(2, random_state=0).fit(X, LABELS).trees_[0], ROW),
}

# What holds no number that came about, by name or by a class it is made from, and why.
NO_RESULTS: dict[str, str] = {
    "Module": "a network: what is asked of it is a question of its own (tests/explain/test_eight_parts.py)",
    "Parameter": "a tensor that was given; what is computed from it explains itself",
    "UninitializedParameter": "a tensor that has no numbers yet",
    "Optimizer": "an algorithm with its state; the numbers it changes are tensors",
    "LRScheduler": "a rule for a rate",
    "ReduceLROnPlateau": "a rule for a rate",
    "Dataset": "rows that go in",
    "Sampler": "an order of rows",
    "DataLoader": "rows that go in, in batches",
    "tuple": "several tensors or lines under names; each of the tensors explains itself",
    "Op": "what an operation is; the tensors it makes explain themselves",
    "Function": "an operation of the user's own, or a function of the formula language",
    "Reals": "where samples come from",
    "Expr": "a formula; ob.derive and ob.explain work it out",
    "Arithmetic": "how formulas are computed",
    "Metric": "a definition; its values are Outcomes",
    "Rate": "a definition; its values stand in Outcomes",
    "Difference": "the counterexample in a LineCheck, which shows it",
    "Working": "what explains",
    "Display": "a plot that belongs to what explains",
    "Stored": "what stands in a file, on its way to being a model",
    "Step": "a part of what explains",
    "Pair": "two steps side by side in a Parting, which shows them",
    "Witness": "a part of what explains",
    "Check": "how a part of what explains was checked",
    "Verification": "how what explains was checked",
    "Graph": "a part of what explains",
    "Node": "a part of what explains",
    "Edge": "a part of what explains",
    "Picture": "a drawing of a tree or a forest, which explain themselves",
    "Explains": "what gives a class its .explain()",
    "Brief": "what gives a class its short repr",
    "Table": "rows that go in, or a part of what explains",
    "DesignMatrix": "how rows go in",
    "TreeMatrix": "how rows go in",
    "Split": "which rows go in",
    "Target": "what is asked of the rows that go in",
    "Guess": "a sentence about the rows that go in",
    "Kind": "what kind of entries a column has",
    "Methods": "what tensors can do",
    "Generator": "a source of random numbers",
    "device": "where tensors are",
    "enable_grad": "a context", "no_grad": "a context", "inference_mode": "a context", "set_grad_enabled": "a context",
    "Engine": "how diagnose speaks to a library", "Birth": "how diagnose speaks to a library",
    "Operation": "how diagnose speaks to a library",
}  # fmt: skip


def packages() -> Iterator[ModuleType]:
    """openbook, and everything below it that people import from."""
    yield ob
    for found in pkgutil.walk_packages(ob.__path__, "openbook."):
        name = found.name.removeprefix("openbook.")
        if not name.startswith("testing") and (found.ispkg or name in ("special", "func", "autograd")):
            yield importlib.import_module(found.name)


def offered(package: ModuleType) -> Iterator[Any]:
    """What stands under its public names."""
    names = getattr(package, "__all__", None) or [name for name in dir(package) if not name.startswith("_")]
    for name in names:
        yield getattr(package, name)


def named_in(annotation: Any, home: str) -> Iterator[type]:
    """The classes of openbook that an annotation speaks of."""
    words = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    for word in re.findall(r"\w+", words):
        kind = getattr(sys.modules.get(home), word, None)
        if is_ours(kind):
            yield kind


def is_ours(kind: Any) -> bool:
    return inspect.isclass(kind) and kind.__module__.startswith("openbook.")


def public_classes() -> set[type]:
    found: set[type] = set()
    for package in packages():
        for thing in offered(package):
            if is_ours(thing):
                found.add(thing)
            elif inspect.isfunction(thing):
                found.update(named_in(inspect.signature(thing).return_annotation, thing.__module__))
    waiting = list(found)
    while waiting:  # what they hold is handed out as well
        kind = waiting.pop()
        fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) and not why_not(kind) else ()
        held = {inner for f in fields for inner in named_in(f.type, kind.__module__)} - found
        found |= held
        waiting += held
    return found


def why_not(kind: type) -> str | None:
    """Why a class is no result, if it is none."""
    bases = [base.__name__ for base in kind.__mro__ if base is kind or base not in (Explains, Brief)]
    return next((NO_RESULTS[name] for name in bases if name in NO_RESULTS), None)


def missing(kinds: set[type]) -> list[str]:
    """The public results that nothing here asks to explain themselves."""
    return sorted(k.__qualname__ for k in kinds if k.__name__ not in RESULTS and why_not(k) is None)


def test_every_public_result_is_asked() -> None:
    assert missing(public_classes()) == []


def test_nothing_is_listed_that_is_not_there() -> None:
    everywhere = {base.__name__ for kind in public_classes() for base in kind.__mro__}
    assert set(RESULTS) <= everywhere
    assert set(NO_RESULTS) <= everywhere
    assert not set(RESULTS) & set(NO_RESULTS)


@pytest.mark.parametrize("name", RESULTS)
def test_public_results_explain_themselves(name: str) -> None:
    make, asked = RESULTS[name]
    result = make()
    assert type(result).__name__ == name
    for working in (ob.explain(result, **asked), result.explain(**asked)):
        assert isinstance(working, Working)
        verification = working.check()
        assert verification.passed and verification.checks
        assert "\n" not in repr(working)


@pytest.mark.parametrize("name", [n for n in RESULTS if n not in ("Tensor",)])
def test_a_repr_is_short_and_derives_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, _ = RESULTS[name]
    result = make()
    monkeypatch.setattr(
        sys.modules["openbook.record.working"], "verify", lambda _: pytest.fail("a repr derives nothing")
    )
    assert repr(result).count("\n") <= 3 and len(repr(result)) < 600


def test_a_result_that_does_not_explain_itself_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted class, handed out by a function that says so, is missed by the list."""

    @dataclasses.dataclass
    class Gain:
        value: float

    def gain() -> Gain:
        return Gain(1.0)

    Gain.__module__ = gain.__module__ = "openbook.decide"
    gain.__annotations__["return"] = "Gain"
    for name, thing in (("Gain", Gain), ("gain", gain)):
        monkeypatch.setattr(decide, name, thing, raising=False)
    monkeypatch.setattr(decide, "__all__", [*decide.__all__, "gain"])
    assert missing(public_classes()) == [Gain.__qualname__]
