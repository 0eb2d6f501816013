"""Losses, entry by entry; then their mean or sum."""

from __future__ import annotations

import numpy as np

from openbook.testing.twins.registry import filled, twin


def _reduced(m, entries, reduction):
    if reduction == "none":
        return entries
    total = sum(entries.flat, m.mpf(0))
    return np.asarray(total / entries.size if reduction == "mean" else total, dtype=object)


def _compared(names, of):
    """A loss that is one function of a prediction and a target."""

    @twin(*names)
    def loss(m, x, y, weight=None, *, reduction="mean", **options):
        counts = None if weight is None else np.broadcast_to(weight, x.shape)
        entries = filled(x.shape, lambda p: of(m, x[p], y[p], **options) * (1 if counts is None else counts[p]))
        return _reduced(m, entries, reduction)

    return loss


_compared(["mse_loss"], lambda m, x, y: (x - y) ** 2)
_compared(["l1_loss"], lambda m, x, y: abs(x - y))
_compared(["bce"], lambda m, x, y: -y * m.log(x) - (1 - y) * m.log(1 - x))


def _huber(m, x, y, delta=1.0):
    d, t = abs(x - y), m.mpf(delta)
    return d * d / 2 if d < t else t * (d - t / 2)


def _smooth_l1(m, x, y, beta=1.0):
    d, t = abs(x - y), m.mpf(beta)
    return d * d / (2 * t) if d < t else d - t / 2


_compared(["huber_loss"], _huber)
_compared(["smooth_l1_loss"], _smooth_l1)


@twin("bce_with_logits")
def bce_with_logits(m, x, y, weight=None, pos_weight=None, *, reduction="mean"):
    """−w·(p·y·ln σ(x) + (1 − y)·ln(1 − σ(x))), as PyTorch documents it."""
    one = np.ones(x.shape, dtype=object)
    counts = one if weight is None else np.broadcast_to(weight, x.shape)
    positive = one if pos_weight is None else np.broadcast_to(pos_weight, x.shape)

    def entry(p):
        share = 1 / (1 + m.exp(-x[p]))
        return -counts[p] * (positive[p] * y[p] * m.log(share) + (1 - y[p]) * m.log(1 - share))

    return _reduced(m, filled(x.shape, entry), reduction)


@twin("kl_div")
def kl_div(m, x, y, *, reduction="mean", log_target=False):
    def entry(p):
        return m.exp(y[p]) * (y[p] - x[p]) if log_target else y[p] * (m.log(y[p]) - x[p])

    entries = filled(x.shape, entry)
    if reduction == "batchmean":
        return np.asarray(sum(entries.flat) / x.shape[0], dtype=object)
    return _reduced(m, entries, reduction)


def _by_row(m, scores, y, weight, reduction, ignore_index, smoothing, probabilities):
    """Σ over classes of target·(−score), and what each row counts."""
    axis = 1 if scores.ndim > 1 else 0
    rows = scores.shape[:axis] + scores.shape[axis + 1 :]
    classes = scores.shape[axis]
    counts = [m.mpf(1)] * classes if weight is None else list(weight)
    divisor = m.mpf(0)
    out = filled(rows, lambda p: m.mpf(0))
    for p in np.ndindex(*rows):
        if probabilities:
            target = [y[(*p[:axis], k, *p[axis:])] for k in range(classes)]
            divisor += 1
        elif y[p] == ignore_index:
            continue
        else:
            target = [m.mpf(int(k == y[p])) for k in range(classes)]
            divisor += counts[int(y[p])]
        for k in range(classes):
            share = target[k] * (1 - m.mpf(smoothing)) + m.mpf(smoothing) / classes
            out[p] -= share * counts[k] * scores[(*p[:axis], k, *p[axis:])]
    if reduction == "none":
        return out
    total = sum(out.flat, m.mpf(0))
    return np.asarray(total / divisor if reduction == "mean" else total, dtype=object)


@twin("nll_loss")
def nll_loss(m, x, y, weight=None, *, reduction="mean", ignore_index=-100):
    return _by_row(m, x, y, weight, reduction, ignore_index, 0.0, False)


@twin("cross_entropy")
def cross_entropy(m, x, y, weight=None, *, reduction="mean", ignore_index=-100, label_smoothing=0.0):
    axis = 1 if x.ndim > 1 else 0
    moved = np.moveaxis(x, axis, -1)
    whole = filled(moved.shape[:-1], lambda p: m.log(sum(map(m.exp, moved[p]), m.mpf(0))))
    scores = x - np.expand_dims(whole, axis)
    return _by_row(m, scores, y, weight, reduction, ignore_index, label_smoothing, y.shape == x.shape)
