"""The logarithm of a sum of exponentials: a maximum with soft edges, whose derivative is the softmax.

    y = log Σ_j e^{x_j}              ∂y/∂x_i = e^{x_i} / Σ_j e^{x_j} = e^{x_i - y}

>>> import tinytorch
>>> x = tinytorch.tensor([1.0, 2.0, 9.0], requires_grad=True)
>>> y = logsumexp(x, 0)
>>> y.backward()
>>> y, x.grad
(tensor(9.0012, grad_fn=<LogsumexpBackward0>), tensor([3.3504e-04, 9.1075e-04, 9.9875e-01]))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.modes import is_grad_enabled
from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels import softmax as kernels
from tinytorch.ops.dims import accepts_axis, many_dims
from tinytorch.ops.out import accepts_out
from tinytorch.ops.reduce import kept_shape
from tinytorch.tensor import Tensor

__all__ = ["logsumexp"]


class Logsumexp(Primitive):
    """y = log Σ e^x over ``dims``; x receives grad · e^(x - y)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dims: tuple[int, ...], keepdim: bool) -> np.ndarray:
        y, kept = kernels.log_sum_exp(x, dims, keep=ctx.needs_input_grad[0])
        y = y.astype(x.dtype, copy=False)
        if not keepdim:
            y = y.reshape([size for dim, size in enumerate(x.shape) if dim not in dims])
        ctx.save_for_backward(x, y)
        ctx.save_intermediates(*(kept or ()))
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, y = ctx.saved_tensors
        dims = ctx.attributes["dims"]
        shape = kept_shape(x._array.shape, dims)
        if is_grad_enabled():
            return grad.reshape(shape) * (x - y.reshape(shape)).exp()
        gx = kernels.log_sum_exp_backward(grad._array.reshape(shape), ctx.intermediates)
        return Tensor._wrap(gx.astype(x._array.dtype, copy=False))


@accepts_out
@accepts_axis
def logsumexp(input: Tensor, dim: int | Sequence[int], keepdim: bool = False, *, out: Tensor | None = None) -> Tensor:
    """``log Σ exp(x)``, computed as ``m + log Σ exp(x - m)`` where it would overflow (``torch.logsumexp``)."""
    input = ops.to_float(input)
    dims = many_dims(dim, input._array.ndim)
    if not input._array.size:
        return ops.log(ops.sum(ops.exp(input), dims, keepdim))
    return Logsumexp.apply(input, dims=dims, keepdim=keepdim)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
