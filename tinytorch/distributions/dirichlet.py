"""The Dirichlet distribution: random probabilities."""

from __future__ import annotations

from typing import Any

from tinytorch import ops
from tinytorch.distributions import constraints
from tinytorch.distributions.distribution import ExponentialFamily
from tinytorch.ops.random_gamma import sample_dirichlet
from tinytorch.tensor import Tensor

__all__ = ["Dirichlet"]


class Dirichlet(ExponentialFamily):
    """Density ``∝ Π x_i^(α_i - 1)`` on vectors that sum to 1; ``concentration`` is α, (..., K)."""

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        excess = (self.concentration - 1).clamp(min=0.0)
        mode = excess / excess.sum(-1, True)
        at_corner = (self.concentration < 1).all(dim=-1).unsqueeze(-1)
        corner = ops.one_hot(mode.argmax(dim=-1), self._event_shape[0]).to(mode.dtype)
        return ops.where(at_corner, corner, mode)

    @property
    def variance(self) -> Tensor:
        alpha, total = self.concentration, self.concentration.sum(-1, True)
        return alpha * (total - alpha) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return sample_dirichlet(self.concentration.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        alpha = self.concentration
        return ops.xlogy(alpha - 1.0, value).sum(-1) + ops.lgamma(alpha.sum(-1)) - ops.lgamma(alpha).sum(-1)

    def entropy(self) -> Tensor:
        alpha, k = self.concentration, self.concentration.shape[-1]
        total = alpha.sum(-1)
        return (
            ops.lgamma(alpha).sum(-1)
            - ops.lgamma(total)
            - (k - total) * ops.digamma(total)
            - ((alpha - 1.0) * ops.digamma(alpha)).sum(-1)
        )

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, x: Tensor) -> Tensor:
        return x.lgamma().sum(-1) - ops.lgamma(x.sum(-1))
