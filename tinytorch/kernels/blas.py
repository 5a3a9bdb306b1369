"""BLAS, the matrix library inside NumPy, held to one thread.

It has threads of its own. After each product they keep their cores busy for a tenth of a second, waiting for the next
one; whoever else needs a core has half of it meanwhile. And the order in which it adds up depends on their number. So
it is held to one thread, and large products are cut into blocks by `products.matmul`.
"""

from __future__ import annotations

import os
import threading
from typing import Any


class _Blas:
    """The libraries that are loaded. threadpoolctl finds them by their symbols, which takes milliseconds: once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.libraries: list[Any] | None = None
        self.held = False

    def find(self) -> list[Any]:
        """threadpoolctl's controllers."""
        with self.lock:
            if self.libraries is None:
                # imported late: `import tinytorch` stays cheap
                from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

                self.libraries = ThreadpoolController().select(user_api="blas").lib_controllers
            return self.libraries

    def forget_lock(self) -> None:
        """In a forked child: the lock may have been copied while held."""
        self.lock = threading.Lock()


_blas = _Blas()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_blas.forget_lock)


def hold_blas() -> None:
    """BLAS uses one thread from now on."""
    if not _blas.held:
        for library in _blas.find():
            library.set_num_threads(1)
        _blas.held = True


def blas_architectures() -> set[str]:
    """The processors whose loops NumPy's BLAS uses, in its own names ('SkylakeX', 'Haswell', ...)."""
    return {str(getattr(library, "architecture", None)) for library in _blas.find()}
