"""Names with an underscore in front that public programs use all the same: ``torch._assert`` and the like."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tinytorch import ops
from tinytorch.dtypes import bfloat16, bool_, float16, float32, int64
from tinytorch.dtypes import dtype as DType
from tinytorch.ops.arguments import checks_arguments, wrong_argument
from tinytorch.ops.checks import check_same_dtypes, refuse
from tinytorch.ops.native import native_batch_norm
from tinytorch.ops.random_gamma import sample_dirichlet as _sample_dirichlet
from tinytorch.ops.random_gamma import standard_gamma as _standard_gamma
from tinytorch.ops.vector_norms import norm_except_dim
from tinytorch.tensor import Tensor

__all__ = ["_assert", "_assert_async", "_cast_Long", "_check", "_check_index", "_check_is_size",
           "_check_not_implemented", "_check_tensor_all", "_check_type", "_check_value", "_check_with",
           "_log_softmax_backward_data", "_native_batch_norm_legit", "_safe_softmax", "_sample_dirichlet",
           "_shape_as_tensor", "_softmax_backward_data", "_standard_gamma", "_weight_norm"]  # fmt: skip


def _assert(condition: Any, message: str) -> None:
    """AssertionError with ``message`` unless ``condition``."""
    assert condition, message


def _assert_async(condition: Any, message: str = "Expected Tensor with single nonzero value, but got zero") -> None:
    """RuntimeError with ``message`` unless ``condition``, at once."""
    if not condition:
        raise RuntimeError(message)


def _check_with(error_type: type[Exception], cond: Any, message: Callable[[], str] | None) -> None:
    """``error_type`` unless ``cond``; ``message()`` is its text."""
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if cond:
        return
    if message is not None and not callable(message):
        raise TypeError("message must be a callable")
    raise error_type(str(message()) if message is not None else "Expected cond to be True, but got False.")


def _check(cond: Any, message: Callable[[], str] | None = None) -> None:
    """RuntimeError unless ``cond``; ``message()`` is its text."""
    _check_with(RuntimeError, cond, message)


def _check_index(cond: Any, message: Callable[[], str] | None = None) -> None:
    """IndexError unless ``cond``."""
    _check_with(IndexError, cond, message)


def _check_value(cond: Any, message: Callable[[], str] | None = None) -> None:
    """ValueError unless ``cond``."""
    _check_with(ValueError, cond, message)


def _check_type(cond: Any, message: Callable[[], str] | None = None) -> None:
    """TypeError unless ``cond``."""
    _check_with(TypeError, cond, message)


def _check_not_implemented(cond: Any, message: Callable[[], str] | None = None) -> None:
    """NotImplementedError unless ``cond``."""
    _check_with(NotImplementedError, cond, message)


def _check_is_size(i: Any, message: Callable[[], str] | None = None, *, max: int | None = None) -> None:
    """RuntimeError unless ``i`` can be a size: not negative, and at most ``max``."""
    _check_with(RuntimeError, bool(i >= 0), message)
    _check_with(RuntimeError, max is None or bool(i <= max), message)


def _check_tensor_all(cond: Any, message: Callable[[], str] | None = None) -> None:
    """RuntimeError unless all elements of a tensor of bools are True."""
    if not isinstance(cond, Tensor):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    if cond.dtype is not bool_:
        raise TypeError(f"cond tensor must have dtype torch.bool, but got {cond.dtype}")
    _check_with(RuntimeError, bool(cond.all()), message)


def _cast_Long(input: Tensor, non_blocking: bool = False) -> Tensor:
    """``input`` as int64."""
    return input.to(int64)


def _check_backward(grad_output: Tensor, output: Tensor, input_dtype: DType) -> DType:
    """The dtype of the gradient: the output's, unless the output is single precision of a half precision input."""
    if not isinstance(input_dtype, DType):
        raise wrong_argument("_softmax_backward_data", "input_dtype", 4, input_dtype, "torch.dtype")
    refuse("biuc", "softmax_backward", grad_output)
    check_same_dtypes("softmax_backward: grad_output and output", grad_output, output)
    if grad_output.shape != output.shape:
        raise RuntimeError(f"grad_output of shape {list(grad_output.shape)} must be of output's: {list(output.shape)}")
    return input_dtype if input_dtype in (float16, bfloat16) and output.dtype is float32 else output.dtype


@checks_arguments
def _softmax_backward_data(grad_output: Tensor, output: Tensor, dim: int, input_dtype: Any) -> Tensor:
    """The gradient of softmax's input: ``output · (grad_output - Σ grad_output · output)``."""
    dtype = _check_backward(grad_output, output, input_dtype)
    weighted = grad_output * output
    return (weighted - output * weighted.sum(dim, True)).to(dtype)


@checks_arguments
def _log_softmax_backward_data(grad_output: Tensor, output: Tensor, dim: int, input_dtype: Any) -> Tensor:
    """The gradient of log_softmax's input: ``grad_output - exp(output) · Σ grad_output``."""
    dtype = _check_backward(grad_output, output, input_dtype)
    return (grad_output - output.exp() * grad_output.sum(dim, True)).to(dtype)


@checks_arguments
def _safe_softmax(input: Tensor, dim: int, dtype: DType | None = None) -> Tensor:
    """Softmax; zeros where all of a row is -inf, as the mask of an attention that may look nowhere makes it."""
    hidden = (input == -math.inf).all(dim, keepdim=True)
    return ops.softmax(input.masked_fill(hidden, 0), dim, dtype).masked_fill(hidden, 0)


def _native_batch_norm_legit(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, *rest: Any, out: Any = None
) -> tuple[Tensor, Tensor, Tensor]:
    """:func:`~tinytorch.native_batch_norm`; ``running_mean`` and ``running_var`` may be left out, not given as None."""
    running_mean, running_var, *rest_of_them = rest if len(rest) == 5 else (None, None, *rest)
    return native_batch_norm(input, weight, bias, running_mean, running_var, *rest_of_them, out=out)


def _shape_as_tensor(self: Tensor) -> Tensor:
    """The sizes as a tensor of int64."""
    return ops.tensor(list(self.shape), dtype=int64)


def _weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    """``g · v / |v|``, with the norm over all dimensions but ``dim``."""
    return v * (g / norm_except_dim(v, 2, dim))
