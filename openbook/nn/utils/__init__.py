"""Beside the layers: gradients clipped, parameters as one vector or computed from others, sequences packed."""

from openbook.nn.utils import parametrizations, parametrize, rnn
from openbook.nn.utils.gradients import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm
from openbook.nn.utils.norms import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm
from openbook.nn.utils.vectors import parameters_to_vector, vector_to_parameters

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "remove_spectral_norm",
    "remove_weight_norm",
    "rnn",
    "spectral_norm",
    "vector_to_parameters",
    "weight_norm",
]
