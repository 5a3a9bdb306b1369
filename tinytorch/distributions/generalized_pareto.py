"""The generalized Pareto distribution: what lies beyond a high threshold, whatever the distribution."""

from __future__ import annotations

import math
from typing import Any

from tinytorch import ops
from tinytorch.distributions import constraints
from tinytorch.distributions.distribution import Distribution
from tinytorch.distributions.utils import broadcast_all
from tinytorch.tensor import Tensor

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """P(X > x) = ``(1 + ξ z)^(-1/ξ)`` with z = (x - loc) / scale and ξ = ``concentration``; for ξ = 0, ``exp(-z)``.

    ξ > 0 is a power law (Pareto), ξ = 0 exponential, ξ < 0 ends at loc - scale / ξ (uniform for ξ = -1).
    """

    arg_constraints = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> constraints.Constraint:
        end = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, ops.where(self.concentration < 0, end, math.inf))

    @property
    def mean(self) -> Tensor:
        finite = self.concentration < 1
        xi = ops.where(finite, self.concentration, 0.5)
        return ops.where(finite, self.loc + self.scale / (1 - xi), math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        finite = self.concentration < 0.5
        xi = ops.where(finite, self.concentration, 0.25)
        return ops.where(finite, self.scale**2 / ((1 - xi) ** 2 * (1 - 2 * xi)), math.nan)

    def _exponential(self) -> tuple[Tensor, Tensor]:
        """Where ξ = 0, and ξ with 1 there, so that divisions by it leave no nan in gradients."""
        zero = ops.isclose(self.concentration, ops.zeros_like(self.concentration))
        return zero, ops.where(zero, 1.0, self.concentration)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.icdf(ops.rand(self._extended_shape(sample_shape), dtype=self.loc.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        z = (value - self.loc) / self.scale
        zero, xi = self._exponential()
        power = 1 / xi + ops.ones_like(z)
        decay = ops.where(power == 0, power, power * ops.log1p(xi * z))
        return -self.scale.log() - ops.where(zero, z, decay)

    def log_survival_function(self, value: Tensor) -> Tensor:
        """ln P(X > value)."""
        self._check_value(value)
        z = (value - self.loc) / self.scale
        zero, xi = self._exponential()
        return ops.where(zero, -z, -ops.log1p(xi * z) / xi)

    def log_cdf(self, value: Tensor) -> Tensor:
        """ln P(X <= value)."""
        return ops.log1p(-ops.exp(self.log_survival_function(value)))

    def cdf(self, value: Tensor) -> Tensor:
        return ops.exp(self.log_cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        zero, xi = self._exponential()
        log_survival = ops.log1p(-value)
        power_law = self.loc + self.scale / xi * ops.expm1(-xi * log_survival)
        return ops.where(zero, self.loc - self.scale * log_survival, power_law)

    def entropy(self) -> Tensor:
        return (self.scale.log() + self.concentration + 1).expand(tuple(self._batch_shape))
