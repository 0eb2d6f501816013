"""Workings of every kind, small and quick to make: what is true of all workings is tried on these."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

import openbook as ob
from openbook import decide, forest, linear, nn
from openbook.record import Step, Table, Working, given

__all__ = ["GALLERY", "chain_of", "working"]

_RANDOM = np.random.default_rng(3)
_X = _RANDOM.normal(size=(40, 3))
_Y = _X @ [1.0, -2.0, 0.5] + 0.1 * _RANDOM.normal(size=40)
_LABELS = (_Y > 0.3).astype(int)
_LOGITS = [3.0, 2.0, 1.0, 0.0, -1.0]
_P = [0.25, 0.95, 0.10, 0.70, 0.40, 0.55, 0.30, 0.85, 0.60, 0.05]
_TRUE = [0, 1, 0, 1, 0, 1, 0, 1, 0, 0]


def _entry() -> Working:
    ob.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()
    loss = nn.CrossEntropyLoss()(model(ob.randn(8, 4).double()), ob.tensor(np.arange(8) % 3))
    return ob.explain(loss, wrt="0.weight", model=model, at=(2, 1))


def _xor() -> Working:
    ob.manual_seed(0)
    corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    return ob.explain(model, corners, np.array([[0.0], [1], [1], [0]]), seeds=2, epochs=60)


def _shrinkage() -> Working:
    ob.manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(4):
        layers += [nn.Linear(5, 5), nn.Sigmoid()]
    model = nn.Sequential(*layers, nn.Linear(5, 1)).double()
    x, y = ob.tensor(_RANDOM.normal(size=(16, 5))), ob.tensor(_RANDOM.normal(size=(16, 1)))
    return ob.explain(model, x, y, about="gradients", loss=nn.MSELoss())


def _row(model: type, **options: int) -> Working:
    target = _Y if "Regressor" in model.__name__ else _LABELS
    fitted = model(random_state=0, **options).fit(_X, target)
    return ob.explain(fitted, row=_X[5], names=["size_of", "β & co", "100 % #1"])


def _diagnosis() -> Working:
    ob.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    found = ob.diagnose(model, (corners, np.array([[0.0], [1], [1], [0]], np.float32)), nn.MSELoss(), steps=20)
    return found.explain()


def _odd_names() -> Working:
    """Everything that is markup somewhere, in every place where a text can stand."""
    odd = r"a_b & 50 % of #1 ~ {x} $y$ ^2 \z <i> | `c` → ≤ ∂"
    first = given("learning_rate", 0.1, odd)
    second = given("θ_1′", np.array([1.0, -2.0]), "θ′, ∂, ≤, →, ½, χ² and ŷ are not ASCII")
    third = Step("Δ_max#1", 0.2, "r*2", (Step("r", 0.1, "l", (Step("l", 0.1),)),), rule="100 % & more", why=odd)
    table = Table(odd, ("a_b", "50 %", "x^2", "é"), (("#1 & |x|", 0.5, None, -1e-9), (odd, 3, True, np.inf)), note=odd)
    return Working(odd, (first, second, third), odd, question=odd, notes=(odd,), tables=(table,))


def chain_of(length: int) -> Working:
    """A working of many steps: s_{k+1} = 0.9·s_k + 1."""
    steps = [given("s_0", 1.0)]
    for k in range(1, length):
        before = steps[-1]
        formula = ob.expr.parse("0.9*a + 1").rename({"a": before.name})
        part = f"Steps {k // 100 * 100} to {k // 100 * 100 + 99}"
        steps.append(Step(f"s_{k}", 0.9 * before.value + 1, formula, (before,), "decay", "a tenth is lost", part))
    return Working(f"{length} steps", tuple(steps), steps[-1].value)


GALLERY: dict[str, Callable[[], Working]] = {
    "part four": lambda: ob.explain("0.5*(y - tanh(w*x + b))**2", x=2, y=1, w=0.5, b=0),
    "cross entropy": lambda: ob.explain("-(y*log(sigmoid(w*x)) + (1 - y)*log(1 - sigmoid(w*x)))", x=0.3, w=2, y=1),
    "greek": lambda: ob.explain("alpha = beta*x_1; L = where(alpha > 0, sqrt(alpha), 0.1*alpha)", beta=0.7, x_1=3),
    "entry of a net": _entry,
    "sweep": lambda: ob.explain(ob.step_sweep(lambda x: (x.tanh() * x.exp()).sum(), np.array([0.3, -0.7]))),
    "gradcheck": lambda: ob.explain(ob.gradcheck(lambda x: (x.sin() * x).sum(), ob.tensor([0.3, -1.2]).double())),
    "newton": lambda: ob.explain(ob.newton_step(_X, _Y, [5.0, -3.0, 2.0])),
    "ridge": lambda: ob.explain(linear.LinearRegression(ridge=0.1).fit(_X, _Y)),
    "linear row": lambda: ob.explain(linear.LinearRegression().fit(_X, _Y), row=_X[3]),
    "logistic": lambda: ob.explain(linear.LogisticRegression().fit(_X, _LABELS)),
    "logistic row": lambda: ob.explain(linear.LogisticRegression().fit(_X, _LABELS), row=_X[3]),
    "parameters": lambda: ob.explain(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))),
    "affine": _xor,
    "shrinkage": _shrinkage,
    "sigmoid": lambda: ob.explain(nn.Sigmoid()),
    "gelu": lambda: ob.explain(nn.GELU()),
    "temperature": lambda: ob.explain(ob.temper(_LOGITS, 2.0)),
    "cold": lambda: ob.explain(ob.temper(_LOGITS, 0.0)),
    "draws": lambda: ob.explain(ob.draw(_LOGITS, 500, temperature=1.5, top_k=4, top_p=0.9, min_p=0.05, seed=1)),
    "tree": lambda: _row(forest.DecisionTreeClassifier, max_depth=3),
    "forest": lambda: _row(forest.RandomForestClassifier, n_estimators=12, min_samples_leaf=3),
    "regression forest": lambda: _row(forest.RandomForestRegressor, n_estimators=12),
    "thresholds": lambda: ob.explain(ob.at_thresholds(_TRUE, _P, [0.2, 0.4, 0.6, 0.8])),
    "best threshold": lambda: ob.explain(ob.best_threshold(_TRUE, _P)),
    "reliability": lambda: ob.explain(ob.reliability(_TRUE, _P, bins=5)),
    "calibration": lambda: ob.explain(decide.TemperatureScaling.learn(np.c_[_Y, -_Y] * 9, (_Y < 0.4).astype(int))),
    "scores": lambda: ob.explain(decide.Judgement("two", np.array(_TRUE), np.c_[1 - np.array(_P), _P])),
    "regression scores": lambda: ob.explain(decide.Judgement("regression", _Y, _Y + 0.1)),
    "derivation": lambda: ob.derive("tanh(z)", "z"),
    "derivation of vectors": lambda: ob.derive("cross_entropy(W@x + b, y)", "W"),
    "lines": lambda: ob.check_line("(a + b)**2", "a**2 + 2*a*b + b**2").explain(),
    "diagnosis": _diagnosis,
    "odd names": _odd_names,
    "chain": lambda: chain_of(30),
}


@cache
def working(name: str) -> Working:
    """One of the gallery, made once."""
    return GALLERY[name]()
