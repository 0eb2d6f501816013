"""The plots: on one's own axis or a new one, never in a window, with words for who cannot see them."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest

import openbook as ob
from openbook.errors import ShapeError
from openbook.explain import displays
from openbook.explain.displays import (
    ActivationSlopes,
    DecisionBoundary,
    Display,
    LossCurves,
    ReliabilityDisplay,
    ThresholdCurve,
    TreeFractions,
    TreeMeans,
)
from openbook.explain.displays.contributions import ContributionBars
from openbook.record.draw.figure import figure_svg
from tests.gallery import GALLERY, working

RANDOM = np.random.default_rng(0)
TRUE, P = [0, 1, 0, 1, 0, 1], [0.2, 0.9, 0.4, 0.7, 0.1, 0.35]
PLANE = RANDOM.normal(size=(30, 2))


def every() -> dict[str, Display]:
    """One of each kind: from the workings they belong to, and those that only large or long things have."""
    found = {type(d).__name__: d for name in GALLERY for d in working(name).displays}
    rest = (
        LossCurves({"a": ([3.0, 2.0, 1.0], [3.0, 2.5, 2.6], 1)}),
        TreeFractions(RANDOM.random(50), np.ones(50), "yes"),
        TreeMeans(RANDOM.normal(size=50)),
        DecisionBoundary.from_function(lambda points: points[:, 0], PLANE, PLANE[:, 0] > 0, level=0.0),
        ContributionBars(("a", "b"), (1.0, -2.0), "the sum"),
    )
    return found | {type(d).__name__: d for d in rest}


def test_there_is_one_of_every_kind() -> None:
    assert set(every()) == set(displays.__all__) - {"Display"}


@pytest.mark.parametrize("name", sorted(set(displays.__all__) - {"Display"}))
def test_displays_as_scikit_learn_has_them(name: str) -> None:
    import matplotlib.figure

    display = every()[name]
    assert display.plot() is display and display.ax_.figure is display.figure_
    own = matplotlib.figure.Figure().add_subplot()
    display.plot(own)
    assert display.ax_ is own and display.figure_ is own.figure
    assert own.has_data() and own.get_xlabel()
    drawn = ElementTree.fromstring(figure_svg(display))
    assert len(drawn.get("aria-label", "")) > 20
    assert display._repr_svg_() == figure_svg(display)


def test_no_window_is_ever_opened() -> None:
    """pyplot, which opens windows, is not even loaded."""
    code = (
        "import sys, openbook as ob\n"
        "for d in ob.explain(ob.temper([2.0, 1.0, 0.0])).displays: d.plot()\n"
        "assert 'matplotlib.figure' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_from_predictions() -> None:
    curve, reliability = (
        ThresholdCurve.from_predictions(TRUE, P, "f1"),
        ReliabilityDisplay.from_predictions(TRUE, P, bins=3),
    )
    assert curve.best.value == ob.best_threshold(TRUE, P, "f1").value and curve.ax_ is not None
    assert reliability.reliability.ece == ob.reliability(TRUE, P, bins=3).ece and reliability.ax_ is not None


def test_slopes_are_those_of_mpmath() -> None:
    import mpmath

    (display,) = working("gelu").displays
    assert isinstance(display, ActivationSlopes)
    for i in range(0, len(display.z), 60):
        truth = mpmath.diff(lambda z: z / 2 * (1 + mpmath.erf(z / mpmath.sqrt(2))), display.z[i])
        assert display.slopes[i] == pytest.approx(float(truth), rel=1e-9, abs=1e-12)


def test_no_affine_map_parts_the_corners_of_xor() -> None:
    (display,) = working("affine").displays
    assert isinstance(display, DecisionBoundary)
    np.testing.assert_allclose(display.scores, 0.5, rtol=1e-12)
    assert any("no boundary" in text.get_text() for text in display.plot().ax_.texts)


def test_a_boundary_needs_a_plane() -> None:
    with pytest.raises(ShapeError, match="plane"):
        DecisionBoundary.from_function(lambda points: points[:, 0], RANDOM.normal(size=(4, 3)), [0, 1, 0, 1])
