"""Hooks of every module at once (``torch.nn.modules.module.register_module_...``): for debuggers and profilers.

Registered once, they are called for all modules of the process, before a module's own hooks. While none is
registered they cost a module call one look at an empty dictionary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch.autograd.hooks import RemovableHandle

__all__ = [
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

Registered = dict[int, Any]

forward_pre: Registered = {}
forward: Registered = {}
forward_with_kwargs: Registered = {}
forward_always_called: Registered = {}
backward_pre: Registered = {}
backward: Registered = {}
backward_of_last_op: Registered = {}
#: All of those above, so that a module call has one question to ask.
around_calls: Registered = {}

parameter_registration: Registered = {}
buffer_registration: Registered = {}
module_registration: Registered = {}


def _register(hook: Callable[..., Any], *places: Registered) -> RemovableHandle:
    handle = RemovableHandle(*places)
    for place in places:
        place[handle.id] = hook
    return handle


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, args)`` before every module's forward; what it returns, if not None, replaces the arguments.

    >>> from tinytorch import nn, ones
    >>> with register_module_forward_pre_hook(lambda module, args: print(type(module).__name__)):
    ...     out = nn.Sequential(nn.Linear(2, 3), nn.ReLU())(ones(1, 2))
    Sequential
    Linear
    ReLU
    """
    return _register(hook, forward_pre, around_calls)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after every module's forward, as :meth:`Module.register_forward_hook`."""
    extra = [forward_with_kwargs] * with_kwargs + [forward_always_called] * always_call
    return _register(hook, forward, around_calls, *extra)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` before every module's backward."""
    return _register(hook, backward_pre, around_calls)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` after every module's backward. Raises RuntimeError beside the
    other form, :func:`register_module_backward_hook`.
    """
    _not_beside(backward_of_last_op)
    return _register(hook, backward, around_calls)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """PyTorch's older form, which sees the last op of every module: see :meth:`Module.register_backward_hook`."""
    _not_beside(backward)
    return _register(hook, backward_of_last_op, around_calls)


def _not_beside(other_form: Registered) -> None:
    if other_form:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. "
            "Please use only one of them."
        )


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` before a parameter is registered; what it returns replaces it."""
    return _register(hook, parameter_registration)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` before a buffer is registered; what it returns replaces it."""
    return _register(hook, buffer_registration)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` before a submodule is registered; what it returns replaces it."""
    return _register(hook, module_registration)


def replaced_by_hooks(hooks: Registered, module: Any, name: str, member: Any) -> Any:
    """The member that is about to be registered, or what the last hook made of it."""
    for hook in list(hooks.values()):
        replaced = hook(module, name, member)
        member = member if replaced is None else replaced
    return member
