"""The names of sparse tensors, which do not exist here: one clear error."""

from __future__ import annotations

from typing import Any, NoReturn

from tinytorch.tensor import Tensor

__all__ = ["only_sparse", "to_sparse"]


def to_sparse(input: Tensor, *args: Any, **options: Any) -> NoReturn:
    """NotImplementedError: tensors are dense."""
    raise NotImplementedError(
        "to_sparse(): there are no sparse tensors here. Keep the tensor dense; where memory matters, keep the indices "
        "and values that x.nonzero(as_tuple=True) and x[indices] give, and build it again with "
        "zeros(...).index_put_(indices, values)."
    )


def only_sparse(name: str) -> NoReturn:
    """The RuntimeError of methods that only a sparse tensor has."""
    raise RuntimeError(f"{name} expected sparse tensor layout but got Strided: tensors are dense here")
