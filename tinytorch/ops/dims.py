"""Reading ``dim`` arguments: negative dimensions, several dimensions, NumPy's spelling ``axis``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tinytorch.numpy_names import accepts_axis

__all__ = ["Ints", "accepts_axis", "as_int", "ints_from", "many_dims", "one_dim", "sizes_from"]

F = TypeVar("F", bound=Callable[..., Any])
Ints = int | Sequence[int]


def one_dim(dim: Any, ndim: int) -> int:
    """``dim`` counted from the front; IndexError outside [-ndim, ndim). A 0-dimensional tensor takes 0 and -1."""
    if type(dim) is not int:
        if isinstance(dim, bool) or not hasattr(dim, "__index__"):
            raise TypeError(f"argument 'dim' must be int, not {type(dim).__name__}")
        dim = dim.__index__()
    limit = max(ndim, 1)
    if not -limit <= dim < limit:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], but got {dim})")
    return dim + limit if dim < 0 else dim


def as_int(function: str, argument: str, value: Any) -> int:
    """``value`` as an int; TypeError for bools, floats and what else is not a whole number."""
    if type(value) is int:
        return value
    dims: int = getattr(value, "ndim", 0)  # arrays have __index__, too
    if dims or isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{function}(): argument '{argument}' must be int, not {type(value).__name__}")
    return value.__index__()


def many_dims(dim: Any, ndim: int) -> tuple[int, ...]:
    """One or several dimensions as a sorted tuple; None and () mean all of them. RuntimeError when one appears
    twice."""
    if dim is None:
        return tuple(range(ndim))
    if isinstance(dim, (tuple, list)):
        # PyTorch refuses True for a dimension in the first place of a tuple only
        dims = tuple(one_dim(int(d) if d is True and i else d, ndim) for i, d in enumerate(dim))
        if len(set(dims)) != len(dims):
            twice = next(d for d in dims if dims.count(d) > 1)
            raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
        dims = dims or tuple(range(ndim))
    else:
        dims = (one_dim(dim, ndim),)
    return tuple(sorted(dims)) if ndim else ()


def sizes_from(sizes: tuple[Any, ...], function: str = "size", argument: str = "size") -> tuple[int, ...]:
    """Sizes given as ``f(2, 3)`` or ``f((2, 3))``, as a tuple of ints."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    return ints_from(function, argument, sizes)


def ints_from(function: str, argument: str, value: Any, single: bool = False) -> tuple[int, ...]:
    """The argument of ``function`` that is a tuple or list of ints (or, if ``single``, may be one int) as a tuple.

    Tensors of one whole number pass for ints. True does, too, but not in the first place: there PyTorch looks closer.
    """
    if single and hasattr(value, "__index__") and not isinstance(value, bool):
        value = (value,)
    if not isinstance(value, (tuple, list)):
        raise TypeError(f"{function}(): argument '{argument}' must be tuple of ints, not {type(value).__name__}")
    for item in value:
        if type(item) is not int or not -_LIMIT <= item < _LIMIT:
            return tuple([_as_int(function, argument, position, item) for position, item in enumerate(value)])
    return tuple(value)


_LIMIT = 2**63  # PyTorch's ints have 64 bits


def _as_int(function: str, argument: str, position: int, item: Any) -> int:
    try:  # NumPy's arrays of one number have the method, too; PyTorch takes tensors of one and not those
        number = item.__index__() if getattr(item, "ndim", 0) == 0 or hasattr(item, "requires_grad") else None
    except (AttributeError, TypeError):
        number = None
    if number is None or (position == 0 and isinstance(item, bool)):
        raise TypeError(
            f"{function}(): argument '{argument}' must be tuple of ints, but found element of type "
            f"{type(item).__name__} at pos {position}"
        )
    if not -_LIMIT <= number < _LIMIT:
        raise TypeError(f"{function}(): argument '{argument}': Overflow when unpacking long long: {number}")
    return number
