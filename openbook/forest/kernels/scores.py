"""What a split is worth: the score of its two sides together; the larger, the purer.

Gini: Σ w_c² / W. Entropy: Σ term(w_c) − term(W), with term(w) = w ln w in fixed point, so that its sums are exact. Squared
error: (Σ w·y)² / W. Of the three only one is compiled: `criterion` is None for numbers, which have the squared error, and of
classes' `terms` is None for Gini. (`general_scores.py` chooses among more by their numbers.)
"""

from __future__ import annotations

import math

import numpy as np

from openbook.forest.kernels.jit import inlined, u64

__all__ = [
    "ABSOLUTE_ERROR",
    "ENTROPY",
    "GINI",
    "POISSON",
    "SQUARED_ERROR",
    "goes_to",
    "pair_score",
    "score_pairs",
    "sides_score",
    "term",
]

GINI, ENTROPY, SQUARED_ERROR = 0, 1, 2
POISSON, ABSOLUTE_ERROR = 3, 4  # known to `general_scores.py` only


@inlined
def term(w, terms, scale):
    """w ln w in units of 1 / scale, a whole number; looked up where `terms` goes that far. (`scale` is None where it does;
    `terms` is None where the criterion is not the entropy: nothing is compiled then.)"""
    if terms is None:
        return np.int64(0)
    if scale is None:
        return terms[u64(w)]
    if w < len(terms):
        return terms[w]
    return np.int64(np.rint(np.float64(w) * math.log(np.float64(w)) * scale))


@inlined
def goes_to(weight, terms):
    """Whether all terms up to this weight can be looked up."""
    if terms is None:
        return False
    return weight < len(terms)


@inlined
def pair_score(weight, part, criterion, terms, scale):
    """The score of one set of rows: of two classes (`part` is the second's weight), or of numbers (weighted sum)."""
    if criterion is None:
        return part * part / weight
    other = weight - part
    if terms is None:
        return (other * other + part * part) / weight
    return np.float64(
        term(np.int64(other), terms, scale) + term(np.int64(part), terms, scale) - term(np.int64(weight), terms, scale)
    )


@inlined
def sides_score(w, p, W, P, criterion, terms, scale):
    """The score of both sides of a split that puts weight w and part p of W and P on the left."""
    v, q = W - w, P - p
    if criterion is None:
        return p * p / w + q * q / v
    if terms is None:
        a, b = w - p, v - q
        return (a * a + p * p) / w + (b * b + q * q) / v
    w, p, v, q = np.int64(w), np.int64(p), np.int64(v), np.int64(q)
    left = term(w - p, terms, scale) + term(p, terms, scale) - term(w, terms, scale)
    right = term(v - q, terms, scale) + term(q, terms, scale) - term(v, terms, scale)
    return np.float64(left + right)


@inlined
def score_pairs(lw, lp, boundaries, more_w, more_p, W, P, criterion, terms, scale, scores):
    """`scores[k]` of splits that put weight `lw[k] + more_w` and part `lp[k] + more_p` of W and P on the left."""
    for k in range(u64(boundaries)):
        scores[k] = sides_score(lw[k] + more_w, lp[k] + more_p, W, P, criterion, terms, scale)
