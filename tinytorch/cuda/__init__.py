"""``tinytorch.cuda``: there is none. The questions that CPU-only scripts ask get their answers."""

from __future__ import annotations

from typing import Any

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "manual_seed_all", "synchronize"]


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: Any) -> None:
    """Does nothing, as in a PyTorch without GPUs."""


def manual_seed_all(seed: Any) -> None:
    """Does nothing, as in a PyTorch without GPUs."""


def empty_cache() -> None:
    """Does nothing."""


def synchronize(device: Any = None) -> None:
    """Does nothing: every op has finished when it returns."""


def __getattr__(name: str) -> Any:
    if name == "amp":  # loaded when first asked for
        import importlib

        return importlib.import_module("tinytorch.cuda.amp")
    raise AttributeError(
        f"tinytorch.cuda has no '{name}': tinytorch runs on the CPU only, and cuda.is_available() is False."
    )
