"""``compile`` and its kin: Python code runs as it is.

Programs ask for speed with ``torch.compile(model)`` and go on with what they get: a function is returned unchanged, a
Module inside an :class:`OptimizedModule`, whose parameters have the names that they have in PyTorch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from tinytorch.nn.modules.module import Module

__all__ = [
    "OptimizedModule",
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
    "set_stance",
]


class OptimizedModule(Module):
    """What ``compile(module)`` returns: calls the module, which is its ``_orig_mod``, and has all its attributes.

    So in ``state_dict()`` the names begin with ``_orig_mod.``; programs save ``model._orig_mod.state_dict()``, or
    take that away when they load.

    >>> from tinytorch import nn
    >>> model = compile(nn.Linear(2, 3))
    >>> model.out_features, list(model.state_dict())
    (3, ['_orig_mod.weight', '_orig_mod.bias'])
    """

    _orig_mod: Module

    def __init__(self, module: Module) -> None:
        super().__init__()
        self._orig_mod = module
        del self.__dict__["training"]  # the module's counts

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The module's output."""
        return self._orig_mod(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "_orig_mod":
            return super().__getattr__(name)
        return getattr(self._orig_mod, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_orig_mod" or hasattr(type(self), name):
            super().__setattr__(name, value)
        else:
            setattr(self._orig_mod, name, value)


def compile(model: Any = None, **options: Any) -> Any:
    """The function itself, or a Module's :class:`OptimizedModule`; also a decorator, with options
    (``torch.compile``).
    """
    if model is None:
        return compile
    if not callable(model):
        raise TypeError(f"compile() takes a function or a Module, not {type(model).__name__}")
    return OptimizedModule(model) if isinstance(model, Module) else model


def disable(fn: Any = None, recursive: bool = True, **options: Any) -> Any:
    """The function itself; also a decorator."""
    return (lambda function: function) if fn is None else fn


def allow_in_graph(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself."""
    return fn


def is_compiling() -> bool:
    """False."""
    return False


def is_dynamo_compiling() -> bool:
    """False."""
    return False


def reset() -> None:
    """Does nothing: nothing is compiled."""


def cudagraph_mark_step_begin() -> None:
    """Does nothing: there are no CUDA graphs."""


def is_exporting() -> bool:
    """False."""
    return False


def list_backends(exclude_tags: Any = ()) -> list[str]:
    """No compiler is there."""
    return []


def assume_constant_result(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself."""
    return fn


@contextlib.contextmanager
def _stance() -> Iterator[None]:
    yield


def set_stance(stance: str = "default", **options: Any) -> Any:
    """When to compile: never. Also a context manager."""
    return _stance()
