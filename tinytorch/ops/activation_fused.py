"""Activations with a kernel for value and gradient: SiLU, hardswish, leaky ReLU, hardtanh.

(:mod:`tinytorch.ops.activation` has the functions.)

Convolutional networks call these after every layer. The kernels run on arrays; a gradient that is to be differentiated
again (``create_graph``) is computed by Tensor ops instead, so that it is recorded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.modes import is_grad_enabled
from tinytorch.kernels import activations as kernels
from tinytorch.ops.broadcast import Elementwise
from tinytorch.ops.checks import refuse_complex
from tinytorch.ops.compare import where
from tinytorch.ops.unary import sigmoid
from tinytorch.tensor import Tensor

__all__ = ["Hardswish", "Hardtanh", "LeakyRelu", "Silu"]


class Silu(Elementwise):
    """y = x s with s = sigmoid(x); y' = s (1 + x (1 - s))."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        y, s = kernels.silu(x.astype(np.float32) if x.dtype == np.float16 else x)
        ctx.save_for_backward(x)
        ctx.save_intermediates(s)
        return y.astype(x.dtype, copy=False)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        if is_grad_enabled():  # create_graph
            s = sigmoid(x)
            return grad * (s * (x * (1 - s) + 1))
        return Tensor._wrap(kernels.silu_backward(grad._array, x._array, *ctx.intermediates))


class Hardswish(Elementwise):
    """y = x · clip(x + 3, 0, 6) / 6; y' is 0 up to -3, 1 from 3 on, and x / 3 + 1/2 between."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray) -> np.ndarray:
        refuse_complex("hardswish", x)
        ctx.save_for_backward(x)
        return kernels.hardswish(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        if is_grad_enabled():
            return where(x <= -3.0, 0.0, where(x < 3.0, grad * (x / 3.0 + 0.5), grad))
        return Tensor._wrap(kernels.hardswish_backward(grad._array, x._array))


class LeakyRelu(Elementwise):
    """y = x, or a x where x <= 0; y' = 1, or a."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, negative_slope: float) -> np.ndarray:
        refuse_complex("leaky_relu", x)
        ctx.save_for_backward(x)
        return kernels.leaky_relu(x, negative_slope)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        slope = ctx.attributes["negative_slope"]
        if is_grad_enabled():
            return where(x > 0, grad, grad * slope)
        return Tensor._wrap(kernels.leaky_relu_backward(grad._array, x._array, slope))


class Hardtanh(Elementwise):
    """y = x limited to [low, high]; y' = 1 strictly between them, else 0."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, min_val: float, max_val: float) -> np.ndarray:
        refuse_complex("hardtanh", x)
        ctx.save_for_backward(x)
        return np.clip(x, x.dtype.type(min_val), x.dtype.type(max_val))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        low, high = ctx.attributes["min_val"], ctx.attributes["max_val"]
        if is_grad_enabled():
            return where((x > low) & (x < high), grad, 0.0)
        return Tensor._wrap(kernels.hardtanh_backward(grad._array, x._array, low, high))
