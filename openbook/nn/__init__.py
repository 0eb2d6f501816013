"""Networks: modules that hold parameters, layers, activations and losses, under PyTorch's names."""

from openbook.nn import functional, init, utils
from openbook.nn.activations import *
from openbook.nn.attention import *
from openbook.nn.containers import *
from openbook.nn.convolution import *
from openbook.nn.embedding import *
from openbook.nn.functional_call import functional_call
from openbook.nn.layers import *
from openbook.nn.losses import *
from openbook.nn.module import Module, Parameter
from openbook.nn.normalization import *
from openbook.nn.recurrent import *

__all__ = ["Module", "Parameter", "functional", "functional_call", "init", "utils"]
