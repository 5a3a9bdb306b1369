"""Helpers around the tensors: loading data, checkpointing. They load when they are first named."""

from importlib import import_module
from typing import Any

_LAZY = ("_pytree", "benchmark", "checkpoint", "data", "dlpack", "hooks", "model_zoo", "tensorboard")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return import_module(f"tinytorch.utils.{name}")
    if name == "swap_tensors":
        return import_module("tinytorch.utils.swapping").swap_tensors
    from tinytorch.missing import missing

    raise missing(__name__, name)
