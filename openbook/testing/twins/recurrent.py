"""Recurrent layers: one number after the other, one moment after the other."""

from __future__ import annotations

import numpy as np

from openbook.testing.twins.registry import twin


@twin("lstm_run")
def lstm_run(m, x, h, c, W):
    time, rows, width = x.shape
    size = width // 4
    out = np.empty((2, time, rows, size), dtype=object)
    for row in range(rows):
        state, memory = list(h[row]), list(c[row])
        for t in range(time):
            a = [x[t, row, k] + sum((W[k, j] * state[j] for j in range(size)), m.mpf(0)) for k in range(width)]
            for j in range(size):
                i, f, g = (a[k * size + j] for k in range(3))
                memory[j] = memory[j] / (1 + m.exp(-f)) + m.tanh(g) / (1 + m.exp(-i))
            state = [m.tanh(memory[j]) / (1 + m.exp(-a[3 * size + j])) for j in range(size)]
            out[0, t, row], out[1, t, row] = state, memory
    return out
