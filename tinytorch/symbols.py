"""``torch.sym_int`` and its kin: functions that also take PyTorch's symbolic sizes. Sizes are plain numbers here."""

from __future__ import annotations

import builtins
import math
from collections.abc import Iterable
from typing import Any

__all__ = ["SymBool", "SymFloat", "SymInt", "sym_float", "sym_int", "sym_ite", "sym_max", "sym_min", "sym_not",
           "sym_sqrt", "sym_sum"]  # fmt: skip


class SymInt:
    """What a symbolic size would be an instance of: none is."""


class SymFloat:
    """What a symbolic number would be an instance of: none is."""


class SymBool:
    """What a symbolic truth value would be an instance of: none is."""


def sym_int(a: Any) -> int:
    """``int(a)``."""
    return math.trunc(a)


def sym_float(a: Any) -> float:
    """``float(a)``."""
    return float(a)


def sym_max(a: Any, b: Any) -> Any:
    """The larger one; a float if either is."""
    return float(builtins.max(a, b)) if isinstance(a, float) or isinstance(b, float) else builtins.max(a, b)


def sym_min(a: Any, b: Any) -> Any:
    """The smaller one; a float if either is."""
    return float(builtins.min(a, b)) if isinstance(a, float) or isinstance(b, float) else builtins.min(a, b)


def sym_not(a: Any) -> bool:
    """``not a``."""
    return not a


def sym_ite(b: Any, t: Any, f: Any) -> Any:
    """``t if b else f``."""
    return t if b else f


def sym_sqrt(a: Any) -> float:
    """The square root."""
    return math.sqrt(a)


def sym_sum(args: Iterable[Any]) -> Any:
    """The sum."""
    return builtins.sum(args)
