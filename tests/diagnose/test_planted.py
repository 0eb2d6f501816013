"""Planted faults are named, each with a fix that helps; healthy runs have no finding."""

from __future__ import annotations

import math

import pytest

from tests.diagnose.zoo import FAULTS, HEALTHY, library

torch = pytest.mark.torch
# In the plain run every fault once, the libraries in turns; with -m slow each in both, from more seeds.
HALVES = [
    pytest.param(name, lib, 0, marks=[torch] if lib == "torch" else [])
    for i, name in enumerate(FAULTS)
    for lib in [("openbook", "torch")[i % 2]]
]
SOUND = [
    pytest.param(name, lib, 0, marks=[torch] if lib == "torch" else [])
    for i, name in enumerate(HEALTHY)
    for lib in [("torch", "openbook")[i % 2]]
]


def long(names: list[str], seeds: range) -> list:
    return [
        pytest.param(name, lib, seed, marks=[pytest.mark.slow, *([torch] if lib == "torch" else [])])
        for name in names for lib in ("openbook", "torch") for seed in seeds
    ]  # fmt: skip


def test_there_are_enough() -> None:
    assert len(FAULTS) >= 25 and len(HEALTHY) >= 25


@pytest.mark.parametrize(("name", "lib", "seed"), [*HALVES, *long(list(FAULTS), range(1, 4))])
def test_a_planted_fault_is_named_and_mended(name: str, lib: str, seed: int) -> None:
    build, code = FAULTS[name]
    diagnosis = build(library(lib), seed).diagnose()
    assert code in diagnosis.codes, (diagnosis, dict(diagnosis.let_go))
    finding = diagnosis[code]
    assert math.isfinite(finding.effect.after) and finding.effect.after < finding.effect.before
    assert finding.evidence and finding.where and finding.fix
    for found in diagnosis:  # every derived number again, another way; the trials run again
        assert found.explain().check().checks
    # What the first fault causes is not a finding of its own, once it is mended: at most one more is found.
    assert len(diagnosis) <= 2


@pytest.mark.parametrize(("name", "lib", "seed"), [*SOUND, *long(list(HEALTHY), range(1, 4))])
def test_nothing_is_found_on_healthy_runs(name: str, lib: str, seed: int) -> None:
    diagnosis = HEALTHY[name](library(lib), seed).diagnose()
    assert diagnosis.healthy, str(diagnosis)
