"""Masked normalizations and running sums: results of the input's shape, for which masked-out elements do not count.

At a masked-out place itself the result is what the formula makes of the identity (0 for softmax): not to be used.
"""

from __future__ import annotations

from typing import Any

from tinytorch import ops
from tinytorch.masked.identity import all_dims, filled, highest, lowest
from tinytorch.masked.reductions import norm
from tinytorch.ops.arguments import checks_arguments
from tinytorch.tensor import Tensor

__all__ = ["cumprod", "cumsum", "log_softmax", "logaddexp", "normalize", "softmax", "softmin"]


@checks_arguments
def cumsum(input: Tensor, dim: Any, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The running sum along ``dim``, in the dtype of ``input`` unless ``dtype`` says otherwise."""
    kind = dtype or input.dtype
    return ops.cumsum(filled(input, mask, 0), all_dims(dim, input._array.ndim)[0], dtype=kind).to(kind)


@checks_arguments
def cumprod(input: Tensor, dim: Any, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The running product along ``dim``, in the dtype of ``input`` unless ``dtype`` says otherwise."""
    kind = dtype or input.dtype
    return ops.cumprod(filled(input, mask, 1), all_dims(dim, input._array.ndim)[0], dtype=kind).to(kind)


@checks_arguments
def softmax(input: Tensor, dim: Any, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """``exp(x_i) / Σ_j exp(x_j)`` over the elements shown; nan where everything is masked out."""
    shown = input if mask is None else filled(input, mask, lowest(input))
    return ops.softmax(shown, all_dims(dim, input._array.ndim)[0], dtype=dtype or input.dtype)


@checks_arguments
def log_softmax(input: Tensor, dim: Any, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """The logarithm of :func:`softmax`."""
    shown = input if mask is None else filled(input, mask, lowest(input))
    return ops.log_softmax(shown, all_dims(dim, input._array.ndim)[0], dtype=dtype or input.dtype)


@checks_arguments
def softmin(input: Tensor, dim: Any, *, dtype: Any = None, mask: Tensor | None = None) -> Tensor:
    """:func:`softmax` of ``-input``."""
    shown = input if mask is None else filled(input, mask, highest(input))
    return ops.softmax(-shown, all_dims(dim, input._array.ndim)[0], dtype=dtype or input.dtype)


@checks_arguments
def normalize(
    input: Tensor,
    ord: float,
    dim: Any,
    *,
    eps: float = 1e-12,
    dtype: Any = None,
    mask: Tensor | None = None,
) -> Tensor:
    """``x / max(‖x‖_ord, eps)``; 0 at masked-out places."""
    length = norm(input, ord, dim, keepdim=True, dtype=dtype or input.dtype, mask=mask)
    return filled(input, mask, 0) / ops.maximum(length, ops.full_like(length, eps))


@checks_arguments
def logaddexp(
    input: Tensor,
    other: Tensor,
    *,
    dtype: Any = None,
    input_mask: Tensor | None = None,
    other_mask: Tensor | None = None,
) -> Tensor:
    """``ln(exp(input) + exp(other))``, each with a mask of its own; what is masked out adds nothing."""
    a = input if input_mask is None else filled(input, input_mask, lowest(input))
    b = other if other_mask is None else filled(other, other_mask, lowest(other))
    return ops.logaddexp(a, b).to(dtype or input.dtype)
