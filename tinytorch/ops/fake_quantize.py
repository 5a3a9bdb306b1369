"""Quantization made believe: numbers rounded to a grid of whole steps, still in floating point.

A network that is to run in int8 is trained with its weights and activations on such a grid. The derivative of rounding
is 0 wherever there is one, so the gradient passes *straight through* it, and stops only where the grid ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.ops.checks import check_tensor
from tinytorch.tensor import Tensor

__all__ = ["fake_quantize_per_channel_affine", "fake_quantize_per_tensor_affine"]


class StraightThrough(Primitive):
    """y, whatever became of x; the gradient goes on to x as it is where ``mask`` is True."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, y: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * Tensor._wrap(ctx.attributes["mask"])


def fake_quantize_per_tensor_affine(
    input: Tensor, scale: Tensor | float, zero_point: Tensor | int, quant_min: int, quant_max: int
) -> Tensor:
    """``(clamp(round(input / scale) + zero_point, quant_min, quant_max) - zero_point) * scale``.

    Args:
        input: floating point.
        scale: the width of a step, a number or a tensor of one.
        zero_point: the whole number that stands for 0, between ``quant_min`` and ``quant_max``.

    Raises:
        RuntimeError: ``quant_min > quant_max``, or a ``zero_point`` outside of them.

    >>> import tinytorch
    >>> x = tinytorch.tensor([0.12, 0.37, 9.0], requires_grad=True)
    >>> y = tinytorch.fake_quantize_per_tensor_affine(x, 0.25, 0, 0, 15)
    >>> y.sum().backward()
    >>> y, x.grad
    (tensor([0.0000, 0.2500, 3.7500], grad_fn=<FakeQuantizePerTensorAffineCachemaskBackward0>), tensor([1., 1., 0.]))
    """
    check_tensor("fake_quantize_per_tensor_affine", "input", 1, input)
    steps, zero = _number(scale), _number(zero_point)
    y = _on_grid(input, np.asarray(steps, np.float32), np.asarray(zero), quant_min, quant_max)
    kind = "CachemaskTensorQparams" if isinstance(scale, Tensor) and isinstance(zero_point, Tensor) else "Cachemask"
    return known_as(y, f"FakeQuantizePerTensorAffine{kind}Backward0")


def fake_quantize_per_channel_affine(
    input: Tensor, scale: Tensor, zero_point: Tensor, axis: int, quant_min: int, quant_max: int
) -> Tensor:
    """As :func:`fake_quantize_per_tensor_affine`, with one scale and zero point for each index in dimension ``axis``.

    Raises:
        RuntimeError: as there, or ``scale`` and ``zero_point`` are not 1-d tensors as long as that dimension.
    """
    check_tensor("fake_quantize_per_channel_affine", "input", 1, input)
    length = input.shape[axis] if -input.dim() <= axis < input.dim() else None
    if length is None:
        raise RuntimeError("`axis` must be between 0 and number of dimensions of input")
    if scale.dim() != 1 or zero_point.dim() != 1:
        name = "scale" if scale.dim() != 1 else "zero point"
        raise RuntimeError(f"{name} should be a 1-D tensor")
    if scale.numel() != zero_point.numel():
        raise RuntimeError("scale and zero-point need to have the same dimensions")
    if scale.numel() != length:
        raise RuntimeError("dimensions of scale and zero-point are not consistent with input tensor")
    shape = [1] * input.dim()
    shape[axis] = length
    steps, zero = scale._array.astype(np.float32).reshape(shape), zero_point._array.reshape(shape)
    y = _on_grid(input, steps, zero, quant_min, quant_max)
    return known_as(y, "FakeQuantizePerChannelAffineCachemaskBackward0")


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) else value


def _on_grid(input: Tensor, steps: np.ndarray, zero: np.ndarray, low: int, high: int) -> Tensor:
    if low > high:
        raise RuntimeError("`quant_min` should be less than or equal to `quant_max`.")
    if zero.size and (zero.min() < low or zero.max() > high):
        raise RuntimeError("`zero_point` must be between `quant_min` and `quant_max`.")
    x = input._array
    whole = np.rint(x * (np.float32(1) / steps)) + zero  # as PyTorch: times the inverse
    on_grid = np.clip(whole, low, high) - zero
    y = (on_grid if steps.ndim else np.asarray(on_grid, np.float32)) * steps  # as PyTorch: one step in single precision
    inside = (whole >= low) & (whole <= high)
    return StraightThrough.apply(input, y=y.astype(x.dtype, copy=False), mask=inside)
