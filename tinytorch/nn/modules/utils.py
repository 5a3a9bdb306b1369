"""Small helpers of the layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["ntuple"]


def ntuple(value: Any, n: int) -> tuple[Any, ...]:
    """``value`` once per dimension: 3 becomes (3, 3); a sequence becomes a tuple."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * n
