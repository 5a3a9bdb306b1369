"""``tinytorch.cpu``: the one device there is."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["current_device", "device_count", "is_available", "is_initialized", "set_device", "synchronize"]


def is_available() -> bool:
    """True."""
    return True


def is_initialized() -> bool:
    """True."""
    return True


def device_count() -> int:
    """1."""
    return 1


def current_device() -> str:
    """``"cpu"``."""
    return "cpu"


def set_device(device: Any) -> None:
    """Does nothing: there is one."""


def synchronize(device: Any = None) -> None:
    """Does nothing: every op has finished when it returns."""


def __getattr__(name: str) -> Any:
    if name == "amp":  # loaded when first asked for
        return import_module("tinytorch.cpu.amp")
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
