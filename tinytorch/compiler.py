"""``compile`` and its kin: Python code runs as it is, so what would be compiled is returned unchanged.

Programs ask for speed with ``torch.compile(model)`` and mean the same model; here they get it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["allow_in_graph", "compile", "cudagraph_mark_step_begin", "disable", "is_compiling", "reset"]


def compile(model: Any = None, **options: Any) -> Any:
    """The model or function itself; also a decorator, with or without options (``torch.compile``)."""
    if model is None:
        return lambda function: function
    if not callable(model):
        raise TypeError(f"compile() takes a function or a Module, not {type(model).__name__}")
    return model


def disable(fn: Any = None, recursive: bool = True, **options: Any) -> Any:
    """The function itself; also a decorator."""
    return (lambda function: function) if fn is None else fn


def allow_in_graph(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself."""
    return fn


def is_compiling() -> bool:
    """False."""
    return False


def reset() -> None:
    """Does nothing: nothing is compiled."""


def cudagraph_mark_step_begin() -> None:
    """Does nothing: there are no CUDA graphs."""
