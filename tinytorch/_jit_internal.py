"""``torch._jit_internal``, from which older code imports names of types and decorators. They do nothing here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Dict, Final, List, Optional, Tuple, Union  # noqa: UP035 - as they are imported from here

from tinytorch.futures import Future
from tinytorch.jit import _overload, _overload_method, export, ignore, is_scripting, unused
from tinytorch.jit.annotations import BroadcastingList1, BroadcastingList2, BroadcastingList3

__all__ = ["BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "Dict", "Final", "Future", "List", "Optional",
           "Tuple", "Union", "_overload", "_overload_method", "boolean_dispatch", "export", "ignore", "is_scripting",
           "unused"]  # fmt: skip


def boolean_dispatch(
    arg_name: str, arg_index: int, default: bool, if_true: Callable[..., Any], if_false: Callable[..., Any],
    module_name: str | None = None, func_name: str | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """One function out of two: which is called depends on the argument ``arg_name``."""

    def function(*args: Any, **kwargs: Any) -> Any:
        chosen = args[arg_index] if arg_index < len(args) else kwargs.get(arg_name, default)
        return (if_true if chosen else if_false)(*args, **kwargs)

    function.__name__ = func_name or if_true.__name__
    function.__doc__ = if_true.__doc__ or if_false.__doc__
    return function
