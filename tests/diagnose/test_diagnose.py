"""The promises around the findings: nothing of the user's is changed, codes are stable and documented, numbers check."""

from __future__ import annotations

import json
import random
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import openbook as ob
from openbook.errors import DTypeError, InputError, ShapeError
from openbook.record import Step
from tests.diagnose.zoo import FAULTS, HEALTHY, Setup, adam, library, mlp, two_classes

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ["openbook", pytest.param("torch", marks=pytest.mark.torch)]


# --- codes and pages ----------------------------------------------------------------------------------------------------


def test_codes_are_stable() -> None:
    """A code, once given, keeps its meaning: this list only grows."""
    assert list(ob.diagnose.codes()) == [f"OB{n:03}" for n in range(1, 21)]
    words = {"OB001": "affine", "OB002": "cleared", "OB003": "twice", "OB004": "broadcasts", "OB005": "outside",
             "OB006": "dead", "OB007": "saturated", "OB008": "vanishing", "OB009": "exploding", "OB010": "too large",
             "OB011": "too small", "OB012": "fit the targets", "OB013": "holds the target", "OB014": "rows",
             "OB015": "inputs", "OB016": "targets", "OB017": "rare class", "OB018": "mode", "OB019": "NaN",
             "OB020": "changes nothing"}  # fmt: skip
    assert all(words[code] in title for code, title in ob.diagnose.codes().items())


def test_every_code_has_its_section() -> None:
    text = (ROOT / "docs" / "diagnoses.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r'^## <a id="(ob\d{3})"></a>(OB\d{3} .+)$', text, re.M))
    wanted = {code.lower(): f"{code} {title}" for code, title in ob.diagnose.codes().items()}
    assert sections == wanted
    for body in re.split(r"^## ", text, flags=re.M)[1:]:
        assert all(f"**{part}.**" in body for part in ("Evidence", "Fix", "Not a finding")), body[:60]


def test_the_examples_of_the_page_say_what_happens() -> None:
    text = (ROOT / "docs" / "diagnoses.md").read_text(encoding="utf-8")
    first, second = re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)
    names: dict[str, Any] = {}
    exec(compile(first, "diagnoses.md", "exec"), names)
    assert names["diagnosis"].codes == ("OB003",)
    exec(compile(second, "diagnoses.md", "exec"), names)
    assert names["diagnosis"].codes == ("OB002",)


def test_every_code_is_planted() -> None:
    assert {code for _, code in FAULTS.values()} == set(ob.diagnose.codes())


# --- nothing of the user's is changed ------------------------------------------------------------------------------------


def _state(setup: Setup, data: tuple[np.ndarray, ...]) -> list[Any]:
    """Everything the user could notice a change in."""
    model, optimizer = setup.model, setup.optimizer
    tensors = [*model.parameters(), *model.buffers()]
    found: list[Any] = [np.array(t.detach().numpy()) for t in tensors]
    found += [None if t.grad is None else np.array(t.grad.detach().numpy()) for t in tensors]
    found += [[m.training for m in model.modules()], [t.requires_grad for t in tensors], [id(t) for t in tensors]]
    found += [
        [type(t) for t in tensors],
        [len(g["params"]) for g in optimizer.param_groups],
        optimizer.param_groups[0]["lr"],
    ]
    kept = optimizer.state_dict()["state"]
    found += [{i: {k: np.asarray(getattr(v, "data", v)).copy() for k, v in entry.items()} for i, entry in kept.items()}]
    found += [np.array(a) for a in data]
    found += [random.getstate(), np.random.get_state()]  # noqa: NPY002
    found.append(_own_random())
    if "torch" in type(tensors[0]).__module__:
        found.append(import_module("torch").get_rng_state().numpy())
    return found


def _own_random() -> Any:
    from openbook.tensor import create

    return create.generator().bit_generator.state


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("name", ["not cleared", "trained in eval", "root of zero", "dead", "too large", "exploding",
                                  "squares on classes", "predicts in train", "outside"])  # fmt: skip
def test_nothing_is_changed(name: str, lib: str) -> None:
    kind = library(lib)
    kind.seed(3)
    setup = FAULTS[name][0](kind, 0)
    data = setup.data
    before = _state(setup, data)
    assert setup.diagnose(steps=30) is not None
    np.testing.assert_equal(_state(setup, data), before)


@pytest.mark.parametrize("lib", LIBRARIES)
def test_a_loader_is_read_without_moving_its_order(lib: str) -> None:
    setup = HEALTHY["loader"](library(lib), 0)
    library(lib).seed(5)
    wanted = [y.numpy().copy() for _, y in setup.data]
    library(lib).seed(5)
    setup.diagnose(steps=20)
    np.testing.assert_equal([y.numpy().copy() for _, y in setup.data], wanted)


def test_a_step_on_the_users_own_model_is_refused_and_undone() -> None:
    lib = library("openbook")
    model = mlp(lib, 6, 8, 2)
    optimizer = adam(lib, model)
    before = [p.data.copy() for p in model.parameters()]

    def train_step(_model: Any, _optimizer: Any, x: Any, y: Any) -> None:
        lib.F.cross_entropy(model(x), y).backward()
        optimizer.step()

    with pytest.raises(InputError, match="your model itself"):
        ob.diagnose(model, two_classes(0), lib.nn.CrossEntropyLoss(), optimizer, train_step=train_step)
    for parameter, array in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(parameter.data, array)
        assert parameter.grad is None


# --- the same again, muting, budgets --------------------------------------------------------------------------------------


def test_the_same_diagnosis_twice() -> None:
    first, second = (FAULTS["dead"][0](library("openbook"), 0).diagnose().to_dict() for _ in range(2))
    assert first == second


def test_codes_can_be_muted() -> None:
    setup = FAULTS["softmax twice"][0](library("openbook"), 0)
    diagnosis = setup.diagnose(ignore=("OB003",))
    assert "OB003" not in diagnosis.codes and diagnosis.muted == ("OB003",) and "OB003" not in diagnosis.looked_at
    with pytest.raises(InputError, match="OB999"):
        setup.diagnose(ignore="OB999")


def test_what_the_time_did_not_suffice_for_is_said() -> None:
    diagnosis = HEALTHY["two classes"](library("openbook"), 0).diagnose(seconds=1e-9)
    assert set(diagnosis.too_late) == set(ob.diagnose.codes()) and not diagnosis.looked_at
    assert "the time was over" in str(diagnosis)


def test_progress_is_shown_when_asked_for_and_leaves_no_trace_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    setup = HEALTHY["two classes"](library("openbook"), 0)
    setup.diagnose(steps=5)
    assert capsys.readouterr() == ("", "")
    setup.diagnose(steps=5, progress=True)
    out, err = capsys.readouterr()
    assert not out and "learning rate is too small" in err


# --- a finding explains itself, and its numbers hold -------------------------------------------------------------------------


def test_a_wrong_number_in_a_certificate_is_caught() -> None:
    from dataclasses import replace

    finding = FAULTS["outside"][0](library("openbook"), 0).diagnose()["OB005"]

    def nudged(step: Step) -> Step:
        return replace(step, value=step.value * 1.01) if step.witnesses else step

    wrong = replace(finding, evidence=tuple(map(nudged, finding.evidence)))
    assert finding.explain().verification.passed and not wrong.explain().verification.passed
    better = replace(finding, effect=replace(finding.effect, after=finding.effect.after / 2))
    assert not better.explain().verification.passed


def test_a_diagnosis_in_all_its_forms() -> None:
    diagnosis = FAULTS["softmax twice"][0](library("openbook"), 0).diagnose()
    assert repr(diagnosis) == "<Diagnosis of Sequential: OB003>"
    for text in (str(diagnosis), diagnosis.markdown(), diagnosis.html()):
        assert "OB003" in text and "least loss possible" in text and "Tried on a copy" in text
    assert "\x1b[" not in diagnosis.text() and "\x1b[" in diagnosis.text(color=True)
    assert all(len(line) <= 60 for line in diagnosis.text(width=60).splitlines())
    assert "http" not in re.sub(r'xmlns="[^"]*"|http://www\.w3\.org[^"\']*', "", diagnosis.html())
    kept = json.loads(json.dumps(diagnosis.to_dict(), allow_nan=False))
    assert kept["findings"][0]["effect"]["after"] < kept["findings"][0]["effect"]["before"]
    assert set(diagnosis._repr_mimebundle_()) == {"text/html", "text/markdown", "text/plain"}
    diagnosis.explain().check()
    healthy = HEALTHY["two classes"](library("openbook"), 0).diagnose()
    assert healthy.healthy and len(healthy) == 0 and "nothing found" in str(healthy)
    assert "healthy" in healthy.explain().title
    with pytest.raises(KeyError, match="no findings"):
        healthy["OB001"]


def test_causes_come_first_and_are_mended_for_what_follows() -> None:
    """Two faults at once are both found, and the second is proved with the first mended."""
    x, y = two_classes(0)
    lib = library("openbook")
    model = mlp(lib, 6, 32, 1, last=(lib.nn.Sigmoid(),))
    scaled = x * np.array([1, 1000, 1, 0.01, 1, 1], np.float32)
    diagnosis = ob.diagnose(
        model, (scaled, y.astype(np.float32)[:, None]), lib.nn.BCEWithLogitsLoss(), adam(lib, model)
    )
    assert diagnosis.codes == ("OB003", "OB015")


# --- numbers that can be known -------------------------------------------------------------------------------------------------


def test_the_overshoot_of_a_parabola() -> None:
    """On L = ½ k w² with plain SGD, Δ = −lr·k·w: the overshoot is lr·k/2, and the valley is reached at lr = 1/k."""
    from openbook.diagnose.case import Case
    from openbook.diagnose.checks.rates import strides
    from openbook.diagnose.engines import engine_of
    from openbook.diagnose.sample import read_sample

    k = 3.0
    model = ob.nn.Linear(1, 1, bias=False).double()
    data = (np.ones((4, 1)), np.zeros((4, 1)))
    for lr in (0.1, 1 / k, 0.9):
        optimizer = ob.optim.SGD(model.parameters(), lr=lr)
        sample = read_sample(data, 10, None, np.dtype(np.float64))
        case = Case(engine_of(model), model, lambda p, t: 0.5 * k * ((p - t) ** 2).mean(), optimizer, sample)
        assert strides(case, 1)[0].overshoot == pytest.approx(lr * k / 2, rel=1e-9)


def test_the_shrinkage_of_known_layers() -> None:
    """Linear layers of weight 2·I: each multiplies the gradient by 2, and nothing lies between."""
    from openbook.diagnose.case import Case
    from openbook.diagnose.checks.gradients import shrinkage
    from openbook.diagnose.engines import engine_of
    from openbook.diagnose.sample import read_sample

    layers = [ob.nn.Linear(3, 3) for _ in range(4)]
    for layer in layers:
        layer.weight.data[...] = 2 * np.eye(3)
    model = ob.nn.Sequential(*layers).double()
    x = np.random.default_rng(0).normal(size=(5, 3))
    sample = read_sample((x, x + 1), 10, None, np.dtype(np.float64))
    found = shrinkage(Case(engine_of(model), model, ob.nn.MSELoss(), None, sample))
    assert found is not None and found.ratio == pytest.approx(8, rel=1e-12)
    np.testing.assert_allclose(found.weights, 2, rtol=1e-12)
    np.testing.assert_allclose(found.slopes, 1, rtol=1e-12)


@pytest.mark.parametrize("lib", LIBRARIES)
@pytest.mark.parametrize("loop", ["before", "after", "gathered", "never", "never, clipped"])
def test_the_marker_tells_whether_gradients_are_cleared(lib: str, loop: str) -> None:
    from openbook.diagnose.case import Case
    from openbook.diagnose.check import Subject
    from openbook.diagnose.checks.loops import _marker_shares
    from openbook.diagnose.engines import engine_of
    from openbook.diagnose.sample import read_sample

    kind = library(lib)
    model = mlp(kind, 6, 32, 2)
    optimizer = kind.optim.SGD(model.parameters(), lr=0.1)
    count = [0]

    def train_step(model: Any, optimizer: Any, x: Any, y: Any) -> None:
        count[0] += 1
        if loop == "before":
            optimizer.zero_grad()
        kind.F.cross_entropy(model(x), y).backward()
        if loop == "gathered" and count[0] % 3:
            return
        if loop == "never, clipped":
            kind.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if loop in ("after", "gathered"):
            optimizer.zero_grad()

    sample = read_sample(two_classes(0), 100, 16, np.dtype(np.float32))
    case = Case(engine_of(model), model, kind.nn.CrossEntropyLoss(), optimizer, sample)
    shares = _marker_shares(Subject(case, model, optimizer, train_step))
    assert len(shares) >= 4
    assert min(shares) > 0.99 if loop.startswith("never") else max(shares) < 0.2


# --- what cannot be diagnosed ----------------------------------------------------------------------------------------------------


def test_mistakes_get_clear_errors() -> None:
    lib = library("openbook")
    model, (x, y) = mlp(lib, 6, 8, 2), two_classes(0)
    loss = lib.nn.CrossEntropyLoss()
    with pytest.raises(DTypeError, match=r"torch\.nn\.Module"):
        ob.diagnose(object(), (x, y), loss)
    with pytest.raises(ShapeError, match="same number of rows"):
        ob.diagnose(model, (x, y[:-1]), loss)
    with pytest.raises(InputError, match="only once"):
        ob.diagnose(model, iter([(x, y)]), loss)
    with pytest.raises(InputError, match="steps=0"):
        ob.diagnose(model, (x, y), loss, steps=0)
    with pytest.raises(DTypeError, match="loss"):
        ob.diagnose(model, (x, y), "cross entropy")
    with pytest.raises(InputError, match="does not take these inputs"):
        ob.diagnose(model, (x[:, :4], y), loss)
    with pytest.raises(InputError, match="train_step failed"):
        ob.diagnose(model, (x, y), loss, adam(lib, model), train_step=lambda m, o, x: None)


@pytest.mark.parametrize("data", ["batches", "tuple of inputs", "tensors"])
def test_forms_of_data(data: str) -> None:
    lib = library("openbook")
    x, y = two_classes(0)

    class Two(lib.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp(lib, 6, 32, 2)

        def forward(self, a: Any, b: Any) -> Any:
            return self.net(ob.cat([a, b], 1))

    forms: dict[str, Any] = {
        "batches": [(x[:100], y[:100]), (x[100:], y[100:])],
        "tuple of inputs": ((x[:, :3], x[:, 3:]), y),
        "tensors": (ob.tensor(x), ob.tensor(y)),
    }
    model = Two() if data == "tuple of inputs" else mlp(lib, 6, 32, 2)
    diagnosis = ob.diagnose(model, forms[data], lib.nn.CrossEntropyLoss(), adam(lib, model))
    assert diagnosis.healthy and diagnosis.rows == (300, 300)


def test_many_rows_are_thinned_and_that_is_said() -> None:
    lib = library("openbook")
    model = mlp(lib, 6, 32, 2)
    diagnosis = ob.diagnose(model, two_classes(0, n=3000), lib.nn.CrossEntropyLoss(), adam(lib, model), rows=500)
    assert diagnosis.rows == (500, 3000) and "500 of 3000 rows" in str(diagnosis)
