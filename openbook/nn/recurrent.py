"""Recurrent networks: one step after the other, with parameters named and laid out as PyTorch's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn import functional, init
from openbook.nn.module import Module, Parameter
from openbook.ops import vocabulary as word
from openbook.tensor.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]


def rnn_step(gates: Any, h: Any, recurrent: Any, bend: Any) -> Any:
    """h' = tanh(W x + b + U h + c) (Elman 1990)."""
    return bend(gates + recurrent(h))


def lstm_step(gates: Any, state: tuple[Any, Any], recurrent: Any) -> tuple[Any, Any]:
    """Input, forget and output gates around a cell (Hochreiter & Schmidhuber 1997), in PyTorch's order i, f, g, o."""
    h, c = state
    i, f, g, o = (gates + recurrent(h)).chunk(4, -1)
    c = word.sigmoid(f) * c + word.sigmoid(i) * word.tanh(g)
    return word.sigmoid(o) * word.tanh(c), c


def gru_step(gates: Any, h: Any, recurrent: Any) -> Any:
    """Reset and update gates (Cho et al. 2014), in PyTorch's order r, z, n, with the reset after the product."""
    given_r, given_z, given_n = gates.chunk(3, -1)
    held_r, held_z, held_n = recurrent(h).chunk(3, -1)
    z = word.sigmoid(given_z + held_z)
    n = word.tanh(given_n + word.sigmoid(given_r + held_r) * held_n)
    return n + z * (h - n)


class _Recurrent(Module):
    """What the three share: layers, directions, batches, and the parameters' names."""

    gates = 1

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
        dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, dtype: Any = np.float32,
    ):  # fmt: skip
        super().__init__()
        if proj_size:
            raise InputError(
                "hidden states are not projected here", where=type(self).__name__, do="leave proj_size out"
            )
        if hidden_size < 1 or num_layers < 1:
            raise InputError(f"hidden_size={hidden_size}, num_layers={num_layers}: both are at least 1")
        self.input_size, self.hidden_size, self.num_layers, self.bias = input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional = batch_first, float(dropout), bidirectional
        self.directions = 2 if bidirectional else 1
        rows = self.gates * hidden_size
        for layer in range(num_layers):
            width = input_size if layer == 0 else hidden_size * self.directions
            for suffix in self._suffixes(layer):
                self.register_parameter(f"weight_ih_{suffix}", Parameter(np.empty((rows, width), dtype)))
                self.register_parameter(f"weight_hh_{suffix}", Parameter(np.empty((rows, hidden_size), dtype)))
                for name in ("ih", "hh") if bias else ():
                    self.register_parameter(f"bias_{name}_{suffix}", Parameter(np.empty(rows, dtype)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial weights: uniform in ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _suffixes(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"][: self.directions]

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """(length, rows, input_size) to the outputs of the last layer at each step, and the last states of all layers."""
        x, single = self._steps_first(input)
        states = self._initial(x, hx, single)
        finals: list[Any] = []
        for layer in range(self.num_layers):
            sides = []
            for k, suffix in enumerate(self._suffixes(layer)):
                outputs, final = self._run(x, suffix, states[layer * self.directions + k], backwards=k == 1)
                sides.append(outputs)
                finals.append(final)
            x = sides[0] if len(sides) == 1 else word.cat(*sides, axis=-1)
            if self.dropout and layer < self.num_layers - 1:
                x = functional.dropout(x, self.dropout, self.training)
        x = x.squeeze(1) if single else x.transpose(0, 1) if self.batch_first else x
        return x, self._final(finals, single)

    def _steps_first(self, input: Any) -> tuple[Any, bool]:
        if input.ndim not in (2, 3) or input.shape[-1] != self.input_size:
            raise ShapeError(
                f"{type(self).__name__} takes (length, rows, {self.input_size}) or (length, {self.input_size}), not "
                f"{tuple(input.shape)}",
                do="or (rows, length, …) with batch_first=True",
            )
        if input.ndim == 2:
            return input.unsqueeze(1), True
        return (input.transpose(0, 1) if self.batch_first else input), False

    def _run(self, x: Any, suffix: str, state: Any, backwards: bool) -> tuple[Any, Any]:
        """One layer in one direction: what the inputs bring is computed for all steps at once."""
        bias = getattr(self, f"bias_ih_{suffix}") if self.bias else None
        gates = functional.linear(x, getattr(self, f"weight_ih_{suffix}"), bias).unbind(0)
        weight, held = getattr(self, f"weight_hh_{suffix}"), getattr(self, f"bias_hh_{suffix}") if self.bias else None

        def recurrent(h: Any) -> Any:
            return functional.linear(h, weight, held)

        outputs = []
        for step in reversed(gates) if backwards else gates:
            state = self._step(step, state, recurrent)
            outputs.append(self._shown(state))
        return word.stack(*(reversed(outputs) if backwards else outputs), axis=0), state

    def _step(self, gates: Any, state: Any, recurrent: Any) -> Any:
        raise TypeError("a recurrent network says in `_step` what one step does")

    def _shown(self, state: Any) -> Any:
        return state

    def _initial(self, x: Any, hx: Any, single: bool) -> list[Any]:
        return self._split(x, hx, single)

    def _split(self, x: Any, hx: Any, single: bool) -> list[Any]:
        """One state for each layer and direction, from a stack of them; zeros if there is none."""
        count, rows = self.num_layers * self.directions, x.shape[1]
        if hx is None:
            return [Tensor(np.zeros((rows, self.hidden_size), x.dtype))] * count
        stack = hx.unsqueeze(1) if single else hx
        if tuple(stack.shape) != (count, rows, self.hidden_size):
            raise ShapeError(f"states have shape {tuple(stack.shape)}, not {(count, rows, self.hidden_size)}")
        return list(stack.unbind(0))

    def _final(self, finals: list[Any], single: bool) -> Any:
        stack = word.stack(*finals, axis=0)
        return stack.squeeze(1) if single else stack

    def extra_repr(self) -> str:
        more = f", num_layers={self.num_layers}" if self.num_layers > 1 else ""
        return f"{self.input_size}, {self.hidden_size}{more}" + ", batch_first=True" * self.batch_first


class RNN(_Recurrent):
    """h' = tanh(W x + b + U h + c); `nonlinearity="relu"` for a ReLU."""

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", **options: Any
    ):
        super().__init__(input_size, hidden_size, num_layers, **options)
        self.nonlinearity = _bend(nonlinearity)[0]

    def _step(self, gates: Any, state: Any, recurrent: Any) -> Any:
        return rnn_step(gates, state, recurrent, _bend(self.nonlinearity)[1])


class GRU(_Recurrent):
    """Gated recurrent units."""

    gates = 3

    def _step(self, gates: Any, state: Any, recurrent: Any) -> Any:
        return gru_step(gates, state, recurrent)


class LSTM(_Recurrent):
    """Long short-term memory; states are pairs (h, c)."""

    gates = 4

    def _step(self, gates: Any, state: Any, recurrent: Any) -> Any:
        return lstm_step(gates, state, recurrent)

    def _shown(self, state: Any) -> Any:
        return state[0]

    def _initial(self, x: Any, hx: Any, single: bool) -> list[Any]:
        h, c = (None, None) if hx is None else hx
        return list(zip(self._split(x, h, single), self._split(x, c, single), strict=True))

    def _final(self, finals: list[Any], single: bool) -> Any:
        h, c = zip(*finals, strict=True)
        return super()._final(list(h), single), super()._final(list(c), single)


def _bend(nonlinearity: str) -> tuple[str, Any]:
    if nonlinearity not in ("tanh", "relu"):
        raise InputError(f"nonlinearity={nonlinearity!r} is neither of two", where="RNN", do='choose "tanh" or "relu"')
    return nonlinearity, word.tanh if nonlinearity == "tanh" else word.relu


class _Cell(Module):
    """One step of a recurrent network, with `weight_ih`, `weight_hh` and their biases."""

    gates = 1

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, dtype: Any = np.float32):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        rows = self.gates * hidden_size
        self.weight_ih = Parameter(np.empty((rows, input_size), dtype))
        self.weight_hh = Parameter(np.empty((rows, hidden_size), dtype))
        self.bias_ih = Parameter(np.empty(rows, dtype)) if bias else None
        self.bias_hh = Parameter(np.empty(rows, dtype)) if bias else None
        bound = 1 / math.sqrt(hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _given(self, x: Any) -> Any:
        return functional.linear(x, self.weight_ih, self.bias_ih)

    def _recurrent(self, h: Any) -> Any:
        return functional.linear(h, self.weight_hh, self.bias_hh)

    def _zeros(self, x: Any) -> Tensor:
        return Tensor(np.zeros((*x.shape[:-1], self.hidden_size), x.dtype))

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"


class RNNCell(_Cell):
    """One step of an Elman network."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", dtype: Any = np.float32
    ):
        super().__init__(input_size, hidden_size, bias, dtype)
        self.nonlinearity = _bend(nonlinearity)[0]

    def forward(self, input: Any, hx: Any = None) -> Any:
        h = self._zeros(input) if hx is None else hx
        return rnn_step(self._given(input), h, self._recurrent, _bend(self.nonlinearity)[1])


class GRUCell(_Cell):
    """One step of gated recurrent units."""

    gates = 3

    def forward(self, input: Any, hx: Any = None) -> Any:
        return gru_step(self._given(input), self._zeros(input) if hx is None else hx, self._recurrent)


class LSTMCell(_Cell):
    """One step of long short-term memory; the state is a pair (h, c)."""

    gates = 4

    def forward(self, input: Any, hx: Any = None) -> Any:
        state = (self._zeros(input), self._zeros(input)) if hx is None else hx
        return lstm_step(self._given(input), state, self._recurrent)
