"""Networks: modules that hold parameters, layers, activations and losses, under PyTorch's names."""

from openbook.nn import functional, init, utils
from openbook.nn.activations import (
    ELU,
    GELU,
    SELU,
    Hardsigmoid,
    Hardtanh,
    Identity,
    LeakyReLU,
    LogSigmoid,
    LogSoftmax,
    Mish,
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
    "ELU",
    "GELU",
    "SELU",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "Hardsigmoid",
    "Hardtanh",
    "Identity",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "Mish",
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
    "utils",
]
