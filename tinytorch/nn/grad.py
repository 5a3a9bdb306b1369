"""Gradients of convolutions as functions of their own (``torch.nn.grad``), for ops that users write.

A convolution is linear in its input and in its weight, so each gradient is the transpose of a linear map: it is found
by running the convolution on zeros and going back through it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch import ops
from tinytorch.autograd.engine import grad
from tinytorch.autograd.modes import enable_grad, is_grad_enabled
from tinytorch.nn import functional as F
from tinytorch.tensor import Tensor

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def _transpose(convolution: Callable[[Tensor], Tensor], size: Any, grad_output: Tensor) -> Tensor:
    """The transpose of a linear map on tensors of ``size``, applied to ``grad_output``."""
    create = is_grad_enabled()
    with enable_grad():
        zeros = ops.zeros(tuple(size), dtype=grad_output.dtype, requires_grad=True)
        (result,) = grad(convolution(zeros), zeros, grad_output, create_graph=create)
    assert result is not None
    return result


def conv1d_input(
    input_size: Any,
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of ``conv1d`` with respect to its input, of shape ``input_size``."""
    return _transpose(lambda x: F.conv1d(x, weight, None, stride, padding, dilation, groups), input_size, grad_output)


def conv1d_weight(
    input: Tensor,
    weight_size: Any,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of ``conv1d`` with respect to its weight, of shape ``weight_size``."""
    return _transpose(lambda w: F.conv1d(input, w, None, stride, padding, dilation, groups), weight_size, grad_output)


def conv2d_input(
    input_size: Any,
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of ``conv2d`` with respect to its input, of shape ``input_size``."""
    return _transpose(lambda x: F.conv2d(x, weight, None, stride, padding, dilation, groups), input_size, grad_output)


def conv2d_weight(
    input: Tensor,
    weight_size: Any,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of ``conv2d`` with respect to its weight, of shape ``weight_size``."""
    return _transpose(lambda w: F.conv2d(input, w, None, stride, padding, dilation, groups), weight_size, grad_output)


def conv3d_input(
    input_size: Any,
    weight: Tensor,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of ``conv3d`` with respect to its input, of shape ``input_size``."""
    return _transpose(lambda x: F.conv3d(x, weight, None, stride, padding, dilation, groups), input_size, grad_output)


def conv3d_weight(
    input: Tensor,
    weight_size: Any,
    grad_output: Tensor,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """The gradient of ``conv3d`` with respect to its weight, of shape ``weight_size``."""
    return _transpose(lambda w: F.conv3d(input, w, None, stride, padding, dilation, groups), weight_size, grad_output)
