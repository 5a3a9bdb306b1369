"""The LKJ distribution of correlation matrices, by their Cholesky factors."""

from __future__ import annotations

import math
from typing import Any

from tinytorch import ops
from tinytorch.autograd.modes import no_grad
from tinytorch.distributions import constraints
from tinytorch.distributions.beta import Beta
from tinytorch.distributions.distribution import Distribution, standard_normal
from tinytorch.distributions.independent import Independent
from tinytorch.distributions.utils import broadcast_all
from tinytorch.dtypes import finfo
from tinytorch.tensor import Tensor

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """L with L Lᵀ a ``dim`` × ``dim`` correlation matrix of density ``∝ det^(η - 1)``, η = ``concentration``.

    η = 1 is uniform over correlation matrices; a larger one prefers weak correlations (Lewandowski, Kurowicka and
    Joe 2009).
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        number = ops.arange(dim - 1, dtype=self.concentration.dtype)
        number = ops.cat([number.new_zeros((1,)), number])  # of the row, counted from the second
        marginal = self.concentration + 0.5 * (dim - 2)
        self._beta = Independent(Beta(number + 0.5, marginal.unsqueeze(-1) - 0.5 * number), 1)
        super().__init__(self.concentration.shape, (dim, dim), validate_args=validate_args)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """The onion method: each row is a direction, uniform on the sphere, times a radius from a beta distribution."""
        with no_grad():
            squared_radius = self._beta.sample(sample_shape).unsqueeze(-1)
            direction = standard_normal(self._extended_shape(sample_shape), squared_radius).tril(-1)
            direction = direction / direction.norm(dim=-1, keepdim=True)
            direction[..., 0, :] = 0.0  # there is none in the first row
            rows = squared_radius.sqrt() * direction
            diagonal = (1 - (rows**2).sum(-1)).clamp(min=finfo(rows.dtype).tiny).sqrt()
            return rows + diagonal.diag_embed()

    def log_prob(self, value: Tensor) -> Tensor:
        """``Σ_i (2η - 2 + dim - i) ln L_ii``, which is det^(η-1) and the Jacobian of L ↦ L Lᵀ, less its integral."""
        self._check_value(value)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - ops.arange(2, self.dim + 1)
        density = (order * value.diagonal(dim1=-1, dim2=-2)[..., 1:].log()).sum(-1)
        n = self.dim - 1
        alpha = self.concentration + 0.5 * n
        return density - (0.5 * n * math.log(math.pi) + ops.mvlgamma(alpha - 0.5, n) - ops.lgamma(alpha) * n)
