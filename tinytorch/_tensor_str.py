"""``torch._tensor_str``, where some programs look up the print options, or write a tensor's numbers alone."""

from __future__ import annotations

from tinytorch.formatting import PRINT_OPTIONS, format_numbers, get_printoptions, printoptions, set_printoptions
from tinytorch.tensor import Tensor

__all__ = ["PRINT_OPTS", "_tensor_str", "get_printoptions", "printoptions", "set_printoptions"]

PRINT_OPTS = PRINT_OPTIONS


def _tensor_str(self: Tensor, indent: int) -> str:
    """The numbers in brackets, without ``tensor(``; lines after the first start right of column ``indent``."""
    return format_numbers(self._array, indent)
