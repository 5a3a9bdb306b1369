"""Hooks of a node, and the handle that takes a hook back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

__all__ = ["NodeHooks", "RemovableHandle"]


class NodeHooks:
    """Hooks of one node, made only when somebody registers one."""

    def __init__(self) -> None:
        self.of_output: dict[int, dict[int, Callable[..., Any]]] = {}  # Tensor.register_hook, by output
        self.retained: dict[int, Any] = {}  # Tensor.retain_grad: weak references, by output
        self.before: dict[int, Callable[..., Any]] = {}
        self.after: dict[int, Callable[..., Any]] = {}


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook back; also a context manager."""

    _next_id = itertools.count()

    def __init__(self, hooks: dict[int, Any], *extra_dicts: dict[int, Any]) -> None:
        self.hooks = hooks
        self.id = next(RemovableHandle._next_id)
        self._extra = extra_dicts

    def remove(self) -> None:
        """Take the hook back; a second call does nothing."""
        for hooks in (self.hooks, *self._extra):
            hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.remove()
