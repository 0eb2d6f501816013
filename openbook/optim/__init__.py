"""Update rules: one file each, one formula each; and schedules for their rates."""

from openbook.optim import lr_scheduler
from openbook.optim.adagrad import Adagrad
from openbook.optim.adam import Adam, AdamW
from openbook.optim.optimizer import Optimizer
from openbook.optim.rmsprop import RMSprop
from openbook.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
