"""Norms of vectors: ``‖x‖_p = (Σ |x_i|^p)^(1/p)``, largest |x_i| for p = ∞, number of non-zeros for p
= 0.

A norm has a kink where it is 0; there PyTorch takes the derivative 0, and so do these.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import FLOATS, INEXACT, to_numpy_dtype
from tinytorch.kernels.sums import total, total_of_squares
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.broadcast import cast, is_number
from tinytorch.ops.checks import type_name
from tinytorch.ops.compare import where
from tinytorch.ops.dims import accepts_axis, many_dims
from tinytorch.ops.extremes import amax, amin
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.ops.reduce import kept_shape
from tinytorch.ops.reduce import sum as sum_
from tinytorch.tensor import Tensor

__all__ = ["dist", "frobenius_norm", "norm", "norm_except_dim", "nuclear_norm", "vector_norm"]


class EuclideanNorm(Primitive):
    """y = √Σ |x|²; x_i receives grad · x_i / y, and 0 where y is 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: tuple[int, ...], keepdim: bool) -> np.ndarray:
        if x.dtype.kind in FLOATS:
            squares = total_of_squares(x, dim, keepdim)
        else:
            squares = total(x.real * x.real + x.imag * x.imag, dim, keepdim)
        y = np.sqrt(squares)
        if type(y) is not x.dtype.type:  # a number, as it should be
            y = y.astype(x.real.dtype, "C", copy=False)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, y = ctx.saved_tensors
        if not ctx.attributes["keepdim"]:
            kept = kept_shape(x._array.shape, ctx.attributes["dim"])
            grad, y = grad.reshape(kept), y.reshape(kept)
        unit = x / y
        return grad * (unit if y._array.all() else where(y == 0, 0.0, unit))


class PowerNorm(Primitive):
    """y = (Σ |x|ᵖ)^(1/p), reduced dimensions kept; x_i receives grad · sgn(x_i) (|x_i| / y)^(p-1), 0 at kinks."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, p: float, dim: tuple[int, ...]) -> np.ndarray:
        y = np.add.reduce(abs(x) ** p, axis=dim, keepdims=True) ** (1 / p)
        y = y.astype(x.real.dtype, "C", copy=False)
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x, y), p = ctx.saved_tensors, ctx.attributes["p"]
        if p < 1:
            return x.sgn() * where(x == 0, 0.0, x.abs() ** (p - 1)) * grad * y ** (1 - p)
        powers = x.sgn() * x.abs() ** (p - 1) if p < 2 else x * x.abs() ** (p - 2)
        return powers * (grad / where(y == 0, 1.0, y) ** (p - 1))  # where y is 0, so are the powers


class CountNonzero(Primitive):
    """The 0-norm: how many elements are not 0, as a real number. Flat where it has a derivative: no gradient."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: tuple[int, ...]) -> np.ndarray:
        return np.add.reduce(x != 0, axis=dim, keepdims=True, dtype=x.real.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> None:
        return None


@accepts_exact_out
@accepts_axis
def vector_norm(
    input: Tensor,
    ord: float = 2,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """The norm of order ``ord`` over all elements, or over one or several dimensions (``torch.linalg.vector_norm``)."""
    if not is_number(ord):
        raise TypeError(f"linalg_vector_norm(): argument 'ord' (position 2) must be Number, not {type(ord).__name__}")
    if input._array.dtype.kind not in INEXACT:
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {type_name(input)}"
        )
    if dtype is not None:
        wanted = to_numpy_dtype(dtype)
        if (wanted.kind in FLOATS) != (input._array.dtype.kind in FLOATS) or wanted.kind not in INEXACT:
            raise RuntimeError(f"linalg.vector_norm: dtype should be floating, or complex as the input, not {dtype}")
        if wanted.itemsize < input._array.dtype.itemsize:
            raise RuntimeError(
                f"linalg.vector_norm: the dtype of the input ({type_name(input)}) should be convertible without "
                f"narrowing to the specified dtype ({dtype})"
            )
        input = cast(input, wanted)
    dims = many_dims(dim, input._array.ndim)
    if input._array.size == 0 and (ord < 0 or math.isinf(ord)) and 0 in [input._array.shape[d] for d in dims]:
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the operation does not "
            "have an identity"
        )
    result = _norm(input, ord, dims, keepdim, single=len(dims) > 0 or dim in (None, (), []))
    return known_as(result, "LinalgVectorNormBackward0")


@checks_arguments
def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """The norm over all dimensions but ``dim``, which may be -1 for none: then over all. Kept dimensions are 1."""
    if dim == -1:
        return vector_norm(v, pow)
    others = tuple([i for i in range(v.dim()) if i != dim % v.dim()])
    return vector_norm(v, pow, others, True) if others else v.abs()


def _norm(x: Tensor, ord: float, dims: tuple[int, ...], keepdim: bool, single: bool) -> Tensor:
    """The norm over ``dims``; of single elements their size, whatever the order (but if not ``single``: in PyTorch a
    number has a dimension 0, over which the formula is used).
    """
    shape = x._array.shape
    if single and ord != 0 and (not dims or shape[dims[0]] == 1) and all(shape[d] == 1 for d in dims):
        kept = x.abs()
    elif ord == 2:
        return EuclideanNorm.apply(x, dim=dims, keepdim=keepdim)
    elif ord == 0:
        kept = CountNonzero.apply(x, dim=dims)
    elif ord == 1:
        kept = sum_(x.abs(), dims, True)
    elif math.isinf(ord):
        kept = (amax if ord > 0 else amin)(x.abs(), dims, True)
    else:
        kept = PowerNorm.apply(x, p=ord, dim=dims)
    return kept if keepdim else kept.reshape([size for d, size in enumerate(shape) if d not in dims])


@accepts_exact_out
@accepts_axis
def norm(
    input: Tensor,
    p: Any = "fro",
    dim: Any = None,
    keepdim: bool = False,
    dtype: Any = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """PyTorch's older norm: 'fro' and numbers are vector norms over ``dim``, 'nuc' is the sum of singular values."""
    if isinstance(p, str):
        several = isinstance(dim, (tuple, list)) and len(dim) > 2
        if p == "fro" and not several:
            return vector_norm(input, 2, dim, keepdim, dtype=dtype)
        return ops.matrix_norm(input, p, tuple(range(input._array.ndim)) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(input, 2 if p is None else p, dim, keepdim, dtype=dtype)


@accepts_out
@accepts_axis
def frobenius_norm(input: Tensor, dim: Any, keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """√Σ x² over one or two dimensions; ``()`` means all."""
    return vector_norm(input, 2, dim, keepdim)


@accepts_out
@accepts_axis
def nuclear_norm(input: Tensor, dim: Any = (-2, -1), keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """The sum of the singular values of matrices."""
    return ops.matrix_norm(input, "nuc", dim, keepdim)


@checks_arguments
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of ``input - other``."""
    return known_as(vector_norm(input - other, p), "DistBackward0")


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
