"""The examination's eight parts: the known answers come out of `explain`, and every working checks itself."""

from __future__ import annotations

import math

import numpy as np
import pytest

import openbook as ob
from openbook import nn
from openbook.record import Working

XOR = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
XOR_Y = np.array([[0.0], [1], [1], [0]])


def checked(working: Working) -> Working:
    assert working.check().passed
    return working


def test_1_gradient_check() -> None:
    w = checked(ob.explain(ob.step_sweep(lambda x: (x.tanh() * x.exp()).sum(), np.array([0.3, -0.7]))))
    assert w["forward passes"].value == 4  # two a parameter
    assert any("truncat" in note for note in w.notes) and w.displays


def test_1_quadratics_do_not_truncate() -> None:
    w = checked(ob.explain(ob.step_sweep(lambda x: (x * x).sum(), np.array([0.3, -0.7]))))
    assert any("quadratic" in note for note in w.notes)


def test_2_one_newton_step() -> None:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(20, 3)), random.normal(size=20)
    w = checked(ob.explain(ob.newton_step(X, y, [5.0, -3.0, 2.0])))
    np.testing.assert_allclose(w.result, np.linalg.lstsq(X, y, rcond=None)[0], rtol=1e-9)
    assert w["largest difference"].value < 1e-10 and w["distance"].value < 1e-9


def test_3_parameter_count() -> None:
    w = checked(ob.explain(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))))
    assert w.result == 13
    assert "2·3 + 3" in w.text() and "3·1 + 1" in w.text()


def test_3_an_all_linear_net_cannot_learn_xor() -> None:
    ob.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    w = checked(ob.explain(model, XOR, XOR_Y, seeds=6, epochs=400))
    assert w.result["best affine loss"] == pytest.approx(0.25, abs=1e-12)
    x = np.array([0.3, -2.0])
    collapsed = np.ravel(np.asarray(w.result["W"]).reshape(1, 2) @ x + np.ravel(w.result["b"]))
    np.testing.assert_allclose(collapsed, model.double()(ob.tensor(x[None])).data.ravel(), rtol=1e-6)
    assert 0 <= w.result["rate with the fix"] <= 1
    assert any("rate, not one lucky run" in note for note in w.notes)


def test_3_a_net_that_bends_is_not_called_affine() -> None:
    w = checked(ob.explain(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), XOR, XOR_Y))
    assert w.result["affine"] is False


def test_4_backpropagation_by_hand() -> None:
    w = checked(ob.explain("0.5*(y - tanh(w*x + b))**2", x=2, y=1, w=0.5, b=0))
    h = math.tanh(1)
    truth = {
        "z": 1.0,
        "h": h,
        "L": 0.5 * (1 - h) ** 2,
        "dL/dw": -(1 - h) * (1 - h**2) * 2,
        "dL/db": -(1 - h) * (1 - h**2),
    }
    for name, value in truth.items():
        assert w[name].value == pytest.approx(value, rel=1e-14)
    shown = w.text()
    for digits in ("0.7616", "0.02842", "0.4200", "−0.2002", "−0.1001"):
        assert digits in shown
    assert "quotient rule" in shown and w.graph is not None


def test_4_names_of_ones_own_are_kept() -> None:
    w = checked(ob.explain("-(y*log(sigmoid(z)) + (1 - y)*log(1 - sigmoid(z)))", z=0.3, y=1))
    assert w["z"].value == 0.3
    assert w["dL/dz"].value == pytest.approx(1 / (1 + math.exp(-0.3)) - 1, rel=1e-12)


def test_5_temperature() -> None:
    w = checked(ob.explain(ob.temper([3.0, 2.0, 1.0, 0.0, -1.0], 1.0)))
    assert w["Z"].value * math.exp(3) == pytest.approx(31.5608, abs=5e-5) or w["Z"].value == pytest.approx(
        31.5608, abs=5e-5
    )
    w = checked(ob.explain(ob.temper([3.0, 2.0, 1.0, 0.0, -1.0], 2.0)))
    for digits in ("0.4287", "0.2600", "0.1577", "0.0956", "0.0580"):
        assert digits.rstrip("0") in w.text()


@pytest.mark.parametrize("T", [0.0, math.inf])
def test_5_limits(T: float) -> None:
    checked(ob.explain(ob.temper([3.0, 3.0, 0.0], T)))


def test_5_real_draws() -> None:
    w = checked(ob.explain(ob.draw([3.0, 2.0, 1.0, 0.0, -1.0], 500, seed=1)))
    assert "chi" in w.text().lower() or "χ" in w.text()


@pytest.mark.parametrize(("activation", "largest"), [(nn.Sigmoid, 0.25), (nn.Tanh, 1.0), (nn.ReLU, 1.0)])
def test_6_largest_slopes(activation: type[nn.Module], largest: float) -> None:
    w = checked(ob.explain(activation()))
    assert w.result["largest slope"] == pytest.approx(largest, rel=1e-12)
    if activation is not nn.ReLU:
        assert w.result["at"] == pytest.approx(0, abs=1e-6)


def test_6_shrinkage_is_the_product_of_its_factors() -> None:
    ob.manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(5):
        layers += [nn.Linear(8, 8), nn.Sigmoid()]
    model = nn.Sequential(*layers, nn.Linear(8, 1))
    x, y = np.random.default_rng(0).normal(size=(50, 8)), np.zeros((50, 1))
    w = checked(ob.explain(model, x, y, about="gradients", loss=nn.MSELoss()))
    assert w.result["shrinkage"] < 1e-3
    factors = [s.value for s in w.steps if s.name.startswith("factor(")]
    assert math.prod(factors) == pytest.approx(w.result["shrinkage"], rel=1e-12)


def three_trees() -> ob.RandomForestClassifier:  # type: ignore[name-defined]
    """A forest whose trees say .8, .4 and 1.0 of the row (0,): the examination's."""
    from openbook.forest import DecisionTreeClassifier

    forest = ob.RandomForestClassifier(n_estimators=3, random_state=0).fit([[0.0], [1.0]] * 10, [0, 1] * 10)
    trees = []
    for ones in (8, 4, 10):
        X = [[0.0]] * 10 + [[1.0]] * 10
        y = [1] * ones + [0] * (10 - ones) + [0] * 10 if ones > 5 else [1] * ones + [0] * (10 - ones) + [1] * 10
        trees.append(DecisionTreeClassifier(max_depth=1).fit(X, y).tree_)
    forest.trees_ = trees
    return forest


def test_7_soft_and_hard() -> None:
    w = checked(ob.explain(three_trees(), row=[0.0]))
    assert w.result["soft"] == pytest.approx(2.2 / 3, rel=1e-12)
    assert w.result["hard"] == pytest.approx(2 / 3, rel=1e-12)
    assert w.result["class"] == "1"
    assert "0.7333" in w.text() and "0.6667" in w.text()


def test_7_a_leaf_of_six_in_eight() -> None:
    tree = ob.DecisionTreeClassifier(max_depth=1).fit([[0.0]] * 8 + [[1.0]] * 4, [1] * 6 + [0] * 2 + [0] * 4)
    assert checked(ob.explain(tree, row=[0.0])).result["soft"] == 0.75


P = [0.25, 0.95, 0.10, 0.70, 0.40, 0.55, 0.30, 0.85, 0.60, 0.05]
Y = [0, 1, 0, 1, 0, 1, 0, 1, 0, 0]


def test_8_thresholds() -> None:
    w = checked(ob.explain(ob.at_thresholds(Y, P, [0.2, 0.4, 0.6, 0.8], "precision*recall")))
    assert [round(row[-1], 2) for row in w.tables[0].rows] == [0.50, 0.67, 0.56, 0.50]
    assert w.result["threshold"] == 0.4
    best = checked(ob.explain(ob.best_threshold(Y, P, "precision*recall")))
    assert (best.result["above"], best.result["up to"]) == (0.40, 0.55)
    assert best.result["value"] == pytest.approx(0.8)


def test_8_what_had_to_hold_is_shown() -> None:
    assert "recall" in checked(ob.explain(ob.best_threshold(Y, P, "precision", constraint="recall >= 0.9"))).text()


def test_2_log_loss_takes_several_steps_each_worked_out() -> None:
    random = np.random.default_rng(1)
    X = random.normal(size=(200, 3))
    y = (X @ [1.0, -2.0, 0.5] + random.logistic(size=200) > 0).astype(int)
    model = ob.LogisticRegression(C=math.inf).fit(X, y)
    w = checked(ob.explain(model))
    promised, fell = ([s.value for s in w.steps if s.name == name] for name in ("promised", "fall"))
    assert len(promised) == w.result["iterations"] >= 3
    assert fell[-2] == pytest.approx(promised[-2], rel=1e-2)  # near the end the loss is as good as a quadratic
    z = model.decision_function(X)
    assert w.result["loss"] == pytest.approx(np.mean(np.logaddexp(0, z) - y * z), rel=1e-12)


@pytest.mark.parametrize(
    "rules",
    [
        {"top_k": 3},
        {"top_p": 0.8},
        {"min_p": 0.2},
        {"top_k": 5, "top_p": 0.97, "min_p": 0.1},
        {"top_k": 50},
        {"top_p": 1.0},
    ],
)
def test_5_truncation_step_by_step(rules: dict[str, float]) -> None:
    logits = [3.0, 2.0, 1.0, 1.0, 0.0, -1.0, -5.0, -math.inf]
    result = ob.draw(logits, 4000, temperature=1.3, seed=2, **rules)
    w = checked(ob.explain(result))
    assert [s.value for s in w.steps if s.name == "kept"][-1] == np.count_nonzero(result.tempered.p)
    last = "pqrs"[len(rules)]
    for token, p in zip(result.tempered.tokens, result.tempered.p, strict=True):
        found = [s.value for s in w.steps if s.name == f"{last}_{token}"]
        assert all(value == pytest.approx(p, rel=1e-12) for value in found)
    row = w.tables[0].rows[0]
    assert row[-4:-1] == (result.tempered.expected[0], result.tempered.spread[0], result.counts[0])


def test_5_a_wrong_count_of_kept_tokens_is_found() -> None:
    from dataclasses import replace

    w = ob.explain(ob.draw([3.0, 2.0, 1.0, 0.0], 100, top_k=2, seed=0))
    steps = tuple(replace(s, value=s.value + 1) if s.name == "kept" else s for s in w.steps)
    assert not replace(w, steps=steps).verification.passed


@pytest.mark.parametrize(
    ("activation", "place"),
    [
        (nn.Sigmoid, ""),
        (nn.Tanh, ""),
        (nn.GELU, "√2"),
        (nn.SiLU, ""),
        (nn.Mish, ""),
        (nn.Tanhshrink, None),
        (nn.Softplus, None),
    ],
)
def test_6_the_top_is_where_the_slope_of_the_slope_is_zero(activation: type[nn.Module], place: str | None) -> None:
    w = checked(ob.explain(activation()))
    second = [s for s in w.steps if "″" in s.name]
    assert bool(second) == (place is not None)
    if place is not None:
        assert abs(second[0].value) < 1e-12
        assert ("z = √" in w.text()) == bool(place) and place in w.text()
        assert w.result["largest slope"] >= max(row[-1] for row in w.tables[0].rows) - 1e-12
