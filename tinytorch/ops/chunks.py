"""Small relatives of indexing and joining that PyTorch keeps behind an underscore; PyTorch's compiler and its
fully sharded training emit them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.ops.arguments import Number, checks_arguments
from tinytorch.ops.compare import where
from tinytorch.ops.creation import full, zeros_like
from tinytorch.ops.dims import one_dim
from tinytorch.ops.indexing import getitem, index_put
from tinytorch.ops.joining import cat
from tinytorch.ops.numbers import number_as
from tinytorch.ops.out import accepts_joined_out
from tinytorch.ops.pad import constant_pad_nd
from tinytorch.tensor import Tensor

__all__ = ["_chunk_cat", "_unsafe_masked_index", "_unsafe_masked_index_put_accumulate"]


@accepts_joined_out
def _chunk_cat(tensors: Sequence[Tensor], dim: int, num_chunks: int, *, out: Tensor | None = None) -> Tensor:
    """Each tensor cut into ``num_chunks`` along ``dim`` (after padding with zeros), chunks flattened, then joined.

    Sizes before ``dim`` must agree: (..., s, ...) gives (..., num_chunks, all that chunk's elements).
    """
    if num_chunks < 1:
        raise RuntimeError("_chunk_cat expects positive num_chunks")
    if not tensors:
        raise RuntimeError("_chunk_cat expects a non-empty input tensor list")
    first = tensors[0]
    dim = one_dim(dim, first._array.ndim)
    rows = []
    for tensor in tensors:
        if tensor._array.size == 0:
            raise RuntimeError("_chunk_cat expects non-empty tensor")
        if tensor._array.ndim <= dim:
            raise RuntimeError("_chunk_cat expects dim < ndim for all input tensors")
        if tensor._array.shape[:dim] != first._array.shape[:dim]:
            raise RuntimeError("_chunk_cat expects same sizes of 0,...,dim-1 dimensions for all tensors")
        if tensor._array.dtype != first._array.dtype:
            raise RuntimeError("_chunk_cat expects all input tensors with the same dtype")
        missing = -tensor._array.shape[dim] % num_chunks
        padding = [0, 0] * (tensor._array.ndim - 1 - dim) + [0, missing]
        padded = constant_pad_nd(tensor, padding) if missing else tensor
        rows.append(padded.reshape(*tensor._array.shape[:dim], num_chunks, -1))
    return cat(rows, dim + 1)


def _clamped(input: Tensor, indices: Sequence[Tensor | None]) -> list[Any]:
    """Indices brought into range: where the mask is False, they may point anywhere."""
    if len(indices) > input._array.ndim:
        raise IndexError(f"too many indices for tensor of dimension {input._array.ndim} (got {len(indices)})")
    if any(i is not None and i._array.dtype.kind not in "iu" for i in indices):
        raise RuntimeError("_unsafe_masked_index found unexpected index type: indices must be integers")
    return [
        None if i is None else Tensor._wrap(np.clip(i._array, -size, size - 1))
        for i, size in zip(indices, input._array.shape, strict=False)
    ]


@checks_arguments
def _unsafe_masked_index(input: Tensor, mask: Tensor, indices: Sequence[Tensor | None], fill: Number) -> Tensor:
    """``input[indices]`` where ``mask``, else ``fill``; of an ``input`` without elements ``fill`` everywhere."""
    if not input._array.size:
        input = full([max(size, 1) for size in input._array.shape], fill, dtype=input.dtype)
    picked = getitem(input, tuple(slice(None) if i is None else i for i in _clamped(input, indices)))
    return where(mask.bool(), picked, Tensor._wrap(number_as(fill, input._array.dtype)))


@checks_arguments
def _unsafe_masked_index_put_accumulate(
    input: Tensor, mask: Tensor, indices: Sequence[Tensor | None], values: Tensor
) -> Tensor:
    """``input`` with ``values`` added at ``indices`` where ``mask``."""
    if not input._array.size:
        return input.clone()
    return index_put(input, _clamped(input, indices), where(mask.bool(), values, zeros_like(values)), True)
