"""Which kernel computes attention (``torch.nn.attention``). Here there is one, so the choice is only checked."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator
from typing import Any

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(enum.Enum):
    """The kernels that PyTorch chooses among."""

    ERROR, MATH, FLASH_ATTENTION, EFFICIENT_ATTENTION, CUDNN_ATTENTION, OVERRIDEABLE = range(-1, 5)

    def __repr__(self) -> str:
        return f"<SDPBackend.{self.name}: {self.value}>"


@contextlib.contextmanager
def sdpa_kernel(backends: Any, set_priority: bool = False) -> Iterator[None]:
    """Allow these kernels alone. MATH has to be among them, being what ``scaled_dot_product_attention`` computes.

    Raises:
        AssertionError: for what is no :class:`SDPBackend`, nor a list of them.
        RuntimeError: if MATH is not among them.
    """
    chosen = [backends] if isinstance(backends, SDPBackend) else list(backends)
    assert all(isinstance(backend, SDPBackend) for backend in chosen), "backends must be SDPBackend or a list of them"
    if SDPBackend.MATH not in chosen:
        raise RuntimeError("No available kernel: tinytorch computes attention by SDPBackend.MATH only")
    yield
