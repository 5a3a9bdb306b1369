"""Memory shared with other libraries through DLPack (``torch.utils.dlpack``)."""

from __future__ import annotations

from typing import Any

from tinytorch.ops import from_dlpack
from tinytorch.tensor import Tensor

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor: Tensor) -> Any:
    """A capsule that another library's ``from_dlpack`` takes, once. BufferError if the tensor requires grad."""
    return tensor.__dlpack__()
