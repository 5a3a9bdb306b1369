"""``torch.overrides``: what libraries ask before they call a function. No class overrides functions here.

A class may be derived from Tensor (:meth:`Tensor.as_subclass`) and define methods, but a method
``__torch_function__`` of it is never called, so that the questions are all answered with no.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from tinytorch.tensor import Tensor

__all__ = ["handle_torch_function", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic",
           "is_tensor_like", "is_tensor_method_or_property"]  # fmt: skip


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """False."""
    return False


def has_torch_function_unary(tensor: Any) -> bool:
    """False."""
    return False


def has_torch_function_variadic(*tensors: Any) -> bool:
    """False."""
    return False


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> NoReturn:
    """TypeError: there is no ``__torch_function__`` to hand ``public_api`` to."""
    raise TypeError(f"no implementation found for '{public_api.__name__}': tinytorch calls no __torch_function__")


def is_tensor_like(inp: Any) -> bool:
    """Whether ``inp`` is a tensor."""
    return isinstance(inp, Tensor)


def is_tensor_method_or_property(func: Any) -> bool:
    """Whether ``func`` is a method of tensors, or what reads one of their properties."""
    return func in (getattr(Tensor, getattr(func, "__name__", ""), None),) or getattr(func, "__name__", "") == "__get__"


def __getattr__(name: str) -> Any:
    from tinytorch.missing import missing

    raise missing(__name__, name)
