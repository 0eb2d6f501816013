"""Two records of one computation: the first step where they part is named, and what follows from it is not blamed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression

import openbook as ob
from openbook import nn
from openbook.errors import InputError
from openbook.expr import evaluate, parse
from openbook.record import Parting, Step, Working, given
from openbook.record.parting import _common

FORMULAS = ("tanh(s_0) + 0.5", "s_1*s_0", "exp(s_2/3)", "s_3 - s_1", "s_4**2 + s_2")


def chain(wrong: int | None = None, names: Callable[[int], str] = "s_{}".format, start: float = 0.7) -> Working:
    """Six steps, each from those before; at `wrong` the operation gives a little more than its formula says."""
    steps = [given(names(0), start)]
    for k, formula in enumerate(FORMULAS, 1):
        expr = parse(formula).rename({f"s_{i}": names(i) for i in range(k)})
        inputs = tuple(s for s in steps if s.name in expr.names())
        value = float(evaluate(expr, {s.name: s.value for s in inputs}))
        steps.append(Step(names(k), value * 1.001 if k == wrong else value, expr, inputs, rule="operation"))
    return Working("chain", tuple(steps), steps[-1].value)


def test_equal_records_agree() -> None:
    parting = ob.diff(chain(), chain())
    assert parting.agrees and parting.first is None and not parting.causes
    assert "agree" in repr(parting)
    assert parting.explain().check().passed


@pytest.mark.parametrize("wrong", range(1, len(FORMULAS) + 1))
def test_one_operation_changed_is_the_only_cause(wrong: int) -> None:
    parting = ob.diff(chain(), chain(wrong))
    assert [pair.step.name for pair in parting.causes] == [f"s_{wrong}"]
    followers = [pair.step.name for pair in parting.pairs if pair.differs][1:]
    assert all(int(name[2:]) > wrong for name in followers)
    assert parting.first is not None and not parting.first.inputs
    assert parting.first.relative == pytest.approx(1e-3, rel=1e-2)


def test_two_operations_changed_are_two_causes() -> None:
    """The second differs by more than what went into it explains."""
    twice = chain(2)
    last = twice.steps[-1]
    twice = replace(twice, steps=(*twice.steps[:-1], replace(last, value=last.value + 0.5)))
    assert [pair.step.name for pair in ob.diff(chain(), twice).causes] == ["s_2", "s_5"]


def test_a_given_value_is_a_cause() -> None:
    parting = ob.diff(chain(), chain(start=0.71))
    assert [pair.step.name for pair in parting.causes] == ["s_0"]
    assert "given differently" in parting.text()


def test_other_numbers_of_operations_are_aligned() -> None:
    """Libraries count their operations differently."""
    steps = [given("w", 2.0)]
    for name in ("linear_1", "h_1", "linear_2"):
        steps.append(Step(name, steps[-1].value + 1.0, rule="linear", formula=parse("x + 1").rename({"x": steps[-1].name}),
                          inputs=(steps[-1],)))  # fmt: skip
    theirs = [given("w", 2.0), given("t", 2.0)]
    for name in ("addmm_7", "tanh_3", "mm"):
        theirs.append(Step(name, theirs[-1].value + 1.0, inputs=(theirs[-1],), rule="mm"))
    parting = ob.diff(Working("ours", tuple(steps), 5.0), Working("theirs", tuple(theirs), 5.0))
    assert [(p.a.name, p.b.name) for p in parting.pairs if p.a and p.b] == [
        ("w", "w"), ("linear_1", "addmm_7"), ("h_1", "tanh_3"), ("linear_2", "mm"),
    ]  # fmt: skip
    assert [p.b.name for p in parting.pairs if p.a is None and p.b] == ["t"]


@settings(max_examples=60, deadline=None)
@forall(st.text("abc", max_size=9), st.text("abc", max_size=9))
def test_the_common_subsequence_is_a_longest(a: str, b: str) -> None:
    def longest(x: str, y: str) -> int:
        if not x or not y:
            return 0
        same = longest(x[1:], y[1:]) + 1 if x[0] == y[0] else 0
        return max(same, longest(x[1:], y), longest(x, y[1:]))

    found = _common(list(a), list(b))
    assert all(a[i] == b[j] for i, j in found) and found == sorted(found)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(found))
    if len(a) * len(b) < 40:
        assert len(found) == longest(a, b)


def test_a_tolerance_can_be_asked_for() -> None:
    assert ob.diff(chain(), chain(3), rtol=0.1).agrees
    assert not ob.diff(chain(), chain(3), rtol=1e-6).agrees


def test_it_is_shown_like_other_results() -> None:
    parting = ob.diff(chain(), chain(3))
    assert isinstance(parting, Parting)
    assert "parts here" in parting.text() and "s_3" in parting.markdown() and r"s\_3" in parting.latex()
    assert set(parting._repr_mimebundle_()) >= {"text/html", "text/plain"}
    assert parting.to_dict()["result"] == "s_3" and parting.to_dict()["verification"]["passed"]
    assert ob.explain(parting).result == "s_3"


def test_what_is_no_working_is_refused() -> None:
    with pytest.raises(InputError, match=r"ob\.explain"):
        ob.diff(chain(), 3.0)  # type: ignore[arg-type]


# --- records of computations ---------------------------------------------------------------------------------------


def gradient(seed: int = 0, dtype: str = "float64", at: tuple[int, int] = (1, 2)) -> Working:
    """d loss / d (an entry) of a small net whose data do not depend on the seed."""
    ob.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
    random = np.random.default_rng(0)
    x, y = random.normal(size=(8, 4)).astype(dtype), random.integers(0, 3, 8)
    model = model.double() if dtype == "float64" else model
    return ob.explain(nn.CrossEntropyLoss()(model(ob.tensor(x)), ob.tensor(y)), wrt="0.weight", model=model, at=at)


def test_single_and_double_precision_agree() -> None:
    parting = ob.diff(gradient(dtype="float32"), gradient(dtype="float64"))
    assert parting.agrees
    assert sum(pair.a is not None and pair.b is not None for pair in parting.pairs) > 15
    assert any(pair.gap > 0 for pair in parting.pairs)
    assert all(pair.ulps < 100 for pair in parting.pairs)


def test_runs_from_other_seeds_part_at_the_first_weight() -> None:
    parting = ob.diff(gradient(seed=0), gradient(seed=1))
    assert parting.first is not None and parting.first.step.name == "0.weight[1, 2]"
    assert len(parting.causes) == 1


def test_a_wrong_rule_is_where_records_part(monkeypatch: pytest.MonkeyPatch) -> None:
    from openbook.ops import OPS

    right, before = OPS["tanh"].gradient, gradient()
    monkeypatch.setattr(OPS["tanh"], "gradient", staticmethod(lambda g, y, x: right(g, y, x) * 1.001))
    parting = ob.diff(before, gradient())
    assert parting.first is not None and parting.first.step.rule == "slope of tanh"
    assert {pair.step.rule for pair in parting.causes} == {"slope of tanh"}


def test_scikit_learn_beside_ours() -> None:
    X, y = load_diabetes(return_X_y=True)
    theirs, ours = LinearRegression().fit(X, y), ob.LinearRegression().fit(X, y)
    same = ob.diff(ob.explain(theirs, row=X[3]), ob.explain(ours, row=X[3]), rtol=1e-9)
    assert same.agrees and len([pair for pair in same.pairs if pair.a and pair.b]) > 10
    ours.coef_ = ours.coef_.copy()
    ours.coef_[2] += 1.0
    moved = ob.diff(ob.explain(theirs, row=X[3]), ob.explain(ours, row=X[3]), rtol=1e-9)
    assert not moved.agrees and moved.first is not None and not moved.first.inputs


def test_forests_of_both_libraries_can_be_compared() -> None:
    """Grown from other draws: the trees' own numbers differ, the rules that join them do not."""
    X, y = load_breast_cancer(return_X_y=True)
    theirs = ob.explain(RandomForestClassifier(8, max_depth=3, random_state=0).fit(X, y), row=X[7])
    ours = ob.explain(ob.RandomForestClassifier(8, max_depth=3, random_state=0).fit(X, y), row=X[7])
    assert ob.diff(theirs, theirs).agrees
    parting = ob.diff(theirs, ours)
    assert parting.first is not None and not parting.agrees
    assert all(not pair.step.inputs for pair in parting.causes)
    assert {pair.step.name for pair in parting.pairs if pair.differs} > {"p"}


def test_tensors_have_the_differences_that_pytorch_gives_them() -> None:
    assert ob.diff(ob.tensor([1, 4, 9]), n=2).tolist() == [2]
