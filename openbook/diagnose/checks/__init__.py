"""The checks, a file for each family, in the order of causes: what comes first explains what comes after."""

from openbook.diagnose.check import Check
from openbook.diagnose.checks.activations import DeadReLUs, Saturation
from openbook.diagnose.checks.decision import Imbalance
from openbook.diagnose.checks.gradients import ExplodingGradients, VanishingGradients
from openbook.diagnose.checks.loops import GradientsNotCleared, NothingMoves
from openbook.diagnose.checks.losses import AppliedTwice, Broadcasting, WrongLoss
from openbook.diagnose.checks.modes import WrongMode
from openbook.diagnose.checks.numbers import NotANumber
from openbook.diagnose.checks.parameters import OutsideTheOptimizer
from openbook.diagnose.checks.rates import TooLarge, TooSmall
from openbook.diagnose.checks.rows import Leakage, Misaligned
from openbook.diagnose.checks.scales import UnscaledInputs, UnscaledTargets
from openbook.diagnose.checks.structure import Affine

__all__ = ["ORDER"]

ORDER: tuple[type[Check], ...] = (
    NotANumber, Broadcasting, WrongLoss, AppliedTwice, WrongMode, NothingMoves, GradientsNotCleared,
    OutsideTheOptimizer, Misaligned, Leakage, UnscaledInputs, UnscaledTargets, Affine, DeadReLUs, Saturation,
    ExplodingGradients, VanishingGradients, TooLarge, TooSmall, Imbalance,
)  # fmt: skip
