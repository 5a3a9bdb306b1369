"""The Wishart distribution: what sample covariance matrices of normal vectors look like."""

from __future__ import annotations

import math
import warnings
from typing import Any

from tinytorch import linalg, ops
from tinytorch.distributions import constraints
from tinytorch.distributions.distribution import ExponentialFamily
from tinytorch.distributions.gamma import Chi2
from tinytorch.distributions.multivariate_normal import Forms, factor_of
from tinytorch.dtypes import finfo
from tinytorch.size import Size
from tinytorch.tensor import Tensor

__all__ = ["Wishart"]


class Wishart(Forms, ExponentialFamily):
    """``Σ_k x_k x_kᵀ`` of ``df`` normal vectors x_k with covariance Σ = L Lᵀ; ``df`` need not be whole.

    Give exactly one of ``covariance_matrix``, ``precision_matrix`` (its inverse), ``scale_tril`` (L).
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    @property
    def arg_constraints(self) -> dict[str, Any]:
        """The smallest ``df`` depends on the size of the matrices."""
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self.event_shape[-1] - 1),
        }

    def __init__(
        self,
        df: Any,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        given = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
        given = {name: value for name, value in given.items() if value is not None}
        if len(given) != 1:
            raise AssertionError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given.items()
        assert matrix is not None
        if matrix.dim() < 2:
            raise ValueError("scale_tril must be at least two-dimensional, with optional leading batch dimensions")
        batch_shape = tuple(matrix.shape[:-2])
        if isinstance(df, Tensor):
            batch_shape = tuple(ops.broadcast_shapes(batch_shape, df.shape))
            self.df = df.expand(batch_shape)
        else:
            self.df = ops.tensor(df, dtype=matrix.dtype).expand(batch_shape)
        n = matrix.shape[-1]
        if (self.df <= n - 1).any():
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        if (self.df < n).any():
            warnings.warn("Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < "
                          "ndim.", stacklevel=2)  # fmt: skip
        setattr(self, name, matrix.expand((*batch_shape, n, n)))
        super().__init__(batch_shape, (n, n), validate_args=validate_args)
        self._factor = factor_of(name, matrix).expand((*batch_shape, n, n))

    @property
    def mean(self) -> Tensor:
        return self.df[..., None, None] * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self._event_shape[-1] - 1
        return ops.where(factor <= 0, math.nan, factor)[..., None, None] * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        sigma = self.covariance_matrix
        diagonal = sigma.diagonal(dim1=-2, dim2=-1)
        return self.df[..., None, None] * (sigma**2 + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    # ------------------------------------------------------------------------------------ draws

    def _bartlett(self, sample_shape: Any) -> Tensor:
        """``L A Aᵀ Lᵀ`` (Bartlett): square roots of chi-squared numbers on the diagonal of A, normal ones below."""
        n = self._event_shape[-1]
        chi2 = Chi2(self.df.unsqueeze(-1) - ops.arange(n, dtype=self._factor.dtype))
        diagonal = chi2.rsample(sample_shape).sqrt()
        noise = diagonal.clamp(min=finfo(diagonal.dtype).eps).diag_embed()
        rows, columns = ops.tril_indices(n, n, -1)
        shape = (*tuple(sample_shape), *tuple(self._batch_shape), n * (n - 1) // 2)
        noise[..., rows, columns] = ops.randn(shape, dtype=noise.dtype)
        factor = self._factor @ noise
        return factor @ factor.mT

    def rsample(self, sample_shape: Any = (), max_try_correction: int | None = None) -> Tensor:
        """Draw; matrices that rounding has made singular are drawn again, up to ``max_try_correction`` (10) times.

        PyTorch draws the first try again where it is *not* singular. So does this, to give its numbers for its seed.
        """
        sample = self._bartlett(Size(sample_shape))
        again = self._all_of_a_batch(self.support.check(sample))
        for _ in range(10 if max_try_correction is None else max_try_correction):
            if not again.any():
                break
            drawn = self._bartlett((int(again.sum()),))
            sample[again] = drawn
            still = again.clone()  # the mask itself is needed for the gradient
            still[again] = self._all_of_a_batch(~self.support.check(drawn))
            again = still
        return sample

    def _all_of_a_batch(self, flags: Tensor) -> Tensor:
        """One flag for each sample of all distributions: they are drawn together."""
        return flags.amax([-1 - k for k in range(len(self._batch_shape))]) if self._batch_shape else flags

    # ------------------------------------------------------------------------------------ densities

    def _log_det_factor(self) -> Tensor:
        """``½ ln det(2Σ)``: ``n ln 2 / 2 + Σ ln L_ii``."""
        return self._event_shape[-1] * math.log(2) / 2 + self._factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        nu, n = self.df, self._event_shape[-1]
        log_det = (nu - n - 1) / 2 * linalg.slogdet(value).logabsdet
        trace = ops.cholesky_solve(value, self._factor).diagonal(dim1=-2, dim2=-1).sum(-1)
        return -nu * self._log_det_factor() - ops.mvlgamma(nu / 2, n) + log_det - trace / 2

    def entropy(self) -> Tensor:
        nu, n = self.df, self._event_shape[-1]
        digammas = ops.digamma((nu / 2).unsqueeze(-1) - ops.arange(n, dtype=nu.dtype) / 2).sum(-1)
        log_gamma = ops.mvlgamma(nu / 2, n)
        return (n + 1) * self._log_det_factor() + log_gamma - (nu - n - 1) / 2 * digammas + nu * n / 2

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:
        n = self._event_shape[-1]
        half_df = y + (n + 1) / 2
        return half_df * (n * math.log(2) - linalg.slogdet(-2 * x).logabsdet) + ops.mvlgamma(half_df, n)
