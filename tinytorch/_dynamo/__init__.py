"""What public programs call of ``torch._dynamo``, the front end of PyTorch's compiler: there is nothing to reset."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from tinytorch._dynamo import eval_frame
from tinytorch.compiler import OptimizedModule, allow_in_graph, disable, is_compiling, reset

__all__ = ["OptimizedModule", "allow_in_graph", "assume_constant_result", "config", "disable", "eval_frame",
           "is_compiling", "mark_dynamic", "mark_static", "mark_static_address", "maybe_mark_dynamic",
           "nonstrict_trace", "optimize", "reset"]  # fmt: skip

#: Takes any setting.
config = types.SimpleNamespace(suppress_errors=False, verbose=False, cache_size_limit=8, recompile_limit=8)


def optimize(backend: Any = "inductor", **options: Any) -> Callable[[Any], Any]:
    """A decorator that returns the function itself (PyTorch's older way to say ``compile``)."""
    return lambda function: function


def mark_dynamic(tensor: Any, index: Any, **bounds: Any) -> None:
    """Does nothing: every size may change."""


maybe_mark_dynamic = mark_dynamic


def mark_static(tensor: Any, index: Any = None) -> None:
    """Does nothing: no size is guessed to change."""


def mark_static_address(tensor: Any, guard: bool = False) -> None:
    """Does nothing: nothing depends on where a tensor lies."""


def assume_constant_result(fn: Any) -> Any:
    """The function itself."""
    return fn


nonstrict_trace = assume_constant_result
