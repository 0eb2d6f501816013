"""Recurrent layers: a state carried along a sequence, in several layers and both directions."""

from __future__ import annotations

import math
from typing import Any

from openbook.errors import InputError, ShapeError
from openbook.nn import functional, init
from openbook.nn.module import Module
from openbook.nn.parameter import empty_parameter, float_dtype
from openbook.nn.recurrent_cells import STEPS, State, rnn_mode, zero_state
from openbook.ops import vocabulary as word
from openbook.tensor.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]


class RNNBase(Module):
    """What RNN, GRU and LSTM share.

    Parameters as PyTorch's: `weight_ih_l0` (gates·hidden, input), `weight_hh_l0` (gates·hidden, hidden), `bias_ih_l0`,
    `bias_hh_l0`; a layer further up has the next number, the way back "_reverse".
    """

    state_parts = 1

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        if min(input_size, hidden_size, num_layers) < 1:
            raise InputError(
                f"no size may be below 1: {input_size}, {hidden_size}, {num_layers} layers", where=type(self).__name__
            )
        if proj_size:
            raise InputError(
                "recurrent layers do not project their state", do="leave proj_size out; add a Linear behind"
            )
        if not 0 <= dropout <= 1:
            raise InputError(f"the share of entries to drop lies in [0, 1], not {dropout}", where=type(self).__name__)
        self.mode, self.input_size, self.hidden_size, self.num_layers = mode, input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout, self.bidirectional = bias, batch_first, float(dropout), bidirectional
        self.proj_size = 0
        rows, kind = STEPS[mode][1] * hidden_size, float_dtype(device, dtype)
        for layer in range(num_layers):
            width = input_size if layer == 0 else hidden_size * len(self._ways)
            for way in self._ways:
                self.register_parameter(f"weight_ih_l{layer}{way}", empty_parameter(rows, width, dtype=kind))
                self.register_parameter(f"weight_hh_l{layer}{way}", empty_parameter(rows, hidden_size, dtype=kind))
                for name in ("bias_ih", "bias_hh") if bias else ():
                    self.register_parameter(f"{name}_l{layer}{way}", empty_parameter(rows, dtype=kind))
        self.reset_parameters()

    @property
    def _ways(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def reset_parameters(self) -> None:
        """Draw new initial weights and biases: uniform in ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: here parameters need not lie side by side."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        x, batched = self._read(input)  # (time, batch, features)
        states = self._states(x, hx, batched)
        last: list[State] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = functional.dropout(x, self.dropout, self.training)
            outputs = []
            for way in self._ways:
                y, end = self._run(x, states[len(last)], f"_l{layer}{way}", backwards=bool(way))
                outputs.append(y)
                last.append(end)
            x = word.cat(*outputs, axis=-1) if len(outputs) > 1 else outputs[0]
        ends = tuple(self._written(word.stack(*part, axis=0), batched) for part in zip(*last, strict=True))
        if not batched:
            x = word.reshape(x, shape=(x.shape[0], x.shape[2]))
        elif self.batch_first:
            x = word.permute(x, axes=(1, 0, 2))
        return x, (ends[0] if self.state_parts == 1 else ends)

    def _read(self, x: Any) -> tuple[Any, bool]:
        if not isinstance(x, Tensor):
            raise InputError(
                f"{type(self).__name__} takes a tensor, not {type(x).__name__}; there are no packed sequences here",
                do="pad the sequences to one length, and leave the padding out of the loss",
            )
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size or 0 in x.shape:
            axes = "batch, time" if self.batch_first else "time, batch"
            raise ShapeError(
                f"{type(self).__name__} takes ({axes}, {self.input_size}), or (time, {self.input_size}) without batch, "
                f"not shape {x.shape}"
            )
        if x.ndim == 2:
            return word.reshape(x, shape=(x.shape[0], 1, x.shape[1])), False
        return (word.permute(x, axes=(1, 0, 2)) if self.batch_first else x), True

    def _states(self, x: Any, hx: Any, batched: bool) -> list[State]:
        """The first state of every layer and way."""
        count, rows = self.num_layers * len(self._ways), x.shape[1]
        if hx is None:
            return [(zero_state(x, rows, self.hidden_size),) * self.state_parts] * count
        parts = (hx,) if self.state_parts == 1 else tuple(hx)
        wanted = (count, rows, self.hidden_size) if batched else (count, self.hidden_size)
        if len(parts) != self.state_parts or any(part.shape != wanted for part in parts):
            raise ShapeError(
                f"{type(self).__name__} takes a state of shape {wanted}, not {[tuple(part.shape) for part in parts]}"
            )
        whole = [word.reshape(part, shape=(count, rows, self.hidden_size)) for part in parts]
        return [tuple(part[i] for part in whole) for i in range(count)]

    def _written(self, state: Any, batched: bool) -> Any:
        return state if batched else word.reshape(state, shape=(state.shape[0], self.hidden_size))

    def _run(self, x: Any, state: State, suffix: str, backwards: bool) -> tuple[Any, State]:
        """One layer in one direction: all its outputs (time, batch, hidden), and its last state."""
        part = self.__dict__
        step = STEPS[self.mode][0]
        weight, bias = part[f"weight_hh{suffix}"], part.get(f"bias_hh{suffix}")
        inputs = unbind(functional.linear(x, part[f"weight_ih{suffix}"], part.get(f"bias_ih{suffix}")))
        outputs = []
        for moment in reversed(inputs) if backwards else inputs:
            state = step(moment, state, weight, bias)
            outputs.append(state[0])
        return word.stack(*(reversed(outputs) if backwards else outputs), axis=0), state

    def extra_repr(self) -> str:
        said = (
            ("num_layers", self.num_layers, self.num_layers != 1),
            ("bias", self.bias, not self.bias),
            ("batch_first", self.batch_first, self.batch_first),
            ("dropout", self.dropout, self.dropout != 0),
            ("bidirectional", self.bidirectional, self.bidirectional),
        )
        options = "".join(f", {name}={value}" for name, value, unusual in said if unusual)
        return f"{self.input_size}, {self.hidden_size}{options}"


def unbind(x: Any) -> list[Any]:
    """The entries along the first axis, by halving again and again.

    The gradient of an entry is an array of zeros as large as what it was taken from. Taken from the whole, that would cost
    T² on the way back; taken from halves of halves, T·log T.
    """
    length = x.shape[0]
    if length == 1:
        return [word.reshape(x, shape=x.shape[1:])]
    middle = length // 2
    first, second = (word.gather_entries(x, index=(part,)) for part in (slice(0, middle), slice(middle, length)))
    return unbind(first) + unbind(second)


class RNN(RNNBase):
    """A simple recurrent network, h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu: gives (outputs, last states)."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(rnn_mode(nonlinearity), input_size, hidden_size, num_layers, bias, batch_first, dropout,
                         bidirectional, 0, device, dtype)  # fmt: skip
        self.nonlinearity = nonlinearity


class GRU(RNNBase):
    """Gated recurrent units (Cho et al. 2014): gives (outputs, last states)."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__("GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device,
                         dtype)  # fmt: skip


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter & Schmidhuber 1997): gives (outputs, (last h, last c)); starts from hx=(h, c)."""

    state_parts = 2

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__("LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
                         device, dtype)  # fmt: skip
