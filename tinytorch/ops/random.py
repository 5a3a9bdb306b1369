"""New random tensors, and dropout. Every function draws what PyTorch draws from the same generator state.

Tensors that are filled in place are in :mod:`tinytorch.ops.random_in_place`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.dtypes import default_numpy_dtype, to_numpy_dtype
from tinytorch.kernels import rng_bernoulli, rng_distributions, rng_integers, rng_normal
from tinytorch.ops.arguments import NOT_GIVEN, checks_arguments, wrong_argument
from tinytorch.ops.broadcast import Elementwise
from tinytorch.ops.checks import check_options, refuse
from tinytorch.ops.creation import checked_sizes, finish
from tinytorch.ops.dims import as_int, ints_from
from tinytorch.ops.memory_order import memory_order
from tinytorch.ops.out import accepts_exact_out, accepts_out, accepts_separate_out
from tinytorch.ops.random_in_place import drawn_from
from tinytorch.random import generator_or_default
from tinytorch.tensor import Tensor

__all__ = [
    "alpha_dropout",
    "bernoulli",
    "dropout",
    "feature_alpha_dropout",
    "feature_dropout",
    "multinomial",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
]  # fmt: skip


def _float_dtype(dtype: Any) -> np.dtype[Any]:
    return default_numpy_dtype() if dtype is None else to_numpy_dtype(dtype)


# ------------------------------------------------------------------------------------------ new tensors


@accepts_out
def rand(
    *size: Any,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """Uniform numbers in [0, 1)."""
    check_options("rand", options, "size")
    shape = checked_sizes(size, options.get("size"))
    return finish(
        rng_distributions.uniform(generator_or_default(generator), shape, _float_dtype(dtype)), requires_grad, device
    )


@accepts_exact_out
def randn(
    *size: Any,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """Normal numbers with mean 0 and variance 1."""
    check_options("randn", options, "size")
    shape = checked_sizes(size, options.get("size"))
    return finish(rng_normal.normal(generator_or_default(generator), shape, _float_dtype(dtype)), requires_grad, device)


@accepts_out
def randint(
    low: int = NOT_GIVEN,
    high: Any = NOT_GIVEN,
    size: Any = NOT_GIVEN,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """Integers in [low, high), int64: ``randint(high, size)`` or ``randint(low, high, size)``."""
    check_options("randint", options)
    if size is NOT_GIVEN:  # randint(high, size)
        low, high, size = 0, low, high
    elif high is NOT_GIVEN:  # randint(high, size=size)
        low, high = 0, low
    low = 0 if low is NOT_GIVEN else low
    high = as_int("randint", "high", high)
    shape = checked_sizes((ints_from("randint", "size", size),))
    numpy_dtype = np.dtype(np.int64) if dtype is None else to_numpy_dtype(dtype)
    refuse("c", "randint", np.empty(0, numpy_dtype))
    array = rng_integers.random_integers(generator_or_default(generator), shape, numpy_dtype, int(low), int(high))
    return finish(array, requires_grad, device)


def _drawn_like(input: Tensor, draw: Callable[[tuple[int, ...]], np.ndarray]) -> np.ndarray:
    """What ``draw(shape)`` gives, its numbers in the order in which PyTorch's ``input`` lies in memory."""
    shape = input._array.shape
    order = memory_order(input)
    if order is None:
        return draw(shape)
    return draw(tuple([shape[d] for d in order])).transpose(np.argsort(order))


def _like(input: Tensor, dtype: Any) -> np.dtype[Any]:
    return input._array.dtype if dtype is None else to_numpy_dtype(dtype)


@checks_arguments
def rand_like(
    input: Tensor,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    generator: Any = None,
    **options: Any,
) -> Tensor:
    """Uniform numbers in the shape and dtype of ``input``."""
    check_options("rand_like", options)
    source, numpy_dtype = generator_or_default(generator), _like(input, dtype)
    return finish(
        _drawn_like(input, lambda shape: rng_distributions.uniform(source, shape, numpy_dtype)), requires_grad, device
    )


@checks_arguments
def randn_like(
    input: Tensor,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    generator: Any = None,
    **options: Any,
) -> Tensor:
    """Normal numbers in the shape and dtype of ``input``."""
    check_options("randn_like", options)
    source, numpy_dtype = generator_or_default(generator), _like(input, dtype)
    contiguous = memory_order(input) is None

    def draw(shape: tuple[int, ...]) -> np.ndarray:
        return rng_normal.normal(source, shape, numpy_dtype, contiguous=contiguous)

    return finish(_drawn_like(input, draw), requires_grad, device)


@checks_arguments
def randint_like(
    input: Tensor,
    low: int = NOT_GIVEN,
    high: int = NOT_GIVEN,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    generator: Any = None,
    **options: Any,
) -> Tensor:
    """Integers in [low, high) in the shape and dtype of ``input``; ``randint_like(x, high)`` starts at 0."""
    check_options("randint_like", options)
    low, high = (0, low) if high is NOT_GIVEN else (low, high)
    if high is NOT_GIVEN:
        raise TypeError("randint_like() missing required argument: 'high'")
    low = 0 if low is NOT_GIVEN else low
    source, numpy_dtype = generator_or_default(generator), _like(input, dtype)
    if numpy_dtype.kind == "c":
        raise RuntimeError("check_random_bounds handles only integral, floating-point and boolean types")

    def draw(shape: tuple[int, ...]) -> np.ndarray:
        return rng_integers.random_integers(source, shape, numpy_dtype, low, high)

    return finish(_drawn_like(input, draw), requires_grad, device)


@accepts_out
def randperm(
    n: int,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """The integers 0 .. n-1 in random order, int64."""
    check_options("randperm", options)
    numpy_dtype = np.dtype(np.int64) if dtype is None else to_numpy_dtype(dtype)
    refuse("c", "randperm", np.empty(0, numpy_dtype))
    return finish(rng_integers.randperm(generator_or_default(generator), n, numpy_dtype), requires_grad, device)


@accepts_out
def normal(
    mean: Tensor | float,
    std: Tensor | float = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    out: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """Normal numbers; mean and standard deviation are numbers (then with ``size``) or tensors, one per element.

    The draw does not depend on the tensors differentiably: their gradients are 0.
    """
    check_options("normal", options)
    source = generator_or_default(generator)
    refuse("c", "normal", std, error=RuntimeError)
    if not np.all((std._array if isinstance(std, Tensor) else std) >= np.float64(0)):
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    if size is not None:
        shape = checked_sizes((size,))
        for name, value in (("mean", mean), ("std", std)):
            if isinstance(value, Tensor) and (value._array.ndim or value.requires_grad):
                raise wrong_argument("normal", name, None, value, "float")
        mean, std = (value.item() if isinstance(value, Tensor) else value for value in (mean, std))
        return finish(rng_normal.normal(source, shape, _float_dtype(dtype), mean, std), requires_grad, device)
    tensors = [value for value in (mean, std) if isinstance(value, Tensor)]
    if not tensors:
        raise TypeError("normal() needs a size when mean and std are both numbers")
    shape = ops.broadcast_shapes(*[tensor._array.shape for tensor in tensors])
    numpy_dtype = tensors[0]._array.dtype
    if not isinstance(std, Tensor):
        values = rng_normal.normal(source, shape, numpy_dtype, 0.0, std) + tensors[0]._array
    else:
        drawn = rng_normal.normal(source, shape, numpy_dtype)
        values = drawn * std._array + (mean._array if isinstance(mean, Tensor) else numpy_dtype.type(mean))
    return drawn_from(np.asarray(values, numpy_dtype), *tensors)


@accepts_out
def bernoulli(input: Tensor, p: float | None = None, *, generator: Any = None, out: Tensor | None = None) -> Tensor:
    """1 with the probability that ``input`` gives for each element (or ``p`` for all), else 0. Its gradient is 0."""
    probability = input._array if p is None else p
    array = rng_bernoulli.bernoulli(
        generator_or_default(generator), input._array.shape, probability, input._array.dtype
    )
    return drawn_from(array, input)


@accepts_separate_out
def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None, out: Tensor | None = None
) -> Tensor:
    """``num_samples`` indices per row, drawn with the row's probabilities (which need not sum to 1)."""
    source, by_columns = generator_or_default(generator), input._array.ndim == 2 and memory_order(input) is not None
    return Tensor._wrap(rng_integers.multinomial(source, input._array, num_samples, replacement, by_columns))


# ------------------------------------------------------------------------------------------ dropout


class Scale(Elementwise):
    """y = x · constant: what dropout is once its mask is drawn."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, factor: np.ndarray) -> np.ndarray:
        return x * factor

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Scale.apply(grad, factor=ctx.attributes["factor"])

    known_name = "MulBackward0"


@checks_arguments
def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training each element is 0 with probability ``p``, else divided by 1 - p, so that the expectation stays.

    Source: Srivastava et al. 2014; ``F.dropout``. ValueError when p is outside [0, 1].
    """
    return _dropout(input, p, training, inplace)


def feature_dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Dropout of whole channels: one draw per image and channel (``F.dropout2d`` and its kin)."""
    return _dropout(input, p, training, inplace, by_channel=True)


def _channels(input: Tensor) -> tuple[int, ...]:
    """The shape of one number per image and channel."""
    shape = input._array.shape
    if len(shape) < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return shape[:2] + (1,) * (len(shape) - 2)


def _dropout(input: Tensor, p: float, training: bool, in_place: bool, by_channel: bool = False) -> Tensor:
    _check_probability(p)
    if not training or p == 0.0 or input._array.size == 0:
        return input
    _check_droppable(input, p)
    draw = functools.partial(rng_bernoulli.dropout_mask, generator_or_default(None), p=p, dtype=input._array.dtype)
    mask = draw(_channels(input)) if by_channel else _drawn_like(input, draw)
    if in_place:
        return inplace.change_in_place(input, lambda x: Scale.apply(x, factor=mask))
    return Scale.apply(input, factor=mask)


def _check_probability(p: float) -> None:
    if not 0.0 <= p <= 1.0:  # as in PyTorch, where nan gets one step further
        kind = RuntimeError if p != p else ValueError
        raise kind(f"dropout probability has to be between 0 and 1, but got {p}")


def _check_droppable(input: Tensor, p: float) -> None:
    """Only floating numbers can be scaled up by what is left out; with p = 1 there is nothing left to scale."""
    if p < 1.0:
        refuse("biu", "dropout", input, error=RuntimeError)
        refuse("c", "dropout", input)


@checks_arguments
def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout that keeps the mean and variance of SELU activations: dropped elements become -α' instead of 0.

    ``y = a (x · b + α' (b - 1)) + ...`` with keep mask b; source: Klambauer et al. 2017, ``F.alpha_dropout``.
    """
    return _alpha_dropout(input, p, training, inplace)


@checks_arguments
def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """:func:`alpha_dropout` of whole channels (``F.feature_alpha_dropout``)."""
    return _alpha_dropout(input, p, training, inplace, by_channel=True)


def _alpha_dropout(input: Tensor, p: float, training: bool, in_place: bool, by_channel: bool = False) -> Tensor:
    _check_probability(p)
    if not training or p == 0.0 or input._array.size == 0:
        return input
    if p == 1.0:
        zero = Tensor._wrap(np.zeros((), input._array.dtype))
        return inplace.change_in_place(input, lambda x: x * zero) if in_place else input * zero
    _check_droppable(input, p)
    alpha = 1.7580993408473766
    draw = functools.partial(rng_bernoulli.bernoulli, generator_or_default(None), p=1 - p, dtype=input._array.dtype)
    keep = draw(_channels(input)) if by_channel else _drawn_like(input, draw)
    a = 1.0 / np.sqrt((alpha * alpha * p + 1) * (1 - p))
    shift = Tensor._wrap((keep - 1) * keep.dtype.type(alpha * a) + keep.dtype.type(alpha * a * p))
    factor = Tensor._wrap(keep * keep.dtype.type(a))
    if in_place:
        return inplace.change_in_place(input, lambda x: x * factor + shift)
    return input * factor + shift


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
from tinytorch.autograd import inplace  # noqa: E402
