"""What each operation is: one class per operation, and everything known about it inside."""

from openbook.ops import elementwise, linear, loss, move, reduce
from openbook.ops.domain import Reals, reals
from openbook.ops.op import OPS, Elementwise, Op, apply

__all__ = ["OPS", "Elementwise", "Op", "Reals", "apply", "elementwise", "linear", "loss", "move", "reals", "reduce"]
