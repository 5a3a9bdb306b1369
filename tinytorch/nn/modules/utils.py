"""Small helpers of the layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["ntuple"]


def ntuple(value: Any, n: int) -> tuple[Any, ...]:
    """``value`` once per dimension: 3 becomes (3, 3); a sequence becomes a tuple."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * n


def _ntuple(n: int, name: str = "parse") -> Callable[[Any], tuple[Any, ...]]:
    """The function ``value -> ntuple(value, n)``; PyTorch's layers, and those of users, are written with it."""

    def parse(value: Any) -> tuple[Any, ...]:
        return ntuple(value, n)

    parse.__name__ = name
    return parse


_single, _pair = _ntuple(1, "_single"), _ntuple(2, "_pair")
_triple, _quadruple = _ntuple(3, "_triple"), _ntuple(4, "_quadruple")


def _reverse_repeat_tuple(t: tuple[Any, ...], n: int) -> tuple[Any, ...]:
    """Every element ``n`` times, the last one first: padding for ``F.pad`` from that of a convolution."""
    return tuple(x for x in reversed(t) for _ in range(n))
