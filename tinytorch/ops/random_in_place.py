"""Tensors filled with random numbers in place, with what PyTorch draws from the same generator state.

PyTorch fills in the order of memory, so a transposed tensor gets the numbers column by column
(:func:`tinytorch.kernels.rng_distributions.fill`).

To autograd a draw is a new value that does not depend on the old one, whose gradient is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd.modes import state
from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels import rng_bernoulli, rng_distributions, rng_integers, rng_normal
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import refuse
from tinytorch.random import generator_or_default
from tinytorch.tensor import Tensor

__all__ = [
    "bernoulli_",
    "cauchy_",
    "exponential_",
    "geometric_",
    "log_normal_",
    "normal_",
    "random_",
    "trunc_normal_",
    "uniform_",
]

Draw = Callable[[tuple[int, ...]], np.ndarray]


class Drawn(Primitive):
    """Random numbers in place of a tensor, or with tensors as parameters: the gradient of all of them is 0."""

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        return tuple([ops.zeros_like(grad) if need else None for need in ctx.needs_input_grad])


def drawn_from(array: np.ndarray, *parameters: Tensor) -> Tensor:
    """Numbers that were drawn with ``parameters`` as a tensor, which requires grad where one of them does."""
    result = Tensor._wrap(array)
    if state.grad_enabled and any(parameter.requires_grad for parameter in parameters):
        Drawn.record_result(result, parameters)
    return result


def _refill(tensor: Tensor, draw: Draw) -> Tensor:
    """Fill ``tensor`` in place with ``draw(shape)``."""
    if state.grad_enabled and tensor.requires_grad:
        return inplace.change_in_place(tensor, lambda old: _drawn_for(old, draw))
    inplace.check_writable(tensor)
    ops.restore_row_major(tensor)
    rng_distributions.fill(tensor._array, draw)
    tensor._bump_version()
    return tensor


def _drawn_for(old: Tensor, draw: Draw) -> Tensor:
    values = np.empty_like(old._array)
    rng_distributions.fill(values, draw)
    return drawn_from(values, old)


@checks_arguments
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with uniform numbers in [a, b)."""
    source, dtype = generator_or_default(generator), tensor._array.dtype
    return _refill(tensor, lambda shape: rng_distributions.uniform(source, shape, dtype, float(a), float(b)))


@checks_arguments
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with normal numbers."""
    source, dtype = generator_or_default(generator), tensor._array.dtype
    contiguous = tensor._array.flags.c_contiguous
    return _refill(
        tensor, lambda shape: rng_normal.normal(source, shape, dtype, float(mean), float(std), contiguous=contiguous)
    )


@checks_arguments
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Fill with normal numbers that lie in [a, b]."""
    source, dtype = generator_or_default(generator), tensor._array.dtype
    return _refill(tensor, lambda shape: rng_distributions.trunc_normal(source, shape, dtype, mean, std, a, b))


@checks_arguments
def random_(tensor: Tensor, from_: int | None = None, to: int | None = None, generator: Any = None) -> Tensor:
    """Fill with integers in [from_, to); ``random_(to)`` starts at 0, without limits up to the dtype's largest."""
    if from_ is not None and to is None:
        from_, to = 0, from_
    source, dtype = generator_or_default(generator), tensor._array.dtype
    return _refill(tensor, lambda shape: rng_integers.random_integers(source, shape, dtype, from_, to))


@checks_arguments
def bernoulli_(tensor: Tensor, p: Any = 0.5, generator: Any = None) -> Tensor:
    """Fill with 1 with probability ``p`` (a number or a tensor), else 0."""
    refuse("c", "bernoulli_", tensor)
    source, dtype = generator_or_default(generator), tensor._array.dtype
    probability = p._array if isinstance(p, Tensor) else p
    return _refill(tensor, lambda shape: rng_bernoulli.bernoulli(source, shape, probability, dtype))


@checks_arguments
def exponential_(tensor: Tensor, lambd: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with exponentially distributed numbers of rate ``lambd``."""
    source, dtype = generator_or_default(generator), tensor._array.dtype
    return _refill(tensor, lambda shape: rng_distributions.exponential(source, shape, dtype, lambd))


@checks_arguments
def geometric_(tensor: Tensor, p: float, generator: Any = None) -> Tensor:
    """Fill with the numbers of trials until success, of probability ``p`` each."""
    refuse("bc", "geometric_", tensor)
    source, dtype = generator_or_default(generator), tensor._array.dtype
    return _refill(tensor, lambda shape: rng_distributions.geometric(source, shape, p, dtype))


@checks_arguments
def cauchy_(tensor: Tensor, median: float = 0.0, sigma: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with Cauchy-distributed numbers."""
    source, dtype = generator_or_default(generator), tensor._array.dtype
    return _refill(tensor, lambda shape: rng_distributions.cauchy(source, shape, dtype, median, sigma))


@checks_arguments
def log_normal_(tensor: Tensor, mean: float = 1.0, std: float = 2.0, generator: Any = None) -> Tensor:
    """Fill with numbers whose logarithm is normal."""
    source, dtype = generator_or_default(generator), tensor._array.dtype
    return _refill(tensor, lambda shape: rng_distributions.log_normal(source, shape, dtype, mean, std))


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
from tinytorch.autograd import inplace  # noqa: E402
