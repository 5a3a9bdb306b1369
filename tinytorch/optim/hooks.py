"""Hooks: functions of the user that run around ``step``, ``state_dict`` and ``load_state_dict``.

A hook sees the optimizer before and after it acts: to log the norm of an update, to clip gradients, to rename
what a checkpoint holds. Each ``register_...`` method returns a handle whose ``remove()`` takes the hook back.

The step hooks must run around *every* optimizer's ``step``, also around those that users write. So a
subclass's ``step`` is wrapped once, when the class is made (``Optimizer.__init_subclass__``). PyTorch does
the same at the first construction.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable
from itertools import chain
from typing import Any

from tinytorch.autograd.hooks import RemovableHandle

__all__ = ["OptimizerHooks", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook", "with_step_hooks"]

Hook = Callable[..., Any]

_global_pre_hooks: OrderedDict[int, Hook] = OrderedDict()
_global_post_hooks: OrderedDict[int, Hook] = OrderedDict()


def _add(hooks: OrderedDict[int, Hook], hook: Hook, prepend: bool = False) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_optimizer_step_pre_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before the step of every optimizer."""
    return _add(_global_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Hook) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after the step of every optimizer."""
    return _add(_global_post_hooks, hook)


class OptimizerHooks:
    """The part of :class:`~tinytorch.optim.Optimizer` that keeps hooks."""

    _stepping = False  # a step that calls super().step() is one step
    _opt_called = False  # learning rate schedulers warn when they are stepped before the optimizer ever was

    def _init_hooks(self) -> None:
        self._optimizer_step_pre_hooks: OrderedDict[int, Hook] = OrderedDict()
        self._optimizer_step_post_hooks: OrderedDict[int, Hook] = OrderedDict()
        self._optimizer_state_dict_pre_hooks: OrderedDict[int, Hook] = OrderedDict()
        self._optimizer_state_dict_post_hooks: OrderedDict[int, Hook] = OrderedDict()
        self._optimizer_load_state_dict_pre_hooks: OrderedDict[int, Hook] = OrderedDict()
        self._optimizer_load_state_dict_post_hooks: OrderedDict[int, Hook] = OrderedDict()

    def _patch_step_function(self) -> None:
        """What wrappers around another optimizer call so that hooks run around their ``step``: here they do already."""

    def register_step_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before each step; it may return new ``(args, kwargs)``."""
        return _add(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after each step."""
        return _add(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before ``state_dict()``; ``prepend``: before the hooks that are there already."""
        return _add(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after ``state_dict()``; it may return another dictionary."""
        return _add(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before loading; it may return another dictionary."""
        return _add(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after loading."""
        return _add(self._optimizer_load_state_dict_post_hooks, hook, prepend)


def with_step_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """``step`` with the registered hooks around it. Raises RuntimeError if a hook returns what is no (args, kwargs)."""

    @functools.wraps(step)
    def hooked_step(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._stepping or "_optimizer_step_pre_hooks" not in vars(self):
            # Called by a subclass's step, which has run the hooks already; or a wrapper around another optimizer that
            # did not call Optimizer.__init__.
            return step(self, *args, **kwargs)
        self._stepping = self._opt_called = True
        try:
            # As in PyTorch, what hooks see and replace includes the optimizer itself as the first argument.
            args = (self, *args)
            for hook in chain(_global_pre_hooks.values(), self._optimizer_step_pre_hooks.values()):
                result = hook(self, args, kwargs)
                if result is None:
                    continue
                if not (isinstance(result, tuple) and len(result) == 2):
                    raise RuntimeError(
                        f"{step} must return None or a tuple of (new_args, new_kwargs), but got {result}."
                    )
                args, kwargs = result
            output = step(*args, **kwargs)
            for hook in chain(self._optimizer_step_post_hooks.values(), _global_post_hooks.values()):
                hook(self, args, kwargs)
            return output
        finally:
            self._stepping = False

    return hooked_step
