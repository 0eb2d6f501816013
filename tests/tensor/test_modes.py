"""Whether what is computed is remembered: contexts, decorators, switches, threads."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import openbook as ob


def remembered() -> bool:
    return (ob.tensor([1.0], requires_grad=True) * 2).requires_grad


def test_contexts_nest_and_end_also_by_an_error() -> None:
    with ob.no_grad():
        assert not remembered()
        with ob.enable_grad():
            assert remembered()
            with ob.set_grad_enabled(False):
                assert not remembered()
            assert remembered()
        assert not remembered()
    with pytest.raises(ZeroDivisionError), ob.no_grad():
        _ = 1 / 0
    assert remembered()
    mode = ob.no_grad()
    with mode:
        with mode:
            assert not remembered()
        assert not remembered()
    assert remembered()


def test_decorators_with_and_without_brackets() -> None:
    @ob.no_grad()
    def a(depth: int) -> bool:
        """Said aloud."""
        return remembered() or (depth > 0 and a(depth - 1))

    @ob.no_grad
    def b() -> bool:
        return remembered()

    @ob.inference_mode
    def c() -> bool:
        return remembered() or not ob.is_inference_mode_enabled()

    @ob.enable_grad
    def d() -> bool:
        return remembered()

    @ob.set_grad_enabled(False)
    def e() -> bool:
        return remembered()

    assert remembered()
    assert not (a(3) or b() or c() or e())
    with ob.no_grad():
        assert d()
    assert a.__doc__ == "Said aloud." and b.__name__ == "b"
    assert remembered()


def test_a_switch_holds_until_it_is_turned() -> None:
    try:
        ob.set_grad_enabled(False)
        assert not remembered() and not ob.is_grad_enabled()
        with ob.set_grad_enabled(True):
            assert remembered()
        assert not remembered()
    finally:
        ob.set_grad_enabled(True)
    assert remembered()


def test_generators_compute_in_the_mode_and_hand_out_in_the_callers() -> None:
    inside: list[Any] = []

    @ob.no_grad()
    def steps() -> Any:
        try:
            got = yield 1
            inside.append((got, remembered()))
            try:
                yield 2
            except KeyError:
                inside.append(remembered())
                yield 3
        finally:
            inside.append(remembered())
        return "end"

    g = steps()
    assert next(g) == 1 and remembered()
    assert g.send("a") == 2 and remembered()
    assert g.throw(KeyError()) == 3 and remembered()
    with pytest.raises(StopIteration) as end:
        next(g)
    assert end.value.value == "end"
    assert inside == [("a", False), False, False]
    stopped = steps()
    next(stopped)
    stopped.close()
    assert inside[-1] is False and remembered()


def test_inference_mode() -> None:
    with ob.inference_mode():
        assert ob.is_inference_mode_enabled() and not remembered()
    with ob.inference_mode(False):
        assert not ob.is_inference_mode_enabled() and remembered()
    assert not ob.is_inference_mode_enabled()


def test_threads_have_their_own_mode_and_their_own_graphs() -> None:
    """Two threads train at once, one of them with long stretches under no_grad: both find what one alone finds."""
    data = np.random.default_rng(0).normal(size=(2, 8, 3))

    def train(k: int, found: dict[int, Any], gate: threading.Barrier | None) -> None:
        w = ob.tensor(data[k].T @ data[k] / 10, requires_grad=True)
        for _ in range(50):
            if gate:
                gate.wait()
            loss = (ob.tensor(data[k]) @ w).tanh().square().mean()
            with ob.no_grad():
                if gate:
                    gate.wait()  # the other thread computes while this one does not remember
                assert not remembered()
            loss.backward()
            with ob.no_grad():
                w -= 0.1 * w.grad
            w.grad = None
        found[k] = w.detach().numpy()

    alone: dict[int, Any] = {}
    for k in range(2):
        train(k, alone, None)
    together: dict[int, Any] = {}
    gate = threading.Barrier(2, timeout=30)
    threads = [threading.Thread(target=train, args=(k, together, gate)) for k in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in range(2):
        np.testing.assert_array_equal(together[k], alone[k])
