"""Masked reductions: each leaves out the elements whose mask is False.

All take ``dim`` (a number, several, or None for all dimensions), ``keepdim``, ``dtype`` of the result, and ``mask``,
which must broadcast to the input. What is left of nothing at all is the reduction's identity (0 for a sum, -∞ for a
maximum), and nan where there is none (mean, median).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch import dtypes, ops
from tinytorch.masked.identity import all_dims, canonical_mask, filled, highest, lowest, reduced
from tinytorch.ops.arguments import Truth, checks_arguments
from tinytorch.tensor import Tensor

__all__ = ["amax", "amin", "argmax", "argmin", "logsumexp", "mean", "median", "norm", "prod", "std", "sum", "var"]


def _sum_dtype(input: Tensor, dtype: Any) -> Any:
    """Small integers add up in int64."""
    if dtype is not None or input._array.dtype.kind not in "iub":
        return dtype or input.dtype
    return dtypes.int64


@checks_arguments
def sum(
    input: Tensor, dim: Any = None, *, keepdim: Truth = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The sum; 0 where everything is masked out."""
    dims = all_dims(dim, input._array.ndim)
    return ops.sum(filled(input, mask, 0), dims, bool(keepdim), dtype=_sum_dtype(input, dtype))


@checks_arguments
def prod(
    input: Tensor, dim: Any = None, *, keepdim: Truth = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The product; 1 where everything is masked out."""
    result = filled(input, mask, 1).to(_sum_dtype(input, dtype))
    for d in reversed(all_dims(dim, input._array.ndim)):
        result = ops.prod(result, d, bool(keepdim)) if result._array.ndim else result
    return result


@checks_arguments
def amax(
    input: Tensor, dim: Any = None, *, keepdim: Truth = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The largest element; -∞ (or the smallest integer) where everything is masked out."""
    shown = input if mask is None else filled(input, mask, lowest(input))
    return ops.amax(shown, all_dims(dim, input._array.ndim), bool(keepdim)).to(dtype or input.dtype)


@checks_arguments
def amin(
    input: Tensor, dim: Any = None, *, keepdim: Truth = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The smallest element; ∞ (or the largest integer) where everything is masked out."""
    shown = input if mask is None else filled(input, mask, highest(input))
    return ops.amin(shown, all_dims(dim, input._array.ndim), bool(keepdim)).to(dtype or input.dtype)


@checks_arguments
def argmax(
    input: Tensor, dim: int | None = None, *, keepdim: Truth = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The index of the largest element, in the dtype of ``input`` unless ``dtype`` says otherwise (as PyTorch's)."""
    shown = input if mask is None else filled(input, mask, lowest(input))
    return ops.argmax(shown, dim, bool(keepdim)).to(dtype or input.dtype)


@checks_arguments
def argmin(
    input: Tensor, dim: int | None = None, *, keepdim: Truth = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The index of the smallest element, in the dtype of ``input`` unless ``dtype`` says otherwise (as PyTorch's)."""
    shown = input if mask is None else filled(input, mask, highest(input))
    return ops.argmin(shown, dim, bool(keepdim)).to(dtype or input.dtype)


@checks_arguments
def logsumexp(
    input: Tensor, dim: Any = None, *, keepdim: Truth = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """``ln Σ exp(x)``; -∞ where everything is masked out."""
    shown = input if mask is None else filled(input, mask, lowest(input))
    return ops.logsumexp(shown, all_dims(dim, input._array.ndim), keepdim).to(dtype or input.dtype)


def _counts(input: Tensor, dim: Any, keepdim: bool, mask: Tensor | None) -> Tensor:
    """How many elements each result is made of, int64."""
    shown = np.ones(input._array.shape, bool) if mask is None else canonical_mask(input, mask)._array
    return Tensor._wrap(reduced(np.sum, shown, all_dims(dim, shown.ndim), keepdim, dtype=np.int64))


@checks_arguments
def mean(
    input: Tensor, dim: Any = None, *, keepdim: Truth = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The mean; nan where everything is masked out. ValueError for a result in integers."""
    kind = dtype or input.dtype
    if not (kind.is_floating_point or kind.is_complex):
        source = "Input" if dtype is None else "Optional"
        raise ValueError(
            f"mean(): Could not infer output dtype. {source} dtype must be either a floating point or complex dtype. "
            f"Got: {kind}"
        )
    return sum(input, dim, keepdim=keepdim, dtype=kind, mask=mask) / _counts(input, dim, bool(keepdim), mask)


@checks_arguments
def median(
    input: Tensor, dim: Any = -1, *, keepdim: Truth = False, dtype: Any = None, mask: Tensor | None = None
) -> Tensor:
    """The (lower) median along ``dim``; nan where everything is masked out, ValueError if integers should show that."""
    is_float = input.is_floating_point()
    shown = filled(input if is_float else input.to(dtypes.float32), mask, float("nan"))
    result: Tensor = ops.nanmedian(shown, all_dims(dim, input._array.ndim)[0], bool(keepdim)).values
    if is_float:
        return result
    if np.isnan(result._array).any():
        raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
    return result.to(dtype or input.dtype)


@checks_arguments
def norm(
    input: Tensor,
    ord: float = 2.0,
    dim: Any = None,
    *,
    keepdim: Truth = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """``(Σ |x|^ord)^(1/ord)``, as ``linalg.vector_norm``; 0 where everything is masked out (∞ for ``ord=-inf``)."""
    shown = filled(input, mask, float("inf") if ord == float("-inf") else 0)
    dims = all_dims(dim, input._array.ndim)
    return ops.vector_norm(shown, ord, dims, bool(keepdim), dtype=dtype or input.dtype)


@checks_arguments
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: Truth = None,
    *,
    correction: float | None = None,
    keepdim: Truth = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The variance of the elements shown; the sum of squares is divided by their number less ``correction`` (1)."""
    if unbiased is not None and correction is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    if correction is None:
        correction = 1.0 if unbiased is None or unbiased else 0.0
    result_dtype = dtype or (input.dtype if input.is_floating_point() or input.is_complex() else dtypes.float32)
    compute_dtype = result_dtype if result_dtype.is_floating_point or result_dtype.is_complex else dtypes.float32
    count = _counts(input, dim, True, mask)
    center = sum(input, dim, keepdim=True, dtype=result_dtype, mask=mask) / count
    away = input - center
    total = sum(away * away.conj(), dim, keepdim=bool(keepdim), dtype=compute_dtype, mask=mask)
    divisor = (count.to(compute_dtype.to_real()) - correction).clamp(min=0) if correction else count
    return (total / divisor.reshape(total.shape)).to(result_dtype)


@checks_arguments
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: Truth = None,
    *,
    correction: float | None = None,
    keepdim: Truth = False,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """The square root of :func:`var`."""
    return var(input, dim, unbiased, correction=correction, keepdim=keepdim, dtype=dtype, mask=mask).sqrt()
