"""``tinytorch.linalg``: linear algebra under the names of ``torch.linalg``. The functions live in ``tinytorch/ops``.

>>> import tinytorch
>>> tinytorch.linalg.det(tinytorch.tensor([[1.0, 2.0], [3.0, 4.0]]))
tensor(-2.)
"""

from __future__ import annotations

from tinytorch.kernels.half import is_half
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import check_same_dtypes, refuse
from tinytorch.ops.cumulative import cumprod as _cumprod
from tinytorch.ops.determinants import linalg_det as det
from tinytorch.ops.determinants import linalg_slogdet as slogdet
from tinytorch.ops.diagonal import diagonal as _diagonal
from tinytorch.ops.eigen import linalg_eig as eig
from tinytorch.ops.eigen import linalg_eigh as eigh
from tinytorch.ops.eigen import linalg_eigvals as eigvals
from tinytorch.ops.eigen import linalg_eigvalsh as eigvalsh
from tinytorch.ops.factorizations import cholesky as _cholesky
from tinytorch.ops.factorizations import linalg_qr as qr
from tinytorch.ops.factorizations import linalg_svd as svd
from tinytorch.ops.factorizations import linalg_svdvals as svdvals
from tinytorch.ops.householder import householder_product
from tinytorch.ops.ldl import linalg_ldl_factor as ldl_factor
from tinytorch.ops.ldl import linalg_ldl_factor_ex as ldl_factor_ex
from tinytorch.ops.ldl import linalg_ldl_solve as ldl_solve
from tinytorch.ops.linalg import matmul
from tinytorch.ops.linalg_ex import linalg_cholesky_ex as cholesky_ex
from tinytorch.ops.linalg_ex import linalg_inv_ex as inv_ex
from tinytorch.ops.linalg_ex import linalg_solve_ex as solve_ex
from tinytorch.ops.lu import linalg_lu as lu
from tinytorch.ops.lu import linalg_lu_factor as lu_factor
from tinytorch.ops.lu import linalg_lu_factor_ex as lu_factor_ex
from tinytorch.ops.lu import linalg_lu_solve as lu_solve
from tinytorch.ops.matrix_exp import matrix_exp
from tinytorch.ops.matrix_norms import linalg_cond as cond
from tinytorch.ops.matrix_norms import linalg_lstsq as lstsq
from tinytorch.ops.matrix_norms import linalg_matrix_rank as matrix_rank
from tinytorch.ops.matrix_norms import linalg_norm as norm
from tinytorch.ops.matrix_norms import linalg_pinv as pinv
from tinytorch.ops.matrix_norms import matrix_norm
from tinytorch.ops.matrix_products import cross_along, matrix_power, multi_dot
from tinytorch.ops.out import accepts_exact_out
from tinytorch.ops.solve import LinAlgError
from tinytorch.ops.solve import linalg_inv as inv
from tinytorch.ops.solve import linalg_solve as solve
from tinytorch.ops.solve import linalg_solve_triangular as solve_triangular
from tinytorch.ops.tensor_equations import linalg_tensorinv as tensorinv
from tinytorch.ops.tensor_equations import linalg_tensorsolve as tensorsolve
from tinytorch.ops.vector_norms import vector_norm
from tinytorch.tensor import Tensor

__all__ = ["LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals",
           "eigvalsh", "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex", "ldl_solve", "lstsq",
           "lu", "lu_factor", "lu_factor_ex", "lu_solve", "matmul", "matrix_exp", "matrix_norm", "matrix_power",
           "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve", "solve_ex", "solve_triangular", "svd",
           "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm"]  # fmt: skip


@accepts_exact_out
def cholesky(input: Tensor, *, upper: bool = False, out: Tensor | None = None) -> Tensor:
    """The lower triangular L with L Lᵀ = A (``upper``: its transpose). LinAlgError where A is not positive-definite."""
    return _cholesky(input, upper)


@accepts_exact_out
def cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    """The vector product along a dimension of size 3."""
    return cross_along("linalg.cross", input, other, dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonal of the last two dimensions: a view."""
    return _diagonal(A, offset, dim1, dim2)


@accepts_exact_out
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    """The dot product along one dimension, with broadcasting; complex ``x`` is conjugated."""
    refuse("biu", "linalg.vecdot", x, y, error=RuntimeError)
    check_same_dtypes("linalg.vecdot", x, y)
    return (x.conj() * y).sum(dim)


@checks_arguments
def vander(x: Tensor, N: int | None = None) -> Tensor:
    """The Vandermonde matrix: row i holds x_i⁰, x_i¹, ... x_iᴺ⁻¹."""
    if x._array.dtype.kind == "b" or is_half(x._array.dtype):
        raise RuntimeError(f"linalg.vander supports floating point, complex, and integer tensors, but got {x.dtype}")
    x = ops.atleast_1d(x)
    count = x._array.shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError(f"N must be greater than 1, but got {count}")
    powers = _cumprod(x.unsqueeze(-1).expand(*x.shape, max(count - 1, 0)), -1)
    return ops.cat([ops.ones(*x.shape, 1, dtype=powers.dtype), powers], -1)


from tinytorch import ops  # noqa: E402


def __getattr__(name: str) -> object:
    from tinytorch.missing import missing

    raise missing(__name__, name)
