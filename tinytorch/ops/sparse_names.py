"""What a dense tensor knows of sparse ones (:mod:`tinytorch.sparse`, which is loaded when first needed)."""

from __future__ import annotations

from typing import Any, NoReturn

from tinytorch.tensor import Tensor

__all__ = ["only_sparse", "to_sparse"]


def to_sparse(input: Tensor, sparse_dim: int | None = None, *, layout: Any = None) -> Tensor:
    """The elements that are not zero, by their coordinates. NotImplementedError for layouts other than that."""
    from tinytorch.layouts import sparse_coo
    from tinytorch.sparse import from_dense

    if layout not in (None, sparse_coo):
        raise NotImplementedError(f"to_sparse(layout={layout}) is not supported: only torch.sparse_coo is")
    return from_dense(input, sparse_dim)


def only_sparse(name: str) -> NoReturn:
    """The RuntimeError of methods that only a sparse tensor has."""
    raise RuntimeError(f"{name} expected sparse tensor layout but got Strided: this tensor is dense")
