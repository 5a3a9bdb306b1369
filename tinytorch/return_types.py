"""What the functions with several results return: tuples whose parts have names, too (``torch.return_types``).

>>> import tinytorch as torch
>>> found = torch.tensor([3.0, 1.0]).sort()
>>> found
torch.return_types.sort(
values=tensor([1., 3.]),
indices=tensor([1, 0]))
>>> values, indices = found
>>> found.indices is indices
True

Each class is called as its function is.
"""

from __future__ import annotations

import inspect
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor


class Result(tuple[Any, ...]):
    """A tuple made of its parts; annotations name them. (A ``NamedTuple`` takes 20 times as long to define.)"""

    _fields: ClassVar[tuple[str, ...]]
    n_fields: ClassVar[int]

    def __init_subclass__(cls) -> None:
        names = inspect.get_annotations(cls)
        if names:
            cls._fields, cls.n_fields = tuple(names), len(names)
            for index, name in enumerate(names):
                setattr(cls, name, property(itemgetter(index)))

    def __new__(cls, *parts: Any) -> Any:
        if len(parts) != cls.n_fields:
            raise TypeError(
                f"{cls.__name__} takes {cls.n_fields} parts, {', '.join(cls._fields)}, but got {len(parts)}"
            )
        return super().__new__(cls, parts)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        fields = ",\n".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{fields})"


class Found(Result):
    """Values, and where they were found along a dimension."""

    values: Tensor
    indices: Tensor


class cummax(Found):
    """The largest so far, and where it is."""


class cummin(Found):
    """The smallest so far, and where it is."""


class kthvalue(Found):
    """The k-th smallest values."""


class max(Found):
    """The largest values."""


class median(Found):
    """The medians."""


class min(Found):
    """The smallest values."""


class mode(Found):
    """The most frequent values."""


class nanmedian(Found):
    """The medians of what is not nan."""


class sort(Found):
    """The values in order."""


class topk(Found):
    """The k largest or smallest values."""


class aminmax(Result):
    """The smallest and the largest values."""

    min: Tensor
    max: Tensor


class frexp(Result):
    """x = mantissa · 2^exponent."""

    mantissa: Tensor
    exponent: Tensor


class histogram(Result):
    """Counts, and the borders of the bins."""

    hist: Tensor
    bin_edges: Tensor


class histogramdd(Result):
    """Counts, and the borders of the bins in every dimension."""

    hist: Tensor
    bin_edges: tuple[Tensor, ...]


class geqrf(Result):
    """R on and above the diagonal of ``a``, the vectors of the reflections below it; and their factors τ."""

    a: Tensor
    tau: Tensor


class linalg_cholesky_ex(Result):
    """``info`` is the order of the first minor that is not positive, or 0."""

    L: Tensor
    info: Tensor


class linalg_eig(Result):
    """Eigenvalues, and eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class linalg_eigh(Result):
    """Eigenvalues in ascending order, and eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class linalg_inv_ex(Result):
    """``info`` is the number of the first zero pivot, or 0."""

    inverse: Tensor
    info: Tensor


class linalg_ldl_factor(Result):
    """D and what is below the diagonal of L, and how rows were exchanged."""

    LD: Tensor
    pivots: Tensor


class linalg_ldl_factor_ex(Result):
    """``info`` is the number (from 1) of the first zero block of D, or 0."""

    LD: Tensor
    pivots: Tensor
    info: Tensor


class linalg_lstsq(Result):
    """The least-squares solution, what is left of the right side, the rank, the singular values."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


class linalg_lu(Result):
    """A = P L U."""

    P: Tensor
    L: Tensor
    U: Tensor


class linalg_lu_factor(Result):
    """L and U in one matrix, and how rows were exchanged."""

    LU: Tensor
    pivots: Tensor


class linalg_lu_factor_ex(Result):
    """``info`` is the number (from 1) of the first zero on U's diagonal, or 0."""

    LU: Tensor
    pivots: Tensor
    info: Tensor


class linalg_qr(Result):
    """A = Q R."""

    Q: Tensor
    R: Tensor


class linalg_slogdet(Result):
    """det A = sign · exp(logabsdet)."""

    sign: Tensor
    logabsdet: Tensor


class linalg_solve_ex(Result):
    """``info`` is the number of the first zero pivot, or 0."""

    result: Tensor
    info: Tensor


class linalg_svd(Result):
    """A = U diag(S) Vh."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class lu_unpack(Result):
    """A = P L U."""

    P: Tensor
    L: Tensor
    U: Tensor


class qr(Result):
    """A = Q R."""

    Q: Tensor
    R: Tensor


class slogdet(Result):
    """det A = sign · exp(logabsdet)."""

    sign: Tensor
    logabsdet: Tensor


class svd(Result):
    """A = U diag(S) Vᴴ."""

    U: Tensor
    S: Tensor
    V: Tensor


class triangular_solve(Result):
    """The solution, and a copy of the matrix."""

    solution: Tensor
    cloned_coefficient: Tensor
