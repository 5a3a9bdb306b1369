"""Helpers around the tensors: loading data, checkpointing."""

from typing import Any

#: Loaded when first asked for, so that `import tinytorch` stays fast.
_LAZY_MODULES = ("_pytree", "checkpoint")


def __getattr__(name: str) -> Any:
    if name in _LAZY_MODULES:
        import importlib

        return importlib.import_module(f"tinytorch.utils.{name}")
    from tinytorch.missing import missing

    raise missing(__name__, name)
