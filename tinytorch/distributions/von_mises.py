"""The von Mises distribution: the normal distribution's counterpart on a circle."""

from __future__ import annotations

import math
from typing import Any

from tinytorch import ops, special
from tinytorch.autograd.modes import no_grad
from tinytorch.distributions import constraints
from tinytorch.distributions.distribution import Distribution
from tinytorch.distributions.utils import broadcast_all, lazy_property
from tinytorch.dtypes import float64
from tinytorch.tensor import Tensor

__all__ = ["VonMises"]


def _log_i0(x: Tensor) -> Tensor:
    """ln I₀(x), without overflow."""
    return special.i0e(x).log() + x


class VonMises(Distribution):
    """Angles with density ``exp(κ cos(x - loc)) / (2π I₀(κ))``, κ = ``concentration``, I₀ the modified Bessel function.

    Angles count modulo 2π; ``mean`` and ``variance`` are the circular ones.
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        return 1 - special.i1e(self.concentration) / special.i0e(self.concentration)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return self.concentration * ops.cos(value - self.loc) - math.log(2 * math.pi) - _log_i0(self.concentration)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Rejection from a wrapped Cauchy distribution, in double precision (Best and Fisher 1979)."""
        with no_grad():
            shape, kappa, spread = self._extended_shape(sample_shape), self.concentration.to(float64), self._spread()
            angle = ops.zeros(shape, dtype=float64)
            done = ops.zeros(shape, dtype=ops.gt(angle, 0).dtype)
            while not done.all():
                u1, u2, u3 = ops.rand(3, *shape, dtype=float64).unbind()
                z = ops.cos(math.pi * u1)
                cosine = (1 + spread * z) / (spread + z)
                c = kappa * (spread - cosine)
                accepted = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
                angle = ops.where(accepted, (u3 - 0.5).sign() * cosine.acos(), angle)
                done = done | accepted
            wrapped = (angle + math.pi + self.loc.to(float64)) % (2 * math.pi) - math.pi
            return wrapped.to(self.loc.dtype)

    def _spread(self) -> Tensor:
        """The parameter of the Cauchy distribution; for small κ its series, because the formula cancels there."""
        kappa = self.concentration.to(float64)
        tau = 1 + (1 + 4 * kappa**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
        return ops.where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho**2) / (2 * rho))
