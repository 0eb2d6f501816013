"""Gradients on their way back: how their size changes from layer to layer, by the weights and by what lies between."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from openbook.diagnose.case import Case
from openbook.diagnose.check import Check, Fix, Subject, Suspicion
from openbook.diagnose.checks.probe import Layer, joint_norm, norm_by_differences, pass_through, redrawn, swapped
from openbook.diagnose.facts import facts_of
from openbook.expr import Name, parse
from openbook.record import Step, Witness, given

__all__ = ["ExplodingGradients", "Shrinkage", "VanishingGradients", "shrinkage"]

EVIDENCE = "Evidence"
_FAINT, _LOUD = 1e-3, 1e3
_FLAT = ("Sigmoid", "Tanh", "Hardsigmoid", "Softsign", "Hardtanh", "LogSigmoid")


@dataclass(frozen=True, eq=False)
class Shrinkage:
    """The layers in order with the rms gradient at each output; the factors from each to the one below.

    `weights[i]` is what layer i + 1 multiplies by, `slopes[i]` what lies between it and layer i.
    """

    paths: tuple[str, ...]
    sizes: tuple[float, ...]
    weights: tuple[float, ...]
    slopes: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """First over last: what is left of the gradient at the first layer."""
        return self.sizes[0] / self.sizes[-1]


def shrinkage(case: Case) -> Shrinkage | None:
    """Follow the gradient through the layers that stand in a row; None where there are fewer than three."""
    passed = pass_through(case)
    layers = [
        layer for layer in passed.layers if layer.weighted and getattr(layer.fed, "requires_grad", None) is not None
    ]
    layers = _once(layers)
    if len(layers) < 3:
        return None
    of_outputs = case.engine.gradients(passed.value, [layer.output for layer in layers])
    later = [layer.fed for layer in layers[1:]]
    if not all(x.requires_grad for x in later):
        return None
    of_inputs = case.engine.gradients(passed.value, later)
    sizes, fed = [_rms(g) for g in of_outputs], [_rms(g) for g in of_inputs]
    if not all(np.isfinite(v) for v in (*sizes, *fed)) or min(sizes) == 0 or min(fed) == 0:
        return None
    weights = tuple(f / s for f, s in zip(fed, sizes[1:], strict=True))
    slopes = tuple(s / f for s, f in zip(sizes[:-1], fed, strict=True))
    return Shrinkage(tuple(layer.path for layer in layers), tuple(sizes), weights, slopes)


def _once(layers: list[Layer]) -> list[Layer]:
    """Layers called several times (weights shared over time) are no chain of layers."""
    counts: dict[int, int] = {}
    for layer in layers:
        counts[id(layer.module)] = counts.get(id(layer.module), 0) + 1
    return [layer for layer in layers if counts[id(layer.module)] == 1]


def _rms(gradient: np.ndarray | None) -> float:
    return 0.0 if gradient is None else float(np.sqrt(np.mean(np.square(gradient, dtype=np.float64))))


def _told(case: Case, found: Shrinkage) -> tuple[Step, ...]:
    """First and last size, their ratio, and the same ratio as slopes × weights."""
    first = _first_layer_norm(case, found.paths[0])
    last = given("s_last", found.sizes[-1], f"rms of dL/d output of {found.paths[-1]}", EVIDENCE)
    start = given("s_first", found.sizes[0], f"rms of dL/d output of {found.paths[0]}", EVIDENCE)
    ratio = Step("ratio", found.ratio, parse("s_first/s_last"), (start, last), rule="what reaches the first layer",
                 part=EVIDENCE)  # fmt: skip
    slopes = given(
        "slopes", prod(found.slopes), "product of what lies between the layers: activations, norms", EVIDENCE
    )
    weights = given("weights", prod(found.weights), "product of what the layers multiply by", EVIDENCE)
    split = Step("slopes × weights", prod(found.slopes) * prod(found.weights), Name("slopes") * Name("weights"),
                 (slopes, weights), rule="the same ratio, by causes", part=EVIDENCE, witnesses=(
                     Witness("first size over last", lambda: found.ratio, rtol=1e-9),))  # fmt: skip
    return (last, start, ratio, slopes, weights, split, first)


def _first_layer_norm(case: Case, path: str) -> Step:
    """The size of the first layer's gradient, beside differences of the loss."""
    model, loss, _ = case.copies()
    with case.engine.recording(), case.engine.seeded(0):
        _, _, gradients = case.value_and_gradients(model, loss, case.sample)
    named = zip([n for n, p in model.named_parameters() if p.requires_grad], gradients, strict=True)
    own = {n: g for n, g in named if n.startswith(f"{path}.") and g is not None}
    again = Witness("central differences of the loss along it",
                    lambda: norm_by_differences(case, list(own), list(own.values())), rtol=1e-3, atol=1e-10)  # fmt: skip
    return Step("‖dL/dW‖", joint_norm(list(own.values())), rule=f"norm of the gradient of {path}", part=EVIDENCE,
                witnesses=(again,))  # fmt: skip


def _last_activation(case: Case) -> str:
    """The path of an activation that makes the outputs: to put another in its place would change what they mean."""
    layers = pass_through(case).layers
    return layers[-1].path if layers and not layers[-1].weighted else ""


class VanishingGradients(Check):
    """Hardly anything of the gradient at the output reaches the first layer."""

    code = "OB008"
    title = "vanishing gradients"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        if facts_of(case).problem:
            return None
        found = shrinkage(case.exact)
        if found is None or found.ratio > _FAINT:
            return None
        slopes, weights = prod(found.slopes), prod(found.weights)
        cause = "the activations' slopes" if slopes < weights else "the weights"
        spare = _last_activation(case)
        bent = Fix(
            "put ReLU in the place of the saturating activations, with weights after He (kaiming_uniform_)",
            lambda c: redrawn(swapped(c, _FLAT, "ReLU", spare=spare), scheme="kaiming"),
        )
        fixes = (
            Fix("draw the weights anew (reset_parameters())", redrawn),
            Fix("draw the weights anew, after Glorot (xavier_uniform_)", lambda c: redrawn(c, scheme="xavier")),
            Fix("draw the weights anew, after He (kaiming_uniform_)", lambda c: redrawn(c, scheme="kaiming")),
        )
        return Suspicion(
            where=f"{found.paths[-1]} back to {found.paths[0]}",
            says=f"Of every unit of gradient at the output, {found.ratio:.2g} reaches the first layer; most of it is lost to "
            f"{cause} (slopes × {slopes:.2g}, weights × {weights:.2g}).",
            evidence=_told(case.exact, found),
            fixes=(bent, *fixes) if slopes < weights else (*fixes, bent),
            steps=2 * case.steps,
        )


class ExplodingGradients(Check):
    """The gradient grows from layer to layer on its way back."""

    code = "OB009"
    title = "exploding gradients"

    def suspect(self, subject: Subject) -> Suspicion | None:
        case = subject.case
        if facts_of(case).problem:
            return None
        found = shrinkage(case.exact)
        if found is None or found.ratio < _LOUD:
            return None
        fixes = (
            Fix("draw the weights anew, after He (kaiming_uniform_)", lambda c: redrawn(c, scheme="kaiming")),
            Fix("draw the weights anew (reset_parameters())", redrawn),
            Fix("clip the gradient: nn.utils.clip_grad_norm_(model.parameters(), 1.0)", lambda c: c.with_(clip=1.0)),
        )
        return Suspicion(
            where=f"{found.paths[-1]} back to {found.paths[0]}",
            says=f"Every unit of gradient at the output is {found.ratio:.2g} at the first layer (slopes × "
            f"{prod(found.slopes):.2g}, weights × {prod(found.weights):.2g}): one step throws the first layers far off.",
            evidence=_told(case.exact, found),
            fixes=fixes,
        )
