"""What can be done with a tensor, as users of PyTorch know it: each method is a word of the vocabulary, or several.

Shapes and axes go by PyTorch's names (`dim`, `keepdim`). Nothing here looks at `.data`, so that all of it works on what
`vmap` hands to functions, too.
"""

from openbook.tensor.methods.arithmetic import Arithmetic
from openbook.tensor.methods.draws import Draws
from openbook.tensor.methods.in_place import InPlace
from openbook.tensor.methods.indexing import Indexing
from openbook.tensor.methods.matrices import Matrices
from openbook.tensor.methods.parts import Parts
from openbook.tensor.methods.reductions import Reductions
from openbook.tensor.methods.running import Running
from openbook.tensor.methods.scattering import Scattering
from openbook.tensor.methods.shapes import Shapes
from openbook.tensor.methods.statistics import Statistics

__all__ = ["Methods"]


class Methods(
    Arithmetic, Reductions, Running, Statistics, Shapes, Parts, Indexing, Scattering, Matrices, InPlace, Draws
):
    """All of them together."""

    __slots__ = ()
