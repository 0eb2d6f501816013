"""Plots that belong to workings: each holds its data and has `plot(ax=None)`; matplotlib is loaded when one is drawn.

As scikit-learn's Displays they keep `ax_` and `figure_`, draw on the axis they are given, and never show a window; those
whose data can be computed from predictions have a `from_…` that does so.
"""

from typing import TYPE_CHECKING

from openbook.later import later

if TYPE_CHECKING:
    from openbook.explain.displays.activations import ActivationSlopes
    from openbook.explain.displays.boundary import DecisionBoundary
    from openbook.explain.displays.canvas import Display
    from openbook.explain.displays.contributions import ContributionBars, TreeFractions, TreeMeans
    from openbook.explain.displays.decisions import ReliabilityDisplay, ThresholdCurve
    from openbook.explain.displays.gradients import LayerGradients, StepSweepDisplay
    from openbook.explain.displays.newton import NewtonConvergence, NewtonPath
    from openbook.explain.displays.temperature import TemperatureBars
    from openbook.explain.displays.training import LossCurves

__all__ = [
    "ActivationSlopes",
    "ContributionBars",
    "DecisionBoundary",
    "Display",
    "LayerGradients",
    "LossCurves",
    "NewtonConvergence",
    "NewtonPath",
    "ReliabilityDisplay",
    "StepSweepDisplay",
    "TemperatureBars",
    "ThresholdCurve",
    "TreeFractions",
    "TreeMeans",
]

__getattr__ = later(
    __name__,
    {
        "activations": ("ActivationSlopes",),
        "boundary": ("DecisionBoundary",),
        "canvas": ("Display",),
        "contributions": ("ContributionBars", "TreeFractions", "TreeMeans"),
        "decisions": ("ReliabilityDisplay", "ThresholdCurve"),
        "gradients": ("LayerGradients", "StepSweepDisplay"),
        "newton": ("NewtonConvergence", "NewtonPath"),
        "temperature": ("TemperatureBars",),
        "training": ("LossCurves",),
    },
)
