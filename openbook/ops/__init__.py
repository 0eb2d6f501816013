"""What each operation is: one class per operation, and everything known about it inside."""

from openbook.ops import (
    activation,
    arithmetic,
    choice,
    classes,
    comparison,
    decompose,
    embedding,
    exponential,
    gamma,
    gate,
    linear,
    loss,
    move,
    normalize,
    order,
    pieces,
    reduce,
    rounding,
    special,
    trigonometric,
    window,
)
from openbook.ops.domain import Reals, reals
from openbook.ops.op import OPS, Elementwise, Op, apply

__all__ = ["OPS", "Elementwise", "Op", "Reals", "activation", "apply", "reals"]
