"""Update rules: one file each, one formula each."""

from openbook.optim.adam import Adam, AdamW
from openbook.optim.optimizer import Optimizer
from openbook.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]
