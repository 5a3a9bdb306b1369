"""Distances of all pairs of rows: ``d_ij = ‖x_i - y_j‖_p``.

For p = 2 there is a primitive. Written out, all differences x_i - y_j take n · m · d numbers; but the gradient needs
only the distances and matrix products. With ``w_ij = grad_ij / d_ij`` (0 where d_ij is 0, a kink)::

    ∂L/∂x_i = Σ_j w_ij (x_i - y_j) = x_i Σ_j w_ij - (w y)_i
    ∂L/∂y_j = Σ_i w_ij (y_j - x_i) = y_j Σ_i w_ij - (wᵀ x)_j

and the distances themselves are a matrix product too, ``|x_i|² + |y_j|² - 2 x_i · y_j``, where rounding allows: close
rows lose digits in it, so PyTorch (whose rule this follows) takes it for more than 25 rows only, and only if asked so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import FLOATS
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import check_same_dtypes, refuse_half
from tinytorch.ops.compare import where
from tinytorch.ops.vector_norms import vector_norm
from tinytorch.tensor import Tensor

__all__ = ["cdist", "pdist"]

_COMPUTE_MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)
_BLOCK = 1 << 17  # differences held at once: they stay in the cache


class EuclideanDistances(Primitive):
    """d_ij = ‖x_i - y_j‖ for (..., n, d) and (..., m, d); see the module's text."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, y: np.ndarray, by_product: bool) -> np.ndarray:
        distances = np.sqrt(_squares_by_product(x, y) if by_product else _squares_of_differences(x, y))
        ctx.save_for_backward(x, y, distances)
        return distances

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, y, distances = ctx.saved_tensors
        need_x, need_y = ctx.needs_input_grad
        w = where(distances == 0, 0.0, grad / distances)
        return (
            x * w.sum(-1, keepdim=True) - w @ y if need_x else None,
            y * w.sum(-2).unsqueeze(-1) - w.transpose(-2, -1) @ x if need_y else None,
        )


def _squares_by_product(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    squares = x @ y.swapaxes(-2, -1)
    squares *= -2
    squares += np.einsum("...d,...d->...", x, x)[..., :, None]
    squares += np.einsum("...d,...d->...", y, y)[..., None, :]
    return np.maximum(squares, 0, out=squares)


def _squares_of_differences(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    squares = np.empty((*batch, x.shape[-2], y.shape[-2]), x.dtype)
    rows = max(1, _BLOCK // max(1, squares[..., :1, :].size * x.shape[-1]))
    for start in range(0, x.shape[-2], rows):
        difference = x[..., start : start + rows, None, :] - y[..., None, :, :]
        np.einsum("...d,...d->...", difference, difference, out=squares[..., start : start + rows, :])
    return squares


@checks_arguments
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """The p-norm distance of each row of ``x1`` to each row of ``x2``: (..., n, d), (..., m, d) give (..., n, m).

    ``compute_mode``: whether Euclidean distances come from a matrix product (faster, fewer digits for close rows):
    if there are more than 25 rows, always, or never.
    """
    for name, x in (("X1", x1), ("X2", x2)):
        if x._array.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x._array.ndim}D")
    if x1._array.shape[-1] != x2._array.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1._array.shape[-1]} X2: {x2._array.shape[-1]}"
        )
    for name, x in (("X1", x1), ("X2", x2)):
        if x._array.dtype.kind not in FLOATS:
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {x.dtype}")
    check_same_dtypes("cdist", x1, x2)
    refuse_half("cdist", x1)
    if not p >= 0:
        raise RuntimeError("cdist only supports non-negative p values")
    p = float(x1._array.dtype.type(p))  # so that what is more than any number is inf
    if compute_mode not in _COMPUTE_MODES:
        raise ValueError(f"cdist(): {compute_mode} is not a valid value for compute_mode")
    if p == 0:  # counted so that nan stays nan
        return known_as((x1.unsqueeze(-2) - x2.unsqueeze(-3)).abs().ceil().clamp_max(1).sum(-1), "CdistBackward0")
    if p != 2:
        return known_as(vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1), "CdistBackward0")
    many = max(x1._array.shape[-2], x2._array.shape[-2]) > 25
    by_product = compute_mode == _COMPUTE_MODES[1] or (compute_mode == _COMPUTE_MODES[0] and many)
    return known_as(EuclideanDistances.apply(x1, x2, by_product=by_product), "CdistBackward0")


@checks_arguments
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm distance of each pair of rows (i, j), i < j: (n, d) gives (n (n - 1) / 2,)."""
    if input._array.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input._array.ndim}D")
    if input._array.dtype.kind not in FLOATS:
        raise RuntimeError("pdist only supports floating-point dtypes")
    refuse_half("pdist", input)
    if not p >= 0:
        raise RuntimeError("pdist only supports non-negative p values")
    p = float(input._array.dtype.type(p))
    n = input._array.shape[0]
    first, second = np.triu_indices(n, 1)
    if p == 0:  # how many coordinates differ; nan counts as no number
        apart = (input[Tensor._wrap(first)] - input[Tensor._wrap(second)]).abs()
        return apart.ceil().clamp(max=1).sum(-1)
    if p != 2:
        return vector_norm(input[Tensor._wrap(first)] - input[Tensor._wrap(second)], p, -1)
    distances = EuclideanDistances.apply(input, input, by_product=False)
    return distances.reshape(-1).take(Tensor._wrap(first * n + second))
