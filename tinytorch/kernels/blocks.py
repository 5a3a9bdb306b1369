"""The block of memory behind an array: what PyTorch calls its storage."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["memory_block", "offset_in_block"]


class _Exposed:
    """Bytes at an address, offered through NumPy's array interface; keeps their owner alive."""

    def __init__(self, owner: np.ndarray) -> None:
        address, read_only = owner.__array_interface__["data"]
        self.base = owner
        self.__array_interface__ = {
            "version": 3, "typestr": "|u1", "shape": (owner.nbytes,), "data": (address, read_only),
        }  # fmt: skip


def memory_owner(array: np.ndarray) -> np.ndarray:
    """The array whose memory this one shows (itself, if it is no view)."""
    owner: Any = array
    base: Any = array
    while base is not None:
        if isinstance(base, np.ndarray):
            owner = base
        base = getattr(base, "base", None)
    return owner


def memory_block(array: np.ndarray) -> np.ndarray:
    """All bytes of the memory that ``array`` shows, of which it may be a small part: a view, as uint8.

    >>> x = np.arange(6)
    >>> memory_block(x[2:4]).view(x.dtype)
    array([0, 1, 2, 3, 4, 5])
    """
    return np.asarray(_Exposed(memory_owner(array)))


def offset_in_block(array: np.ndarray) -> int:
    """How many bytes of the block lie before the first element."""
    return array.__array_interface__["data"][0] - memory_owner(array).__array_interface__["data"][0]
