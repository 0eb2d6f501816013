"""Every operation there is, through every check there is: derived from the operation, its formula or its slow twin."""

from __future__ import annotations

import numpy as np
import pytest

from openbook.errors import InputError
from openbook.ops import OPS, apply
from openbook.ops.along import Along
from openbook.ops.op import Elementwise, Op
from openbook.tensor import Tensor, autograd
from openbook.testing.checks import CHECKS
from openbook.testing.exact import Truth, by_fibre, truth_of
from openbook.testing.measures import numbers, result
from openbook.testing.mistakes import IN_CHAINS, MISTAKES, plant
from openbook.testing.samples import samples_of
from openbook.testing.twins import TWINS

ALL = sorted(OPS)


def pass_everything(op: type[Op]) -> None:
    """All checks on all samples."""
    for number in numbers(op):
        for check in CHECKS.values():
            check(op, number)


@pytest.mark.parametrize("name", ALL)
def test_every_check(name: str) -> None:
    pass_everything(OPS[name])


@pytest.mark.parametrize("name", ALL)
def test_samples_hold_nothing_and_single_numbers(name: str) -> None:
    """Arrays without entries are among the samples, unless there is no answer for them; and every input has slopes in one."""
    op = OPS[name]
    drawn = [truth_of(op, number) for number in numbers(op)]
    assert any(x is not None and x.size == 0 for t in drawn for x in t.inputs) or name in NO_ANSWER_FOR_NOTHING
    assert not op.differentiable or any(t.slopes and t.value.size for t in drawn)


NO_ANSWER_FOR_NOTHING = {"amax", "amin", "argmax", "argmin", "middle_entry"}


@pytest.mark.parametrize("name", sorted(NO_ANSWER_FOR_NOTHING))
def test_no_answer_for_nothing(name: str) -> None:
    with pytest.raises(InputError, match="no entries"):
        apply(OPS[name], np.zeros((0,)))


def _has_a_formula_for_fibres(name: str) -> bool:
    op, twin = OPS[name], TWINS.get(name)
    if not issubclass(op, Along) or twin is None or len(op.arguments) != 1:
        return False
    return name not in {"cumsum", "cumprod", "argsort", "argmax", "argmin", "any", "all", "prod", "middle_entry", "flip",
                        "roll", "count_nonzero"}  # fmt: skip


@pytest.mark.parametrize("name", [n for n in ALL if _has_a_formula_for_fibres(n)])
def test_formulas_along_axes_say_what_is_computed(name: str) -> None:
    """What people read, worked out for each fibre, is what the twin gives."""
    op = OPS[name]
    for sample in samples_of(op):
        truth = Truth(op, sample)
        if not truth.inputs[0].size or sample.options.get("p") in (0.0, np.inf, -np.inf):
            continue  # the sum of nothing; limits of the formula in p
        import mpmath

        m = mpmath.mp.clone()
        m.dps = 30
        exact = np.vectorize(m.mpf, otypes=[object])(truth.inputs[0])
        read = np.asarray(by_fibre(op, m, exact, dict(sample.options)), dtype=object)
        np.testing.assert_allclose(read.astype(float), truth.value.astype(float), rtol=1e-14)


# --- mistakes --------------------------------------------------------------------------------------------------------


def finds(op: type[Op]) -> str:
    """The first check that some sample does not pass."""
    for number in numbers(op):
        for name in ("value", "slope", "forward mode", "second derivative", "vmap"):
            try:
                CHECKS[name](op, number)
            except AssertionError:
                return name
    return ""


def what_is_computed(op: type[Op]) -> list[np.ndarray]:
    """Values and cotangents of all samples: a mistake that changes none of them is none."""
    found = []
    for number in numbers(op):
        truth = truth_of(op, number)
        leaves = [None if x is None else Tensor(x.copy(), requires_grad=i in truth.slopes)
                  for i, x in enumerate(truth.inputs)]  # fmt: skip
        value = result(op, truth, leaves)
        found.append(np.asarray(value.data))
        if truth.slopes:
            value.backward(Tensor(truth.cotangent), retain_graph=True)
            found += [np.asarray(leaves[i].grad.data) for i in truth.slopes if leaves[i].grad is not None]
    return found


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y, equal_nan=True) for x, y in zip(a, b, strict=True))


PLACES = ("forward", "gradient", "keeping")


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", ALL)
def test_planted_mistakes_are_found(name: str, mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the value, in what is kept for the rule, in the rule: by the very checks above."""
    op = OPS[name]
    before = what_is_computed(op)
    for place in PLACES:
        if getattr(op, place) is None or (place == "gradient" and not op.differentiable):
            continue
        with monkeypatch.context() as patch:
            patch.setattr(op, place, staticmethod(plant(getattr(op, place), MISTAKES[mistake])))
            assert finds(op) or same(before, what_is_computed(op)), f"{mistake} in {place} of {name}"


def _is_broadcast(name: str) -> bool:
    """Whether some sample repeats an input's entries to fit the others (and some rule leaves the sum to the caller)."""
    op = OPS[name]
    if not op.differentiable:
        return False
    if issubclass(op, Elementwise):
        return len(op.arguments) > 1
    return name in LEAVE_THE_SUM_TO_THE_CALLER


LEAVE_THE_SUM_TO_THE_CALLER = ("matmul", "overwrite", "solve", "solve_triangular")


@pytest.mark.parametrize("mistake", IN_CHAINS)
@pytest.mark.parametrize("name", [n for n in ALL if _is_broadcast(n)])
def test_a_missing_unbroadcast_is_found(name: str, mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    op = OPS[name]
    monkeypatch.setattr(autograd, "sum_to", IN_CHAINS[mistake])
    assert finds(op) == "slope" or name in FLAT


def test_the_mistakes_matter() -> None:
    """That a mistake changes nothing is the exception: flat operations, and those of a single number."""
    spared = []
    for name in ALL:
        op = OPS[name]
        if not op.differentiable:
            continue
        before = what_is_computed(op)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(op, "gradient", staticmethod(plant(op.gradient, MISTAKES["a turned sign"])))
            if same(before, what_is_computed(op)):
                spared.append(name)
    assert spared == FLAT


FLAT = ["ceil", "floor", "floor_divide", "round", "sign", "sign_det", "trunc"]
