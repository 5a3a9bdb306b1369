"""Complex numbers: taking them apart, and putting them together.

None of these is complex-differentiable, so they follow PyTorch's convention for gradients themselves: the gradient of a
real loss L with respect to z = x + iy is ``∂L/∂x + i ∂L/∂y`` (see :mod:`tinytorch.autograd.engine`). Then::

    y = conj z       ∂L/∂z = conj(grad)
    y = Re z         ∂L/∂z = grad
    y = Im z         ∂L/∂z = i · grad
    y = |z|          ∂L/∂z = grad · z / |z|                         along the ray through z
    y = arg z        ∂L/∂z = grad · i z / |z|²                      across it
    y = z / |z|      ∂L/∂z = (grad - Re(grad · conj y) · y) / |z|   what of grad lies across it

PyTorch conjugates lazily, by a mark on the tensor; here ``conj`` computes, so no tensor ever has such a mark.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import FLOATS, from_numpy_dtype
from tinytorch.kernels.half import is_half
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.broadcast import Elementwise, to_float
from tinytorch.ops.checks import check_tensor, type_name
from tinytorch.ops.out import accepts_exact_out, accepts_out, write_out
from tinytorch.ops.rounding import Step, sign
from tinytorch.tensor import Tensor

__all__ = ["adjoint", "angle", "complex", "conj", "conj_physical", "imag", "is_conj", "is_neg", "polar", "real",
           "resolve_conj", "resolve_neg", "sgn", "view_as_complex", "view_as_real"]  # fmt: skip


class Conj(Elementwise):
    """y = conj z; z receives conj(grad)."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, z: np.ndarray) -> np.ndarray:
        return np.conjugate(z)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Conj.apply(grad)


class Real(Primitive):
    """y = Re z, a view; z receives grad, as a complex number."""

    returns_view = True

    @staticmethod
    def forward(ctx: Any, z: np.ndarray) -> np.ndarray:
        return z.real

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad  # the engine makes it complex


class Imag(Primitive):
    """y = Im z, a view; z receives i · grad."""

    returns_view = True

    @staticmethod
    def forward(ctx: Any, z: np.ndarray) -> np.ndarray:
        return z.imag

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * 1j


def real_pairs(z: np.ndarray) -> np.ndarray:
    """Complex numbers as pairs (..., 2) of real ones in the same memory; real numbers as they are."""
    if z.dtype.kind != "c":
        return z
    parts = z.real
    return np.lib.stride_tricks.as_strided(parts, (*z.shape, 2), (*z.strides, parts.itemsize))


class ViewAsReal(Primitive):
    """(..., 2) with real and imaginary parts side by side, a view."""

    returns_view = True

    @staticmethod
    def forward(ctx: Any, z: np.ndarray) -> np.ndarray:
        return real_pairs(z)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return ops.complex(grad.select(-1, 0), grad.select(-1, 1))


class ViewAsComplex(Primitive):
    """(...) of complex numbers from pairs (..., 2), a view."""

    returns_view = True
    complex_backward = True

    @staticmethod
    def forward(ctx: Any, pairs: np.ndarray) -> np.ndarray:
        return pairs.view(from_numpy_dtype(pairs.dtype).to_complex().numpy)[..., 0]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return ops.stack([real(grad), imag(grad)], -1)


class Complex(Elementwise):
    """y = a + ib; a receives Re grad, b Im grad."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        y = np.empty(np.broadcast_shapes(a.shape, b.shape), from_numpy_dtype(a.dtype).to_complex().numpy)
        y.real, y.imag = a, b
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        return real(grad), imag(grad)


class Angle(Elementwise):
    """y = arg z; z receives grad · i z / |z|², and 0 at 0."""

    @staticmethod
    def forward(ctx: Any, z: np.ndarray) -> np.ndarray:
        ctx.save_for_backward(z)
        return np.angle(z)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (z,) = ctx.saved_tensors
        size = ops.abs(z)
        zero = size == 0
        return sgn(z) * ops.where(zero, 0.0, grad / ops.where(zero, 1.0, size)) * 1j


class Sgn(Elementwise):
    """y = z / |z|, 0 at 0; z receives (grad - Re(grad · conj y) · y) / |z|, and 0 at 0."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, z: np.ndarray) -> np.ndarray:
        size = np.abs(z)
        y = np.divide(z, np.where(size == 0, size.dtype.type(1), size))
        ctx.save_for_backward(z, y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        z, y = ctx.saved_tensors
        size = ops.abs(z)
        across = grad - y * real(grad * conj(y))
        return ops.where(size == 0, 0.0, across / ops.where(size == 0, 1.0, size))


@checks_arguments
def conj(input: Tensor) -> Tensor:
    """The complex conjugate; a real tensor itself (``torch.conj``). The result has memory of its own."""
    return Conj.apply(input) if input._array.dtype.kind == "c" else input


@accepts_exact_out
def conj_physical(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The complex conjugate, computed; a real tensor itself (``torch.conj_physical``)."""
    return conj(input)


@checks_arguments
def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: conjugation is never pending here."""
    return input


@checks_arguments
def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: negation is never pending here."""
    return input


def is_conj(input: Tensor) -> bool:
    """False: conjugation is never pending here."""
    return False


def is_neg(input: Tensor) -> bool:
    """False: negation is never pending here."""
    return False


@checks_arguments
def real(input: Tensor) -> Tensor:
    """The real part, a view; a real tensor itself (``torch.real``)."""
    return Real.apply(input) if input._array.dtype.kind == "c" else input


@checks_arguments
def imag(input: Tensor) -> Tensor:
    """The imaginary part, a view (``torch.imag``). RuntimeError for a real tensor."""
    if input._array.dtype.kind != "c":
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return Imag.apply(input)


@checks_arguments
def view_as_real(input: Tensor) -> Tensor:
    """(..., 2): real and imaginary parts side by side in a new last dimension, a view (``torch.view_as_real``)."""
    if input._array.dtype.kind != "c":
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return ViewAsReal.apply(input)


@checks_arguments
def view_as_complex(input: Tensor) -> Tensor:
    """(...) complex numbers from (..., 2) pairs of real and imaginary part, a view (``torch.view_as_complex``).

    RuntimeError unless ``input`` is float32 or float64, ends with a dimension of 2, and the pairs lie side by side.
    """
    array = input._array
    _refuse_half("view_as_complex", input)
    if array.dtype.kind not in FLOATS:
        raise RuntimeError(
            f"view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: "
            f"{type_name(input)}"
        )
    if array.ndim == 0:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if array.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if array.strides[-1] != array.itemsize and array.size:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    return ViewAsComplex.apply(input)


def complex(real: Tensor, imag: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``real + i · imag``, of two float32 or float64 tensors of the same dtype (``torch.complex``)."""
    _check_parts("complex", real=real, imag=imag)
    result = Complex.apply(real, imag)
    if out is None:
        return result
    if out.dtype != result.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {type_name(result)} but got scalar type {type_name(out)} for argument "
            "'out'"
        )
    return write_out("complex", result, out, real, imag)


@accepts_exact_out
def polar(abs: Tensor, angle: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``abs · (cos angle + i sin angle)``, of two float32 or float64 tensors of the same dtype (``torch.polar``)."""
    _check_parts("polar", abs=abs, angle=angle)
    return Complex.apply(abs * ops.cos(angle), abs * ops.sin(angle))


def _check_parts(function: str, **parts: Tensor) -> None:
    for position, (name, part) in enumerate(parts.items(), 1):
        check_tensor(function, name, position, part)
    a, b = parts.values()
    _refuse_half(function, a, b)
    kinds = [type_name(t) for t in (a, b)]
    if any(kind not in ("Float", "Double") for kind in kinds):
        raise RuntimeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {kinds[0]} and {kinds[1]}"
        )
    if kinds[0] != kinds[1]:
        raise RuntimeError(
            f"Expected object of scalar type {kinds[0]} but got scalar type {kinds[1]} for second argument"
        )


def _refuse_half(function: str, *tensors: Tensor) -> None:
    if any(is_half(t._array.dtype) for t in tensors):
        raise NotImplementedError(
            f"{function}() of float16 tensors would give complex32, which NumPy does not have; use .float() first"
        )


@accepts_out
def angle(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The angle to the positive real axis, in [-π, π]: for a real number 0 or π (``torch.angle``)."""
    check_tensor("angle", "input", 1, input)
    if input._array.dtype.kind == "c":
        return Angle.apply(input)
    return Step.apply(to_float(input), function=_angle_of_real)


def _angle_of_real(x: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(x), x, np.where(x < 0, np.pi, 0)).astype(x.dtype)


@accepts_exact_out
def sgn(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``z / |z|``, and 0 at 0; for real tensors the sign (``torch.sgn``)."""
    return Sgn.apply(input) if input._array.dtype.kind == "c" else sign(input)


def adjoint(input: Tensor) -> Tensor:
    """The conjugate transpose of a matrix, or of a stack of them (``torch.adjoint``)."""
    return conj(ops.matrix_transpose(input))


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
