"""What each operation is: one class per operation, and everything known about it inside."""

from openbook.ops import (
    activation,
    arithmetic,
    bessel,
    choice,
    classes,
    comparison,
    decompose,
    embedding,
    exponential,
    factor,
    gamma,
    gate,
    linear,
    loss,
    move,
    normal,
    normalize,
    order,
    pieces,
    recurrent,
    reduce,
    rounding,
    running,
    special,
    trigonometric,
    whole,
    window,
)
from openbook.ops.domain import Reals, reals
from openbook.ops.op import OPS, Elementwise, Op, apply

__all__ = ["OPS", "Elementwise", "Op", "Reals", "activation", "apply", "reals"]
