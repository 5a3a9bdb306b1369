"""Batch normalization folded into the layer before it (``torch.nn.utils.fusion``).

In evaluation batch norm is ``(y - mean) / √(var + eps) · γ + β`` with constants, and y = W x + b: together another
linear layer with ``W γ / √(var + eps)`` and ``(b - mean) γ / √(var + eps) + β``.
"""

from __future__ import annotations

import copy
from typing import Any

from tinytorch import ops
from tinytorch.nn.modules.module import Module
from tinytorch.nn.parameter import Parameter
from tinytorch.tensor import Tensor

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _fused(
    w: Tensor, b: Tensor | None, mean: Tensor, var: Tensor, eps: float, gamma: Any, beta: Any, channel_dim: int
) -> tuple[Parameter, Parameter]:
    dtypes = w.dtype, (b if b is not None else w).dtype
    b = ops.zeros_like(mean) if b is None else b
    factor = ops.rsqrt(var + eps) * (ops.ones_like(mean) if gamma is None else gamma)
    shape = [1] * w.dim()
    shape[channel_dim] = -1
    weight = w * factor.reshape(shape)
    bias = (b - mean) * factor + (ops.zeros_like(mean) if beta is None else beta)
    return (
        Parameter(weight.detach().to(dtypes[0]), w.requires_grad),
        Parameter(bias.detach().to(dtypes[1]), b.requires_grad),
    )


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of the one convolution; ``transpose`` for a transposed one, whose weight is (in, out, ...)."""
    return _fused(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 1 if transpose else 0)


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of the one linear layer."""
    return _fused(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 0)


def _fuse_eval(layer: Module, bn: Any, channel_dim: int) -> Any:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    fused: Any = copy.deepcopy(layer)
    fused.weight, fused.bias = _fused(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, channel_dim
    )
    return fused


def fuse_conv_bn_eval(conv: Module, bn: Module, transpose: bool = False) -> Any:
    """A convolution that does what ``conv`` and then ``bn`` do, both in evaluation (else AssertionError)."""
    return _fuse_eval(conv, bn, 1 if transpose else 0)


def fuse_linear_bn_eval(linear: Module, bn: Module) -> Any:
    """A linear layer that does what ``linear`` and then ``bn`` do.

    AssertionError unless both are in evaluation and ``bn`` has a feature for each output of ``linear``, or one.
    """
    features: Any = bn.num_features
    if linear.out_features != features and features != 1:
        raise AssertionError("To fuse, linear.out_features == bn.num_features or bn.num_features == 1")
    return _fuse_eval(linear, bn, 0)
