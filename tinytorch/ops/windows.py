"""Windows: weights that fade a piece of a signal in and out, so that its Fourier transform does not see the cut.

Most are sums of cosines over one period, ``Σ (-1)^k a_k cos(2πkn / N)``: Hann has two, Blackman three. With
``periodic=True`` N is the length, so that windows can be laid one after the other; otherwise N is one less, and the
window is symmetric. (``torch.hann_window`` and its kin; :mod:`tinytorch.signal.windows` has more.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.dtypes import FLOATS, default_numpy_dtype, to_numpy_dtype
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.creation import finish
from tinytorch.ops.numbers import check_count
from tinytorch.tensor import Tensor

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]


def cosine_sum(turn: np.ndarray, coefficients: Sequence[float]) -> np.ndarray:
    """``Σ (-1)^k a_k cos(2πk · turn)``, for positions in [0, 1]."""
    return sum((-1) ** k * a * np.cos(2 * np.pi * k * turn) for k, a in enumerate(coefficients))


def triangle(turn: np.ndarray) -> np.ndarray:
    """From 0 straight up to 1 in the middle, and down again."""
    return 1 - np.abs(2 * turn - 1)


def kaiser(turn: np.ndarray, beta: float) -> np.ndarray:
    """``I₀(β √(1 - (2 turn - 1)²)) / I₀(β)``: as much as possible of its energy in few frequencies; I₀ is the modified
    Bessel function.
    """
    return np.i0(beta * np.sqrt(np.maximum(1 - (2 * turn - 1) ** 2, 0))) / np.i0(beta)


def sample_numbers(length: int) -> np.ndarray:
    """0, 1, ..., up to but without ``length``; RuntimeError for more than any memory holds."""
    check_count(length)
    return np.arange(length)


def make_window(
    shape: Callable[[np.ndarray], np.ndarray], length: int, periodic: bool, dtype: Any, requires_grad: bool, device: Any
) -> Tensor:
    """``shape`` at ``length`` positions of [0, 1], computed in double precision. One sample alone is 1."""
    steps = length if periodic else length - 1
    array = shape(sample_numbers(length) / steps) if length > 1 else np.ones(length)
    return finish(array.astype(dtype), requires_grad, device)


def _window(
    name: str,
    shape: Callable[[np.ndarray], np.ndarray],
    length: int,
    periodic: bool,
    dtype: Any,
    requires_grad: bool,
    device: Any,
) -> Tensor:
    numpy_dtype = default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    if numpy_dtype.kind == "c":
        raise NotImplementedError(f"{name} is not implemented for {dtype}")
    if numpy_dtype.kind not in FLOATS:
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype}")
    return make_window(shape, length, periodic, numpy_dtype, requires_grad, device)


@checks_arguments
def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """A triangle (``torch.bartlett_window``)."""
    return _window("bartlett_window", triangle, window_length, periodic, dtype, requires_grad, device)


@checks_arguments
def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """``0.42 - 0.5 cos(2πn/N) + 0.08 cos(4πn/N)`` (``torch.blackman_window``)."""

    def shape(turn: np.ndarray) -> np.ndarray:
        return cosine_sum(turn, (0.42, 0.5, 0.08))

    return _window("blackman_window", shape, window_length, periodic, dtype, requires_grad, device)


@checks_arguments
def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """``0.5 - 0.5 cos(2πn/N)`` (``torch.hann_window``).

    >>> hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """

    def shape(turn: np.ndarray) -> np.ndarray:
        return cosine_sum(turn, (0.5, 0.5))

    return _window("hann_window", shape, window_length, periodic, dtype, requires_grad, device)


@checks_arguments
def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """``alpha - beta cos(2πn/N)`` (``torch.hamming_window``)."""

    def shape(turn: np.ndarray) -> np.ndarray:
        return cosine_sum(turn, (alpha, beta))

    return _window("hamming_window", shape, window_length, periodic, dtype, requires_grad, device)


@checks_arguments
def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The Kaiser window: the larger ``beta``, the wider its main lobe, and the lower the others
    (``torch.kaiser_window``).
    """

    def shape(turn: np.ndarray) -> np.ndarray:
        return kaiser(turn, beta)

    return _window("kaiser_window", shape, window_length, periodic, dtype, requires_grad, device)
