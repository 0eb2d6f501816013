"""What the modules compute, as functions, under PyTorch's names: each is a word of the vocabulary, or a few."""

from openbook.nn.functional.activations import *
from openbook.nn.functional.attention import *
from openbook.nn.functional.convolutions import *
from openbook.nn.functional.ctc import *
from openbook.nn.functional.dropouts import *
from openbook.nn.functional.embeddings import *
from openbook.nn.functional.grids import *
from openbook.nn.functional.losses import *
from openbook.nn.functional.maps import *
from openbook.nn.functional.margins import *
from openbook.nn.functional.normalization import *
from openbook.nn.functional.pooling import *
from openbook.nn.functional.resampling import *
from openbook.nn.functional.unpooling import *
