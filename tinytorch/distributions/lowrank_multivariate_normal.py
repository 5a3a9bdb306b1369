"""The normal distribution of vectors, with a covariance of low rank plus a diagonal."""

from __future__ import annotations

import math
from typing import Any

from tinytorch import linalg, ops
from tinytorch.distributions import constraints
from tinytorch.distributions.distribution import Distribution, standard_normal
from tinytorch.distributions.multivariate_normal import _batch_mahalanobis
from tinytorch.distributions.utils import lazy_property
from tinytorch.tensor import Tensor

__all__ = ["LowRankMultivariateNormal"]


class LowRankMultivariateNormal(Distribution):
    """Covariance ``W Wᵀ + D`` with ``cov_factor`` W (..., n, r) and ``cov_diag`` the diagonal of D (..., n).

    Densities cost matrices of size r only: Woodbury's identity and the matrix determinant lemma with the
    capacitance matrix ``I + Wᵀ D⁻¹ W``.
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        event_shape = tuple(loc.shape[-1:])
        if cov_factor.dim() < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if tuple(cov_factor.shape[-2:-1]) != event_shape:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {event_shape[0]} x m")
        if tuple(cov_diag.shape[-1:]) != event_shape:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {event_shape}")
        batch = tuple(ops.broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1]))
        self.loc, self.cov_diag = loc.expand(batch + event_shape), cov_diag.expand(batch + event_shape)
        self.cov_factor = cov_factor.expand(batch + tuple(cov_factor.shape[-2:]))
        super().__init__(batch, event_shape, validate_args=validate_args)

    @lazy_property
    def _capacitance_tril(self) -> Tensor:
        weighted = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        capacitance = ops.matmul(weighted, self.cov_factor)
        return linalg.cholesky(capacitance + ops.eye(capacitance.shape[-1], dtype=capacitance.dtype))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        return self.cov_factor.pow(2).sum(-1) + self.cov_diag

    @lazy_property
    def scale_tril(self) -> Tensor:
        return linalg.cholesky(self.covariance_matrix)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        return ops.matmul(self.cov_factor, self.cov_factor.mT) + ops.diag_embed(self.cov_diag)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        weighted = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        solved = linalg.solve_triangular(self._capacitance_tril, weighted, upper=False)
        return ops.diag_embed(self.cov_diag.reciprocal()) - solved.mT @ solved

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = tuple(self._extended_shape(sample_shape))
        low_rank = standard_normal((*shape[:-1], self.cov_factor.shape[-1]), self.loc)
        diagonal = standard_normal(shape, self.loc)
        moved = ops.matmul(self.cov_factor, low_rank.unsqueeze(-1)).squeeze(-1)
        return self.loc + moved + self.cov_diag.sqrt() * diagonal

    def _log_det(self) -> Tensor:
        return 2 * self._capacitance_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1) + self.cov_diag.log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        difference = value - self.loc
        weighted = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        projected = ops.matmul(weighted, difference.unsqueeze(-1)).squeeze(-1)
        distance = (difference.pow(2) / self.cov_diag).sum(-1) - _batch_mahalanobis(self._capacitance_tril, projected)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + self._log_det() + distance)

    def entropy(self) -> Tensor:
        return 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._log_det())
