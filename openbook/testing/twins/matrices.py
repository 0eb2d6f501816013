"""Matrices: textbook definitions and elimination; mpmath for eigenvalues and singular values."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from openbook.testing.twins.registry import twin


def _stacked(of):
    """A function of one matrix (or several), for stacks of them."""

    def call(m, *stacks, **options):
        lead = np.broadcast_shapes(*(s.shape[:-2] for s in stacks))
        spread = [np.broadcast_to(s, (*lead, *s.shape[-2:])) for s in stacks]
        if 0 in lead:
            with_one = [np.full(s.shape[-2:], m.mpf(1), dtype=object) + _eye(m, *s.shape[-2:]) for s in spread]
            return np.empty((*lead, *np.shape(of(m, *with_one, **options))), dtype=object)
        results = [np.asarray(of(m, *(s[p] for s in spread), **options), dtype=object) for p in np.ndindex(*lead)]
        return np.stack(results).reshape(*lead, *results[0].shape) if lead else results[0]

    return call


def _eye(m, rows, columns):
    return np.array([[m.mpf(int(i == j)) for j in range(columns)] for i in range(rows)], dtype=object)


def _array(matrix):
    return np.array(matrix.tolist(), dtype=object)


def _floats(x):
    return np.array([[float(e) for e in row] for row in x])


def _signed(found, reference):
    """Columns with the signs of LAPACK's: their own are a matter of taste."""
    for k in range(found.shape[1]):
        if sum(float(a) * b for a, b in zip(found[:, k], reference[:, k], strict=True)) < 0:
            found[:, k] = -found[:, k]
    return found


@twin("det")
@_stacked
def det(m, x):
    """Leibniz's sum over all permutations."""
    n, total = len(x), m.mpf(0)
    for order in permutations(range(n)):
        sign = (-1) ** sum(order[i] > order[j] for i in range(n) for j in range(i + 1, n))
        product = m.mpf(sign)
        for i, j in enumerate(order):
            product *= x[i, j]
        total += product
    return total


@twin("log_abs_det")
@_stacked
def log_abs_det(m, x):
    return m.log(abs(det(m, x).item()))


@twin("sign_det")
@_stacked
def sign_det(m, x):
    return m.sign(det(m, x).item())


def _eliminated(m, A, B):
    """Gauss and Jordan, the largest pivot first."""
    A, B, n = A.copy(), B.copy(), len(A)
    for k in range(n):
        top = max(range(k, n), key=lambda i: abs(A[i, k]))
        A[[k, top]], B[[k, top]] = A[[top, k]], B[[top, k]]
        B[k] = B[k] / A[k, k]
        A[k] = A[k] / A[k, k]
        for i in range(n):
            if i != k:
                B[i] = B[i] - A[i, k] * B[k]
                A[i] = A[i] - A[i, k] * A[k]
    return B


@twin("inv")
@_stacked
def inv(m, x):
    return _eliminated(m, x, _eye(m, len(x), len(x)))


@twin("solve")
@_stacked
def solve(m, A, B):
    return _eliminated(m, A, B)


@twin("solve_triangular")
@_stacked
def solve_triangular(m, A, B, *, upper, unitriangular=False):
    X, n = B.copy(), len(A)
    for i in reversed(range(n)) if upper else range(n):
        for j in range(i + 1, n) if upper else range(i):
            X[i] = X[i] - A[i, j] * X[j]
        X[i] = X[i] / (1 if unitriangular else A[i, i])
    return X


def _lower_half(x):
    return np.array([[x[max(i, j), min(i, j)] for j in range(len(x))] for i in range(len(x))], dtype=object)


def _both_halves(x):
    """What the rules take a symmetric matrix for: each half counts half (a slope is that of symmetric matrices)."""
    return (x + x.T) / 2


@twin("cholesky")
@_stacked
def cholesky(m, x):
    x, n = _both_halves(x), len(x)
    L = np.array([[m.mpf(0)] * n for _ in range(n)], dtype=object)
    for i in range(n):
        for j in range(i + 1):
            rest = x[i, j] - sum((L[i, k] * L[j, k] for k in range(j)), m.mpf(0))
            L[i, j] = m.sqrt(rest) if i == j else rest / L[j, j]
    return L


def _symmetric(m, x):
    values, vectors = m.eigsy(m.matrix(_both_halves(x).tolist()))
    return np.array(list(values), dtype=object), _array(vectors)


@twin("eigenvalues")
@_stacked
def eigenvalues(m, x):
    return _symmetric(m, x)[0]


@twin("eigenvectors")
@_stacked
def eigenvectors(m, x):
    return _signed(_symmetric(m, x)[1], np.linalg.eigh(_floats(x))[1])


def _singular(m, x):
    tall = len(x) >= len(x[0])
    U, s, V = m.svd_r(m.matrix((x if tall else x.T).tolist()))
    return (_array(U), list(s), _array(V)) if tall else (_array(V).T, list(s), _array(U).T)


@twin("singular_values")
@_stacked
def singular_values(m, x):
    return np.array(_singular(m, x)[1], dtype=object)


@twin("left_singular")
@_stacked
def left_singular(m, x):
    return _signed(_singular(m, x)[0], np.linalg.svd(_floats(x), full_matrices=False)[0])


@twin("right_singular")
@_stacked
def right_singular(m, x):
    return _signed(_singular(m, x)[2].T.copy(), np.linalg.svd(_floats(x), full_matrices=False)[2].T).T


def _gram_schmidt(m, x):
    """Orthonormal columns, with the signs of LAPACK's."""
    reference, Q = np.linalg.qr(_floats(x))[0], x.copy()
    for k in range(x.shape[1]):
        for j in range(k):
            Q[:, k] = Q[:, k] - sum(Q[:, j] * x[:, k]) * Q[:, j]
        Q[:, k] = Q[:, k] / m.sqrt(sum(Q[:, k] ** 2))
    return _signed(Q, reference)


@twin("qr_basis")
@_stacked
def qr_basis(m, x):
    return _gram_schmidt(m, x)


@twin("qr_factor")
@_stacked
def qr_factor(m, x):
    Q = _gram_schmidt(m, x)
    return np.array([[sum(Q[:, i] * x[:, j]) if i <= j else m.mpf(0) for j in range(x.shape[1])]
                     for i in range(x.shape[1])], dtype=object)  # fmt: skip
