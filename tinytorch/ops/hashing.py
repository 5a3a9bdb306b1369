"""``torch.hash_tensor``: a fingerprint of the bits of a tensor's elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.dtypes import FLOATS
from tinytorch.ops.dims import many_dims
from tinytorch.ops.out import accepts_exact_out
from tinytorch.tensor import Tensor

__all__ = ["hash_tensor"]


@accepts_exact_out
def hash_tensor(
    input: Tensor, dim: Any = (), keepdim: bool = False, *, mode: int = 0, out: Tensor | None = None
) -> Tensor:
    """The exclusive or of all elements' bits, widened to 64 (double or int64), as uint64. ``mode`` can only be 0.

    The order of elements does not matter, and equal elements cancel in pairs.
    """
    if mode != 0:
        raise RuntimeError(f"hash_tensor(): unknown mode {mode}")
    array = input._array
    dims = many_dims(dim, array.ndim)
    if any(array.shape[d] == 0 for d in dims):
        error = RuntimeError if dim in (None, (), []) else IndexError
        raise error("hash_tensor: Expected the reduced dimensions to have elements.")
    if array.dtype.kind == "c":
        raise NotImplementedError('"hash_tensor" not implemented for complex tensors; hash view_as_real(input)')
    if any(array.shape[d] == 0 for d in many_dims(dim, array.ndim)):
        raise (IndexError if isinstance(dim, int) or dim else RuntimeError)(
            f"hash_tensor: Expected reduction dim {dim} to have non-zero size. Got shape {list(input.shape)}"
        )
    wide = array.astype(
        np.float64 if array.dtype.kind in FLOATS else np.int64 if array.dtype != np.uint64 else np.uint64
    )
    kept = np.bitwise_xor.reduce(wide.view(np.uint64), axis=dims, keepdims=True)
    return Tensor._wrap(np.asarray(kept if keepdim else kept.squeeze(dims)))
