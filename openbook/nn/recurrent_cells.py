"""One step of a recurrent network: the state after an input, from the state before. What cells and layers share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn import functional, init
from openbook.nn.module import Module, Parameter
from openbook.nn.parameter import empty_parameter, float_dtype
from openbook.ops import vocabulary as word
from openbook.tensor.tensor import Tensor

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]

State = tuple[Any, ...]  # (h,), and (h, c) for an LSTM
Step = Callable[[Any, State, Any, Any], State]

# Each takes x W_ihᵀ + b_ih of shape (N, gates·H), the state of shape (N, H), and W_hh and b_hh.


def _tanh_step(x: Any, state: State, weight: Any, bias: Any) -> State:
    """h' = tanh(x + W h + b)  (Elman 1990)."""
    return (word.tanh(x + functional.linear(state[0], weight, bias)),)


def _relu_step(x: Any, state: State, weight: Any, bias: Any) -> State:
    return (word.relu(x + functional.linear(state[0], weight, bias)),)


def _gates(x: Any, count: int) -> list[Any]:
    size = x.shape[-1] // count
    return [word.gather_entries(x, index=(slice(None), slice(i * size, (i + 1) * size))) for i in range(count)]


def _lstm_step(x: Any, state: State, weight: Any, bias: Any) -> State:
    """c' = f·c + i·g, h' = o·tanh(c')  (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""
    h, c = state
    i, f, g, o = _gates(x + functional.linear(h, weight, bias), 4)
    c = word.sigmoid(f) * c + word.sigmoid(i) * word.tanh(g)
    return word.sigmoid(o) * word.tanh(c), c


def _gru_step(x: Any, state: State, weight: Any, bias: Any) -> State:
    """h' = (1 − z)·n + z·h, n = tanh(x_n + r·(W_n h + b_n))  (Cho et al. 2014)."""
    h = state[0]
    (x_r, x_z, x_n), (h_r, h_z, h_n) = _gates(x, 3), _gates(functional.linear(h, weight, bias), 3)
    r, z = word.sigmoid(x_r + h_r), word.sigmoid(x_z + h_z)
    n = word.tanh(x_n + r * h_n)
    return (n + z * (h - n),)


STEPS: dict[str, tuple[Step, int]] = {  # by name, with the number of gates
    "RNN_TANH": (_tanh_step, 1),
    "RNN_RELU": (_relu_step, 1),
    "LSTM": (_lstm_step, 4),
    "GRU": (_gru_step, 3),
}


def rnn_mode(nonlinearity: str) -> str:
    """The name of the step with this nonlinearity."""
    if nonlinearity not in ("tanh", "relu"):
        raise InputError(f"a recurrent network has no nonlinearity {nonlinearity!r}", do='choose "tanh" or "relu"')
    return f"RNN_{nonlinearity.upper()}"


def zero_state(like: Any, *shape: int) -> Tensor:
    """The state before the first input."""
    return Tensor(np.zeros(shape, like.dtype))


class _Cell(Module):
    """What the cells share. Parameters as PyTorch's: `weight_ih` (gates·H, input), `weight_hh` (gates·H, H), biases."""

    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(self, input_size: int, hidden_size: int, bias: bool, mode: str, device: Any, dtype: Any):
        super().__init__()
        if input_size < 1 or hidden_size < 1:
            raise InputError(f"no size may be below 1: {input_size}, {hidden_size}", where=type(self).__name__)
        kind = float_dtype(device, dtype)
        self.input_size, self.hidden_size, self.bias, self.mode = input_size, hidden_size, bias, mode
        rows = STEPS[mode][1] * hidden_size
        self.weight_ih = empty_parameter(rows, input_size, dtype=kind)
        self.weight_hh = empty_parameter(rows, hidden_size, dtype=kind)
        self.register_parameter("bias_ih", empty_parameter(rows, dtype=kind) if bias else None)
        self.register_parameter("bias_hh", empty_parameter(rows, dtype=kind) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial weights and biases: uniform in ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _step(self, x: Any, state: State | None, parts: int) -> State:
        """One step; rows (N, input_size), or a single one without its axis."""
        name = type(self).__name__
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ShapeError(f"{name} takes (batch, {self.input_size}) or ({self.input_size},), not shape {x.shape}")
        alone = x.ndim == 1
        wanted = (*x.shape[:-1], self.hidden_size)
        if state is None:
            state = (zero_state(x, *wanted),) * parts
        if len(state) != parts or any(part.shape != wanted for part in state):
            raise ShapeError(f"{name} takes a state of shape {wanted}, not {[part.shape for part in state]}")
        if alone:
            x, state = word.reshape(x, shape=(1, -1)), tuple(word.reshape(part, shape=(1, -1)) for part in state)
        before = functional.linear(x, self.weight_ih, self.bias_ih)
        after = STEPS[self.mode][0](before, state, self.weight_hh, self.bias_hh)
        return tuple(word.reshape(part, shape=wanted) for part in after) if alone else after

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")
        return f"{shown}, nonlinearity=relu" if self.mode == "RNN_RELU" else shown


class RNNCell(_Cell):
    """One step of a simple recurrent network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(input_size, hidden_size, bias, rnn_mode(nonlinearity), device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        return self._step(input, None if hx is None else (hx,), 1)[0]


class GRUCell(_Cell):
    """One step of a gated recurrent unit; the gates r, z and n lie in this order in the weights."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None):
        super().__init__(input_size, hidden_size, bias, "GRU", device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        return self._step(input, None if hx is None else (hx,), 1)[0]


class LSTMCell(_Cell):
    """One step of a long short-term memory, giving (h, c); the gates i, f, g and o lie in this order in the weights."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None):
        super().__init__(input_size, hidden_size, bias, "LSTM", device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        return self._step(input, None if hx is None else tuple(hx), 2)
