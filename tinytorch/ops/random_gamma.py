"""Draws by rejection: Poisson and binomial counts, and gamma and Dirichlet numbers, which are differentiable.

What PyTorch does: the same draws; its derivatives of gamma and Dirichlet draws are approximations, good to about three
digits, where these are exact (:mod:`tinytorch.kernels.gamma_grad`). Neither can be differentiated twice.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import FLOATS
from tinytorch.kernels import gamma_grad, rng_gamma
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import not_implemented, type_name
from tinytorch.ops.random_in_place import drawn_from
from tinytorch.random import generator_or_default
from tinytorch.tensor import Tensor

__all__ = ["binomial", "poisson", "sample_dirichlet", "standard_gamma"]


@checks_arguments
def poisson(input: Tensor, generator: Any = None) -> Tensor:
    """A count from the Poisson distribution for each rate in ``input``, in its dtype.

    RuntimeError for a negative rate, NotImplementedError for integers.
    """
    return drawn_from(np.asarray(rng_gamma.poisson(generator_or_default(generator), input._array)), input)


@checks_arguments
def binomial(count: Tensor, prob: Tensor, generator: Any = None) -> Tensor:
    """Successes in ``count`` trials of probability ``prob``, for each element; the two broadcast.

    ValueError for a ``count`` of integers, RuntimeError for another dtype of ``prob``.
    """
    if count._array.dtype.kind not in FLOATS:
        raise ValueError(f"binomial only supports floating-point dtypes for count, got: {type_name(count)}")
    if count._array.dtype.itemsize == 2:
        raise not_implemented("binomial_cpu", count)
    if prob.dtype != count.dtype:
        raise RuntimeError(f"Found dtype {type_name(prob)} but expected {type_name(count)}")
    counts, probs = np.broadcast_arrays(count._array, prob._array)
    return drawn_from(np.asarray(rng_gamma.binomial(generator_or_default(generator), counts, probs)), count, prob)


class StandardGammaGrad(Primitive):
    """dx/dα of a gamma draw. It has no derivative of its own, as in PyTorch."""

    @staticmethod
    def forward(ctx: Any, alpha: np.ndarray, x: np.ndarray) -> np.ndarray:
        return gamma_grad.gamma_draw_gradient(alpha, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        raise NotImplementedError("the derivative for '_standard_gamma_grad' is not implemented")


class StandardGamma(Primitive):
    """x ~ Gamma(α, 1)."""

    @staticmethod
    def forward(ctx: Any, alpha: np.ndarray, generator: Any) -> np.ndarray:
        x = rng_gamma.gamma(generator, alpha)
        ctx.save_for_backward(alpha, x)
        return x

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad * StandardGammaGrad.apply(*ctx.saved_tensors)


class DirichletGrad(Primitive):
    """(dx_i/dα_i) / (1 - x_i) of a Dirichlet draw, whose i-th number alone is Beta(α_i, Σα - α_i)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, alpha: np.ndarray) -> np.ndarray:
        total = alpha.sum(-1, keepdims=True)
        return (gamma_grad.beta_draw_gradient(alpha, total - alpha, x) / (1 - x)).astype(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        raise NotImplementedError("the derivative for '_dirichlet_grad' is not implemented")


class SampleDirichlet(Primitive):
    """x ~ Dirichlet(α). When x_i grows, the others shrink in proportion, so that the sum stays 1."""

    @staticmethod
    def forward(ctx: Any, alpha: np.ndarray, generator: Any) -> np.ndarray:
        x = rng_gamma.dirichlet(generator, alpha)
        ctx.save_for_backward(x, alpha)
        return x

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        x, alpha = ctx.saved_tensors
        return DirichletGrad.apply(x, alpha) * (grad - (x * grad).sum(-1, True))


@checks_arguments
def standard_gamma(input: Tensor, generator: Any = None) -> Tensor:
    """A number from Gamma(α, 1) for each α in ``input``; differentiable (``torch._standard_gamma``)."""
    return StandardGamma.apply(input, generator=generator_or_default(generator))


@checks_arguments
def sample_dirichlet(input: Tensor, generator: Any = None) -> Tensor:
    """Vectors from Dirichlet(α), α along the last dimension; differentiable (``torch._sample_dirichlet``)."""
    return SampleDirichlet.apply(input, generator=generator_or_default(generator))
