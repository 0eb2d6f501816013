"""Networks: modules that hold parameters, layers, activations and losses, under PyTorch's names."""

from openbook.nn import functional as functional
from openbook.nn import init as init
from openbook.nn import utils as utils
from openbook.nn.activations import *
from openbook.nn.adaptive import *
from openbook.nn.attention import *
from openbook.nn.containers import *
from openbook.nn.convolution import *
from openbook.nn.dropout import *
from openbook.nn.embedding import *
from openbook.nn.fold import *
from openbook.nn.functional_call import *
from openbook.nn.lazy import *
from openbook.nn.linear import *
from openbook.nn.losses import *
from openbook.nn.margins import *
from openbook.nn.module import *
from openbook.nn.normalization import *
from openbook.nn.padding import *
from openbook.nn.pooling import *
from openbook.nn.recurrent import *
from openbook.nn.recurrent_cells import *
from openbook.nn.resampling import *
from openbook.nn.transformer import *
from openbook.nn.unpooling import *
