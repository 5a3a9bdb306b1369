"""What the modules of accelerators have in common (``cuda``, ``mps``, ``xpu``, ``mtia``): there is none.

Questions get their answer (``is_available()`` is False, no memory is in use), what concerns every accelerator there
is does nothing, and a demand for one raises an error that says what to do.
"""

from __future__ import annotations

from typing import Any, NoReturn

from tinytorch.device import NoCudaError
from tinytorch.device import device as as_device

__all__ = ["Absent", "AcceleratorError", "OutOfMemoryError", "get_device_module"]


#: What the modules ``xpu`` and ``mtia`` are made of: functions, by what each of them does.
_USUAL = {
    "false": ("is_available", "is_initialized", "is_bf16_supported"),
    "zero": ("device_count", "memory_allocated", "max_memory_allocated", "memory_reserved"),
    "nothing": ("manual_seed", "manual_seed_all", "seed", "seed_all", "empty_cache", "synchronize"),
    "unavailable": (
        "init", "current_device", "set_device", "get_device_name", "get_device_properties", "Event", "Stream",
    ),
}  # fmt: skip


class Absent:
    """A module's functions for an accelerator that is not there; ``name`` appears in errors."""

    def __init__(self, name: str) -> None:
        self.name = name

    @staticmethod
    def false(*args: Any, **kwargs: Any) -> bool:
        """The answer to ``is_available()`` and its like."""
        return False

    @staticmethod
    def zero(*args: Any, **kwargs: Any) -> int:
        """How many devices there are, and how much of their memory is in use."""
        return 0

    @staticmethod
    def nothing(*args: Any, **kwargs: Any) -> None:
        """Done to every accelerator: nothing to do."""

    @staticmethod
    def empty_list(*args: Any, **kwargs: Any) -> list[Any]:
        """One entry for every accelerator."""
        return []

    def unavailable(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise RuntimeError (for CUDA AssertionError as well): this cannot be done without the accelerator."""
        raise (NoCudaError if self.name == "CUDA" else RuntimeError)(
            f"tinytorch runs on the CPU only, and this needs {self.name}. Ask tinytorch.{self.name.lower()}"
            ".is_available() first: it is False."
        )

    def usual(self, name: str) -> Any:
        """The function ``name`` of a module that has the usual ones. Raises AttributeError for other names."""
        for answer, names in _USUAL.items():
            if name in names:
                return getattr(self, answer)
        self.missing(name)

    def missing(self, name: str) -> NoReturn:
        """Raise AttributeError for a name that the module does not have."""
        raise AttributeError(
            f"tinytorch.{self.name.lower()} has no '{name}': tinytorch runs on the CPU only, and "
            f"{self.name.lower()}.is_available() is False."
        )


class AcceleratorError(RuntimeError):
    """Never raised here; it can be named in an ``except`` clause."""


class OutOfMemoryError(RuntimeError):
    """Never raised here, where Python raises MemoryError; it can be named in an ``except`` clause."""


def get_device_module(device: Any = None) -> Any:
    """The module of a device, such as ``tinytorch.cuda`` for ``"cuda:0"``; by default that of the CPU."""
    import importlib

    kind = "cpu" if device is None else as_device(device).type
    return importlib.import_module(f"tinytorch.{kind}")
