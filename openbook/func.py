"""Functions of functions under PyTorch's names (`torch.func`)."""

from openbook.nn.functional_call import functional_call
from openbook.tensor.jacobians import hessian, jacfwd, jacrev
from openbook.tensor.transforms import grad, grad_and_value, jvp, vjp
from openbook.tensor.vmap import vmap

__all__ = ["functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp", "vmap"]
