"""Gradients under PyTorch's names (`torch.autograd`)."""

from openbook.tensor.custom import Function, once_differentiable
from openbook.tensor.gradcheck import gradcheck, gradgradcheck
from openbook.tensor.gradients import backward_of as backward
from openbook.tensor.gradients import gradients as grad
from openbook.tensor.modes import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = [
    "Function", "backward", "enable_grad", "grad", "gradcheck", "gradgradcheck", "inference_mode", "no_grad",
    "once_differentiable", "set_grad_enabled",
]  # fmt: skip
