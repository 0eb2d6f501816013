"""What the network can express at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.diagnose.case import Case
from openbook.diagnose.check import Check, Fix, Subject, Suspicion
from openbook.diagnose.checks.probe import pass_through
from openbook.diagnose.facts import facts_of
from openbook.record import Step, Witness, given

__all__ = ["Affine"]

EVIDENCE = "Evidence"


class Affine(Check):
    """Several layers that make up one affine map, on rows it cannot fit."""

    code = "OB001"
    title = "the network is affine"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        if facts_of(case).problem or case.sample.features is None or len(case.sample.inputs) > 1:
            return None
        layers = [layer.path for layer in pass_through(case).layers if layer.weighted]
        if len(layers) < 2:
            return None
        exact = case.exact
        bend, size = _bend(exact, 0)
        if not bend < 1e-6 * size or size == 0:
            return None
        count = given("layers with weights", len(layers), ", ".join(layers[:4]), EVIDENCE)
        flat = Step("bend", bend / size, rule="largest |f(a) + f(b) − 2·f((a + b)/2)|, against the size of f",
                    why="0 for affine f, whatever a and b are", part=EVIDENCE, witnesses=(
                        Witness("other pairs of rows", lambda: _bend(exact, 1)[0] / _bend(exact, 1)[1], atol=1e-6),))  # fmt: skip
        bent = Fix("put an activation between the layers (ReLU after every one but the last)", _bent(layers))
        also = Fix("put an activation between the layers (Tanh after every one but the last)", _bent(layers, "Tanh"))
        return Suspicion(
            where=", ".join(layers[:3]),
            says=f"The {len(layers)} layers make up one affine map: together they can do no more than one of them.",
            evidence=(count, flat),
            fixes=(bent, also),
            steps=3 * case.steps,
        )


def _bend(case: Case, seed: int) -> tuple[float, float]:
    """How far f is from affine on pairs of points among the rows, and the size of f there."""
    random = np.random.default_rng(seed)
    x = case.sample.inputs[0]
    count = min(64, 4 * len(x))
    a, b = x[random.integers(0, len(x), count)], x[random.integers(0, len(x), count)]
    weights = random.uniform(0.5, 1.5, (2, count, *(1,) * (x.ndim - 1))).astype(x.dtype)
    a, b = a * weights[0], b * weights[1]
    f = [_scores(case, points) for points in (a, b, ((a + b) / 2).astype(x.dtype))]
    return float(np.max(np.abs(f[0] + f[1] - 2 * f[2]))), float(max(np.max(np.abs(f[0] - f[0].mean(axis=0))), 1e-300))


def _scores(case: Case, points: np.ndarray) -> np.ndarray:
    """The outputs before a sigmoid or softmax at their end, in evaluation mode: batch norm is affine there."""
    model = case.fresh().eval()
    with case.engine.no_grad():
        outputs = case.engine.array(model(case.engine.tensor(points))).astype(np.float64)
    outputs = outputs.reshape(len(outputs), -1)
    inside = outputs.min() >= 0 and outputs.max() <= 1
    if inside and outputs.shape[1] > 1 and np.allclose(outputs.sum(axis=1), 1, atol=1e-6):
        logs = np.log(np.maximum(outputs, 1e-300))
        return logs - logs.mean(axis=1, keepdims=True)
    if inside and outputs.min() > 0 and outputs.max() < 1 and facts_of(case).loss_kind in ("bce", "mse_loss"):
        bent = np.log(outputs) - np.log1p(-outputs)
        return bent if np.all(np.isfinite(bent)) else outputs
    if outputs.max() <= 0 and outputs.shape[1] > 1 and np.allclose(np.exp(outputs).sum(axis=1), 1, atol=1e-6):
        return outputs - outputs.mean(axis=1, keepdims=True)
    return outputs


def _bent(layers: list[str], kind: str = "ReLU") -> Any:
    def apply(case: Case) -> Case:
        def edit(model: Any, optimizer: Any) -> None:
            nn = case.engine.nn
            for path in dict.fromkeys(layers[:-1]):
                prefix, _, name = path.rpartition(".")
                parent = dict(model.named_modules())[prefix]
                setattr(parent, name, nn.Sequential(getattr(parent, name), getattr(nn, kind)()))

        return case.edited(edit)

    return apply
