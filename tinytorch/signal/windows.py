"""Window functions (``torch.signal.windows``), symmetric unless ``sym=False``.

All take the length ``M`` and return M numbers, the largest 1 (if one lies in the middle). ValueError for a negative M,
a dtype other than float32 and float64, or parameters out of range. See :mod:`tinytorch.ops.windows` for what they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinytorch.dtypes import float32, float64, get_default_dtype, to_numpy_dtype
from tinytorch.ops.arguments import Truth, checks_arguments, wrong_argument
from tinytorch.ops.creation import finish
from tinytorch.ops.dims import as_int
from tinytorch.ops.windows import cosine_sum, make_window, sample_numbers, triangle
from tinytorch.ops.windows import kaiser as kaiser_shape
from tinytorch.tensor import Tensor

__all__ = ["bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine", "general_hamming",
           "hamming", "hann", "kaiser", "nuttall"]  # fmt: skip


def _checked_dtype(name: str, M: Any, dtype: Any, layout: Any) -> np.dtype[Any]:
    if getattr(M, "ndim", 0) or isinstance(M, (str, list)):
        raise wrong_argument(name, "M", 1, M, "int")
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if layout is not None and "strided" not in str(layout):
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    wanted = get_default_dtype() if dtype is None else dtype
    if wanted not in (float32, float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {wanted}")
    return to_numpy_dtype(wanted)


def _of_turn(
    name: str, shape: Callable[[np.ndarray], np.ndarray], M: Any, sym: Truth, dtype: Any, layout: Any, device: Any,
    requires_grad: bool,
) -> Tensor:  # fmt: skip
    """A window that is a function of the position in its period, 0 to 1; one number alone is 1."""
    numpy_dtype = _checked_dtype(name, M, dtype, layout)
    if M in (0, 1):  # nothing else is looked at, as in PyTorch
        return finish(np.ones(int(M), numpy_dtype), requires_grad, device)
    return make_window(shape, as_int(name, "M", M), not sym, numpy_dtype, requires_grad, device)


def _of_distance(
    name: str, shape: Callable[[np.ndarray], np.ndarray], M: Any, center: float, dtype: Any, layout: Any, device: Any,
    requires_grad: bool,
) -> Tensor:  # fmt: skip
    """A window that is a function of the distance from ``center``, in samples."""
    numpy_dtype = _checked_dtype(name, M, dtype, layout)
    numbers = sample_numbers(as_int(name, "M", M))
    return finish(shape(numbers - center).astype(numpy_dtype), requires_grad, device)


def _middle(M: Any, sym: Truth) -> float:
    return (M - 1 if M <= 1 or sym else M) / 2


@checks_arguments
def bartlett(
    M: Any,
    *,
    sym: Truth = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A triangle: ``1 - |2n / N - 1|``."""
    return _of_turn("bartlett", triangle, M, sym, dtype, layout, device, requires_grad)


@checks_arguments
def blackman(
    M: Any,
    *,
    sym: Truth = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``0.42 - 0.5 cos(2πn/N) + 0.08 cos(4πn/N)``."""
    _checked_dtype("blackman", M, dtype, layout)
    return general_cosine(M, a=(0.42, 0.5, 0.08), sym=sym, dtype=dtype, device=device, requires_grad=requires_grad)


@checks_arguments
def cosine(
    M: int,
    *,
    sym: Truth = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Half a wave, ``sin(π (n + 0.5) / M)``: 0 neither at the begin nor at the end."""
    length = max(M + 1 if M > 1 and not sym else M, 1)

    def shape(distance: np.ndarray) -> np.ndarray:
        return np.sin(np.pi / length * distance)

    return _of_distance("cosine", shape, M, -0.5, dtype, layout, device, requires_grad)


@checks_arguments
def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: Truth = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``exp(-|n - center| / tau)``; only an unsymmetric window may have another ``center`` than its middle."""
    _checked_dtype("exponential", M, dtype, layout)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")

    def shape(distance: np.ndarray) -> np.ndarray:
        return np.exp(-np.abs(distance) / tau)

    middle = _middle(M, sym) if center is None else center
    return _of_distance("exponential", shape, M, middle, dtype, layout, device, requires_grad)


@checks_arguments
def gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: Truth = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The bell curve ``exp(-½ (distance from the middle / std)²)``."""
    _checked_dtype("gaussian", M, dtype, layout)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")

    def shape(distance: np.ndarray) -> np.ndarray:
        return np.exp(-((distance / (std * math.sqrt(2))) ** 2))

    return _of_distance("gaussian", shape, M, _middle(M, sym), dtype, layout, device, requires_grad)


@checks_arguments
def general_cosine(
    M: Any,
    *,
    a: Any,
    sym: Truth = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``Σ (-1)^k a_k cos(2πkn / N)``."""
    _checked_dtype("general_cosine", M, dtype, layout)
    if M not in (0, 1) and not isinstance(a, Iterable):
        raise TypeError(f"general_cosine(): coefficients a must be a list or tuple of numbers, not {type(a).__name__}")
    coefficients = list(a) if isinstance(a, Iterable) else []
    if M not in (0, 1) and not coefficients:
        raise ValueError("Coefficients cannot be empty")

    def shape(turn: np.ndarray) -> np.ndarray:
        return cosine_sum(turn, coefficients)

    return _of_turn("general_cosine", shape, M, sym, dtype, layout, device, requires_grad)


@checks_arguments
def general_hamming(
    M: Any,
    *,
    alpha: Any = 0.54,
    sym: Truth = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``alpha - (1 - alpha) cos(2πn/N)``."""
    a = (alpha, 1.0 - alpha)
    return general_cosine(M, a=a, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


@checks_arguments
def hamming(
    M: Any,
    *,
    sym: Truth = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``0.54 - 0.46 cos(2πn/N)``."""
    return general_hamming(M, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


@checks_arguments
def hann(
    M: Any,
    *,
    sym: Truth = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``0.5 - 0.5 cos(2πn/N)``.

    >>> hann(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """

    return general_hamming(
        M, alpha=0.5, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )


@checks_arguments
def kaiser(
    M: Any,
    *,
    beta: float = 12.0,
    sym: Truth = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The Kaiser window: the larger ``beta``, the wider its main lobe, and the lower the others."""
    _checked_dtype("kaiser", M, dtype, layout)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")

    def shape(turn: np.ndarray) -> np.ndarray:
        return kaiser_shape(turn, beta)

    return _of_turn("kaiser", shape, M, sym, dtype, layout, device, requires_grad)


@checks_arguments
def nuttall(
    M: Any,
    *,
    sym: Truth = True,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Nuttall's sum of four cosines, whose side lobes are the lowest that four can have."""
    a = (0.3635819, 0.4891775, 0.1365995, 0.0106411)
    return general_cosine(M, a=a, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)
