"""Products and decompositions of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from openbook.errors import ShapeError
from openbook.ops import vocabulary as word

if TYPE_CHECKING:
    from openbook.tensor.tensor import Tensor

__all__ = ["Eigh", "LogDet", "Matrices", "Qr", "Svd", "singular_decomposition"]


class LogDet(NamedTuple):
    """The determinant's sign, and the logarithm of its size."""

    sign: Any
    logabsdet: Any


class Eigh(NamedTuple):
    """Eigenvalues, smallest first, and the eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


class Qr(NamedTuple):
    """Orthonormal columns, and the upper triangular factor."""

    Q: Any
    R: Any


class UsV(NamedTuple):
    """Left singular vectors as columns, singular values largest first, right singular vectors as columns."""

    U: Any
    S: Any
    V: Any


class Svd(NamedTuple):
    """Left singular vectors as columns, singular values largest first, right singular vectors as rows."""

    U: Any
    S: Any
    Vh: Any


class Solution(NamedTuple):
    """The solution of a triangular system, and a copy of its matrix."""

    solution: Any
    cloned_coefficient: Any


class Matrices:
    """Methods for vectors and matrices; the last two axes are the matrix, those in front a stack of them."""

    __slots__ = ()

    shape: tuple[int, ...]
    ndim: int

    def matmul(self, other: Any) -> Tensor:
        """The matrix product."""
        return word.matmul(self, other)

    def mm(self, mat2: Any) -> Tensor:
        """The product of two matrices."""
        return self._product("mm", mat2, 2, 2)

    def bmm(self, mat2: Any) -> Tensor:
        """The products of two stacks of matrices."""
        return self._product("bmm", mat2, 3, 3)

    def mv(self, vec: Any) -> Tensor:
        """The product of a matrix and a vector."""
        return self._product("mv", vec, 2, 1)

    def dot(self, tensor: Any) -> Tensor:
        """The inner product of two vectors."""
        return self._product("dot", tensor, 1, 1)

    def inner(self, other: Any) -> Tensor:
        """The inner products of last axes."""
        if self.ndim == 0 or other.ndim == 0:
            return word.mul(self, other)
        product = word.matmul(self.reshape(-1, self.shape[-1]), other.reshape(-1, other.shape[-1]).t())  # type: ignore[attr-defined]
        return product.reshape(*self.shape[:-1], *other.shape[:-1])

    def outer(self, vec2: Any) -> Tensor:
        """All products of an entry of one vector and one of another."""
        if self.ndim != 1 or vec2.ndim != 1:
            raise ShapeError(f"outer is of two vectors, not of shapes {tuple(self.shape)} and {tuple(vec2.shape)}")
        return self.unsqueeze(1) * vec2  # type: ignore[attr-defined]

    ger = outer

    def addmm(self, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """β·self + α·(mat1 @ mat2)."""
        return _plus(self, word.matmul(mat1, mat2), beta, alpha)

    def addmv(self, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """β·self + α·(mat @ vec)."""
        return _plus(self, word.matmul(mat, vec), beta, alpha)

    def addr(self, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """β·self + α·(vec1 ⊗ vec2)."""
        return _plus(self, vec1.outer(vec2), beta, alpha)

    def baddbmm(self, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """β·self + α·(batch1 @ batch2)."""
        return _plus(self, batch1.bmm(batch2), beta, alpha)

    def addcmul(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """self + value·tensor1·tensor2."""
        product = tensor1 * tensor2
        return word.add(self, product if value == 1 else product * value)

    def addcdiv(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """self + value·tensor1/tensor2."""
        quotient = tensor1 / tensor2
        return word.add(self, quotient if value == 1 else quotient * value)

    def matrix_power(self, n: int) -> Tensor:
        """The matrix times itself n times; of its inverse for negative n."""
        if self.ndim < 2 or self.shape[-1] != self.shape[-2]:
            raise ShapeError(f"powers are of square matrices, not of shape {tuple(self.shape)}", where="matrix_power")
        base: Any = self if n >= 0 else self.inverse()
        result: Any = None
        for bit in reversed(bin(abs(n))[2:]):  # by squaring
            if bit == "1":
                result = base if result is None else result @ base
            base = base @ base
        eye = np.broadcast_to(np.eye(self.shape[-1], dtype=self.dtype), self.shape)  # type: ignore[attr-defined]
        return word.add(word.mul(self, 0), eye) if n == 0 else result

    def cholesky(self, upper: bool = False) -> Tensor:
        """The lower (or upper) triangular factor of symmetric positive definite matrices."""
        lower = word.cholesky(self)
        return lower.mT if upper else lower

    def inverse(self) -> Tensor:
        """The inverse matrix."""
        return word.inv(self)

    def det(self) -> Tensor:
        """The determinant."""
        return word.det(self)

    def slogdet(self) -> LogDet:
        """The determinant's sign, and the logarithm of its size."""
        return LogDet(word.sign_det(self), word.log_abs_det(self))

    def logdet(self) -> Tensor:
        """The logarithm of the determinant; NaN where that is negative."""
        sign, size = self.slogdet()
        return word.where(word.less(sign, 0), np.asarray(np.nan, size.dtype), size)

    def qr(self, some: bool = True) -> Qr:
        """Orthonormal columns and an upper triangular factor; a square Q if not `some`."""
        rows, columns = self.shape[-2:]
        if rows < columns:
            square = self[..., :rows]  # type: ignore[index]
            basis = word.qr_basis(square)  # the columns that are left are only turned
            rest = word.matmul(word.swap(basis), self[..., rows:])  # type: ignore[index]
            return Qr(basis, word.cat(word.qr_factor(square), rest, axis=-1))
        basis, factor = word.qr_basis(self), word.qr_factor(self)
        if some or rows == columns:
            return Qr(basis, factor)
        below = ((0, 0),) * (self.ndim - 2) + ((0, rows - columns), (0, 0))
        return Qr(word.cat(basis, word.qr_complement(self), axis=-1), word.pad(factor, widths=below, value=0.0))

    def svd(self, some: bool = True, compute_uv: bool = True) -> UsV:
        """Singular values and vectors as columns, square matrices if not `some` (`linalg.svd` gives rows).

        Without `compute_uv` the vectors are zeros, as in PyTorch.
        """
        if not compute_uv:
            lead = tuple(self.shape[:-2])
            blank = (np.zeros((*lead, n, n), self.dtype) for n in self.shape[-2:])  # type: ignore[attr-defined]
            left, right = (self.new_tensor(b) for b in blank)  # type: ignore[attr-defined]
            return UsV(left, word.singular_values(self), right)
        U, S, Vh = singular_decomposition(self, not some)
        return UsV(U, S, word.swap(Vh))

    def pinverse(self, rcond: float = 1e-15) -> Tensor:
        """The pseudo-inverse (Moore & Penrose)."""
        return word.pinv(self, relative=rcond)

    def matrix_exp(self) -> Tensor:
        """The exponential of a matrix, Σ Aᵏ/k!."""
        return word.matrix_exp(self)

    def cholesky_solve(self, input2: Any, upper: bool = False) -> Tensor:
        """The X with A X = self, from A's Cholesky factor."""
        lower = input2.mT if upper else input2
        return word.solve_triangular(lower.mT, word.solve_triangular(lower, self, upper=False), upper=True)

    def cholesky_inverse(self, upper: bool = False) -> Tensor:
        """The inverse of A, from its Cholesky factor."""
        eye = word.add(word.mul(self, 0), np.eye(self.shape[-1], dtype=self.dtype))  # type: ignore[attr-defined]
        return eye.cholesky_solve(self, upper)

    def triangular_solve(
        self, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False
    ) -> Solution:
        """The X with A X = self for triangular A (transposed if asked for), and A."""
        matrix = A.mT if transpose else A
        found = word.solve_triangular(matrix, self, upper=upper != transpose, unitriangular=unitriangular)
        return Solution(found, A.clone())

    def addbmm(self, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Tensor:
        """β·self + α·(the sum of batch1 @ batch2 over the stack)."""
        return _plus(self, word.total(batch1.bmm(batch2), axis=0), beta, alpha)

    def vdot(self, other: Any) -> Tensor:
        """The inner product of two vectors (there is nothing to conjugate in real numbers)."""
        return self.dot(other)

    def _product(self, name: str, other: Any, mine: int, its: int) -> Tensor:
        if (self.ndim, other.ndim) != (mine, its):
            raise ShapeError(
                f"{name} takes {mine} and {its} axes, not shapes {tuple(self.shape)} and {tuple(other.shape)}",
                do="use matmul, which takes any",
            )
        if name == "bmm" and self.shape[0] != other.shape[0]:
            raise ShapeError(f"bmm takes stacks of the same length, not {self.shape[0]} and {other.shape[0]}")
        return word.matmul(self, other)

    def cross(self, other: Any, dim: int = -1) -> Any:
        """The vector at right angles to two vectors of length 3."""
        from openbook.tensor.functions import cross

        return cross(self, other, dim)

    def kron(self, other: Any) -> Any:
        """Every entry times the whole of the other, side by side."""
        from openbook.tensor.functions import kron

        return kron(self, other)


def singular_decomposition(A: Any, full: bool) -> Svd:
    """A = U·diag(S)·Vh; if `full` with vectors that complete the bases, of which gradients know nothing."""
    U, S, Vh = word.left_singular(A), word.singular_values(A), word.right_singular(A)
    rows, columns = A.shape[-2:]
    if full and rows > columns:
        U = word.cat(U, word.left_complement(A), axis=-1)
    if full and columns > rows:
        Vh = word.cat(Vh, word.swap(word.left_complement(word.swap(A))), axis=-2)
    return Svd(U, S, Vh)


def _plus(x: Any, product: Any, beta: float, alpha: float) -> Any:
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product.expand(*np.broadcast_shapes(x.shape, product.shape))
    return word.add(x if beta == 1 else x * beta, product)
