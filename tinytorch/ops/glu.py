"""Gated linear units (Dauphin et al. 2016): one half of a tensor decides how much of the other half passes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.modes import is_grad_enabled
from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import FLOATS
from tinytorch.kernels import glu as kernels
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import not_implemented, refuse
from tinytorch.ops.dims import one_dim
from tinytorch.ops.joining import cat
from tinytorch.ops.unary import sigmoid
from tinytorch.tensor import Tensor

__all__ = ["glu"]


class Glu(Primitive):
    """y = a s with s = sigmoid(b), for the halves a and b of x; a receives grad · s, b receives grad · a s (1 - s)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int) -> np.ndarray:
        ctx.save_for_backward(x)
        y, kept = kernels.glu(x, dim)
        ctx.save_intermediates(kept)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        dim = ctx.attributes["dim"]
        if not is_grad_enabled():
            return Tensor._wrap(kernels.glu_backward(grad._array, x._array, ctx.intermediates[0], dim))
        a, b = x.chunk(2, dim)
        s = sigmoid(b)
        return cat([grad * s, grad * a * (s * (1 - s))], dim)


@checks_arguments
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along ``dim`` times the sigmoid of the second (``torch.nn.functional.glu``)."""
    refuse("c", "glu", input)
    if input._array.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    if input._array.dtype.kind not in FLOATS:
        raise not_implemented("glu_cpu", input)
    dim = one_dim(dim, input._array.ndim)
    size = input._array.shape[dim]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {size}")
    return Glu.apply(input, dim=dim)
