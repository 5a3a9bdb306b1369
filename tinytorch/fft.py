"""Discrete Fourier transforms (``torch.fft``), of tensors of any number of dimensions, differentiable to any order.

Four families, each for one dimension, for the last two, and for any:

- ``fft``/``ifft``: complex to complex, forward and backward;
- ``rfft``/``irfft``: real signals, of whose spectrum half is enough;
- ``hfft``/``ihfft``: the other way about - a signal that is real *as a spectrum*, its half given in time.

``n`` or ``s`` cut or pad the input; ``norm`` says where the division by N goes: 'backward' (the default: into the
backward transform), 'ortho' (√N in both) or 'forward'. All raise RuntimeError for dimensions given twice, sizes below 1
and half precision; IndexError for dimensions that are not there. The mathematics is in :mod:`tinytorch.ops.fourier`.

>>> import tinytorch
>>> rfft(tinytorch.tensor([1.0, 0.0, -1.0, 0.0]))
tensor([0.+0.j, 2.+0.j, 0.+0.j])
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.dtypes import default_numpy_dtype, to_numpy_dtype
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.creation import finish
from tinytorch.ops.dims import Ints
from tinytorch.ops.fourier import complex_transform, half_to_real, real_to_half
from tinytorch.ops.out import accepts_exact_out, accepts_out, floating
from tinytorch.ops.rearrange import roll
from tinytorch.tensor import Tensor

__all__ = ["fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "hfft2", "hfftn", "ifft", "ifft2", "ifftn",
           "ifftshift", "ihfft", "ihfft2", "ihfftn", "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq",
           "rfftn"]  # fmt: skip


def _length(n: int | None) -> int | None:
    """The length of one dimension, which -1 does not leave as it is: that is for several of them."""
    if n is not None and n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return n


@accepts_out
def fft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """The forward transform: ``X_k = Σ x_n e^(-2πi kn/N)``, along one dimension."""
    return complex_transform(input, _length(n), dim, norm, True)


@accepts_out
def fft2(
    input: Tensor,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The forward transform: ``X_k = Σ x_n e^(-2πi kn/N)``, over the last two dimensions or two others."""
    return complex_transform(input, s, dim, norm, True)


@accepts_out
def fftn(
    input: Tensor,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The forward transform: ``X_k = Σ x_n e^(-2πi kn/N)``, over all dimensions or those named."""
    return complex_transform(input, s, dim, norm, True)


@accepts_out
def ifft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """The backward transform: ``x_n = (1/N) Σ X_k e^(2πi kn/N)``, along one dimension."""
    return complex_transform(input, _length(n), dim, norm, False)


@accepts_out
def ifft2(
    input: Tensor,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The backward transform: ``x_n = (1/N) Σ X_k e^(2πi kn/N)``, over the last two dimensions or two others."""
    return complex_transform(input, s, dim, norm, False)


@accepts_out
def ifftn(
    input: Tensor,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The backward transform: ``x_n = (1/N) Σ X_k e^(2πi kn/N)``, over all dimensions or those named."""
    return complex_transform(input, s, dim, norm, False)


@accepts_out
def rfft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """The forward transform of real numbers, by half, along one dimension."""
    return real_to_half("rfft", input, _length(n), dim, norm)


@accepts_out
def rfft2(
    input: Tensor,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The forward transform of real numbers, by half, over the last two dimensions or two others."""
    return real_to_half("rfft2", input, s, dim, norm)


@accepts_out
def rfftn(
    input: Tensor,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The forward transform of real numbers, by half, over all dimensions or those named."""
    return real_to_half("rfftn", input, s, dim, norm)


@functools.partial(accepts_out, rule=floating)
def irfft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """``n`` or ``2 (m - 1)`` real numbers from half of their spectrum, along one dimension."""
    return half_to_real("irfft", input, _length(n), dim, norm)


@functools.partial(accepts_out, rule=floating)
def irfft2(
    input: Tensor,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Real numbers from half of their spectrum (the last size: ``s[-1]`` or ``2 (m - 1)``), over two dimensions."""
    return half_to_real("irfft2", input, s, dim, norm)


@functools.partial(accepts_out, rule=floating)
def irfftn(
    input: Tensor,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Real numbers from half of their spectrum (the last size: ``s[-1]`` or ``2 (m - 1)``), over several dimensions."""
    return half_to_real("irfftn", input, s, dim, norm)


@functools.partial(accepts_out, rule=floating)
def hfft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """The forward transform, real, of a signal given by half: ``n`` or ``2 (m - 1)`` numbers, along one dimension.

    The other half is taken to be the conjugate mirror image.
    """
    return half_to_real("hfft", input, _length(n), dim, norm, forward=True)


@functools.partial(accepts_out, rule=floating)
def hfft2(
    input: Tensor,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """As :func:`hfft`, over the last two dimensions or two others."""
    return half_to_real("hfft2", input, s, dim, norm, forward=True)


@functools.partial(accepts_out, rule=floating)
def hfftn(
    input: Tensor,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """As :func:`hfft`, over all dimensions or those named."""
    return half_to_real("hfftn", input, s, dim, norm, forward=True)


@accepts_exact_out
def ihfft(
    input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Tensor | None = None
) -> Tensor:
    """The backward transform of real numbers, by half, along one dimension."""
    return real_to_half("ihfft", input, _length(n), dim, norm, forward=False)


@accepts_out
def ihfft2(
    input: Tensor,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] = (-2, -1),
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The backward transform of real numbers, by half, over the last two dimensions or two others."""
    return real_to_half("ihfft2", input, s, dim, norm, forward=False)


@accepts_out
def ihfftn(
    input: Tensor,
    s: int | Sequence[int] | None = None,
    dim: int | Sequence[int] | None = None,
    norm: str | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """The backward transform of real numbers, by half, over all dimensions or those named."""
    return real_to_half("ihfftn", input, s, dim, norm, forward=False)


def _frequencies(places: np.ndarray, n: int, d: float, dtype: Any, requires_grad: bool, device: Any) -> Tensor:
    numpy_dtype = default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)
    return finish((places * (1.0 / (n * d))).astype(numpy_dtype), requires_grad, device)


@accepts_out
def fftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The frequency that each number of :func:`fft` stands for: 0, 1, ... -2, -1 over ``n · d``; ``d`` is the time
    between samples.
    """
    places = np.concatenate([np.arange((n + 1) // 2), np.arange(-(n // 2), 0)])
    return _frequencies(places, n, d, dtype, requires_grad, device)


@accepts_out
def rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The frequency that each number of :func:`rfft` stands for: 0, 1, ... n // 2 over ``n · d``."""
    return _frequencies(np.arange(n // 2 + 1), n, d, dtype, requires_grad, device)


@checks_arguments
def fftshift(input: Tensor, dim: Ints | None = None) -> Tensor:
    """Rolled so that frequency 0 comes to the middle, along all dimensions or those named."""
    dims = _shift_dims(input, dim)
    return roll(input, [input._array.shape[d] // 2 for d in dims], dims)


@checks_arguments
def ifftshift(input: Tensor, dim: Ints | None = None) -> Tensor:
    """The inverse of :func:`fftshift`."""
    dims = _shift_dims(input, dim)
    return roll(input, [(input._array.shape[d] + 1) // 2 for d in dims], dims)


def _shift_dims(input: Tensor, dim: Any) -> list[int]:
    return list(range(input._array.ndim)) if dim is None else [dim] if isinstance(dim, int) else list(dim)
