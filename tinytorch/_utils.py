"""Many tensors as one and back (``torch._utils``), as programs that average gradients import it."""

from __future__ import annotations

from collections.abc import Sequence

from tinytorch import ops
from tinytorch.tensor import Tensor

__all__ = ["_flatten_dense_tensors", "_unflatten_dense_tensors"]


def _flatten_dense_tensors(tensors: Sequence[Tensor]) -> Tensor:
    """All elements of all tensors, one after the other."""
    return ops.cat([tensor.contiguous().view(-1) for tensor in tensors])


def _unflatten_dense_tensors(flat: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """``flat`` cut into pieces of the shapes of ``tensors``: views of it."""
    pieces = flat.split([tensor.numel() for tensor in tensors])
    return tuple([piece.view_as(tensor) for piece, tensor in zip(pieces, tensors, strict=True)])
