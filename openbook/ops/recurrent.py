"""A whole run of a recurrent layer as one operation: thousands of small steps that need not be remembered one by one."""

from __future__ import annotations

from typing import Any

import numpy as np

from openbook.ops.op import Op
from openbook.ops.vocabulary import cat, linear, reshape, sigmoid, stack, tanh


class LstmRun(Op):
    """Long short-term memory along time (Hochreiter & Schmidhuber 1997, forget gate of Gers et al. 2000).

    `x` (time, rows, 4·size) holds what the inputs add to the gates i, f, g, o; `h` and `c` (rows, size) the state before the
    first input; `W` (4·size, size) takes h to the gates. The output (2, time, rows, size) holds every h, and every c.
    """

    name = "lstm_run"
    formula = "c = sigmoid(f)*c + sigmoid(i)*tanh(g); h = sigmoid(o)*tanh(c)"
    one_dtype = True

    @staticmethod
    def keeping(x, h, c, W):
        """The run, and the gates at every moment."""
        time, rows, width = x.shape
        size = width // 4
        y = np.empty((2, time, rows, size), x.dtype)
        # σ(a) = (1 + tanh(a/2))/2: one tanh serves all four gates, and halving is exact
        gate = np.full(width, 0.5, x.dtype)
        gate[2 * size : 3 * size] = 1
        gates, weights, rest = x * gate, W.T * gate, 1 - gate
        for t in range(time):
            a = gates[t]
            a += h.dot(weights)
            np.tanh(a, out=a)
            a *= gate
            a += rest
            i, f, g, o = (a[:, k * size : (k + 1) * size] for k in range(4))
            memory = np.multiply(f, c, out=y[1, t])
            memory += i * g
            h, c = np.tanh(memory, out=y[0, t]), memory
            h *= o
        return y, gates

    @staticmethod
    def forward(x, h, c, W):
        return LstmRun.keeping(x, h, c, W)[0]

    @staticmethod
    def gradient(g, y, x, h, c, W, *, kept=None):
        time, rows, width = x.shape
        size = width // 4
        before = cat(reshape(h, shape=(1, rows, size)), y[0, :-1], axis=0)
        held = cat(reshape(c, shape=(1, rows, size)), y[1, :-1], axis=0)
        gates = _gates(x + linear(before, W), size) if kept is None else kept
        i, f, n, o = (gates[:, :, k * size : (k + 1) * size] for k in range(4))
        bent = tanh(y[1])
        into = o * (1 - bent * bent)  # how c moves h
        of_o = bent * (o * (1 - o))
        others = stack(n * (i * (1 - i)), held * (f * (1 - f)), i * (1 - n * n), axis=2)  # how i, f and g move c
        through, out = W[: 3 * size], W[3 * size :]
        of_h, of_c = 0.0, 0.0
        from_memory, from_output = [], []
        for t in reversed(range(time)):
            of_h = of_h + g[0, t]
            of_c = of_c + g[1, t] + of_h * into[t]
            first = (of_c[:, None] * others[t]).reshape(rows, 3 * size)
            last = of_h * of_o[t]
            from_memory.append(first)
            from_output.append(last)
            of_h = first @ through + last @ out
            of_c = of_c * f[t]
        of_x = cat(stack(*from_memory[::-1], axis=0), stack(*from_output[::-1], axis=0), axis=-1)
        flat = reshape(of_x, shape=(time * rows, width))
        return of_x, of_h, of_c, lambda: flat.T @ reshape(before, shape=(time * rows, size))


def _gates(a: Any, size: int) -> Any:
    """The gates i, f, g, o from what adds up to them."""
    i, f, g, o = (a[:, :, k * size : (k + 1) * size] for k in range(4))
    return cat(sigmoid(i), sigmoid(f), tanh(g), sigmoid(o), axis=-1)
