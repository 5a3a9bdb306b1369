"""The geometric distribution: failures before the first success."""

from __future__ import annotations

from typing import Any

from tinytorch import ops
from tinytorch.distributions import constraints
from tinytorch.distributions.distribution import Distribution
from tinytorch.distributions.probs_or_logits import ProbsOrLogits
from tinytorch.distributions.utils import broadcast_all
from tinytorch.dtypes import finfo
from tinytorch.tensor import Tensor

__all__ = ["Geometric"]


class Geometric(ProbsOrLogits, Distribution):
    """``P(k) = (1 - probs)^k probs`` for k = 0, 1, 2, ... Give ``probs`` or ``logits``."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._take(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)
        if self._validate_args and probs is not None and not (self.probs > 0).all():
            raise ValueError(
                f"Expected parameter probs (Tensor of shape {tuple(self.probs.shape)}) of distribution {self!r} to be "
                f"positive but found invalid values:\n{self.probs[self.probs <= 0]}"
            )

    @property
    def mean(self) -> Tensor:
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        return ops.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape, probs = self._extended_shape(sample_shape), self.probs.detach()
        u = ops.empty(tuple(shape), dtype=probs.dtype).uniform_(finfo(probs.dtype).tiny, 1)
        return (u.log() / (-probs.expand(shape)).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        value, probs = broadcast_all(value, self.probs)
        # A certain success leaves nothing to fail: 0 · log 0 is 0 here.
        rest = ops.where((probs == 1) & (value == 0), 0.0, probs)
        return value * (-rest).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        return ops.binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs
