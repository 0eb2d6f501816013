"""Update rules: one file each, one formula each; and schedules for their rates."""

from openbook.optim import lr_scheduler, swa_utils
from openbook.optim.adadelta import Adadelta
from openbook.optim.adagrad import Adagrad
from openbook.optim.adam import Adam, AdamW
from openbook.optim.adamax import Adamax
from openbook.optim.asgd import ASGD
from openbook.optim.lbfgs import LBFGS
from openbook.optim.nadam import NAdam
from openbook.optim.optimizer import Optimizer
from openbook.optim.radam import RAdam
from openbook.optim.rmsprop import RMSprop
from openbook.optim.rprop import Rprop
from openbook.optim.sgd import SGD

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
    "swa_utils",
]
