"""Recurrent layers: a state carried along a sequence, in several layers and both directions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from openbook.errors import InputError, ShapeError
from openbook.nn import functional, init
from openbook.nn.module import Module
from openbook.nn.parameter import Parameter, empty_parameter, float_dtype
from openbook.nn.recurrent_cells import STEPS, State, rnn_mode, zero_state
from openbook.nn.recurrent_runs import Layer, run_packed, unbind
from openbook.nn.utils.rnn import PackedSequence
from openbook.ops import vocabulary as word

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

Run = Callable[[Any, State, str, bool], tuple[Any, State]]  # a layer in one direction over all steps


def _rows(order: Any) -> tuple[slice, np.ndarray]:
    """An index for the second axis."""
    return slice(None), np.asarray(order.data)


class RNNBase(Module):
    """What RNN, GRU and LSTM share.

    Parameters as PyTorch's: `weight_ih_l0` (gates·hidden, input), `weight_hh_l0` (gates·hidden, hidden), `bias_ih_l0`,
    `bias_hh_l0`, with `proj_size` `weight_hr_l0` (proj_size, hidden); a layer further up has the next number, the way back
    "_reverse". Takes a padded batch or a `PackedSequence`.
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
        if proj_size and (mode != "LSTM" or not 0 < proj_size < hidden_size):
            raise InputError(
                f"proj_size={proj_size} does not fit {type(self).__name__} of hidden size {hidden_size}",
                do="only an LSTM projects its state, to something smaller than hidden_size",
            )
        if not 0 <= dropout <= 1:
            raise InputError(f"the share of entries to drop lies in [0, 1], not {dropout}", where=type(self).__name__)
        self.mode, self.input_size, self.hidden_size, self.num_layers = mode, input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout, self.bidirectional = bias, batch_first, float(dropout), bidirectional
        self.proj_size = proj_size
        rows, kind = STEPS[mode][1] * hidden_size, float_dtype(device, dtype)
        for layer in range(num_layers):
            width = input_size if layer == 0 else self._width * len(self._ways)
            for way in self._ways:
                self.register_parameter(f"weight_ih_l{layer}{way}", empty_parameter(rows, width, dtype=kind))
                self.register_parameter(f"weight_hh_l{layer}{way}", empty_parameter(rows, self._width, dtype=kind))
                for name in ("bias_ih", "bias_hh") if bias else ():
                    self.register_parameter(f"{name}_l{layer}{way}", empty_parameter(rows, dtype=kind))
                if proj_size:
                    self.register_parameter(
                        f"weight_hr_l{layer}{way}", empty_parameter(proj_size, hidden_size, dtype=kind)
                    )
        self.reset_parameters()

    @property
    def _ways(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    @property
    def _width(self) -> int:
        """The features of an output: of h, not of c."""
        return self.proj_size or self.hidden_size

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters, layer by layer and way by way."""
        return [
            [self._parameters[name] for name in self._parameters if name.endswith(f"_l{layer}{way}")]  # type: ignore[misc]
            for layer in range(self.num_layers)
            for way in self._ways
        ]

    def reset_parameters(self) -> None:
        """Draw new initial weights and biases: uniform in ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: here parameters need not lie side by side."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        x, batched = self._read(input)  # (time, batch, features)
        states = self._states(x, hx, x.shape[1], batched)
        x, last = self._through(x, states, self._run)
        ends = self._ends(last, lambda part: part if batched else word.reshape(part, shape=part.shape[::2]))
        if not batched:
            x = word.reshape(x, shape=(x.shape[0], x.shape[2]))
        elif self.batch_first:
            x = word.permute(x, axes=(1, 0, 2))
        return x, ends

    def _forward_packed(self, input: PackedSequence, hx: Any) -> Any:
        data, sizes = input.data, np.asarray(input.batch_sizes.data)
        if data.ndim != 2 or data.shape[1] != self.input_size:
            raise ShapeError(f"{type(self).__name__} takes {self.input_size} features, not a packed shape {data.shape}")
        order, back = input.sorted_indices, input.unsorted_indices
        states = self._states(data, hx, int(sizes[0]), True, order)
        steps = sizes.tolist()
        y, last = self._through(
            data, states, lambda x, state, suffix, back: run_packed(steps, self._layer(suffix), x, state, back)
        )
        ends = self._ends(last, lambda part: part if back is None else word.gather_entries(part, index=_rows(back)))
        return PackedSequence(y, *input[1:]), ends

    def _through(self, x: Any, states: list[State], run: Run) -> tuple[Any, list[State]]:
        """All layers in all directions: the last one's outputs, and the last states of each."""
        last: list[State] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = functional.dropout(x, self.dropout, self.training)
            outputs = []
            for way in self._ways:
                y, end = run(x, states[len(last)], f"_l{layer}{way}", bool(way))
                outputs.append(y)
                last.append(end)
            x = word.cat(*outputs, axis=-1) if len(outputs) > 1 else outputs[0]
        return x, last

    def _ends(self, last: list[State], written: Callable[[Any], Any]) -> Any:
        """The last states as they are handed out: (layers · ways, batch, features)."""
        ends = tuple(written(word.stack(*part, axis=0)) for part in zip(*last, strict=True))
        return ends[0] if self.state_parts == 1 else ends

    def _read(self, x: Any) -> tuple[Any, bool]:
        if not hasattr(x, "__openbook_apply__"):
            raise InputError(f"{type(self).__name__} takes a tensor or a PackedSequence, not {type(x).__name__}")
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size or 0 in x.shape:
            axes = "batch, time" if self.batch_first else "time, batch"
            raise ShapeError(
                f"{type(self).__name__} takes ({axes}, {self.input_size}), or (time, {self.input_size}) without batch, "
                f"not shape {x.shape}"
            )
        if x.ndim == 2:
            return word.reshape(x, shape=(x.shape[0], 1, x.shape[1])), False
        return (word.permute(x, axes=(1, 0, 2)) if self.batch_first else x), True

    def _states(self, x: Any, hx: Any, rows: int, batched: bool, order: Any = None) -> list[State]:
        """The first state of every layer and way; `order` is that in which packed sequences lie."""
        count = self.num_layers * len(self._ways)
        widths = (self._width, self.hidden_size)[: self.state_parts]
        if hx is None:
            return [tuple(zero_state(x, rows, width) for width in widths)] * count
        parts = (hx,) if self.state_parts == 1 else tuple(hx)
        wanted = [(count, rows, width) if batched else (count, width) for width in widths]
        if [tuple(part.shape) for part in parts] != wanted:
            raise ShapeError(
                f"{type(self).__name__} takes a state of shape {wanted}, not {[tuple(part.shape) for part in parts]}"
            )
        whole = [word.reshape(p, shape=(count, rows, w)) for p, w in zip(parts, widths, strict=True)]
        if order is not None:
            whole = [word.gather_entries(part, index=_rows(order)) for part in whole]
        return [tuple(part[i] for part in whole) for i in range(count)]

    def _layer(self, suffix: str) -> Layer:
        """One layer in one direction: its inputs before any state, and the step from a state to the next."""
        part = self.__dict__
        step, weight, bias = STEPS[self.mode][0], part[f"weight_hh{suffix}"], part.get(f"bias_hh{suffix}")
        project = part.get(f"weight_hr{suffix}")

        def prepare(x: Any) -> Any:
            return functional.linear(x, part[f"weight_ih{suffix}"], part.get(f"bias_ih{suffix}"))

        def advance(moment: Any, state: State) -> State:
            after = step(moment, state, weight, bias)
            return after if project is None else (functional.linear(after[0], project), *after[1:])

        return prepare, advance

    def _run(self, x: Any, state: State, suffix: str, backwards: bool) -> tuple[Any, State]:
        """One layer in one direction: all its outputs (time, batch, hidden), and its last state."""
        if self.mode == "LSTM" and not self.proj_size:
            return self._run_at_once(x, state, suffix, backwards)
        prepare, advance = self._layer(suffix)
        inputs, outputs = unbind(prepare(x)), []
        for moment in reversed(inputs) if backwards else inputs:
            state = advance(moment, state)
            outputs.append(state[0])
        return word.stack(*(reversed(outputs) if backwards else outputs), axis=0), state

    def _run_at_once(self, x: Any, state: State, suffix: str, backwards: bool) -> tuple[Any, State]:
        """The same for an LSTM, as one operation."""
        part = self.__dict__
        x = functional.linear(x, part[f"weight_ih{suffix}"], part.get(f"bias_ih{suffix}"))
        x = x + part[f"bias_hh{suffix}"] if self.bias else x
        y = word.lstm_run(word.flip(x, axis=0) if backwards else x, *state, part[f"weight_hh{suffix}"])
        return word.flip(y[0], axis=0) if backwards else y[0], (y[0, -1], y[1, -1])

    def extra_repr(self) -> str:
        said = (
            ("proj_size", self.proj_size, self.proj_size != 0),
            ("num_layers", self.num_layers, self.num_layers != 1),
            ("bias", self.bias, not self.bias),
            ("batch_first", self.batch_first, self.batch_first),
            ("dropout", self.dropout, self.dropout != 0),
            ("bidirectional", self.bidirectional, self.bidirectional),
        )
        options = "".join(f", {name}={value}" for name, value, unusual in said if unusual)
        return f"{self.input_size}, {self.hidden_size}{options}"


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
