"""The discrete Fourier transform, and its derivative, which is a Fourier transform.

::

    X_k = c · Σ_n x_n e^(∓ 2πi kn/N)       - forward, + backward; c is 1, 1/√N or 1/N, by ``norm``

Three primitives, closed under differentiation. A transform is linear, so the gradient goes through its adjoint: the
transform in the other direction *with the same c*.

- :class:`ComplexToComplex`: the adjoint of forward is backward.
- :class:`RealToHalf`: a real signal has a spectrum with X_(N-k) = conj X_k, so N // 2 + 1 numbers of it are enough.
- :class:`HalfToReal`: from such a half back to the real signal. It counts each number of the half twice, once for its
  mirror image - except X_0 and, for even N, X_(N/2), which are their own. So the adjoint of the one is the other with
  the twins' weights, ½ or 2, in between.

What is shared by all transforms of :mod:`tinytorch.fft` - padding, dimensions, errors - stands here, too.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import from_numpy_dtype
from tinytorch.kernels.half import is_half
from tinytorch.ops.broadcast import cast, to_float
from tinytorch.ops.checks import type_name
from tinytorch.ops.complex_numbers import conj
from tinytorch.ops.dims import ints_from, one_dim
from tinytorch.ops.pad import pad
from tinytorch.ops.shape import narrow
from tinytorch.tensor import Tensor

__all__ = ["complex_transform", "half_to_real", "real_to_half"]

Norm = Literal["backward", "ortho", "forward"]
#: The name under which the opposite direction has the same c.
OPPOSITE: dict[Norm, Norm] = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


class ComplexToComplex(Primitive):
    """Over several dimensions, forward or backward; the gradient takes the other direction."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dims: tuple[int, ...], forward: bool, norm: Norm) -> np.ndarray:
        return (np.fft.fftn if forward else np.fft.ifftn)(x, axes=dims, norm=norm)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        a = ctx.attributes
        return ComplexToComplex.apply(grad, dims=a["dims"], forward=not a["forward"], norm=OPPOSITE[a["norm"]])


class RealToHalf(Primitive):
    """The first N // 2 + 1 numbers of the forward transform of N real ones, along one dimension."""

    complex_backward = True

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int, norm: Norm) -> np.ndarray:
        ctx.save_intermediates(x.shape[dim])
        return np.fft.rfft(x, axis=dim, norm=norm)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (size,) = ctx.intermediates
        dim, norm = ctx.attributes["dim"], ctx.attributes["norm"]
        return HalfToReal.apply(grad * _twins(grad, dim, size, 0.5), dim=dim, size=size, norm=OPPOSITE[norm])


class HalfToReal(Primitive):
    """The ``size`` real numbers whose spectrum is given by half, transformed backward along one dimension."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int, size: int, norm: Norm) -> np.ndarray:
        return np.fft.irfft(x, size, axis=dim, norm=norm)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        dim, size, norm = (ctx.attributes[name] for name in ("dim", "size", "norm"))
        half = RealToHalf.apply(grad, dim=dim, norm=OPPOSITE[norm])
        return half * _twins(half, dim, size, 2.0)


def _twins(half: Tensor, dim: int, size: int, weight: float) -> Tensor:
    """``weight`` for each number of a half that has a mirror image in the other, 1 for those that have none."""
    weights = np.full(half._array.shape[dim], weight, half._array.real.dtype)
    weights[0] = 1
    if size % 2 == 0:
        weights[-1] = 1
    return Tensor._wrap(weights.reshape([-1 if d == dim else 1 for d in range(half._array.ndim)]))


# ------------------------------------------------------------------------------------ for tinytorch.fft


def complex_transform(input: Tensor, s: Any, dim: Any, norm: str | None, forward: bool) -> Tensor:
    """``fft``, ``ifft``, ``fftn``...: complex to complex over the dimensions ``dim``, cut or padded to sizes ``s``."""
    dims, sizes = transform_dims(input, s, dim)
    x = resized(complex_input(input), dims, sizes)
    return ComplexToComplex.apply(x, dims=dims, forward=forward, norm=norm_mode(norm)) if dims else x


def real_to_half(name: str, input: Tensor, s: Any, dim: Any, norm: str | None, forward: bool = True) -> Tensor:
    """``rfft``, ``rfftn``...: from real numbers, by half along the last of the dimensions.

    Backward (``ihfft``...) is the forward transform of the last dimension conjugated, and backward in the others.
    """
    if input._array.dtype.kind == "c":
        raise RuntimeError(f"{name} expects a real input tensor, but got {type_name(input)}")
    dims, sizes = transform_dims(input, s, dim)
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    mode = norm_mode(norm)
    x = resized(float_input(input), dims, sizes)
    half = RealToHalf.apply(x, dim=dims[-1], norm=mode if forward else OPPOSITE[mode])
    half = half if forward else conj(half)
    return ComplexToComplex.apply(half, dims=dims[:-1], forward=forward, norm=mode) if dims[:-1] else half


def half_to_real(name: str, input: Tensor, s: Any, dim: Any, norm: str | None, forward: bool = False) -> Tensor:
    """``irfft``, ``irfftn``...: to real numbers, from a half along the last of the dimensions.

    By default that dimension becomes 2 (m - 1) long, for a half of m numbers. Forward (``hfft``...) is the backward
    transform of the conjugate.
    """
    dims, sizes = transform_dims(input, s, dim)
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    mode = norm_mode(norm)
    last, size = dims[-1], sizes[-1] if sizes[-1] is not None else 2 * (input._array.shape[dims[-1]] - 1)
    _check_size(size)
    x = resized(complex_input(input), dims, [*sizes[:-1], size // 2 + 1])
    if dims[:-1]:
        x = ComplexToComplex.apply(x, dims=dims[:-1], forward=forward, norm=mode)
    return HalfToReal.apply(conj(x) if forward else x, dim=last, size=size, norm=OPPOSITE[mode] if forward else mode)


def norm_mode(norm: str | None) -> Norm:
    """The name of a normalization: 'backward' (also None), 'ortho' or 'forward'."""
    for mode in OPPOSITE:
        if mode == ("backward" if norm is None else norm):
            return mode
    raise RuntimeError(f'Invalid normalization mode: "{norm}"')


def float_input(input: Tensor) -> Tensor:
    """Integers in the default float type. RuntimeError for half precision, as PyTorch's on the CPU."""
    x = to_float(input)
    if is_half(x._array.dtype):
        raise RuntimeError(f"Unsupported dtype {type_name(x)}")
    return x


def complex_input(input: Tensor) -> Tensor:
    """The complex numbers to transform."""
    x = float_input(input)
    return cast(x, from_numpy_dtype(x._array.dtype).to_complex().numpy)


def transform_dims(input: Tensor, s: Any, dim: Any) -> tuple[tuple[int, ...], list[int | None]]:
    """The dimensions to transform, none of them twice, and the size that each gets (None: as it is)."""
    ndim = input._array.ndim
    s = None if s is None else ints_from("fft", "s", s, single=True)
    if dim is not None:
        dims = tuple(one_dim(d, ndim) for d in ints_from("fft", "dim", dim, single=True))
        if dims and not ndim:
            raise IndexError(f"Dimension specified as {dims[0]} but tensor has no dimensions")
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
    elif s is None:
        dims = tuple(range(ndim))
    elif len(s) > ndim:
        raise RuntimeError(f"Got shape with {len(s)} values but input tensor only has {ndim} dimensions.")
    else:
        dims = tuple(range(ndim - len(s), ndim))
    if s is not None and len(s) != len(dims):
        raise RuntimeError("When given, dim and shape arguments must have the same length")
    sizes: list[int | None] = [None if size == -1 else size for size in s or (-1,) * len(dims)]
    for d, size in zip(dims, sizes, strict=True):
        _check_size(input._array.shape[d] if size is None else size)
    return dims, sizes


def _check_size(size: int) -> None:
    if size < 1:
        raise RuntimeError(f"Invalid number of data points ({size}) specified")


def resized(x: Tensor, dims: tuple[int, ...], sizes: list[int | None]) -> Tensor:
    """Cut, or padded with zeros, at the end of each dimension. RuntimeError if no numbers are left, as PyTorch."""
    for d, size in zip(dims, sizes, strict=True):
        present = x._array.shape[d]
        if size is not None and size < present:
            x = narrow(x, d, 0, size)
        elif size is not None and size > present:
            x = pad(x, [0, 0] * (x._array.ndim - 1 - d) + [0, size - present])
    if dims and not x._array.size:
        raise RuntimeError(f"Fourier transforms of no numbers are not supported: got shape {list(x.shape)}")
    return x
