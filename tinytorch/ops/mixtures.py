"""Elementwise mixtures of several tensors: lerp, addcmul, addcdiv; and choices between two: fmax, fmin, heaviside.

All composed of other ops, so their derivatives are already known.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.dtypes import FLOATS, INEXACT
from tinytorch.kernels.half import float_limits
from tinytorch.old_orders import accepts_factors_in_front
from tinytorch.ops.arguments import Number, checks_arguments
from tinytorch.ops.arithmetic import div, mul
from tinytorch.ops.broadcast import Elementwise, cast, operands, promote_all
from tinytorch.ops.checks import check_any_tensor, check_floating, check_tensor, refuse_bool, refuse_complex, type_name
from tinytorch.ops.compare import isnan, where
from tinytorch.ops.half import rounded_once
from tinytorch.ops.numbers import check_convertible
from tinytorch.ops.out import accepts_exact_out, accepts_out
from tinytorch.ops.powers import pow
from tinytorch.tensor import Tensor

__all__ = ["addcdiv", "addcmul", "copysign", "float_power", "fmax", "fmin", "heaviside", "ldexp", "lerp",
           "nan_to_num", "positive", "signbit"]  # fmt: skip


class Copysign(Elementwise):
    """y = |a| with the sign of b: ∂y/∂a = y / a (0 at 0), and flat in b."""

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        y = np.copysign(a, b)
        ctx.save_for_backward(a, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, Any]:
        a, y = ctx.saved_tensors
        return grad * where(a == 0, 0.0, y / where(a == 0, 1.0, a)), ops.zeros_like(grad)


@accepts_out
def lerp(input: Tensor, end: Tensor, weight: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """``input + weight · (end - input)``, from the nearer end, so that weight 1 gives ``end`` exactly."""
    for name, value in (("end", end), ("weight", weight)):
        if isinstance(value, Tensor) and value.dtype != input.dtype and (name == "end" or value._array.ndim):
            expected, got = (type_name(t).lower() for t in (input, value))
            raise RuntimeError(f"expected dtype {expected} for `{name}` but got dtype {got}")
    check_floating("lerp_kernel_scalar", input)
    if isinstance(weight, Tensor):
        return _from_nearer_end(input, end, cast(weight, input._array.dtype))
    check_convertible(weight, input._array.dtype)
    return known_as(_from_nearer_end(input, end, weight), "LerpBackward0")


@rounded_once
def _from_nearer_end(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    if not isinstance(weight, Tensor):
        near = builtins.abs(weight) < 0.5
        return input + (end - input) * weight if near else end - (end - input) * (1 - weight)
    difference = end - input
    return where(weight.abs() < 0.5, input + weight * difference, end - difference * (1 - weight))


@accepts_factors_in_front("value")
@accepts_out
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1, out: Tensor | None = None) -> Tensor:
    """``input + value · tensor1 · tensor2``."""
    if input._array.dtype.kind == "b":
        refuse_bool("addcmul_cpu_out", ops.mul(tensor1, tensor2))
    input, tensor1, tensor2 = _in_one_dtype(input, tensor1, tensor2)
    result = _plus_scaled(input, tensor1, tensor2, mul, value)
    return known_as(result, "AddcmulBackward0")


@accepts_factors_in_front("value")
@accepts_out
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1, out: Tensor | None = None) -> Tensor:
    """``input + value · tensor1 / tensor2``. RuntimeError when both are integers."""
    if tensor1._array.dtype.kind in "iub" and tensor2._array.dtype.kind in "iub":
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future release addcdiv will perform a "
            "true division of tensor1 and tensor2. Use (input + value * torch.true_divide(tensor1, tensor2)) instead."
        )
    input, tensor1, tensor2 = _in_one_dtype(input, tensor1, tensor2)
    result = _plus_scaled(input, tensor1, tensor2, div, value)
    return known_as(result, "AddcdivBackward0")


@rounded_once
def _plus_scaled(input: Tensor, tensor1: Tensor, tensor2: Tensor, op: Callable[..., Tensor], value: Any) -> Tensor:
    """``input + op(value · tensor1, tensor2)``."""
    first = tensor1 if value == 1 else _scaled(tensor1, value, input, tensor2)
    return input + op(first, tensor2)


def _in_one_dtype(*tensors: Tensor) -> Sequence[Tensor]:
    """All of them in the dtype of the result, so that nothing is rounded to another one on the way."""
    dtype = tensors[0]._array.dtype
    return tensors if builtins.all(t._array.dtype == dtype for t in tensors) else promote_all(*tensors)


def _scaled(tensor: Tensor, value: Any, *others: Tensor) -> Tensor:
    """``value · tensor`` in the dtype in which all tensors meet, to which PyTorch converts ``value``, too."""
    wide = promote_all(tensor, *others)[0]
    check_convertible(value, wide._array.dtype)
    return wide * (int(value) if wide._array.dtype.kind in "iu" else value)


@accepts_out
def fmax(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The larger of two, elementwise; nan loses (in :func:`maximum` it wins). At a tie ``input`` receives the
    gradient.
    """
    check_tensor("fmax", "input", 1, input)
    check_tensor("fmax", "other", 2, other)
    a, b = operands(input, other)
    return where((a >= b) | isnan(b), a, b)


@accepts_out
def fmin(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The smaller of two, elementwise; nan loses. At a tie ``input`` receives the gradient."""
    check_tensor("fmin", "input", 1, input)
    check_tensor("fmin", "other", 2, other)
    a, b = operands(input, other)
    return where((a <= b) | isnan(b), a, b)


@accepts_exact_out
def heaviside(input: Tensor, values: Tensor, *, out: Tensor | None = None) -> Tensor:
    """0 below 0, 1 above, ``values`` at 0. Not differentiable, as in PyTorch: the result carries no gradient."""
    check_tensor("heaviside", "values", 2, values)
    if input.dtype != values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    x = input.detach()
    return where(x == 0, values.detach(), (x > 0).to(input.dtype))


@accepts_out
def copysign(input: Tensor, other: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """The magnitude of ``input`` with the sign of ``other`` (a tensor or a number; the sign of -0.0 counts)."""
    if isinstance(other, Tensor):
        a, b = promote_all(input, other)
        return Copysign.apply(ops.to_float(a), ops.to_float(b))
    a = ops.to_float(input)
    refuse_complex("copysign", other)
    return Copysign.apply(a, Tensor._wrap(np.asarray(other, a._array.dtype)))


@accepts_exact_out
def signbit(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Where the sign bit is set: negative numbers and -0.0."""
    array = input._array
    refuse_complex("signbit", array)
    return Tensor._wrap(np.asarray(np.signbit(array) if array.dtype.kind in FLOATS else array < 0))


@checks_arguments
def positive(input: Tensor) -> Tensor:
    """The tensor itself. RuntimeError for bool."""
    if input._array.dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


@accepts_exact_out
def nan_to_num(
    input: Tensor,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """nan, inf and -inf replaced, by default with 0 and the largest and smallest finite numbers."""
    array = input._array
    if array.dtype.kind == "c":
        return ops.complex(*[nan_to_num(part, nan, posinf, neginf) for part in (input.real, input.imag)])
    if array.dtype.kind not in FLOATS:
        return input.clone()
    limits = float_limits(array.dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    replacement = np.where(np.isnan(array), 0.0 if nan is None else nan, np.where(array > 0, high, low))
    return where(Tensor._wrap(np.isfinite(array)), input, Tensor._wrap(replacement.astype(array.dtype)))


@accepts_exact_out
def float_power(input: Tensor | Number, exponent: Tensor | Number, *, out: Tensor | None = None) -> Tensor:
    """``input ** exponent`` in double precision; complex where one of them is."""
    check_any_tensor("float_power", input, exponent)
    is_complex = any(v.is_complex() if isinstance(v, Tensor) else isinstance(v, complex) for v in (input, exponent))
    double = np.dtype(np.complex128 if is_complex else np.float64)
    both: tuple[Any, ...] = (input, exponent)
    base, power = (cast(v, double) if isinstance(v, Tensor) else double.type(v).item() for v in both)
    return pow(base, power)


def float_power_of_double(input: Tensor, exponent: Tensor | Number) -> Tensor:
    """:func:`float_power` for the in-place form; RuntimeError where ``input`` could not hold the result."""
    result = float_power(input, exponent)
    if result._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {type_name(input)} but the operation's result requires dtype "
            f"{type_name(result)}"
        )
    return result


@accepts_out
def ldexp(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``input · 2**other``."""
    if input._array.dtype.kind in FLOATS:
        refuse_bool("ldexp_cpu_exp", other)
    power, dtype = pow(2.0, other), input._array.dtype
    if dtype.kind not in INEXACT or other._array.dtype.kind not in "iub":
        return mul(input, power)
    wide = np.result_type(dtype, np.float32)  # a whole exponent has no say in the result's dtype
    return cast(mul(cast(input, wide), cast(power, wide)), dtype)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
