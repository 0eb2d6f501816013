"""Functions of functions under PyTorch's names (`torch.func`)."""

from openbook.nn.functional_call import functional_call
from openbook.tensor.transforms.derivatives import grad, grad_and_value, jvp, vjp
from openbook.tensor.transforms.jacobians import hessian, jacfwd, jacrev
from openbook.tensor.transforms.vmap import vmap

__all__ = ["functional_call", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "vjp", "vmap"]
