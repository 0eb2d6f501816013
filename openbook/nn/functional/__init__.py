"""Layers, activations, norms and losses as functions, under PyTorch's names."""

from openbook.nn.functional.activations import *
from openbook.nn.functional.attention import *
from openbook.nn.functional.convolution import *
from openbook.nn.functional.losses import *
from openbook.nn.functional.normalization import *
