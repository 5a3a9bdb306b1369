"""``torch.layout`` and ``torch.memory_format``: constants that scripts pass around and compare.

Every tensor here is :data:`strided`, a block of memory with a step for each dimension; the other layouts exist to
be compared with.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "channels_last",
    "channels_last_3d",
    "contiguous_format",
    "layout",
    "memory_format",
    "preserve_format",
    "sparse_coo",
    "sparse_csr",
    "strided",
]


class _Constant:
    """A named constant of which there is one object, so that ``is`` and ``==`` agree, after copying too."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"torch.{self._name}"

    def __reduce__(self) -> Any:
        return self._name  # the pickled form: this module's global of that name


class layout(_Constant):
    """How a tensor's elements are kept; ``tensor.layout`` is always ``strided``."""

    __slots__ = ()


class memory_format(_Constant):
    """In which order dimensions lie in memory: what ``contiguous(memory_format=...)`` takes."""

    __slots__ = ()


strided, sparse_coo, sparse_csr = layout("strided"), layout("sparse_coo"), layout("sparse_csr")
contiguous_format, preserve_format = memory_format("contiguous_format"), memory_format("preserve_format")
channels_last, channels_last_3d = memory_format("channels_last"), memory_format("channels_last_3d")
