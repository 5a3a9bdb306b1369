"""NumPy's names of arguments, which PyTorch takes too: ``axis`` for ``dim``, ``x`` for ``input``. And the
default of those that may be left out, but not be None.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["NOT_GIVEN", "NUMPY_NAMES", "accepts_axis"]

F = TypeVar("F", bound=Callable[..., Any])
#: ``max(x)`` is the largest of all, and ``max(x, None)`` a TypeError, as in PyTorch: None would hide a mistake.
NOT_GIVEN: Any = ...


#: What PyTorch's parser of arguments takes for what, where a function has no argument of that name.
NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}


def accepts_axis(function: F) -> F:
    """Let an op, or a method, take NumPy's ``axis`` and ``keepdims`` for ``dim`` and ``keepdim``, as PyTorch does.

    Tensor's methods pass the defaults of ``dim`` and ``keepdim`` on by position; NumPy's names replace them there.
    Errors from inside are put into the caller's words (:func:`tinytorch.ops.arguments.raise_explained`).
    """
    positions = {name: position for position, name in enumerate(inspect.signature(function).parameters)}

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            if not kwargs:
                return function(*args)
            for numpy_name, name in (("axis", "dim"), ("keepdims", "keepdim")):
                if numpy_name in kwargs and name in positions:
                    value, position = kwargs.pop(numpy_name), positions[name]
                    if position < len(args):
                        args = (*args[:position], value, *args[position + 1 :])
                    else:
                        kwargs[name] = value
            return function(*args, **kwargs)
        except Exception as error:
            from tinytorch.ops.arguments import raise_explained
            from tinytorch.torch_function import notice_any

            if notice_any((*args, *kwargs.values())):
                return wrapper(*args, **kwargs)
            raise_explained(error, function, args, kwargs)

    wrapper.without_numpy_names = function  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]
