"""einops on the tensors here: ``rearrange``, ``reduce``, ``repeat``, ``einsum``, ``pack``, and its layers.

einops takes tensors of any library for which it finds a subclass of its ``AbstractBackend`` whose library has been
imported. The one for tinytorch is defined as soon as einops is imported, so that nothing is imported for it before::

    from einops import rearrange
    rearrange(images, "b c (h p) (w q) -> b (h w) (c p q)", p=4, q=4)

Its layers are those of :mod:`tinytorch.einops_layers`. They go by ``einops.layers.tinytorch``, and by
``einops.layers.torch`` in a process that has not imported PyTorch.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import Any

__all__ = ["register"]


def register(backends: Any) -> None:
    """Define the backend in the module ``einops._backends``: PyTorch's, with tinytorch in PyTorch's place."""

    class TinytorchBackend(backends.TorchBackend):
        framework_name = "tinytorch"

        def __init__(self) -> None:
            import tinytorch

            self.torch = tinytorch

        def layers(self) -> types.ModuleType:
            import einops.layers.tinytorch as layers  # type: ignore[import-not-found]

            return layers

    if sys.modules.get("torch", backends) is None:  # no import of PyTorch will succeed: einops should not try
        backends.TorchBackend.framework_name = "torch, which is not to be imported"
    backends.TinytorchBackend = TinytorchBackend  # a class that nothing holds would not stay a subclass


class _Finder:
    """Asked by ``import`` first: the backend is defined after einops' own, and its layers are found."""

    @staticmethod
    def find_spec(fullname: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if not fullname.startswith("einops."):
            return None
        for_pytorch = fullname == "einops.layers.torch" and sys.modules.get("torch") is None
        if fullname == "einops.layers.tinytorch" or for_pytorch:
            return spec_from_file_location(fullname, Path(__file__).with_name("einops_layers.py"))
        spec = PathFinder.find_spec(fullname, path) if fullname == "einops._backends" else None
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = _then_register(spec.loader.exec_module)  # type: ignore[method-assign]
        return spec


def _then_register(load: Any) -> Any:
    def exec_module(module: types.ModuleType) -> None:
        load(module)
        register(module)

    return exec_module


sys.meta_path.insert(0, _Finder)
if "einops._backends" in sys.modules:
    register(sys.modules["einops._backends"])
