"""Loading what only a trusted file may hold: objects of any class.

Python's own pickle machine runs here, and it imports and calls whatever the file names. So this is used only for
``load(..., weights_only=False)``, which says that the file is trusted. PyTorch's names mean tinytorch's classes.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

from tinytorch.serialization.rebuild import KNOWN_GLOBALS, KnownClass, find_global
from tinytorch.serialization.storages import Storage, StorageType
from tinytorch.tensor import Tensor

__all__ = ["TrustingUnpickler"]


class TrustingUnpickler(pickle.Unpickler):
    """Python's unpickler, which fetches storages with ``load_storage(type, key, location, length)``."""

    def __init__(
        self, data: bytes, load_storage: Callable[[StorageType, str, str, int], Storage], encoding: str = "utf-8"
    ) -> None:
        super().__init__(io.BytesIO(data), encoding=encoding)
        self._load_storage = load_storage

    def persistent_load(self, saved: Any) -> Storage:
        """The storage that a persistent id speaks of."""
        kind, storage_type, key, location, length = saved
        if kind != "storage":
            raise pickle.UnpicklingError(f"Unknown typename for persistent_load, expected 'storage' but got '{kind}'")
        return self._load_storage(storage_type, key, location, length)

    def find_class(self, module: str, name: str) -> Any:
        """What ``module.name`` is; a name of PyTorch's means its counterpart here."""
        if module.split(".")[0] != "torch":
            return super().find_class(module, name)
        known = KNOWN_GLOBALS.get(f"{module}.{name}")
        if known is not None:
            return Tensor if isinstance(known, KnownClass) else known
        if name.endswith("Storage"):
            return find_global(module, name)
        try:
            return super().find_class(module.replace("torch", "tinytorch", 1), name)
        except (ImportError, AttributeError):
            raise pickle.UnpicklingError(f"the file names {module}.{name}, which tinytorch does not have") from None
