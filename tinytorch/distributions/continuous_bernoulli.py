"""The continuous Bernoulli distribution: numbers in [0, 1], such as the pixels of an image."""

from __future__ import annotations

import math
from typing import Any

from tinytorch import ops
from tinytorch.distributions import constraints
from tinytorch.distributions.distribution import ExponentialFamily
from tinytorch.distributions.probs_or_logits import ProbsOrLogits
from tinytorch.distributions.utils import broadcast_all, clamp_probs, lazy_property, logits_to_probs
from tinytorch.tensor import Tensor

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(ProbsOrLogits, ExponentialFamily):
    """Density ``C λ^x (1 - λ)^(1 - x)`` on [0, 1], with λ = ``probs`` or ``sigmoid(logits)`` (Loaiza-Ganem and
    Cunningham 2019).

    ``C = 2 artanh(1 - 2λ) / (1 - 2λ)`` is 0/0 at λ = ½: between ``lims`` the first terms of series around ½ are used.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        self._take(probs, logits)
        if probs is not None:
            if validate_args is not None and not constraints.unit_interval.check(self.probs).all():
                raise ValueError("The parameter probs has invalid values")
            self.probs = self._param = clamp_probs(self.probs)
        self._lims = lims
        super().__init__(self._param.shape, validate_args=validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    # ------------------------------------------------------------------------------------ around one half

    def _far(self) -> Tensor:
        """Where λ is far enough from ½ for the formulas."""
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _far_probs(self) -> Tensor:
        """λ there, and a harmless value where the series are used, so that no nan gets into gradients."""
        return ops.where(self._far(), self.probs, self._lims[0] * ops.ones_like(self.probs))

    def _cont_bern_log_norm(self) -> Tensor:
        """ln C."""
        far = self._far_probs()
        below = ops.where(far <= 0.5, far, ops.zeros_like(far))
        above = ops.where(far >= 0.5, far, ops.ones_like(far))
        distance = ops.where(far <= 0.5, ops.log1p(-2.0 * below), ops.log(2.0 * above - 1.0))  # ln |1 - 2λ|
        formula = ops.log(ops.abs(ops.log1p(-far) - ops.log(far))) - distance
        squared = (self.probs - 0.5) ** 2
        series = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * squared) * squared
        return ops.where(self._far(), formula, series)

    @property
    def mean(self) -> Tensor:
        far, x = self._far_probs(), self.probs - 0.5
        formula = far / (2.0 * far - 1.0) + 1.0 / (ops.log1p(-far) - ops.log(far))
        return ops.where(self._far(), formula, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x**2) * x)

    @property
    def variance(self) -> Tensor:
        far, squared = self._far_probs(), (self.probs - 0.5) ** 2
        formula = far * (far - 1.0) / (1.0 - 2.0 * far) ** 2 + 1.0 / (ops.log1p(-far) - ops.log(far)) ** 2
        return ops.where(self._far(), formula, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * squared) * squared)

    # ------------------------------------------------------------------------------------ draws and densities

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.icdf(ops.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        logits, value = broadcast_all(self.logits, value)
        bernoulli = -ops.binary_cross_entropy_with_logits(logits, value, reduction="none")
        return bernoulli + self._cont_bern_log_norm()

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        far = self._far_probs()
        formula = (far**value * (1.0 - far) ** (1.0 - value) + far - 1.0) / (2.0 * far - 1.0)
        return ops.where(value >= 1.0, 1.0, ops.where(value <= 0.0, 0.0, ops.where(self._far(), formula, value)))

    def icdf(self, value: Tensor) -> Tensor:
        far = self._far_probs()
        formula = ops.log1p(-far + value * (2.0 * far - 1.0)) - ops.log1p(-far)
        return ops.where(self._far(), formula / (ops.log(far) - ops.log1p(-far)), value)

    def entropy(self) -> Tensor:
        log_zero, log_one = ops.log1p(-self.probs), ops.log(self.probs)
        return self.mean * (log_zero - log_one) - self._cont_bern_log_norm() - log_zero

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:
        far = (x <= self._lims[0] - 0.5) | (x > self._lims[1] - 0.5)
        safe = ops.where(far, x, (self._lims[0] - 0.5) * ops.ones_like(x))
        formula = ops.log(ops.abs(ops.expm1(safe))) - ops.log(ops.abs(safe))
        return ops.where(far, formula, 0.5 * x + x**2 / 24.0 - x**4 / 2880.0)
