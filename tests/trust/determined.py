"""What of a result its definition determines, for ops that leave some of it open: signs of singular vectors, which vectors
span the space of a repeated eigenvalue, the places of equal numbers in a sort that is not stable.

``determined(name)(args, kwargs, result)`` gives what two correct results have in common: products of factors for the
factors, numbers at the indices for the indices. It calls methods of tensors alone, so that it serves both libraries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["determined"]

Determined = Callable[[tuple[Any, ...], dict[str, Any], Any], Any]


def determined(name: str) -> Determined:
    """For the op of that name in PyTorch's database."""
    return _DETERMINED.get(name, _everything)


def _everything(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    return result


def _scaled(matrix: Any) -> Any:
    """Divided by its largest element: then what is rounding is small."""
    return matrix / matrix.abs().max() if matrix.numel() else matrix


def _low_rank(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """A = U S Vᴴ and orthonormal columns; q of them, whatever A's rank."""
    u, s, v = result
    return s / s.max() if s.numel() else s, _scaled((u * s.unsqueeze(-2)) @ v.mH), u.mH @ u, v.mH @ v


def _symmetric_eigen(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """A = V L Vᴴ."""
    values, v = result
    return values, _scaled((v * values.unsqueeze(-2)) @ v.mH), v.mH @ v


def _eigen(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """A V = V L, and columns of length 1."""
    values, v = result
    a = args[0].to(v.dtype)
    largest = a.abs().max() if a.numel() else 1.0
    return values, (a @ v - v * values.unsqueeze(-2)) / largest, (v * v.conj()).sum(-2)


def _qr(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """A = Q R with orthonormal columns; R alone where no Q was asked for."""
    q, r = result
    return (_scaled(q @ r), q.mH @ q, r.shape) if q.numel() else result


def _reflections(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """The Gram matrix, Aᴴ A = Rᴴ R: how long each column is, and at which angles they stand."""
    a, tau = result
    r = _scaled(a.triu())
    return r.mH @ r, tau.shape


def _sorted(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """The numbers at the indices, and that every index occurs once."""
    if kwargs.get("stable"):
        return result
    *values, indices = [result] if hasattr(result, "gather") else result
    dim = kwargs.get("dim", args[1] if len(args) > 1 else -1)
    return (*values, args[0].gather(dim, indices), indices.msort() if dim == 0 else indices.sort(dim)[0])


def _with_info(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """What was computed where ``info`` is 0; elsewhere the attempt was given up, and anything may stand there."""
    *parts, info = result
    failed = [(info != 0).reshape(*info.shape, *[1] * (part.ndim - info.ndim)) for part in parts]
    return (*(part.masked_fill(mask, 0) for part, mask in zip(parts, failed, strict=True)), info)


def _reciprocal(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """Of a condition: 0 for singular matrices, whose condition is whatever rounding makes it."""
    return 1 / result


def _largest(args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """The numbers found, in order."""
    values, indices = result
    dim = kwargs.get("dim", args[2] if len(args) > 2 else -1)
    return values.sort(dim)[0], args[0].gather(dim, indices).sort(dim)[0]


_DETERMINED: dict[str, Determined] = {
    "svd_lowrank": _low_rank, "pca_lowrank": _low_rank, "linalg.eigh": _symmetric_eigen, "linalg.eig": _eigen,
    "qr": _qr, "linalg.qr": _qr, "geqrf": _reflections, "sort": _sorted, "argsort": _sorted, "topk": _largest,
    "linalg.cond": _reciprocal,
    **{f"linalg.{name}_ex": _with_info for name in ("cholesky", "inv", "solve", "lu_factor", "ldl_factor")},
}  # fmt: skip
