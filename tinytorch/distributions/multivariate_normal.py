"""The normal distribution of vectors."""

from __future__ import annotations

import math
from typing import Any

from tinytorch import linalg, ops
from tinytorch.distributions import constraints
from tinytorch.distributions.distribution import Distribution, standard_normal
from tinytorch.distributions.utils import lazy_property
from tinytorch.tensor import Tensor

__all__ = ["MultivariateNormal", "_batch_mahalanobis"]


def _batch_mahalanobis(factor: Tensor, difference: Tensor) -> Tensor:
    """``dᵀ (L Lᵀ)⁻¹ d`` for lower triangular L: the squared length of ``L⁻¹ d``."""
    solved = linalg.solve_triangular(factor, difference.unsqueeze(-1), upper=False).squeeze(-1)
    return solved.pow(2).sum(-1)


def _precision_to_scale_tril(precision: Tensor) -> Tensor:
    """The Cholesky factor of the inverse. The inverse of a flipped factor is triangular the right way round."""
    flipped = linalg.cholesky(ops.flip(precision, (-2, -1)))
    inverse_factor = ops.flip(flipped, (-2, -1)).mT
    identity = ops.eye(precision.shape[-1], dtype=precision.dtype)
    return linalg.solve_triangular(inverse_factor, identity, upper=False)


def factor_of(name: str, matrix: Tensor) -> Tensor:
    """L of the covariance L Lᵀ, from one of its :class:`Forms`."""
    if name == "scale_tril":
        return matrix
    return linalg.cholesky(matrix) if name == "covariance_matrix" else _precision_to_scale_tril(matrix)


class Forms:
    """The three forms of a covariance; whichever was not given is made of ``_factor``, its L."""

    _factor: Tensor

    @lazy_property
    def scale_tril(self) -> Tensor:
        return self._factor

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        return self._factor @ self._factor.mT

    @lazy_property
    def precision_matrix(self) -> Tensor:
        return ops.cholesky_inverse(self._factor)


class MultivariateNormal(Forms, Distribution):
    """Vectors ``loc + L z`` with z standard normal, L Lᵀ the covariance.

    Give exactly one of ``covariance_matrix``, ``precision_matrix`` (its inverse), ``scale_tril`` (L).
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {"covariance_matrix": covariance_matrix, "scale_tril": scale_tril, "precision_matrix": precision_matrix}
        given = {name: value for name, value in given.items() if value is not None}
        if len(given) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given.items()
        assert matrix is not None
        if matrix.dim() < 2:
            raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        batch_shape = ops.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        setattr(self, name, matrix.expand(tuple(batch_shape) + tuple(matrix.shape[-2:])))
        self.loc = loc.expand(tuple(batch_shape) + tuple(loc.shape[-1:]))
        super().__init__(batch_shape, loc.shape[-1:], validate_args=validate_args)
        self._factor = factor_of(name, matrix).expand(tuple(batch_shape) + tuple(matrix.shape[-2:]))

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self._factor.pow(2).sum(-1)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        noise = standard_normal(self._extended_shape(sample_shape), self.loc)
        return self.loc + ops.matmul(self._factor, noise.unsqueeze(-1)).squeeze(-1)

    def _half_log_det(self) -> Tensor:
        return self._factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        distance = _batch_mahalanobis(self._factor, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - self._half_log_det()

    def entropy(self) -> Tensor:
        return 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._half_log_det()
