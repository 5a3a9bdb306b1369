"""``tinytorch.backends``: the switches that scripts set for speed or reproducibility. Everything here is
deterministic anyway.
"""

from __future__ import annotations

__all__ = ["cuda", "cudnn", "mkl", "mps"]


class _Backend:
    """A backend that is not there; its flags can be set and change nothing."""

    enabled = False
    benchmark = False
    deterministic = True
    allow_tf32 = False

    def __init__(self) -> None:
        self.matmul = self

    @staticmethod
    def is_available() -> bool:
        """False."""
        return False

    @staticmethod
    def is_built() -> bool:
        """False."""
        return False


cudnn, cuda, mps, mkl = _Backend(), _Backend(), _Backend(), _Backend()
