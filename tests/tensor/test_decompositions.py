"""Bases that are completed, and triangular factors: by their defining properties."""

from __future__ import annotations

import numpy as np
import pytest

import openbook as ob
from openbook.errors import GraphError

EPS = np.finfo(float).eps


def matrices(*shape: int) -> ob.Tensor:
    return ob.tensor(np.random.default_rng(8).standard_normal(shape))


def require_same(found: ob.Tensor, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(found.detach().numpy(), wanted, rtol=0, atol=100 * EPS * max(1.0, np.abs(wanted).max()))


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (2, 5, 3)])
def test_full_bases(shape: tuple[int, ...]) -> None:
    A, k = matrices(*shape), min(shape[-2:])
    U, S, Vh = ob.linalg.svd(A)
    for basis in (U, Vh, ob.linalg.qr(A, "complete").Q):
        require_same(basis @ basis.mT, np.broadcast_to(np.eye(basis.shape[-1]), basis.shape))
    require_same((U[..., :k] * S.unsqueeze(-2)) @ Vh[..., :k, :], A.numpy())
    Q, R = ob.linalg.qr(A, "complete")
    require_same(Q @ R, A.numpy())
    require_same(ob.linalg.qr(A, "r").R, ob.linalg.qr(A).R.numpy())


def test_a_completed_basis_has_no_derivative() -> None:
    A = matrices(5, 3).requires_grad_()
    with pytest.raises(GraphError, match="rotation"):
        ob.linalg.qr(A, "complete").Q.sum().backward()


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 4, 4)])
def test_triangles(shape: tuple[int, ...]) -> None:
    A = matrices(*shape)
    P, L, U = ob.linalg.lu(A)
    require_same(P @ L @ U, A.numpy())
    require_same(L.triu(1), np.zeros(L.shape))
    require_same(U.tril(-1), np.zeros(U.shape))


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
def test_solving_with_triangles(left: bool, adjoint: bool) -> None:
    A, B = matrices(4, 4), matrices(4, 4) + 1.0
    X = ob.linalg.lu_solve(*ob.linalg.lu_factor(A), B, left=left, adjoint=adjoint)
    M = A.mT if adjoint else A
    require_same(M @ X if left else X @ M, B.numpy())
