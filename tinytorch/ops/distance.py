"""Lengths, distances and angles between vectors along one dimension."""

from __future__ import annotations

from typing import Any

from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.broadcast import operands
from tinytorch.ops.checks import refuse
from tinytorch.ops.dims import accepts_axis
from tinytorch.ops.out import accepts_out
from tinytorch.ops.vector_norms import vector_norm
from tinytorch.tensor import Tensor

__all__ = ["cosine_similarity", "normalize", "pairwise_distance"]


@accepts_out
def normalize(
    input: Tensor, p: float | None = 2.0, dim: Any = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """Vectors along ``dim`` divided by their p-norm (at least ``eps``)."""
    return input / vector_norm(input, 2.0 if p is None else p, dim, keepdim=True).clamp_min(eps)


@accepts_axis
@checks_arguments
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """``x1 · x2 / (max(‖x1‖, eps) max(‖x2‖, eps))`` along ``dim``."""
    refuse("c", "cosine_similarity", x1, x2, error=RuntimeError)
    if not eps >= 0:
        raise RuntimeError(f"eps must be non-negative, got: {eps}")
    x1, x2 = operands(x1, x2)
    refuse("iub", "cosine_similarity", x1, error=RuntimeError)
    if x1.shape != x2.shape:  # `dim` counts in the shape of both together
        x1, x2 = ops.broadcast_tensors(x1, x2)
    unit1 = x1 / vector_norm(x1, 2.0, dim, keepdim=True).clamp_min(eps)
    unit2 = x2 / vector_norm(x2, 2.0, dim, keepdim=True).clamp_min(eps)
    return (unit1 * unit2).sum(dim)


@checks_arguments
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last dimension."""
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
