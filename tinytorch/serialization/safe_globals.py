"""Classes that a file may hold though it is not trusted, because the user named them (``add_safe_globals``).

Python's own pickle machine builds their objects. It finds no other name than theirs and those of tensors and plain
containers, so that a file can call nothing that the user did not allow.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from tinytorch.serialization.rebuild import KNOWN_GLOBALS
from tinytorch.serialization.trusting import TrustingUnpickler

__all__ = ["AllowingUnpickler", "add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals"]

Global = Callable[..., Any] | tuple[Callable[..., Any], str]  # a class or function, or one and the name it goes by

_allowed: list[Global] = []


def add_safe_globals(safe_globals: list[Global]) -> None:
    """Let :func:`tinytorch.load` build these classes, and call these functions, also with ``weights_only=True``."""
    _allowed.extend(each for each in safe_globals if each not in _allowed)


def get_safe_globals() -> list[Global]:
    """What was added."""
    return list(_allowed)


def clear_safe_globals() -> None:
    """Forget what was added."""
    _allowed.clear()


class safe_globals:
    """Inside, these classes may be loaded too."""

    def __init__(self, safe_globals: list[Global]) -> None:
        self.safe_globals = safe_globals

    def __enter__(self) -> None:
        self._before = get_safe_globals()
        add_safe_globals(self.safe_globals)

    def __exit__(self, *exception: Any) -> None:
        _allowed[:] = self._before


def _names() -> dict[str, Any]:
    pairs = [each if isinstance(each, tuple) else (each, f"{each.__module__}.{each.__qualname__}") for each in _allowed]
    return {name: value for value, name in pairs}


class AllowingUnpickler(TrustingUnpickler):
    """Python's unpickler, with only the names that are safe by themselves or were added."""

    def find_class(self, module: str, name: str) -> Any:
        """What ``module.name`` is. Raises pickle.UnpicklingError if it was not allowed."""
        full = f"{module}.{name}"
        added = _names().get(full)
        if added is not None:
            return added
        if full in KNOWN_GLOBALS or (module.split(".")[0] == "torch" and name.endswith("Storage")):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(
            f"Unsupported global: GLOBAL {full} was not an allowed global by default. Please use "
            f"`torch.serialization.add_safe_globals([{name}])` or the `torch.serialization.safe_globals([{name}])` "
            "context manager to allowlist this global if you trust this class/function."
        )
