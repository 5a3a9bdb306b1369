"""Parametrizations ready made: orthogonal, spectrally normalized and weight-normalized weights.

(``torch.nn.utils.parametrizations``; :mod:`.parametrize` says what a parametrization is.)
"""

from __future__ import annotations

from typing import Any

from tinytorch import linalg, ops
from tinytorch.autograd.modes import no_grad
from tinytorch.dtypes import finfo
from tinytorch.nn.modules.module import Module
from tinytorch.nn.utils.parametrize import register_parametrization
from tinytorch.ops.distance import normalize
from tinytorch.ops.vector_norms import norm_except_dim
from tinytorch.tensor import Tensor

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _weight_of(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


# ------------------------------------------------------------------------------------------ spectral norm


class _SpectralNorm(Module):
    """w / σ, with σ the largest singular value, estimated by power iteration: u and v approach its vectors."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.dim()
        if not -ndim <= dim < ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim, self.eps, self.n_power_iterations = dim % ndim, eps, n_power_iterations
        if ndim > 1:
            matrix = self._as_matrix(weight)
            for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
                self.register_buffer(name, normalize(matrix.new_empty(size).normal_(0, 1), dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _as_matrix(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.dim, 0).flatten(1)

    @no_grad()
    def _iterate(self, matrix: Tensor, times: int) -> None:
        for _ in range(times):
            self._u.copy_(normalize(ops.mv(matrix, self._v), dim=0, eps=self.eps))
            self._v.copy_(normalize(ops.mv(matrix.mT, self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        """The normalized weight; in training after another step of the iteration."""
        if weight.dim() == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = self._as_matrix(weight)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        # Copies: the next forward changes u and v, and this one's backward still needs them.
        u, v = self._u.clone(), self._v.clone()
        return weight / ops.dot(u, ops.mv(matrix, v))

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value itself: it may be normalized already."""
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Divide a weight by its largest singular value (Miyato et al. 2018); returns the module.

    The weight counts as a matrix with dimension ``dim`` as rows: 1 for transposed convolutions, else 0.
    """
    weight = _weight_of(module, name)
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


# ------------------------------------------------------------------------------------------ weight norm


class _WeightNorm(Module):
    """g v / |v|."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        """The weight from its lengths and directions."""
        return weight_v * (weight_g / norm_except_dim(weight_v, 2, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Lengths and directions of a weight."""
        return norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn a weight's lengths (``original0``) and directions (``original1``) separately (Salimans and Kingma 2016).

    Lengths are taken over all dimensions but ``dim``; None: over all. Returns the module.
    """
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


# ------------------------------------------------------------------------------------------ orthogonal


def _is_orthogonal(q: Tensor) -> bool:
    k = q.shape[-1]
    gram = q.mT @ q
    return bool(ops.allclose(gram, ops.eye(k, dtype=q.dtype).expand(gram.shape), atol=10 * k * finfo(q.dtype).eps))


def _orthogonalized(a: Tensor) -> Tensor:
    """Gram and Schmidt: Q of the QR decomposition whose R has a positive diagonal."""
    q, r = linalg.qr(a)
    return q * r.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)


def _householder(a: Tensor, tau: Tensor) -> Tensor:
    """The first k columns of the product of the reflections I - τ v vᵀ; the v are a's columns, 1 on the diagonal."""
    n, k = a.shape[-2:]
    identity = ops.eye(n, k, dtype=a.dtype)
    vectors, q = a + identity, identity.expand(a.shape)
    for i in reversed(range(k)):
        v = vectors[..., i : i + 1]
        q = q - tau[..., i, None, None] * (v @ (v.mT @ q))
    return q


class _Orthogonal(Module):
    """A matrix with orthonormal columns (or rows) from an unconstrained one, times ``base``, where it started."""

    base: Any

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.shape, self.orthogonal_map = weight.shape, orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        """The orthogonal matrix."""
        transposed = X.shape[-2] < X.shape[-1]
        if transposed:
            X = X.mT
        n, k = X.shape[-2:]
        if self.orthogonal_map == "householder":
            a = X.tril(-1)
            q = _householder(a, 2.0 / (1.0 + (a * a).sum(dim=-2)))
            q = q * X.diagonal(dim1=-2, dim2=-1).detach().trunc().unsqueeze(-2)  # its ±1, which are not learned
        else:
            lower = X.tril()
            if n != k:
                lower = ops.cat([lower, X.new_zeros((*X.shape[:-2], n, n - k))], -1)
            skew = lower - lower.mT
            if self.orthogonal_map == "matrix_exp":
                q = ops.matrix_exp(skew)
            else:  # Cayley: (I + A/2) (I - A/2)^-1
                identity = ops.eye(n, dtype=skew.dtype)
                q = linalg.solve(identity - 0.5 * skew, identity + 0.5 * skew)
            q = q[..., :k]
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if transposed else q

    @no_grad()
    def right_inverse(self, Q: Tensor) -> Tensor:
        """What to start from so that the result is Q, or the orthogonal matrix next to it."""
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        if not hasattr(self, "base"):
            raise NotImplementedError(
                "assigning to an orthogonal parametrization needs use_trivialization=True; only then is there a base "
                "to start from"
            )
        start = ops.zeros_like(Q)
        start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)  # gives the identity, under every map
        q = Q.mT if Q.shape[-2] < Q.shape[-1] else Q
        n, k = q.shape[-2:]
        if n != k:  # complete it to n columns
            q = ops.cat([q, ops.randn((*q.shape[:-2], n, n - k), dtype=q.dtype)], -1)
            self.base = _orthogonalized(q)
        else:
            self.base = q.clone() if _is_orthogonal(q) else _orthogonalized(q)
        return start


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keep a weight's columns (or its rows, whichever are fewer) orthonormal; returns the module.

    ``orthogonal_map``: ``"matrix_exp"`` (default for square matrices), ``"cayley"`` or ``"householder"``.
    """
    weight = _weight_of(module, name)
    if weight.dim() < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions.")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: ' + orthogonal_map
        )
    parametrization = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, parametrization, unsafe=True)
