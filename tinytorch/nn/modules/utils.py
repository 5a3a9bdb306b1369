"""Small helpers of the layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["consume_prefix_in_state_dict_if_present", "ntuple"]


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


def _list_with_default(out_size: list[Any], defaults: list[int]) -> list[int]:
    """The sizes, with None replaced by the size that is there."""
    if len(defaults) <= len(out_size):
        raise ValueError(f"Input dimension should be at least {len(out_size) + 1}")
    return [size if size is not None else d for size, d in zip(out_size, defaults[-len(out_size) :], strict=True)]


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Remove ``prefix`` (such as ``"module."``) from the names in a ``state_dict``, in place."""
    for names in (state_dict, getattr(state_dict, "_metadata", None) or {}):
        for name in list(names):
            if name.startswith(prefix):
                names[name[len(prefix) :]] = names.pop(name)
            elif name and name == prefix.rstrip("."):
                names[""] = names.pop(name)
