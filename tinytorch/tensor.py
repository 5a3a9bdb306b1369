"""Chapter 2, part 3. Tensor: what can be computed with it, one line per method, each the call of an op.

After: tinytorch/tensor_conversions.py
Next: tinytorch/ops/broadcast.py

Goal: find the op behind a method.

A file to look things up in, not to read through. What a tensor is made of stands in :mod:`tinytorch.tensor_base`.
Nothing happens here: ``x.exp()`` is ``ops.exp(x)``, so go there for the mathematics, the docstring and the derivative.
A name with a trailing underscore changes the tensor in place (see :mod:`tinytorch.autograd.inplace`).

>>> import tinytorch
>>> x = tinytorch.tensor([1.0, 2.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.])

What PyTorch does. Methods are generated in C++. Here each is a line of Python, so that go-to-definition leads to the
op.

Pitfalls. ``x += y`` changes x in place, ``x = x + y`` makes a new tensor: only one of them is seen by the views of x.

Exercises. Follow ``x.mean()`` from here to the array operation that computes it: through which functions?
"""

from __future__ import annotations

import builtins
import warnings
from typing import Any

import numpy as np

from tinytorch import dtypes, torch_function
from tinytorch.dtypes import FLOATS
from tinytorch.numpy_names import NOT_GIVEN, accepts_axis
from tinytorch.old_orders import accepts_factors_in_front
from tinytorch.tensor_base import TensorBase

__all__ = ["Tensor"]


class Tensor(TensorBase):
    """A multi-dimensional array of one dtype with automatic differentiation, as ``torch.Tensor``.

    Make one with :func:`tinytorch.tensor` and friends. ``Tensor(2, 3)`` (sizes) and ``Tensor([1, 2])`` (data) work as
    PyTorch's legacy constructor: always the default float type.
    """

    __module__ = "tinytorch"  # as users know it, and as type(x) prints

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        tensor = construct(args, None)
        return tensor if cls is Tensor else tensor._as_object_of(cls)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        torch_function.notice(cls)
        if "__torch_dispatch__" in vars(cls):
            warnings.warn(
                f"{cls.__name__}.__torch_dispatch__ is never called here: there is no dispatcher below the functions. "
                "Override functions with __torch_function__.",
                stacklevel=2,
            )

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """What a public function of objects of a subclass is (see :mod:`tinytorch.torch_function`): an object of it."""
        return torch_function.by_default(cls, func, types, args, kwargs)

    __hash__ = TensorBase.__hash__  # defining __eq__ would drop it

    # ------------------------------------------------------------------------------------ operators

    def __add__(self, other: Any) -> Tensor:
        return ops.add(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __radd__(self, other: Any) -> Tensor:
        if isinstance(other, _NUMBERS) and isinstance(self, Tensor):
            return ops.add(other, self)
        return _reflected(ops.add, other, self)

    def __sub__(self, other: Any) -> Tensor:
        return ops.sub(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __rsub__(self, other: Any) -> Tensor:
        return ops.rsub(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __mul__(self, other: Any) -> Tensor:
        return ops.mul(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __rmul__(self, other: Any) -> Tensor:
        if isinstance(other, _NUMBERS) and isinstance(self, Tensor):
            return ops.mul(other, self)
        return _reflected(ops.mul, other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return ops.div(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    __div__ = __truediv__

    def __rdiv__(self, other: Any) -> Tensor:
        return self.reciprocal() * other if isinstance(other, (*_OPERANDS, np.ndarray)) else NotImplemented

    __rtruediv__ = __rdiv__

    def __floordiv__(self, other: Any) -> Tensor:
        return ops.floor_divide(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __rfloordiv__(self, other: Any) -> Tensor:
        return ops.floor_divide(other, self) if isinstance(other, _OPERANDS) else NotImplemented

    def __mod__(self, other: Any) -> Tensor:
        return ops.remainder(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __rmod__(self, other: Any) -> Tensor:
        return ops.remainder(other, self) if isinstance(other, _OPERANDS) else NotImplemented

    def __pow__(self, other: Any) -> Tensor:
        return ops.pow(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __rpow__(self, other: Any) -> Tensor:
        return ops.pow(other, self) if isinstance(other, _OPERANDS) else NotImplemented

    def __matmul__(self, other: Any) -> Tensor:
        return ops.matmul(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __rmatmul__(self, other: Any) -> Tensor:
        return ops.matmul(other, self) if isinstance(other, Tensor) else NotImplemented

    def __and__(self, other: Any) -> Tensor:
        return ops.bitwise_and(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __rand__(self, other: Any) -> Tensor:
        return ops.bitwise_and(other, self) if isinstance(other, _NUMBERS) else _reflected(ops.bitwise_and, other, self)

    def __or__(self, other: Any) -> Tensor:
        return ops.bitwise_or(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __ror__(self, other: Any) -> Tensor:
        return ops.bitwise_or(other, self) if isinstance(other, _NUMBERS) else _reflected(ops.bitwise_or, other, self)

    def __xor__(self, other: Any) -> Tensor:
        return ops.bitwise_xor(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __rxor__(self, other: Any) -> Tensor:
        return ops.bitwise_xor(other, self) if isinstance(other, _NUMBERS) else _reflected(ops.bitwise_xor, other, self)

    def __lshift__(self, other: Any) -> Tensor:
        return ops.bitwise_left_shift(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __rlshift__(self, other: Any) -> Tensor:
        return ops.bitwise_left_shift(other, self) if isinstance(other, _OPERANDS) else NotImplemented

    def __rshift__(self, other: Any) -> Tensor:
        return ops.bitwise_right_shift(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __rrshift__(self, other: Any) -> Tensor:
        return ops.bitwise_right_shift(other, self) if isinstance(other, _OPERANDS) else NotImplemented

    def __eq__(self, other: Any) -> Tensor:  # type: ignore[override]
        if isinstance(other, np.ndarray):  # of the comparisons, PyTorch takes arrays in this one
            other = ops.from_numpy(other)
        return ops.eq(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __ne__(self, other: Any) -> Tensor:  # type: ignore[override]
        return ops.ne(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __lt__(self, other: Any) -> Tensor:
        return ops.lt(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __le__(self, other: Any) -> Tensor:
        return ops.le(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __gt__(self, other: Any) -> Tensor:
        return ops.gt(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __ge__(self, other: Any) -> Tensor:
        return ops.ge(self, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __neg__(self) -> Tensor:
        return ops.neg(self)

    def __pos__(self) -> Any:
        return ops.positive(self)

    def __abs__(self) -> Tensor:
        return ops.abs(self)

    def __invert__(self) -> Tensor:
        if self._array.dtype.kind not in "iub":
            raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
        return ops.bitwise_not(self)

    def __iadd__(self, other: Any) -> Tensor:
        return change_in_place(self, ops.add, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __isub__(self, other: Any) -> Tensor:
        return change_in_place(self, ops.sub, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __imul__(self, other: Any) -> Tensor:
        return change_in_place(self, ops.mul, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __itruediv__(self, other: Any) -> Tensor:
        return change_in_place(self, ops.div, other) if isinstance(other, _OPERANDS) else NotImplemented

    __idiv__ = __itruediv__

    def __ifloordiv__(self, other: Any) -> Tensor:
        return change_in_place(self, ops.floor_divide, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __imod__(self, other: Any) -> Tensor:
        return change_in_place(self, ops.remainder, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __ipow__(self, other: Any) -> Tensor:
        return change_in_place(self, ops.pow, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __iand__(self, other: Any) -> Tensor:
        return change_in_place(self, ops.bitwise_and, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __ior__(self, other: Any) -> Tensor:
        return change_in_place(self, ops.bitwise_or, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __ixor__(self, other: Any) -> Tensor:
        return change_in_place(self, ops.bitwise_xor, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __ilshift__(self, other: Any) -> Tensor:
        return change_in_place(self, ops.bitwise_left_shift, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __irshift__(self, other: Any) -> Tensor:
        return change_in_place(self, ops.bitwise_right_shift, other) if isinstance(other, _OPERANDS) else NotImplemented

    def __getitem__(self, index: Any) -> Tensor:
        return ops.getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        ops.setitem(self, index, value)

    def __delitem__(self, index: Any) -> None:
        raise TypeError("Tensor does not support deleting items")

    # ------------------------------------------------------------------------------------ complex numbers

    @property
    def real(self) -> Tensor:
        return ops.real(self)

    @real.setter
    def real(self, value: Any) -> None:
        ops.real(self).copy_(value)

    @property
    def imag(self) -> Tensor:
        return ops.imag(self)

    @imag.setter
    def imag(self, value: Any) -> None:
        ops.imag(self).copy_(value)

    def conj(self) -> Tensor:
        return ops.conj(self)

    def conj_physical(self) -> Tensor:
        return ops.conj_physical(self)

    def conj_physical_(self) -> Tensor:
        return change_in_place(self, ops.conj_physical)

    def resolve_conj(self) -> Tensor:
        return ops.resolve_conj(self)

    def resolve_neg(self) -> Tensor:
        return ops.resolve_neg(self)

    def is_conj(self) -> bool:
        return ops.is_conj(self)

    def is_neg(self) -> bool:
        return ops.is_neg(self)

    def angle(self) -> Tensor:
        return ops.angle(self)

    def sgn(self) -> Tensor:
        return ops.sgn(self)

    def sgn_(self) -> Tensor:
        return change_in_place(self, ops.sgn)

    def stft(
        self,
        n_fft: int,
        hop_length: int | None = None,
        win_length: int | None = None,
        window: Tensor | None = None,
        center: bool = True,
        pad_mode: str = "reflect",
        normalized: bool = False,
        onesided: bool | None = None,
        return_complex: bool | None = None,
        align_to_window: bool | None = None,
    ) -> Tensor:
        return ops.stft(
            self, n_fft, hop_length, win_length, window, center, pad_mode, normalized, onesided, return_complex,
            align_to_window,
        )  # fmt: skip

    def istft(
        self,
        n_fft: int,
        hop_length: int | None = None,
        win_length: int | None = None,
        window: Tensor | None = None,
        center: bool = True,
        normalized: bool = False,
        onesided: bool | None = None,
        length: int | None = None,
        return_complex: bool = False,
    ) -> Tensor:
        return ops.istft(
            self, n_fft, hop_length, win_length, window, center, normalized, onesided, length, return_complex
        )

    # ------------------------------------------------------------------------------------ arithmetic

    def add(self, other: Any, second: Any = None, *, alpha: Any = 1) -> Tensor:
        return ops.add(self, other, second, alpha=alpha)

    def sub(self, other: Any, second: Any = None, *, alpha: Any = 1) -> Tensor:
        return ops.sub(self, other, second, alpha=alpha)

    def subtract(self, other: Any, *, alpha: Any = 1) -> Tensor:
        return ops.subtract(self, other, alpha=alpha)

    def mul(self, other: Any) -> Tensor:
        return ops.mul(self, other)

    def multiply(self, other: Any) -> Tensor:
        return ops.multiply(self, other)

    def true_divide(self, other: Any) -> Tensor:
        return ops.true_divide(self, other)

    def floor_divide(self, other: Any) -> Tensor:
        return ops.floor_divide(self, other)

    def remainder(self, other: Any) -> Tensor:
        return ops.remainder(self, other)

    def fmod(self, other: Any) -> Tensor:
        return ops.fmod(self, other)

    def maximum(self, other: Any) -> Tensor:
        return ops.maximum(self, other)

    def minimum(self, other: Any) -> Tensor:
        return ops.minimum(self, other)

    def div(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        return ops.div(self, other, rounding_mode=rounding_mode)

    def divide(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        return ops.divide(self, other, rounding_mode=rounding_mode)

    def pow(self, exponent: Any) -> Tensor:
        return ops.pow(self, exponent)

    def neg(self) -> Tensor:
        return ops.neg(self)

    def negative(self) -> Tensor:
        return ops.negative(self)

    def reciprocal(self) -> Tensor:
        return ops.reciprocal(self)

    def square(self) -> Tensor:
        return ops.square(self)

    def exp(self) -> Tensor:
        return ops.exp(self)

    def exp2(self) -> Tensor:
        return ops.exp2(self)

    def expm1(self) -> Tensor:
        return ops.expm1(self)

    def log(self) -> Tensor:
        return ops.log(self)

    def log2(self) -> Tensor:
        return ops.log2(self)

    def log10(self) -> Tensor:
        return ops.log10(self)

    def log1p(self) -> Tensor:
        return ops.log1p(self)

    def sqrt(self) -> Tensor:
        return ops.sqrt(self)

    def rsqrt(self) -> Tensor:
        return ops.rsqrt(self)

    def abs(self) -> Tensor:
        return ops.abs(self)

    def absolute(self) -> Tensor:
        return ops.absolute(self)

    def sign(self) -> Tensor:
        return ops.sign(self)

    def sin(self) -> Tensor:
        return ops.sin(self)

    def cos(self) -> Tensor:
        return ops.cos(self)

    def tan(self) -> Tensor:
        return ops.tan(self)

    def tanh(self) -> Tensor:
        return ops.tanh(self)

    def sigmoid(self) -> Tensor:
        return ops.sigmoid(self)

    def relu(self) -> Tensor:
        return ops.relu(self)

    def floor(self) -> Tensor:
        return ops.floor(self)

    def ceil(self) -> Tensor:
        return ops.ceil(self)

    def trunc(self) -> Tensor:
        return ops.trunc(self)

    def fix(self) -> Tensor:
        return ops.fix(self)

    def frac(self) -> Tensor:
        return ops.frac(self)

    def isnan(self) -> Tensor:
        return ops.isnan(self)

    def isinf(self) -> Tensor:
        return ops.isinf(self)

    def isfinite(self) -> Tensor:
        return ops.isfinite(self)

    def logical_not(self) -> Tensor:
        return ops.logical_not(self)

    def bitwise_not(self) -> Tensor:
        return ops.bitwise_not(self)

    def round(self, *, decimals: int = NOT_GIVEN) -> Tensor:
        return ops.round(self, decimals=decimals)

    def clamp(self, min: Any = None, max: Any = None) -> Tensor:
        return ops.clamp(self, min, max)

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        return ops.clip(self, min, max)

    def clamp_min(self, min: Any) -> Tensor:
        return ops.clamp_min(self, min)

    def clamp_max(self, max: Any) -> Tensor:
        return ops.clamp_max(self, max)

    def asin(self) -> Tensor:
        return ops.asin(self)

    def acos(self) -> Tensor:
        return ops.acos(self)

    def atan(self) -> Tensor:
        return ops.atan(self)

    def sinh(self) -> Tensor:
        return ops.sinh(self)

    def cosh(self) -> Tensor:
        return ops.cosh(self)

    def asinh(self) -> Tensor:
        return ops.asinh(self)

    def acosh(self) -> Tensor:
        return ops.acosh(self)

    def atanh(self) -> Tensor:
        return ops.atanh(self)

    def arcsin(self) -> Tensor:
        return ops.arcsin(self)

    def arccos(self) -> Tensor:
        return ops.arccos(self)

    def arctan(self) -> Tensor:
        return ops.arctan(self)

    def arcsinh(self) -> Tensor:
        return ops.arcsinh(self)

    def arccosh(self) -> Tensor:
        return ops.arccosh(self)

    def arctanh(self) -> Tensor:
        return ops.arctanh(self)

    def atan2(self, other: Any) -> Tensor:
        return ops.atan2(self, other)

    def arctan2(self, other: Any) -> Tensor:
        return ops.arctan2(self, other)

    def hypot(self, other: Any) -> Tensor:
        return ops.hypot(self, other)

    def sinc(self) -> Tensor:
        return ops.sinc(self)

    def deg2rad(self) -> Tensor:
        return ops.deg2rad(self)

    def rad2deg(self) -> Tensor:
        return ops.rad2deg(self)

    def erf(self) -> Tensor:
        return ops.erf(self)

    def erfc(self) -> Tensor:
        return ops.erfc(self)

    def hardshrink(self, lambd: builtins.float = 0.5) -> Tensor:
        return ops.hardshrink(self, lambd)

    def prelu(self, weight: Tensor) -> Tensor:
        return ops.prelu(self, weight)

    def erfinv(self) -> Tensor:
        return ops.erfinv(self)

    def lgamma(self) -> Tensor:
        return ops.lgamma(self)

    def digamma(self) -> Tensor:
        return ops.digamma(self)

    def logit(self, eps: Any = None) -> Tensor:
        return ops.logit(self, eps)

    def logaddexp(self, other: Any) -> Tensor:
        return ops.logaddexp(self, other)

    def logaddexp2(self, other: Any) -> Tensor:
        return ops.logaddexp2(self, other)

    def xlogy(self, other: Any) -> Tensor:
        return ops.xlogy(self, other)

    def lerp(self, end: Any, weight: Any) -> Tensor:
        return ops.lerp(self, end, weight)

    @accepts_factors_in_front("value")
    def addcmul(self, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Tensor:
        return ops.addcmul(self, tensor1, tensor2, value=value)

    @accepts_factors_in_front("value")
    def addcdiv(self, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Tensor:
        return ops.addcdiv(self, tensor1, tensor2, value=value)

    def fmax(self, other: Any) -> Tensor:
        return ops.fmax(self, other)

    def fmin(self, other: Any) -> Tensor:
        return ops.fmin(self, other)

    def heaviside(self, values: Any) -> Tensor:
        return ops.heaviside(self, values)

    def copysign(self, other: Any) -> Tensor:
        return ops.copysign(self, other)

    def signbit(self) -> Tensor:
        return ops.signbit(self)

    def positive(self) -> Tensor:
        return ops.positive(self)

    def nan_to_num(self, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
        return ops.nan_to_num(self, nan, posinf, neginf)

    def float_power(self, exponent: Any) -> Tensor:
        return ops.float_power(self, exponent)

    def ldexp(self, other: Any) -> Tensor:
        return ops.ldexp(self, other)

    def gcd(self, other: Any) -> Tensor:
        return ops.gcd(self, other)

    def lcm(self, other: Any) -> Tensor:
        return ops.lcm(self, other)

    def bitwise_left_shift(self, other: Any) -> Tensor:
        return ops.bitwise_left_shift(self, other)

    def bitwise_right_shift(self, other: Any) -> Tensor:
        return ops.bitwise_right_shift(self, other)

    def sum_to_size(self, *size: Any) -> Tensor:
        return ops.sum_to_size(self, *size)

    def polygamma(self, n: Any) -> Tensor:
        return ops.polygamma(n, self)

    def mvlgamma(self, p: Any) -> Tensor:
        return ops.mvlgamma(self, p)

    def frexp(self) -> Any:
        return ops.frexp(self)

    def nextafter(self, other: Any) -> Tensor:
        return ops.nextafter(self, other)

    def i0(self) -> Tensor:
        return ops.i0(self)

    def igamma(self, other: Any) -> Tensor:
        return ops.igamma(self, other)

    def igammac(self, other: Any) -> Tensor:
        return ops.igammac(self, other)

    # ------------------------------------------------------------------------------------ comparisons and logic

    def eq(self, other: Any) -> Tensor:
        return ops.eq(self, other)

    def ne(self, other: Any) -> Tensor:
        return ops.ne(self, other)

    def lt(self, other: Any) -> Tensor:
        return ops.lt(self, other)

    def le(self, other: Any) -> Tensor:
        return ops.le(self, other)

    def gt(self, other: Any) -> Tensor:
        return ops.gt(self, other)

    def ge(self, other: Any) -> Tensor:
        return ops.ge(self, other)

    def logical_and(self, other: Any) -> Tensor:
        return ops.logical_and(self, other)

    def logical_or(self, other: Any) -> Tensor:
        return ops.logical_or(self, other)

    def logical_xor(self, other: Any) -> Tensor:
        return ops.logical_xor(self, other)

    def bitwise_and(self, other: Any) -> Tensor:
        return ops.bitwise_and(self, other)

    def bitwise_or(self, other: Any) -> Tensor:
        return ops.bitwise_or(self, other)

    def bitwise_xor(self, other: Any) -> Tensor:
        return ops.bitwise_xor(self, other)

    def equal(self, other: Tensor) -> bool:
        return ops.equal(self, other)

    def isclose(self, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
        return ops.isclose(self, other, rtol, atol, equal_nan)

    def allclose(self, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
        return ops.allclose(self, other, rtol, atol, equal_nan)

    def where(self, condition: Tensor, other: Any) -> Tensor:
        return ops.where(condition, self, other)

    def masked_fill(self, mask: Tensor, value: Any) -> Tensor:
        return ops.masked_fill(self, mask, value)

    def greater(self, other: Any) -> Tensor:
        return ops.greater(self, other)

    def greater_equal(self, other: Any) -> Tensor:
        return ops.greater_equal(self, other)

    def less(self, other: Any) -> Tensor:
        return ops.less(self, other)

    def less_equal(self, other: Any) -> Tensor:
        return ops.less_equal(self, other)

    def not_equal(self, other: Any) -> Tensor:
        return ops.not_equal(self, other)

    def isposinf(self) -> Tensor:
        return ops.isposinf(self)

    def isneginf(self) -> Tensor:
        return ops.isneginf(self)

    def isreal(self) -> Tensor:
        return ops.isreal(self)

    def is_nonzero(self) -> Any:
        return ops.is_nonzero(self)

    def is_same_size(self, other: Any) -> Any:
        return ops.is_same_size(self, other)

    def is_signed(self) -> Any:
        return ops.is_signed(self)

    # ------------------------------------------------------------------------------------ reductions

    def sum(self, dim: Any = NOT_GIVEN, keepdim: bool = NOT_GIVEN, *, dtype: Any = None, **numpy_names: Any) -> Tensor:
        return ops.sum(self, dim, keepdim, dtype=dtype, **numpy_names)

    def mean(self, dim: Any = NOT_GIVEN, keepdim: bool = NOT_GIVEN, *, dtype: Any = None, **numpy_names: Any) -> Tensor:
        return ops.mean(self, dim, keepdim, dtype=dtype, **numpy_names)

    def prod(self, dim: Any = NOT_GIVEN, keepdim: bool = NOT_GIVEN, *, dtype: Any = None, **numpy_names: Any) -> Tensor:
        return ops.prod(self, dim, keepdim, dtype=dtype, **numpy_names)

    def var(self, *dim_or_unbiased: Any, **options: Any) -> Tensor:  # True by place is unbiased, dim=True an error
        return ops.var(self, *dim_or_unbiased, **options)

    def std(self, *dim_or_unbiased: Any, **options: Any) -> Tensor:
        return ops.std(self, *dim_or_unbiased, **options)

    def max(self, dim: Any = NOT_GIVEN, keepdim: bool = NOT_GIVEN, **numpy_names: Any) -> Any:
        return ops.max(self, dim, keepdim, **numpy_names)

    def min(self, dim: Any = NOT_GIVEN, keepdim: bool = NOT_GIVEN, **numpy_names: Any) -> Any:
        return ops.min(self, dim, keepdim, **numpy_names)

    def argmax(self, dim: Any = None, keepdim: bool = False, **numpy_names: Any) -> Tensor:
        return ops.argmax(self, dim, keepdim, **numpy_names)

    def argmin(self, dim: Any = None, keepdim: bool = False, **numpy_names: Any) -> Tensor:
        return ops.argmin(self, dim, keepdim, **numpy_names)

    def all(self, dim: Any = None, keepdim: bool = False, **numpy_names: Any) -> Tensor:
        return ops.all(self, dim, keepdim, **numpy_names)

    def any(self, dim: Any = None, keepdim: bool = False, **numpy_names: Any) -> Tensor:
        return ops.any(self, dim, keepdim, **numpy_names)

    def amax(self, dim: Any = (), keepdim: bool = False, **numpy_names: Any) -> Tensor:
        return ops.amax(self, dim, keepdim, **numpy_names)

    def amin(self, dim: Any = (), keepdim: bool = False, **numpy_names: Any) -> Tensor:
        return ops.amin(self, dim, keepdim, **numpy_names)

    @accepts_axis
    def logsumexp(self, dim: Any, keepdim: bool = False) -> Tensor:
        return ops.logsumexp(self, dim, keepdim)

    @accepts_axis
    def cumsum(self, dim: int, *, dtype: Any = None) -> Tensor:
        return ops.cumsum(self, dim, dtype=dtype)

    @accepts_axis
    def softmax(self, dim: int, dtype: Any = None) -> Tensor:
        return ops.softmax(self, dim, dtype=dtype)

    @accepts_axis
    def log_softmax(self, dim: int, dtype: Any = None) -> Tensor:
        return ops.log_softmax(self, dim, dtype=dtype)

    @accepts_axis
    def sort(self, dim: Any = -1, descending: Any = False, stable: Any = False) -> Any:
        return ops.sort(self, dim, descending, stable)

    @accepts_axis
    def argsort(self, dim: Any = -1, descending: Any = False, stable: Any = False) -> Tensor:
        return ops.argsort(self, dim, descending, stable)

    def msort(self) -> Tensor:
        return ops.msort(self)

    @accepts_axis
    def topk(self, k: Any, dim: Any = -1, largest: Any = True, sorted: Any = True) -> Any:
        return ops.topk(self, k, dim, largest, sorted)

    @accepts_axis
    def kthvalue(self, k: Any, dim: Any = -1, keepdim: Any = False) -> Any:
        return ops.kthvalue(self, k, dim, keepdim)

    @accepts_axis
    def median(self, dim: Any = NOT_GIVEN, keepdim: Any = NOT_GIVEN) -> Any:
        return ops.median(self, dim, keepdim)

    @accepts_axis
    def nanmedian(self, dim: Any = NOT_GIVEN, keepdim: Any = NOT_GIVEN) -> Any:
        return ops.nanmedian(self, dim, keepdim)

    @accepts_axis
    def mode(self, dim: Any = -1, keepdim: Any = False) -> Any:
        return ops.mode(self, dim, keepdim)

    @accepts_axis
    def unique(
        self, sorted: Any = True, return_inverse: Any = False, return_counts: Any = False, dim: Any = None
    ) -> Any:
        return ops.unique(self, sorted, return_inverse, return_counts, dim)

    @accepts_axis
    def unique_consecutive(self, return_inverse: Any = False, return_counts: Any = False, dim: Any = None) -> Any:
        return ops.unique_consecutive(self, return_inverse, return_counts, dim)

    def bincount(self, weights: Any = None, minlength: Any = 0) -> Tensor:
        return ops.bincount(self, weights, minlength)

    def histc(self, bins: Any = 100, min: Any = 0, max: Any = 0) -> Tensor:
        return ops.histc(self, bins, min, max)

    def histogram(self, bins: Any, *, range: Any = None, weight: Any = None, density: Any = False) -> Any:
        return ops.histogram(self, bins, range=range, weight=weight, density=density)

    @accepts_axis
    def count_nonzero(self, dim: Any = None) -> Tensor:
        return ops.count_nonzero(self, dim)

    @accepts_axis
    def norm(self, p: Any = "fro", dim: Any = None, keepdim: Any = False, dtype: Any = None) -> Tensor:
        return ops.norm(self, p, dim, keepdim, dtype)

    def dist(self, other: Any, p: Any = 2) -> Tensor:
        return ops.dist(self, other, p)

    @accepts_axis
    def nansum(self, dim: Any = None, keepdim: Any = False, *, dtype: Any = None) -> Tensor:
        return ops.nansum(self, dim, keepdim, dtype=dtype)

    @accepts_axis
    def nanmean(self, dim: Any = None, keepdim: Any = False, *, dtype: Any = None) -> Tensor:
        return ops.nanmean(self, dim, keepdim, dtype=dtype)

    @accepts_axis
    def quantile(self, q: Any, dim: Any = None, keepdim: Any = False, *, interpolation: Any = "linear") -> Tensor:
        return ops.quantile(self, q, dim, keepdim, interpolation=interpolation)

    @accepts_axis
    def nanquantile(self, q: Any, dim: Any = None, keepdim: Any = False, *, interpolation: Any = "linear") -> Tensor:
        return ops.nanquantile(self, q, dim, keepdim, interpolation=interpolation)

    @accepts_axis
    def aminmax(self, *, dim: Any = None, keepdim: Any = False) -> Any:
        return ops.aminmax(self, dim=dim, keepdim=keepdim)

    def cov(self, *, correction: Any = 1, fweights: Any = None, aweights: Any = None) -> Tensor:
        return ops.cov(self, correction=correction, fweights=fweights, aweights=aweights)

    def corrcoef(self) -> Tensor:
        return ops.corrcoef(self)

    @accepts_axis
    def cumprod(self, dim: Any, *, dtype: Any = None) -> Tensor:
        return ops.cumprod(self, dim, dtype=dtype)

    @accepts_axis
    def cummax(self, dim: Any) -> Any:
        return ops.cummax(self, dim)

    @accepts_axis
    def cummin(self, dim: Any) -> Any:
        return ops.cummin(self, dim)

    @accepts_axis
    def logcumsumexp(self, dim: Any) -> Tensor:
        return ops.logcumsumexp(self, dim)

    @accepts_axis
    def diff(self, n: Any = 1, dim: Any = -1, prepend: Any = None, append: Any = None) -> Tensor:
        return ops.diff(self, n, dim, prepend, append)

    # ------------------------------------------------------------------------------------ matrix products

    def matmul(self, other: Tensor) -> Tensor:
        return ops.matmul(self, other)

    def mm(self, mat2: Tensor) -> Tensor:
        return ops.mm(self, mat2)

    def bmm(self, mat2: Tensor) -> Tensor:
        return ops.bmm(self, mat2)

    def mv(self, vec: Tensor) -> Tensor:
        return ops.mv(self, vec)

    def dot(self, tensor: Tensor) -> Tensor:
        return ops.dot(self, tensor)

    def outer(self, vec2: Tensor) -> Tensor:
        return ops.outer(self, vec2)

    @accepts_factors_in_front("beta", "alpha")
    def addmm(self, mat1: Tensor, mat2: Tensor, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        return ops.addmm(self, mat1, mat2, beta=beta, alpha=alpha)

    @accepts_factors_in_front("beta", "alpha")
    def baddbmm(self, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        return ops.baddbmm(self, batch1, batch2, beta=beta, alpha=alpha)

    @accepts_factors_in_front("beta", "alpha")
    def addbmm(self, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        return ops.addbmm(self, batch1, batch2, beta=beta, alpha=alpha)

    @accepts_factors_in_front("beta", "alpha")
    def addmv(self, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        return ops.addmv(self, mat, vec, beta=beta, alpha=alpha)

    @accepts_factors_in_front("beta", "alpha")
    def addr(self, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        return ops.addr(self, vec1, vec2, beta=beta, alpha=alpha)

    def ger(self, vec2: Any) -> Tensor:
        return ops.ger(self, vec2)

    def vdot(self, other: Any) -> Tensor:
        return ops.vdot(self, other)

    def inner(self, other: Any) -> Tensor:
        return ops.inner(self, other)

    def kron(self, other: Any) -> Tensor:
        return ops.kron(self, other)

    @accepts_axis
    def cross(self, other: Any, dim: Any = None) -> Tensor:
        return ops.cross(self, other, dim)

    def matrix_power(self, n: Any) -> Tensor:
        return ops.matrix_power(self, n)

    def trace(self) -> Tensor:
        return ops.trace(self)

    def diag(self, diagonal: Any = 0) -> Tensor:
        return ops.diag(self, diagonal)

    def diagonal(self, offset: Any = 0, dim1: Any = 0, dim2: Any = 1) -> Tensor:
        return ops.diagonal(self, offset, dim1, dim2)

    def diag_embed(self, offset: Any = 0, dim1: Any = -2, dim2: Any = -1) -> Tensor:
        return ops.diag_embed(self, offset, dim1, dim2)

    def diagflat(self, offset: Any = 0) -> Tensor:
        return ops.diagflat(self, offset)

    def tril(self, diagonal: Any = 0) -> Tensor:
        return ops.tril(self, diagonal)

    def triu(self, diagonal: Any = 0) -> Tensor:
        return ops.triu(self, diagonal)

    def inverse(self) -> Tensor:
        return ops.inverse(self)

    def det(self) -> Tensor:
        return ops.det(self)

    def logdet(self) -> Tensor:
        return ops.logdet(self)

    def slogdet(self) -> Any:
        return ops.slogdet(self)

    def cholesky(self, upper: Any = False) -> Tensor:
        return ops.cholesky(self, upper)

    def cholesky_solve(self, input2: Any, upper: Any = False) -> Tensor:
        return ops.cholesky_solve(self, input2, upper)

    def qr(self, some: Any = True) -> Any:
        return ops.qr(self, some)

    def svd(self, some: Any = True, compute_uv: Any = True) -> Any:
        return ops.svd(self, some, compute_uv)

    def pinverse(self, rcond: Any = 1e-15) -> Tensor:
        return ops.pinverse(self, rcond)

    def matrix_exp(self) -> Tensor:
        return ops.matrix_exp(self)

    def cholesky_inverse(self, upper: Any = False) -> Tensor:
        return ops.cholesky_inverse(self, upper)

    def lu(self, pivot: Any = True, get_infos: Any = False) -> Any:
        return ops.lu(self, pivot, get_infos)

    def lu_solve(self, LU_data: Any, LU_pivots: Any) -> Tensor:
        return ops.lu_solve(self, LU_data, LU_pivots)

    def triangular_solve(self, A: Any, upper: Any = True, transpose: Any = False, unitriangular: Any = False) -> Any:
        return ops.triangular_solve(self, A, upper, transpose, unitriangular)

    def geqrf(self) -> Any:
        return ops.geqrf(self)

    def orgqr(self, input2: Any) -> Tensor:
        return ops.orgqr(self, input2)

    def ormqr(self, input2: Any, input3: Any, left: Any = True, transpose: Any = False) -> Tensor:
        return ops.ormqr(self, input2, input3, left, transpose)

    # ------------------------------------------------------------------------------------ shapes

    def reshape(self, *sizes: Any, shape: Any = NOT_GIVEN) -> Tensor:
        return ops.reshape(self, *(sizes or _by_name(shape)))

    def view(self, *sizes: Any, size: Any = NOT_GIVEN, dtype: Any = NOT_GIVEN) -> Tensor:
        return ops.view(self, *(sizes or _by_name(size) or _by_name(dtype)))

    def permute(self, *order: Any, dims: Any = NOT_GIVEN) -> Tensor:
        return ops.permute(self, *(order or _by_name(dims)))

    def expand(self, *sizes: Any, size: Any = NOT_GIVEN, implicit: builtins.bool = False) -> Tensor:
        return ops.expand(self, *(sizes or _by_name(size)))

    def repeat(self, *sizes: Any, repeats: Any = NOT_GIVEN) -> Tensor:
        return ops.repeat(self, *(sizes or _by_name(repeats)))

    def tile(self, *given: Any, dims: Any = NOT_GIVEN) -> Tensor:
        if given:
            dims = given[0] if len(given) == 1 and isinstance(given[0], (tuple, list)) else given
        return ops.tile(self, dims)

    def flip(self, *given: Any, dims: Any = None) -> Tensor:
        return ops.flip(self, *given, dims=dims)

    def view_as(self, other: Tensor) -> Tensor:
        return ops.view_as(self, other)

    def reshape_as(self, other: Tensor) -> Tensor:
        return ops.reshape_as(self, other)

    def expand_as(self, other: Tensor) -> Tensor:
        return ops.expand_as(self, other)

    def broadcast_to(self, size: Any) -> Tensor:
        return ops.broadcast_to(self, size)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        return ops.flatten(self, start_dim, end_dim)

    @accepts_axis
    def unflatten(self, dim: int, sizes: Any) -> Tensor:
        return ops.unflatten(self, dim, sizes)

    def ravel(self) -> Tensor:
        return ops.ravel(self)

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        return ops.transpose(self, dim0, dim1)

    def swapaxes(self, axis0: int, axis1: int) -> Tensor:
        return ops.swapaxes(self, axis0, axis1)

    def swapdims(self, dim0: int, dim1: int) -> Tensor:
        return ops.swapdims(self, dim0, dim1)

    def movedim(self, source: Any, destination: Any) -> Tensor:
        return ops.movedim(self, source, destination)

    def moveaxis(self, source: Any, destination: Any) -> Tensor:
        return ops.moveaxis(self, source, destination)

    def t(self) -> Tensor:
        return ops.t(self)

    @property
    def T(self) -> Tensor:
        return ops.permute(self, *range(self._array.ndim)[::-1])

    @property
    def mT(self) -> Tensor:
        return ops.matrix_transpose(self)

    @property
    def mH(self) -> Tensor:
        return ops.adjoint(self)

    @property
    def H(self) -> Tensor:
        if self._array.ndim not in (0, 2):
            raise RuntimeError(
                f"tensor.H is only supported on matrices (2-D tensors). Got {self._array.ndim}-D tensor."
            )
        return ops.conj(ops.t(self))

    def adjoint(self) -> Tensor:
        return ops.adjoint(self)

    @accepts_axis
    def squeeze(self, dim: Any = NOT_GIVEN) -> Tensor:
        return ops.squeeze(self, dim)

    @accepts_axis
    def unsqueeze(self, dim: int) -> Tensor:
        return ops.unsqueeze(self, dim)

    @accepts_axis
    def split(self, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
        return ops.split(self, split_size, dim)

    @accepts_axis
    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        return ops.chunk(self, chunks, dim)

    @accepts_axis
    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]:
        return ops.unbind(self, dim)

    @accepts_axis
    def narrow(self, dim: int, start: Any, length: int) -> Tensor:
        return ops.narrow(self, dim, start, length)

    @accepts_axis
    def select(self, dim: int, index: int) -> Tensor:
        return ops.select(self, dim, index)

    def contiguous(self, memory_format: Any = None) -> Tensor:
        return ops.contiguous(self, memory_format)

    def is_contiguous(self, memory_format: Any = None) -> bool:
        return ops.is_contiguous(self, memory_format)

    def clone(self, *, memory_format: Any = None) -> Tensor:
        return ops.clone(self, memory_format=memory_format)

    @accepts_axis
    def repeat_interleave(self, repeats: Any = None, dim: Any = None, *, output_size: Any = None) -> Tensor:
        return ops.repeat_interleave(self, repeats, dim, output_size=output_size)

    def roll(self, shifts: Any, dims: Any = None) -> Tensor:
        return ops.roll(self, shifts, dims)

    def rot90(self, k: Any = 1, dims: Any = (0, 1)) -> Tensor:
        return ops.rot90(self, k, dims)

    def fliplr(self) -> Tensor:
        return ops.fliplr(self)

    def flipud(self) -> Tensor:
        return ops.flipud(self)

    def unfold(self, dimension: Any, size: Any, step: Any) -> Tensor:
        return ops.unfold(self, dimension, size, step)

    def as_strided(self, size: Any, stride: Any, storage_offset: Any = None) -> Tensor:
        return ops.as_strided(self, size, stride, storage_offset)

    @accepts_axis
    def tensor_split(self, indices_or_sections: Any = NOT_GIVEN, dim: Any = 0, **named: Any) -> tuple[Tensor, ...]:
        return ops.tensor_split(self, indices_or_sections, dim, **named)

    @accepts_axis
    def split_with_sizes(self, split_sizes: Any, dim: Any = 0) -> tuple[Tensor, ...]:
        return ops.split_with_sizes(self, split_sizes, dim)

    def hsplit(self, indices_or_sections: Any = NOT_GIVEN, **named: Any) -> tuple[Tensor, ...]:
        return ops.hsplit(self, indices_or_sections, **named)

    def vsplit(self, indices_or_sections: Any = NOT_GIVEN, **named: Any) -> tuple[Tensor, ...]:
        return ops.vsplit(self, indices_or_sections, **named)

    def dsplit(self, indices_or_sections: Any = NOT_GIVEN, **named: Any) -> tuple[Tensor, ...]:
        return ops.dsplit(self, indices_or_sections, **named)

    def as_strided_scatter(self, src: Any, size: Any, stride: Any, storage_offset: Any = None) -> Tensor:
        return ops.as_strided_scatter(self, src, size, stride, storage_offset)

    def narrow_copy(self, dim: int, start: Any, length: int) -> Tensor:
        return ops.narrow_copy(self, dim, start, length)

    @accepts_axis
    def unsafe_chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        return ops.unsafe_chunk(self, chunks, dim)

    @accepts_axis
    def unsafe_split(self, split_size: int, dim: int = 0) -> tuple[Tensor, ...]:
        return ops.unsafe_split(self, split_size, dim)

    @accepts_axis
    def unsafe_split_with_sizes(self, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
        return ops.unsafe_split_with_sizes(self, split_sizes, dim)

    def hash_tensor(self, dim: Any = (), keepdim: bool = False, *, mode: int = 0) -> Tensor:
        return ops.hash_tensor(self, dim, keepdim, mode=mode)

    # ------------------------------------------------------------------------------------ picking and placing

    @accepts_axis
    def gather(self, dim: int, index: Tensor, *, sparse_grad: builtins.bool = False) -> Tensor:
        return ops.gather(self, dim, index, sparse_grad=sparse_grad)

    @accepts_axis
    def index_select(self, dim: int, index: Tensor) -> Tensor:
        return ops.index_select(self, dim, index)

    def index_put(self, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
        return ops.index_put(self, indices, values, accumulate)

    @accepts_axis
    def take_along_dim(self, indices: Tensor, dim: int | None = None) -> Tensor:
        return ops.take_along_dim(self, indices, dim)

    def nonzero(self, *, as_tuple: bool = False) -> Any:
        return ops.nonzero(self, as_tuple=as_tuple)

    def nonzero_static(self, *, size: Any, fill_value: Any = -1) -> Tensor:
        return ops.nonzero_static(self, size=size, fill_value=fill_value)

    def argwhere(self) -> Tensor:
        return ops.argwhere(self)

    @accepts_axis
    def scatter(
        self, dim: Any, index: Any, src: Any = NOT_GIVEN, *, value: Any = NOT_GIVEN, reduce: Any = NOT_GIVEN
    ) -> Tensor:
        return ops.scatter(self, dim, index, src, value=value, reduce=reduce)

    @accepts_axis
    def scatter_add(self, dim: Any, index: Any, src: Any) -> Tensor:
        return ops.scatter_add(self, dim, index, src)

    @accepts_axis
    def scatter_reduce(self, dim: Any, index: Any, src: Any, reduce: Any, *, include_self: Any = True) -> Tensor:
        return ops.scatter_reduce(self, dim, index, src, reduce, include_self=include_self)

    @accepts_axis
    def index_add(self, dim: Any, index: Any, source: Any, *, alpha: Any = 1) -> Tensor:
        return ops.index_add(self, dim, index, source, alpha=alpha)

    @accepts_axis
    def index_copy(self, dim: Any, index: Any, source: Any) -> Tensor:
        return ops.index_copy(self, dim, index, source)

    @accepts_axis
    def index_fill(self, dim: Any, index: Any, value: Any) -> Tensor:
        return ops.index_fill(self, dim, index, value)

    def masked_select(self, mask: Any) -> Tensor:
        return ops.masked_select(self, mask)

    def masked_scatter(self, mask: Any, source: Any) -> Tensor:
        return ops.masked_scatter(self, mask, source)

    def take(self, index: Any) -> Tensor:
        return ops.take(self, index)

    def put(self, index: Any, source: Any, accumulate: Any = False) -> Tensor:
        return ops.put(self, index, source, accumulate)

    @accepts_axis
    def select_scatter(self, src: Any, dim: Any, index: Any) -> Tensor:
        return ops.select_scatter(self, src, dim, index)

    @accepts_axis
    def slice_scatter(self, src: Any, dim: Any = 0, start: Any = None, end: Any = None, step: Any = 1) -> Tensor:
        return ops.slice_scatter(self, src, dim, start, end, step)

    def diagonal_scatter(self, src: Any, offset: Any = 0, dim1: Any = 0, dim2: Any = 1) -> Tensor:
        return ops.diagonal_scatter(self, src, offset, dim1, dim2)

    @accepts_axis
    def index_reduce(self, dim: Any, index: Any, source: Any, reduce: Any, *, include_self: Any = True) -> Tensor:
        return ops.index_reduce(self, dim, index, source, reduce, include_self=include_self)

    @accepts_axis
    def renorm(self, p: Any, dim: Any, maxnorm: Any) -> Tensor:
        return ops.renorm(self, p, dim, maxnorm)

    # ------------------------------------------------------------------------------------ sizes and types

    def size(self, dim: int | None = None) -> Any:
        if dim is None:
            return self.shape
        shape = self._array.shape
        if not shape:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        return shape[one_dim(dim, len(shape))]

    def stride(self, dim: int | None = None) -> Any:
        ops.restore_row_major(self)
        strides = ops.reported_strides(self._array)
        return strides if dim is None else strides[one_dim(dim, len(strides))]

    def dim(self) -> int:
        return self._array.ndim

    def ndimension(self) -> int:
        return self._array.ndim

    def numel(self) -> int:
        return self._array.size

    def nelement(self) -> int:
        return self._array.size

    def untyped_storage(self) -> Any:
        return ops.untyped_storage(self)

    def storage(self) -> Any:
        return ops.typed_storage(self)

    def storage_type(self) -> Any:
        return storage_type(self)

    def is_set_to(self, tensor: Tensor) -> builtins.bool:
        return ops.is_set_to(self, tensor)

    def dim_order(self) -> tuple[builtins.int, ...]:
        return ops.dim_order(self)

    def element_size(self) -> int:
        return self._array.itemsize

    def is_floating_point(self) -> bool:
        return self._array.dtype.kind in FLOATS

    def is_complex(self) -> bool:
        return self._array.dtype.kind == "c"

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        return ops.to(self, *args, **kwargs)

    def cpu(self, memory_format: Any = None) -> Any:
        return self

    def cuda(self, *args: Any, **kwargs: Any) -> Tensor:
        return ops.to(self, "cuda")

    def type_as(self, other: Tensor) -> Tensor:
        return ops.to(self, other.dtype)

    def float(self, memory_format: Any = None) -> Tensor:
        return ops.in_dtype(self, dtypes.float32, memory_format)

    def double(self, memory_format: Any = None) -> Tensor:
        return ops.in_dtype(self, dtypes.float64, memory_format)

    def half(self, memory_format: Any = None) -> Tensor:
        return ops.in_dtype(self, dtypes.float16, memory_format)

    def bfloat16(self, memory_format: Any = None) -> Tensor:
        return ops.in_dtype(self, dtypes.bfloat16, memory_format)

    def cfloat(self, memory_format: Any = None) -> Tensor:
        return ops.in_dtype(self, dtypes.complex64, memory_format)

    def cdouble(self, memory_format: Any = None) -> Tensor:
        return ops.in_dtype(self, dtypes.complex128, memory_format)

    def chalf(self) -> Tensor:
        raise NotImplementedError("NumPy has no complex numbers of half precision (complex32): use cfloat().")

    def long(self, memory_format: Any = None) -> Tensor:
        return ops.in_dtype(self, dtypes.int64, memory_format)

    def int(self, memory_format: Any = None) -> Tensor:
        return ops.in_dtype(self, dtypes.int32, memory_format)

    def short(self, memory_format: Any = None) -> Tensor:
        return ops.in_dtype(self, dtypes.int16, memory_format)

    def char(self, memory_format: Any = None) -> Tensor:
        return ops.in_dtype(self, dtypes.int8, memory_format)

    def byte(self, memory_format: Any = None) -> Tensor:
        return ops.in_dtype(self, dtypes.uint8, memory_format)

    def bool(self, memory_format: Any = None) -> Tensor:
        return ops.in_dtype(self, dtypes.bool_, memory_format)

    # ------------------------------------------------------------------------------------ dense, and not quantized

    def to_dense(self, dtype: Any = None, *, masked_grad: Any = None) -> Tensor:
        return self if dtype is None else ops.to(self, dtype)

    def dequantize(self) -> Tensor:
        return ops.to(self, dtypes.float32)

    def sparse_dim(self) -> builtins.int:
        return 0

    def dense_dim(self) -> builtins.int:
        return self._array.ndim

    def is_distributed(self) -> builtins.bool:
        return False

    def to_sparse(self, sparse_dim: Any = NOT_GIVEN, *, layout: Any = None) -> Any:
        return ops.to_sparse(self, sparse_dim, layout=layout)

    def to_sparse_coo(self) -> Any:
        return ops.to_sparse(self)

    def to_sparse_csr(self, dense_dim: Any = None) -> Any:
        return ops.to_sparse(self, layout="sparse_csr")

    def to_sparse_csc(self, dense_dim: Any = None) -> Any:
        return ops.to_sparse(self, layout="sparse_csc")

    def to_sparse_bsr(self, blocksize: Any, dense_dim: Any = None) -> Any:
        return ops.to_sparse(self, layout="sparse_bsr")

    def to_sparse_bsc(self, blocksize: Any, dense_dim: Any = None) -> Any:
        return ops.to_sparse(self, layout="sparse_bsc")

    def is_coalesced(self) -> Any:
        return ops.only_sparse("is_coalesced")

    def coalesce(self) -> Any:
        return ops.only_sparse("coalesce")

    def indices(self) -> Any:
        return ops.only_sparse("indices")

    def values(self) -> Any:
        return ops.only_sparse("values")

    # ------------------------------------------------------------------------------------ new tensors like this one

    def new(self, *args: Any, device: Any = None) -> Tensor:
        return construct(args, self.dtype, device)

    def new_zeros(self, *size: Any, dtype: Any = None, **options: Any) -> Tensor:
        return ops.zeros(*size, dtype=self.dtype if dtype is None else dtype, **options)

    def new_ones(self, *size: Any, dtype: Any = None, **options: Any) -> Tensor:
        return ops.ones(*size, dtype=self.dtype if dtype is None else dtype, **options)

    def new_empty(self, *size: Any, dtype: Any = None, **options: Any) -> Tensor:
        return ops.empty(*size, dtype=self.dtype if dtype is None else dtype, **options)

    def new_empty_strided(self, size: Any, stride: Any, dtype: Any = None, **options: Any) -> Tensor:
        return ops.empty_strided(size, stride, dtype=self.dtype if dtype is None else dtype, **options)

    def new_full(self, size: Any, fill_value: Any, dtype: Any = None, **options: Any) -> Tensor:
        return ops.full(size, fill_value, dtype=self.dtype if dtype is None else dtype, **options)

    def new_tensor(self, data: Any, dtype: Any = None, **options: Any) -> Tensor:
        return ops.tensor(data, dtype=self.dtype if dtype is None else dtype, **options)

    # ------------------------------------------------------------------------------------ in place

    def add_(self, other: Any, second: Any = None, *, alpha: Any = 1) -> Tensor:
        if second is not None:  # the old order: the factor in front
            other, alpha = second, other
        return change_in_place(self, ops.add, other, alpha=alpha)

    def sub_(self, other: Any, second: Any = None, *, alpha: Any = 1) -> Tensor:
        if second is not None:  # the old order: the factor in front
            other, alpha = second, other
        return change_in_place(self, ops.sub, other, alpha=alpha)

    def mul_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.mul, other)

    def floor_divide_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.floor_divide, other)

    def remainder_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.remainder, other)

    def fmod_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.fmod, other)

    def div_(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        return change_in_place(self, ops.div, other, rounding_mode=rounding_mode)

    def pow_(self, exponent: Any) -> Tensor:
        return change_in_place(self, ops.pow, exponent)

    def neg_(self) -> Tensor:
        return change_in_place(self, ops.neg)

    def reciprocal_(self) -> Tensor:
        return change_in_place(self, ops.reciprocal)

    def square_(self) -> Tensor:
        return change_in_place(self, ops.square)

    def exp_(self) -> Tensor:
        return change_in_place(self, ops.exp)

    def log_(self) -> Tensor:
        return change_in_place(self, ops.log)

    def sqrt_(self) -> Tensor:
        return change_in_place(self, ops.sqrt)

    def rsqrt_(self) -> Tensor:
        return change_in_place(self, ops.rsqrt)

    def abs_(self) -> Tensor:
        if self.is_complex():
            raise RuntimeError("In-place abs is not supported for complex tensors.")
        return change_in_place(self, ops.abs)

    def sign_(self) -> Tensor:
        return change_in_place(self, ops.sign)

    def sin_(self) -> Tensor:
        return change_in_place(self, ops.sin)

    def cos_(self) -> Tensor:
        return change_in_place(self, ops.cos)

    def tanh_(self) -> Tensor:
        return change_in_place(self, ops.tanh)

    def sigmoid_(self) -> Tensor:
        return change_in_place(self, ops.sigmoid)

    def relu_(self) -> Tensor:
        return change_in_place(self, ops.relu)

    def floor_(self) -> Tensor:
        return change_in_place(self, ops.floor)

    def ceil_(self) -> Tensor:
        return change_in_place(self, ops.ceil)

    def trunc_(self) -> Tensor:
        return change_in_place(self, ops.trunc)

    def round_(self, *, decimals: Any = NOT_GIVEN) -> Tensor:
        return change_in_place(self, ops.round, decimals=decimals)

    def clamp_(self, min: Any = None, max: Any = None) -> Tensor:
        return change_in_place(self, ops.clamp, min, max)

    def clamp_min_(self, min: Any) -> Tensor:
        return change_in_place(self, ops.clamp_min, min)

    def clamp_max_(self, max: Any) -> Tensor:
        return change_in_place(self, ops.clamp_max, max)

    def zero_(self) -> Tensor:
        return change_in_place(self, ops.fill, 0)

    def fill_(self, value: Any) -> Tensor:
        return change_in_place(self, ops.fill, value)

    def copy_(self, other: Tensor, non_blocking: builtins.bool = False) -> Tensor:
        return change_in_place(self, ops.copy, other)

    def uniform_(
        self, from_: builtins.float = 0.0, to: builtins.float = 1.0, *, generator: Any = None, **legacy: Any
    ) -> Tensor:
        return ops.uniform_(self, _from(legacy, from_), to, generator)

    def normal_(self, mean: builtins.float = 0.0, std: builtins.float = 1.0, *, generator: Any = None) -> Tensor:
        return ops.normal_(self, mean, std, generator)

    def random_(
        self, from_: builtins.int | None = None, to: builtins.int | None = None, *, generator: Any = None, **legacy: Any
    ) -> Tensor:
        return ops.random_(self, _from(legacy, from_), to, generator)

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Tensor:
        return ops.bernoulli_(self, p, generator)

    def exponential_(self, lambd: builtins.float = 1.0, *, generator: Any = None) -> Tensor:
        return ops.exponential_(self, lambd, generator)

    def geometric_(self, p: builtins.float, *, generator: Any = None) -> Tensor:
        return ops.geometric_(self, p, generator)

    def cauchy_(self, median: builtins.float = 0.0, sigma: builtins.float = 1.0, *, generator: Any = None) -> Tensor:
        return ops.cauchy_(self, median, sigma, generator)

    def log_normal_(self, mean: builtins.float = 1.0, std: builtins.float = 2.0, *, generator: Any = None) -> Tensor:
        return ops.log_normal_(self, mean, std, generator)

    def bernoulli(self, p: Any = None, *, generator: Any = None) -> Tensor:
        return ops.bernoulli(self, p, generator=generator)

    def multinomial(
        self, num_samples: builtins.int, replacement: builtins.bool = False, *, generator: Any = None
    ) -> Tensor:
        return ops.multinomial(self, num_samples, replacement, generator=generator)

    def index_put_(self, indices: Any, values: Tensor, accumulate: builtins.bool = False) -> Tensor:
        return change_in_place(self, ops.index_put, indices, values, accumulate)

    def masked_fill_(self, mask: Tensor, value: Any) -> Tensor:
        return change_in_place(self, ops.masked_fill, mask, value)

    def asin_(self) -> Tensor:
        return change_in_place(self, ops.asin)

    def acos_(self) -> Tensor:
        return change_in_place(self, ops.acos)

    def atan_(self) -> Tensor:
        return change_in_place(self, ops.atan)

    def sinh_(self) -> Tensor:
        return change_in_place(self, ops.sinh)

    def cosh_(self) -> Tensor:
        return change_in_place(self, ops.cosh)

    def asinh_(self) -> Tensor:
        return change_in_place(self, ops.asinh)

    def acosh_(self) -> Tensor:
        return change_in_place(self, ops.acosh)

    def atanh_(self) -> Tensor:
        return change_in_place(self, ops.atanh)

    def arcsin_(self) -> Tensor:
        return change_in_place(self, ops.arcsin)

    def arccos_(self) -> Tensor:
        return change_in_place(self, ops.arccos)

    def arctan_(self) -> Tensor:
        return change_in_place(self, ops.arctan)

    def atan2_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.atan2, other)

    def hypot_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.hypot, other)

    def sinc_(self) -> Tensor:
        return change_in_place(self, ops.sinc)

    def deg2rad_(self) -> Tensor:
        return change_in_place(self, ops.deg2rad)

    def rad2deg_(self) -> Tensor:
        return change_in_place(self, ops.rad2deg)

    def erf_(self) -> Tensor:
        return change_in_place(self, ops.erf)

    def erfc_(self) -> Tensor:
        return change_in_place(self, ops.erfc)

    def erfinv_(self) -> Tensor:
        return change_in_place(self, ops.erfinv)

    def lgamma_(self) -> Tensor:
        return change_in_place(self, ops.lgamma)

    def digamma_(self) -> Tensor:
        return change_in_place(self, ops.digamma)

    def polygamma_(self, n: Any) -> Tensor:
        return change_in_place(self, lambda x: ops.polygamma(n, x))

    def mvlgamma_(self, p: Any) -> Tensor:
        return change_in_place(self, ops.mvlgamma, p)

    def nextafter_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.nextafter, other)

    def i0_(self) -> Tensor:
        return change_in_place(self, ops.i0)

    def igamma_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.igamma, other)

    def igammac_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.igammac, other)

    def logit_(self, eps: Any = None) -> Tensor:
        return change_in_place(self, ops.logit, eps)

    def xlogy_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.xlogy, other)

    def lerp_(self, end: Any, weight: Any) -> Tensor:
        return change_in_place(self, ops.lerp, end, weight)

    @accepts_factors_in_front("value")
    def addcmul_(self, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Tensor:
        return change_in_place(self, ops.addcmul, tensor1, tensor2, value=value)

    @accepts_factors_in_front("value")
    def addcdiv_(self, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Tensor:
        return change_in_place(self, ops.addcdiv, tensor1, tensor2, value=value)

    def copysign_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.copysign, other)

    def nan_to_num_(self, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
        return change_in_place(self, ops.nan_to_num, nan, posinf, neginf)

    def float_power_(self, exponent: Any) -> Tensor:
        return change_in_place(self, ops.float_power_of_double, exponent)

    def ldexp_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.ldexp, other)

    def gcd_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.gcd, other)

    def lcm_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.lcm, other)

    def bitwise_and_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.bitwise_and, other)

    def bitwise_or_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.bitwise_or, other)

    def bitwise_xor_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.bitwise_xor, other)

    def bitwise_not_(self) -> Tensor:
        return change_in_place(self, ops.bitwise_not)

    def bitwise_left_shift_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.bitwise_left_shift, other)

    def bitwise_right_shift_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.bitwise_right_shift, other)

    def exp2_(self) -> Tensor:
        return change_in_place(self, ops.exp2)

    def expm1_(self) -> Tensor:
        return change_in_place(self, ops.expm1)

    def log2_(self) -> Tensor:
        return change_in_place(self, ops.log2)

    def log10_(self) -> Tensor:
        return change_in_place(self, ops.log10)

    def log1p_(self) -> Tensor:
        return change_in_place(self, ops.log1p)

    def tan_(self) -> Tensor:
        return change_in_place(self, ops.tan)

    def frac_(self) -> Tensor:
        return change_in_place(self, ops.frac)

    def fix_(self) -> Tensor:
        return change_in_place(self, ops.fix)

    def clip_(self, min: Any = None, max: Any = None) -> Tensor:
        return change_in_place(self, ops.clip, min, max)

    def absolute_(self) -> Tensor:
        return self.abs_()

    def negative_(self) -> Tensor:
        return change_in_place(self, ops.negative)

    def subtract_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        return change_in_place(self, ops.subtract, other, alpha=alpha)

    def multiply_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.multiply, other)

    def divide_(self, other: Any, *, rounding_mode: Any = None) -> Tensor:
        return change_in_place(self, ops.divide, other, rounding_mode=rounding_mode)

    def true_divide_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.true_divide, other)

    def eq_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.compared, other, np.equal)

    def ne_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.compared, other, np.not_equal)

    def lt_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.compared, other, np.less)

    def le_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.compared, other, np.less_equal)

    def gt_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.compared, other, np.greater)

    def ge_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.compared, other, np.greater_equal)

    def logical_and_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.logical_and, other)

    def logical_or_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.logical_or, other)

    def logical_xor_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.logical_xor, other)

    def logical_not_(self) -> Tensor:
        return change_in_place(self, ops.logical_not)

    @accepts_axis
    def cumsum_(self, dim: Any, *, dtype: Any = None) -> Tensor:
        return change_in_place(self, ops.cumsum, dim, dtype=dtype)

    @accepts_axis
    def scatter_(
        self, dim: Any, index: Any, src: Any = NOT_GIVEN, *, value: Any = NOT_GIVEN, reduce: Any = NOT_GIVEN
    ) -> Tensor:
        return change_in_place(self, ops.scatter, dim, index, src, value=value, reduce=reduce)

    @accepts_axis
    def scatter_add_(self, dim: Any, index: Any, src: Any) -> Tensor:
        return change_in_place(self, ops.scatter_add, dim, index, src)

    @accepts_axis
    def scatter_reduce_(self, dim: Any, index: Any, src: Any, reduce: Any, *, include_self: Any = True) -> Tensor:
        return change_in_place(self, ops.scatter_reduce, dim, index, src, reduce, include_self=include_self)

    @accepts_axis
    def index_add_(self, dim: Any, index: Any, source: Any, *, alpha: Any = 1) -> Tensor:
        return change_in_place(self, ops.index_add, dim, index, source, alpha=alpha)

    @accepts_axis
    def index_copy_(self, dim: Any, index: Any, source: Any) -> Tensor:
        return change_in_place(self, ops.index_copy, dim, index, source)

    @accepts_axis
    def index_fill_(self, dim: Any, index: Any, value: Any) -> Tensor:
        return change_in_place(self, ops.index_fill, dim, index, value)

    def masked_scatter_(self, mask: Any, source: Any) -> Tensor:
        return change_in_place(self, ops.masked_scatter, mask, source)

    def put_(self, index: Any, source: Any, accumulate: Any = False) -> Tensor:
        return change_in_place(self, ops.put, index, source, accumulate)

    @accepts_factors_in_front("beta", "alpha")
    def addmm_(self, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        return change_in_place(self, ops.addmm, mat1, mat2, beta=beta, alpha=alpha)

    @accepts_factors_in_front("beta", "alpha")
    def baddbmm_(self, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        return change_in_place(self, ops.baddbmm, batch1, batch2, beta=beta, alpha=alpha)

    @accepts_factors_in_front("beta", "alpha")
    def addbmm_(self, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        return change_in_place(self, ops.addbmm, batch1, batch2, beta=beta, alpha=alpha)

    @accepts_factors_in_front("beta", "alpha")
    def addmv_(self, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        return change_in_place(self, ops.addmv, mat, vec, beta=beta, alpha=alpha)

    @accepts_factors_in_front("beta", "alpha")
    def addr_(self, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Tensor:
        return change_in_place(self, ops.addr, vec1, vec2, beta=beta, alpha=alpha)

    def tril_(self, diagonal: Any = 0) -> Tensor:
        return change_in_place(self, ops.tril, diagonal)

    def triu_(self, diagonal: Any = 0) -> Tensor:
        return change_in_place(self, ops.triu, diagonal)

    @accepts_axis
    def cumprod_(self, dim: Any, *, dtype: Any = None) -> Tensor:
        return change_in_place(self, ops.cumprod, dim, dtype=dtype)

    def t_(self) -> Tensor:
        return ops.t_(self)

    def transpose_(self, dim0: Any, dim1: Any) -> Tensor:
        return ops.transpose_(self, dim0, dim1)

    def swapaxes_(self, axis0: Any, axis1: Any) -> Tensor:
        return ops.transpose_(self, axis0, axis1)

    def swapdims_(self, dim0: Any, dim1: Any) -> Tensor:
        return ops.transpose_(self, dim0, dim1)

    @accepts_axis
    def squeeze_(self, dim: Any = NOT_GIVEN) -> Tensor:
        return ops.squeeze_(self, dim)

    @accepts_axis
    def unsqueeze_(self, dim: Any) -> Tensor:
        return ops.unsqueeze_(self, dim)

    def arccosh_(self) -> Tensor:
        return change_in_place(self, ops.arccosh)

    def arcsinh_(self) -> Tensor:
        return change_in_place(self, ops.arcsinh)

    def arctanh_(self) -> Tensor:
        return change_in_place(self, ops.arctanh)

    def arctan2_(self, other: Any) -> Tensor:
        return change_in_place(self, ops.arctan2, other)

    def heaviside_(self, values: Any) -> Tensor:
        return change_in_place(self, ops.heaviside, values)

    @accepts_axis
    def index_reduce_(self, dim: Any, index: Any, source: Any, reduce: Any, *, include_self: Any = True) -> Tensor:
        return change_in_place(self, ops.index_reduce, dim, index, source, reduce, include_self=include_self)

    @accepts_axis
    def renorm_(self, p: Any, dim: Any, maxnorm: Any) -> Tensor:
        return change_in_place(self, ops.renorm, p, dim, maxnorm)

    def as_strided_(self, size: Any, stride: Any, storage_offset: Any = None) -> Tensor:
        return ops.as_strided_(self, size, stride, storage_offset)

    def resize_(self, *sizes: Any, size: Any = NOT_GIVEN, memory_format: Any = None) -> Tensor:
        return ops.resize_(self, *(sizes or _by_name(size)), memory_format=memory_format)

    def resize_as_(self, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
        return ops.resize_as_(self, the_template, memory_format=memory_format)

    def set_(self, source: Any = NOT_GIVEN, storage_offset: Any = 0, size: Any = None, stride: Any = None) -> Tensor:
        return ops.set_(self, source, storage_offset, size, stride)

    def apply_(self, callable: Any) -> Tensor:
        return ops.apply_(self, callable)

    def map_(self, tensor: Tensor, callable: Any) -> Tensor:
        return ops.map_(self, tensor, callable)

    def map2_(self, x: Tensor, y: Tensor, callable: Any) -> Tensor:
        return ops.map2_(self, x, y, callable)

    def greater_(self, other: Any) -> Tensor:
        return self.gt_(other)

    def greater_equal_(self, other: Any) -> Tensor:
        return self.ge_(other)

    def less_(self, other: Any) -> Tensor:
        return self.lt_(other)

    def less_equal_(self, other: Any) -> Tensor:
        return self.le_(other)

    def not_equal_(self, other: Any) -> Tensor:
        return self.ne_(other)

    def fill_diagonal_(self, fill_value: Any, wrap: Any = False) -> Tensor:
        return change_in_place(self, ops.fill_diagonal, fill_value, wrap)


def _by_name(value: Any) -> tuple[Any, ...]:
    """Sizes given by keyword, ``view(size=(2, 3))``, as if they were the only positional argument; () if not given."""
    return () if value is NOT_GIVEN else (value,)


def _from(keywords: dict[str, Any], otherwise: Any) -> Any:
    """PyTorch's keyword ``from``, which is a reserved word here."""
    for key in keywords:
        if key != "from":
            raise TypeError(f"got an unexpected keyword argument '{key}'")
    return keywords.get("from", otherwise)


def _reflected(op: Any, other: Any, tensor: Any) -> Any:
    """A reflected operator that is called by its name; Python itself calls them only for tensors and numbers."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"reflected operators are methods of Tensor, not of '{type(tensor).__name__}'")
    return op(other, tensor) if isinstance(other, Tensor) else NotImplemented


#: What Python's operators take beside a tensor; for anything else Python asks the other side, then raises.
_OPERANDS: Any = (Tensor, int, float, complex, np.generic)
_NUMBERS: Any = (int, float, complex, np.generic)


# Ops make Tensors, so they can load only now that the class exists (see the end of tensor_base).
from tinytorch import ops  # noqa: E402
from tinytorch.autograd.inplace import change_in_place  # noqa: E402
from tinytorch.legacy import construct, storage_type  # noqa: E402
from tinytorch.ops.dims import one_dim  # noqa: E402, sizes_from
