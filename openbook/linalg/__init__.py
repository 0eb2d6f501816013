"""Linear algebra under PyTorch's names (`torch.linalg`); the last two axes are the matrix, those in front a stack of them."""

from openbook.linalg.decompositions import *
from openbook.linalg.norms import *
from openbook.linalg.products import *
from openbook.linalg.solving import *
