"""Numbers that remember how they came about."""

from openbook.tensor import functions
from openbook.tensor.autograd import backward, grad_of
from openbook.tensor.checks.checker import EntryCheck
from openbook.tensor.checks.differences import StepSweep, central_differences, step_sweep
from openbook.tensor.checks.gradcheck import Gradcheck, gradcheck, gradgradcheck
from openbook.tensor.create import as_tensor, cat, from_numpy, load, manual_seed, save, stack, tensor
from openbook.tensor.devices import device
from openbook.tensor.dtypes import get_default_dtype, set_default_dtype
from openbook.tensor.factories import (
    arange,
    empty,
    empty_like,
    eye,
    full,
    full_like,
    linspace,
    logspace,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    scalar_tensor,
    zeros,
    zeros_like,
)
from openbook.tensor.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from openbook.tensor.tensor import Tensor
from openbook.tensor.transforms.derivatives import grad, grad_and_value, hvp, jvp, value_and_grad, vjp
from openbook.tensor.transforms.jacobians import hessian, jacfwd, jacobian, jacrev
from openbook.tensor.transforms.vmap import vmap

__all__ = [
    "EntryCheck",
    "Gradcheck",
    "StepSweep",
    "Tensor",
    "arange",
    "as_tensor",
    "backward",
    "cat",
    "central_differences",
    "device",
    "empty",
    "empty_like",
    "enable_grad",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "functions",
    "get_default_dtype",
    "grad",
    "grad_and_value",
    "grad_of",
    "gradcheck",
    "gradgradcheck",
    "hessian",
    "hvp",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linspace",
    "load",
    "logspace",
    "manual_seed",
    "no_grad",
    "ones",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "save",
    "scalar_tensor",
    "set_default_dtype",
    "set_grad_enabled",
    "stack",
    "step_sweep",
    "tensor",
    "value_and_grad",
    "vjp",
    "vmap",
    "zeros",
    "zeros_like",
]
