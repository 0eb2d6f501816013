"""What each operation is: one class per operation, and everything known about it inside."""

from openbook.ops import activation, arithmetic, choice, exponential, linear, loss, move, reduce, special, trigonometric
from openbook.ops.domain import Reals, reals
from openbook.ops.op import OPS, Elementwise, Op, apply

__all__ = [
    "OPS", "Elementwise", "Op", "Reals", "activation", "apply", "arithmetic", "choice", "exponential", "linear", "loss", "move",
    "reals", "reduce", "special", "trigonometric",
]  # fmt: skip
