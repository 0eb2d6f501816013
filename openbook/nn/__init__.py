"""Networks: modules that hold parameters, layers, activations and losses, under PyTorch's names."""

from openbook.nn import functional, init
from openbook.nn.activations import (
    Identity,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from openbook.nn.layers import Dropout, Flatten, Linear
from openbook.nn.losses import BCEWithLogitsLoss, CrossEntropyLoss, MSELoss
from openbook.nn.module import Module, Parameter, Sequential

__all__ = [
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "Identity",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "functional",
    "init",
]
