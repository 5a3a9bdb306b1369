"""What a dense tensor knows of sparse ones (:mod:`tinytorch.sparse`, which is loaded when first needed)."""

from __future__ import annotations

from typing import Any, NoReturn

from tinytorch.ops.arguments import NOT_GIVEN, checks_arguments
from tinytorch.tensor import Tensor

__all__ = ["only_sparse", "to_sparse"]


@checks_arguments
def to_sparse(input: Tensor, sparse_dim: int = NOT_GIVEN, *, layout: Any = None) -> Tensor:
    """The elements that are not zero, by their coordinates in the first ``sparse_dim`` dimensions (all, if not given).

    RuntimeError for more dimensions than there are, or none; NotImplementedError for layouts other than that.
    """
    from tinytorch.layouts import sparse_coo
    from tinytorch.sparse import from_dense

    ndim = input._array.ndim
    if sparse_dim is not NOT_GIVEN and not (0 < sparse_dim <= ndim or sparse_dim == ndim):
        raise RuntimeError(f"to_sparse(): sparse_dim argument must be in [1, {ndim}] range, but {sparse_dim} is given")
    if layout not in (None, sparse_coo):
        raise NotImplementedError(f"to_sparse(layout={layout}) is not supported: only torch.sparse_coo is")
    return from_dense(input, ndim if sparse_dim is NOT_GIVEN else sparse_dim)


def only_sparse(name: str) -> NoReturn:
    """The RuntimeError of methods that only a sparse tensor has."""
    raise RuntimeError(f"{name} expected sparse tensor layout but got Strided: this tensor is dense")
