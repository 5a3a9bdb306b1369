"""Chapter 15. Normalization.

After: tinytorch/kernels/pool.py
Next: tinytorch/kernels/norm.py

Goal: batch normalization, and its backward, derived in full.

The idea. Every channel is brought to mean 0 and variance 1, then stretched and shifted by learned numbers::

    xhat = (x - mean) · invstd         invstd = 1 / sqrt(var + eps)        y = weight · xhat + bias

The derivation. Take one channel of M numbers, c_i = x_i - mean, var = Σ_i c_i² / M. In training mean and var are the
batch's own: each x_j moves y through three paths, itself, the mean and the variance. Step by step::

    ∂mean/∂x_j   = 1/M                        ∂c_i/∂x_j = δ_ij - 1/M                 Σ_i c_i = 0
    ∂var/∂x_j    = 2/M · Σ_i c_i (δ_ij - 1/M) = 2 c_j / M
    ∂invstd/∂x_j = -1/2 · (var + eps)^(-3/2) · 2 c_j / M = -invstd³ · c_j / M = -invstd² · xhat_j / M
    ∂xhat_i/∂x_j = invstd · (δ_ij - 1/M) + c_i · ∂invstd/∂x_j = invstd · (δ_ij - 1/M - xhat_i · xhat_j / M)

With g = grad · weight, which is ∂L/∂xhat, the sum over i gives::

    ∂L/∂x_j    = Σ_i g_i · ∂xhat_i/∂x_j = invstd · (g_j - mean(g) - xhat_j · mean(g · xhat))
    ∂L/∂weight = Σ grad · xhat         ∂L/∂bias = Σ grad

The gradient loses its parts along the constant and along xhat: the two directions in which x can move without moving y.
The formula is here twice. A fused kernel computes it fast, on arrays, and that is what training uses. But to
differentiate the *gradient* (``create_graph=True``), it must be made of Tensor ops: :func:`normalization_backward` is
those few lines. Tests hold the two together. (Ioffe and Szegedy 2015, "Batch Normalization".)

What PyTorch does. The same; the running variance takes M - 1, the normalization M. In evaluation the running numbers
are constants, and ∂L/∂x is just g · invstd.

Pitfalls. Treating invstd as a constant gives a gradient that trains, and is wrong. A bias before this layer has
gradient 0. Without ``eval()``, a sample's result depends on its batch.

Exercises. Show that ∂L/∂x sums to 0 over a channel, and so does ∂L/∂x · xhat for eps = 0. Over what does layer
normalization take its means? Answers: ``python -m tinytorch.learn answers 15``;
more: ``python -m tinytorch.learn start --chapter 15``.
Check: ``python -m pytest tests/kernels/test_norm.py tests/ops/test_norm.py``.

"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.inplace import check_writable
from tinytorch.autograd.modes import is_grad_enabled
from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import FLOATS
from tinytorch.kernels import norm as kernels
from tinytorch.kernels.half import is_half
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.broadcast import cast
from tinytorch.ops.checks import not_implemented
from tinytorch.ops.fused import as_tensors
from tinytorch.size import Size
from tinytorch.tensor import Tensor

__all__ = ["batch_norm", "instance_norm"]


class BatchNorm(Primitive):
    """x (N, C, ...) with the batch's statistics, to (y, mean, biased variance)."""

    keeps_channels_last = True  # see tinytorch.ops.memory_order

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, weight: np.ndarray | None, bias: np.ndarray | None, eps: float) -> Any:
        y, mean, var, invstd = kernels.batch_norm_train(x, weight, bias, eps)
        save_for_normalization(ctx, x, weight, mean, invstd)
        ctx.mark_non_differentiable(mean, var)
        ctx.set_materialize_grads(False)
        return y, mean, var

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Any) -> Any:
        x, weight = ctx.saved_tensors
        needs = tuple(ctx.needs_input_grad)
        if x is None:
            return None, None, _sum_but_channels(grad)
        if is_grad_enabled():  # create_graph
            dims = _all_but_channels(x)
            factor = None if weight is None else _per_channel(weight, x._array.ndim)
            grads = normalization_backward(grad, x, factor, dims, dims, ctx.attributes["eps"], needs)
            return in_shapes(grads, (x._array.shape, -1, -1))
        mean, invstd = ctx.intermediates
        return as_tensors(kernels.batch_norm_backward(grad._array, x._array, mean, invstd, _array_of(weight), needs))

    known_name = "NativeBatchNormBackward0"


class BatchNormEval(Primitive):
    """x (N, C, ...) with given statistics, which are constants: then y is linear in x."""

    keeps_channels_last = True  # see tinytorch.ops.memory_order

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, weight: np.ndarray | None, bias: np.ndarray | None, mean: np.ndarray, var: np.ndarray,
        eps: float,
    ) -> np.ndarray:  # fmt: skip
        need_x, need_weight, _ = ctx.needs_input_grad[:3]
        mean, invstd = mean.copy(), 1 / np.sqrt(var + var.dtype.type(eps))
        # y does not depend on x through anything but xhat, so x is needed for the weight alone
        ctx.save_for_backward(x if need_weight else None, weight if need_x else None)
        ctx.save_intermediates(mean, invstd)
        return kernels.batch_norm_eval(x, mean, invstd, weight, bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        mean, invstd = ctx.intermediates
        needs = tuple(ctx.needs_input_grad[:3])
        if not is_grad_enabled():
            centred = grad if x is None else x  # without x there is no gradient of the weight to compute from it
            arrays = kernels.batch_norm_eval_backward(
                grad._array, centred._array, mean, invstd, _array_of(weight), needs
            )
            return *as_tensors(arrays), None, None
        ndim = grad._array.ndim
        shift, scale = (_per_channel(Tensor._wrap(array), ndim) for array in (mean, invstd))
        stretched = grad if weight is None else grad * _per_channel(weight, ndim)
        return (
            stretched * scale if needs[0] else None,
            _sum_but_channels(grad * ((x - shift) * scale)) if needs[1] else None,
            _sum_but_channels(grad) if needs[2] else None,
            None,
            None,
        )

    known_name = "NativeBatchNormBackward0"


def save_for_normalization(
    ctx: Any, x: np.ndarray, weight: np.ndarray | None, mean: np.ndarray, invstd: np.ndarray
) -> None:
    """Keep what backward reads: x for the gradients of x and weight, weight for that of x alone, and the statistics
    for the kernels, which do not differentiate them.
    """
    need_x, need_weight, _ = ctx.needs_input_grad[:3]
    ctx.save_for_backward(x if need_x or need_weight else None, weight if need_x else None)
    ctx.save_intermediates(mean, invstd)


def normalization_backward(
    grad: Tensor,
    x: Tensor,
    weight: Tensor | None,
    normalized: tuple[int, ...],
    repeated: tuple[int, ...],
    eps: float,
    needs: tuple[bool, ...],
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """The gradients of ``(x - mean) · invstd · weight + bias`` for x, weight and bias, as Tensor ops.

    Args:
        weight: in a shape that broadcasts against x.
        normalized: the dimensions over which mean and variance were taken.
        repeated: the dimensions along which weight and bias are the same; their gradients keep them with size 1.
    """
    centred = x - x.mean(normalized, True)
    invstd = ((centred * centred).mean(normalized, True) + eps).rsqrt()
    xhat = centred * invstd
    grad_x = None
    if needs[0]:
        g = grad if weight is None else grad * weight
        grad_x = invstd * (g - g.mean(normalized, True) - xhat * (g * xhat).mean(normalized, True))
    grad_weight = sum_over(grad * xhat, repeated) if needs[1] else None
    grad_bias = sum_over(grad, repeated) if needs[2] else None
    return grad_x, grad_weight, grad_bias


def sum_over(input: Tensor, dims: tuple[int, ...]) -> Tensor:
    """The sum over ``dims``, which stay with size 1; over none of them (not all, as in ``sum``) when there are none."""
    return input.sum(dims, True) if dims else input


def in_shapes(gradients: Sequence[Any], shapes: Sequence[Any]) -> tuple[Any, ...]:
    """Gradients (arrays or Tensors), each reshaped; None for those that nobody asked for."""
    return tuple([g if g is None else g.reshape(shape) for g, shape in zip(gradients, shapes, strict=True)])


def _array_of(tensor: Tensor | None) -> np.ndarray | None:
    return None if tensor is None else tensor._array


def _all_but_channels(x: Tensor) -> tuple[int, ...]:
    return tuple(dim for dim in range(x._array.ndim) if dim != 1)


def _per_channel(values: Tensor, ndim: int) -> Tensor:
    """(C,) in a shape that broadcasts against (N, C, ...)."""
    return values.reshape(1, -1, *[1] * (ndim - 2))


def _sum_but_channels(grad: Tensor) -> Tensor:
    return grad.sum(_all_but_channels(grad))


# ------------------------------------------------------------------------------------------ public functions


@checks_arguments
def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    """Normalize each channel over the batch and all pixels (``torch.nn.functional.batch_norm``).

    Args:
        input: (N, C, ...), with any number of further dimensions.
        running_mean, running_var: (C,), or both None. In training they are changed in place, to
            ``(1 - momentum) · running + momentum · batch`` with the batch's unbiased variance; otherwise they are
            used instead of the batch's statistics.
        weight, bias: (C,) or None.
        training: normalize with the statistics of the batch.
        eps: keeps the division finite.

    Raises:
        ValueError: one number per channel while training, a negative eps, one running statistic without the other.
        RuntimeError: wrong sizes, mixed dtypes, evaluation without running statistics.
    """
    shape = input._array.shape
    if training and input.size(0) * math.prod(shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {Size(shape)}")
    if training and eps <= 0.0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    return _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def _batch_norm(
    input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None, bias: Tensor | None,
    training: bool, momentum: float, eps: float,
) -> Tensor:  # fmt: skip
    """:func:`batch_norm` with any ``eps``."""
    if not input._array.size:  # nothing to normalize, and nothing to learn from
        return _empty_batch_norm(input, weight, bias)
    if _is_mixed(input, running_mean, running_var, weight, bias, training):
        y = _batch_norm(input.float(), running_mean, running_var, weight, bias, training, momentum, eps)
        return y.to(input.dtype)
    weight, bias = _as_vector(weight), _as_vector(bias)
    if not training:
        return BatchNormEval.apply(input, weight, bias, running_mean, running_var, eps=eps)
    y, mean, var = BatchNorm.apply(input, weight, bias, eps=eps)
    if running_mean is not None and running_var is not None:
        count = input._array.size // input._array.shape[1]
        _move_towards(running_mean, mean._array, momentum)
        _move_towards(running_var, var._array, momentum, count / (count - 1))
    return y


def _as_vector(parameter: Tensor | None) -> Tensor | None:
    """(C,), from any shape of C elements."""
    return parameter if parameter is None or parameter._array.ndim == 1 else parameter.reshape(-1)


def _move_towards(running: Tensor, batch: np.ndarray, momentum: float, factor: float = 1.0) -> None:
    """running = (1 - momentum) · running + momentum · factor · batch, in place."""
    array = running._array
    array *= 1 - momentum
    array += batch * (momentum * factor)
    running._bump_version()


def _empty_batch_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """An empty result that is connected with its inputs."""
    y = input.clone() if weight is None else input * weight[0]
    return y if bias is None else y + bias[0]


def _is_mixed(input: Tensor, running_mean: Any, running_var: Any, weight: Any, bias: Any, training: bool) -> bool:
    """Whether all but the input, which is in half, is in single precision; RuntimeError for what does not fit."""
    for name, value in (("running_mean", running_mean), ("running_var", running_var)):
        if not training and value is None:
            raise RuntimeError(f"batch_norm(): {name} must be defined in evaluation mode")
    if (running_mean is None) != (running_var is None):
        raise ValueError("running_mean and running_var must either both be None or neither be None")
    shape, dtype = input._array.shape, input._array.dtype
    channels = shape[1] if len(shape) > 1 else 0
    given = [("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias)]
    for name, value in given:
        if value is None or value._array.shape == (channels,):
            continue
        if value._array.size != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {value._array.size}")
        if name.startswith("running"):
            raise RuntimeError(f"{name} should have 1 dimension, but its shape is {list(value.shape)}")
    if len(shape) < 2:
        raise RuntimeError(f"batch_norm needs an input of 2 or more dimensions, (N, C, ...), not {list(shape)}")
    if dtype.kind not in FLOATS:
        raise not_implemented("batch_norm", input)
    mixed = is_half(dtype) and all(value is None or value._array.dtype == np.float32 for _, value in given)
    for name, value in given:
        if value is not None and value._array.dtype != dtype and not mixed:
            raise RuntimeError(
                f"mixed dtype (CPU): all inputs must share same datatype, but input is {input.dtype} and {name} "
                f"{value.dtype}."
            )
    for name, value in given[:2]:
        if value is not None and value._requires_grad:
            raise RuntimeError(
                f"The function 'native_batch_norm' is not differentiable with respect to argument '{name}'. This input "
                "cannot have requires_grad True."
            )
    return mixed


@checks_arguments
def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-05,
) -> Tensor:
    """Normalize each channel of each sample over its own pixels (``torch.nn.functional.instance_norm``).

    That is :func:`batch_norm` of a batch of one sample that has all channels of all samples. Arguments as there;
    without ``use_input_stats`` the running statistics are used. Running statistics move towards the mean over the
    batch.
    """
    shape = input._array.shape
    if use_input_stats and math.prod(shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {Size(shape)}")
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    for running in (running_mean, running_var):
        if use_input_stats and running is not None:
            check_writable(running)
    n, c = shape[:2]
    mean = None if running_mean is None else cast(running_mean, input._array.dtype)  # PyTorch takes one of any dtype
    each_mean, each_var, each_weight, each_bias = (
        None if value is None else value.repeat(n) for value in (mean, running_var, weight, bias)
    )
    one = input.reshape(1, n * c, *shape[2:])
    y = _batch_norm(one, each_mean, each_var, each_weight, each_bias, use_input_stats, momentum, eps)
    if use_input_stats:
        for running, each in ((running_mean, each_mean), (running_var, each_var)):
            if running is not None and each is not None:
                running._array[...] = each._array.reshape(n, c).mean(0)
                running._bump_version()
    return y.reshape(shape)
