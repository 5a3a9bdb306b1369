"""Lengths, distances and angles between vectors along one dimension."""

from __future__ import annotations

import math
from typing import Any

from tinytorch.ops.compare import where
from tinytorch.tensor import Tensor

__all__ = ["cosine_similarity", "normalize", "p_norm", "pairwise_distance"]


def p_norm(input: Tensor, p: float = 2.0, dim: Any = None, keepdim: bool = False) -> Tensor:
    """``(Σ |x|^p)^(1/p)`` over ``dim``; the largest ``|x|`` for p = inf. The derivative at the zero vector is 0."""
    if p == math.inf:
        return input.abs().amax(() if dim is None else dim, keepdim)
    if p == 1:
        return input.abs().sum(dim, keepdim)
    powers = (input * input if p == 2 else input.abs() ** p).sum(dim, keepdim)
    at_zero = powers == 0  # the root has an infinite slope there; 1 stands in for it
    safe = where(at_zero, 1.0, powers)
    root = safe.sqrt() if p == 2 else safe ** (1.0 / p)
    return where(at_zero, 0.0, root)


def normalize(input: Tensor, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """Vectors along ``dim`` divided by their p-norm (at least ``eps``)."""
    return input / p_norm(input, p, dim, keepdim=True).clamp_min(eps)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """``x1 · x2 / (max(‖x1‖, eps) max(‖x2‖, eps))`` along ``dim``."""
    unit1 = x1 / p_norm(x1, 2.0, dim, keepdim=True).clamp_min(eps)
    unit2 = x2 / p_norm(x2, 2.0, dim, keepdim=True).clamp_min(eps)
    return (unit1 * unit2).sum(dim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last dimension."""
    return p_norm(x1 - x2 + eps, p, -1, keepdim)
