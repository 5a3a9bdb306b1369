"""Modules without the time that initializing their parameters takes (``torch.nn.utils.skip_init``)."""

from __future__ import annotations

import inspect
from typing import Any

from tinytorch.nn.modules.module import Module
from tinytorch.random import fork_rng

__all__ = ["skip_init"]


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """``module_cls(*args, **kwargs)`` whose parameters hold arbitrary values; the random state stays as it was.

    RuntimeError for what is no Module class, or takes no ``device``.
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    with fork_rng():
        return module_cls(*args, **kwargs)
