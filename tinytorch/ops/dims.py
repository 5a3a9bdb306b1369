"""Reading ``dim`` arguments: negative dimensions, several dimensions, NumPy's spelling ``axis``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tinytorch.numpy_names import accepts_axis

__all__ = ["accepts_axis", "many_dims", "one_dim", "sizes_from"]

F = TypeVar("F", bound=Callable[..., Any])


def one_dim(dim: Any, ndim: int) -> int:
    """``dim`` counted from the front; IndexError outside [-ndim, ndim). A 0-dimensional tensor takes 0 and -1."""
    if not isinstance(dim, int):
        if isinstance(dim, bool) or not hasattr(dim, "__index__"):
            raise TypeError(f"argument 'dim' must be int, not {type(dim).__name__}")
        dim = dim.__index__()
    limit = max(ndim, 1)
    if not -limit <= dim < limit:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], but got {dim})")
    return dim + limit if dim < 0 else dim


def many_dims(dim: Any, ndim: int) -> tuple[int, ...]:
    """One or several dimensions as a sorted tuple; None and () mean all of them. RuntimeError when one appears
    twice."""
    if dim is None:
        return tuple(range(ndim))
    if isinstance(dim, (tuple, list)):
        dims = tuple(one_dim(d, ndim) for d in dim)
        if len(set(dims)) != len(dims):
            twice = next(d for d in dims if dims.count(d) > 1)
            raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
        dims = dims or tuple(range(ndim))
    else:
        dims = (one_dim(dim, ndim),)
    return tuple(sorted(dims)) if ndim else ()


def sizes_from(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given as ``f(2, 3)`` or ``f((2, 3))``, as a tuple of ints."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    result = []
    for position, size in enumerate(sizes):
        if isinstance(size, (bool, float)) or not hasattr(size, "__index__"):
            raise TypeError(f"sizes must be ints, but found element of type {type(size).__name__} at pos {position}")
        result.append(size.__index__())
    return tuple(result)
