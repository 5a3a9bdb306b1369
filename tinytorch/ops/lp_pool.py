"""Power-average pooling: the p-norm of each window, between a sum (p = 1) and a maximum (p to infinity)."""

from __future__ import annotations

import math
from typing import Any

from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.pool import avg_pool1d, avg_pool2d, avg_pool3d, max_pool1d, max_pool2d, max_pool3d
from tinytorch.ops.pool_arguments import one_size, sizes
from tinytorch.tensor import Tensor

__all__ = ["lp_pool1d", "lp_pool2d", "lp_pool3d"]


@checks_arguments
def lp_pool1d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """``(Σ xᵖ)^(1/p)`` of each window of (N, C, L) or (C, L) (``torch.nn.functional.lp_pool1d``)."""
    if math.isinf(norm_type):  # the largest number, or the smallest
        sign = math.copysign(1.0, norm_type)
        return max_pool1d(input.abs() * sign, kernel_size, stride, 0, 1, ceil_mode) * sign
    means = avg_pool1d(input**norm_type, kernel_size, stride, 0, ceil_mode)
    return _root_of_sum(means, one_size("lp_pool1d", "kernel_size", kernel_size), norm_type)


@checks_arguments
def lp_pool2d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """``(Σ xᵖ)^(1/p)`` of each window of (N, C, H, W) or (C, H, W) (``torch.nn.functional.lp_pool2d``)."""
    if math.isinf(norm_type):  # the largest number, or the smallest
        sign = math.copysign(1.0, norm_type)
        return max_pool2d(input.abs() * sign, kernel_size, stride, 0, 1, ceil_mode) * sign
    means = avg_pool2d(input**norm_type, kernel_size, stride, 0, ceil_mode)
    return _root_of_sum(means, math.prod(sizes("lp_pool2d", "kernel_size", kernel_size, 2)), norm_type)


@checks_arguments
def lp_pool3d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """``(Σ xᵖ)^(1/p)`` of each window of (N, C, D, H, W) or (C, D, H, W) (``torch.nn.functional.lp_pool3d``)."""
    if math.isinf(norm_type):  # the largest number, or the smallest
        sign = math.copysign(1.0, norm_type)
        return max_pool3d(input.abs() * sign, kernel_size, stride, 0, 1, ceil_mode) * sign
    means = avg_pool3d(input**norm_type, kernel_size, stride, 0, ceil_mode)
    return _root_of_sum(means, math.prod(sizes("lp_pool3d", "kernel_size", kernel_size, 3)), norm_type)


def _root_of_sum(means: Tensor, count: int, norm_type: float) -> Tensor:
    """A sum is a mean times a count. At 0, ``sign`` and ``relu`` let no gradient through, where the root has none."""
    return (means.sign() * means.abs().relu() * count) ** (1.0 / norm_type)
