"""Hooks: the user's functions, called before and after a module's forward and backward.

Forward hooks are simple: ``Module.__call__`` runs them around ``forward``. Backward hooks need a trick. A module
has no place in the graph of ops, so two identity nodes are put there: one that the inputs pass through, one that
the outputs pass through. When backward reaches the second it has the gradient of the outputs; when it has run the
first, it has the gradient of the inputs. Between the two lie exactly the module's own ops.

What PyTorch does: the same (``torch/utils/hooks.py``, ``BackwardHook``).
"""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd.hooks import RemovableHandle
from tinytorch.autograd.modes import state
from tinytorch.autograd.primitive import Primitive
from tinytorch.nn.modules import global_hooks
from tinytorch.tensor import Tensor

__all__ = ["Hooks"]


class BackwardHookFunction(Primitive):
    """The identity, on any number of tensors at once: a place in the graph to hang hooks on."""

    @staticmethod
    def forward(ctx: Any, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple([array.view() for array in arrays])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, ...]:
        return grads

    known_name = "BackwardHookFunctionBackward"


class Hooks:
    """The part of :class:`Module` that registers and runs hooks."""

    forward: Callable[..., Any]
    _forward_hooks: OrderedDict[int, Callable[..., Any]]
    _forward_pre_hooks: OrderedDict[int, Callable[..., Any]]
    _forward_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks_always_called: OrderedDict[int, bool]
    _backward_hooks: OrderedDict[int, Callable[..., Any]]
    _backward_pre_hooks: OrderedDict[int, Callable[..., Any]]
    #: Of which form the module's backward hooks are; None before the first.
    _is_full_backward_hook: bool | None = None

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before forward; what it returns, if not None, replaces the arguments.

        ``with_kwargs=True``: ``hook(module, args, kwargs)``, which may return ``(args, kwargs)``.
        """
        handle = RemovableHandle(self._forward_pre_hooks, self._forward_pre_hooks_with_kwargs)
        _insert(self._forward_pre_hooks, handle, hook, prepend)
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs[handle.id] = True
        return handle

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after forward; what it returns, if not None, replaces the output.

        ``with_kwargs=True``: ``hook(module, args, kwargs, output)``. ``always_call=True``: also after an exception,
        with None for the output.
        """
        handle = RemovableHandle(
            self._forward_hooks, self._forward_hooks_with_kwargs, self._forward_hooks_always_called
        )
        _insert(self._forward_hooks, handle, hook, prepend)
        if with_kwargs:
            self._forward_hooks_with_kwargs[handle.id] = True
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        return handle

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the module's backward; it may return a new ``grad_output``
        tuple.
        """
        handle = RemovableHandle(self._backward_pre_hooks)
        _insert(self._backward_pre_hooks, handle, hook, prepend)
        return handle

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` after the module's backward.

        It may return a new ``grad_input``. Both are tuples with one entry per positional input or per output, None
        where there is no gradient.
        """
        return self._add_backward_hook(hook, full=True, prepend=prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """PyTorch's older form: ``hook(module, grad_input, grad_output)`` sees the backward of the module's last op.

        So ``grad_output`` is the gradient of the module's output, but ``grad_input`` that of the last op's inputs, in
        the order in which they are given to the op: for a Linear or a convolution input, weight, bias. Use
        :meth:`register_full_backward_hook` in new programs. RuntimeError for a module that has hooks of that form.
        """
        return self._add_backward_hook(hook, full=False, prepend=False)

    def _add_backward_hook(self, hook: Callable[..., Any], full: bool, prepend: bool) -> RemovableHandle:
        if self._is_full_backward_hook not in (None, full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only "
                "one of them."
            )
        self._is_full_backward_hook = full
        handle = RemovableHandle(self._backward_hooks)
        _insert(self._backward_hooks, handle, hook, prepend)
        return handle

    # ------------------------------------------------------------------------------------ running them

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """``forward`` with everything around it; ``Module.__call__`` comes here only if there are hooks."""
        called: set[int] = set()
        try:
            args, kwargs = self._run_forward_pre_hooks(args, kwargs)
            around = _AroundBackward(self)
            if around.needed:
                args = around.pass_inputs(args)
            result = self.forward(*args, **kwargs)
            for id_, hook in (*global_hooks.forward.items(), *self._forward_hooks.items()):
                called.add(id_)
                replaced = self._run_forward_hook(id_, hook, args, kwargs, result)
                result = result if replaced is None else replaced
            result = around.pass_outputs(result) if around.needed else result
            self._hook_last_op(result)
            return result
        except Exception:
            self._run_always_called(called, args, kwargs)
            raise

    def _run_forward_pre_hooks(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        for id_, hook in (*global_hooks.forward_pre.items(), *self._forward_pre_hooks.items()):
            if id_ in self._forward_pre_hooks_with_kwargs:
                both = hook(self, args, kwargs)
                if both is not None:
                    if not isinstance(both, tuple) or len(both) != 2:
                        raise RuntimeError(
                            f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {both}."
                        )
                    args, kwargs = both
            else:
                replaced = hook(self, args)
                if replaced is not None:
                    args = replaced if isinstance(replaced, tuple) else (replaced,)
        return args, kwargs

    def _run_forward_hook(self, id_: int, hook: Any, args: Any, kwargs: Any, result: Any) -> Any:
        if id_ in self._forward_hooks_with_kwargs or id_ in global_hooks.forward_with_kwargs:
            return hook(self, args, kwargs, result)
        return hook(self, args, result)

    def _run_always_called(self, called: set[int], args: Any, kwargs: Any) -> None:
        """After an exception: the hooks that want to be called whatever happens, unless they were already."""
        for id_ in (*global_hooks.forward_always_called, *self._forward_hooks_always_called):
            if id_ in called:
                continue
            try:
                hook = global_hooks.forward.get(id_) or self._forward_hooks[id_]
                self._run_forward_hook(id_, hook, args, kwargs, None)
            except Exception as second:
                warnings.warn(
                    "module forward hook with ``always_call=True`` raised an exception that was silenced as "
                    f"another error was raised in forward: {second}",
                    stacklevel=2,
                )

    def _hook_last_op(self, result: Any) -> None:
        """Backward hooks of the older form are hooks of the node that made the first tensor of the result."""
        hooks = [*global_hooks.backward_of_last_op.values()]
        if self._is_full_backward_hook is False:
            hooks.extend(self._backward_hooks.values())
        while hooks and not isinstance(result, Tensor):
            values = result.values() if isinstance(result, dict) else result
            result = next((value for value in values if isinstance(value, Tensor)), next(iter(values)))
        for hook in hooks:
            if result.grad_fn is not None:
                result.grad_fn.register_hook(functools.partial(hook, self))


class _AroundBackward:
    """The two identity nodes around one call of a module, and what passes between them."""

    def __init__(self, module: Hooks) -> None:
        self.module = module
        self.pre_hooks = [*global_hooks.backward_pre.values(), *module._backward_pre_hooks.values()]
        own = module._backward_hooks.values() if module._is_full_backward_hook is not False else ()
        self.hooks = [*global_hooks.backward.values(), *own]
        self.needed = bool(self.hooks or self.pre_hooks)
        self.n_inputs = 0
        self.input_places: list[int] | None = None  # which arguments are tensors with a gradient
        self.constants: dict[int, np.ndarray] = {}  # tensors among the arguments that do not require grad
        self.grad_output: tuple[Any, ...] | None = None

    def pass_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, after the node at whose end ``grad_input`` is known."""
        self.n_inputs = len(args)
        self.constants = {
            i: arg._array for i, arg in enumerate(args) if isinstance(arg, Tensor) and not arg.requires_grad
        }
        args, self.input_places, node = _through_identity(args)
        if node is not None:
            node.register_hook(self._after_inputs)
        return args

    def pass_outputs(self, result: Any) -> Any:
        """The result, after the node at whose start ``grad_output`` is known."""
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors "
                f"but received {type(result)}",
                stacklevel=2,
            )
            return result
        outputs, places, node = _through_identity(result if isinstance(result, tuple) else (result,))
        if node is not None:
            n_outputs = len(outputs)
            node.register_prehook(lambda grads: self._before_outputs(grads, places, n_outputs))
        return outputs if isinstance(result, tuple) else outputs[0]

    def _before_outputs(self, grads: Any, places: Any, n_outputs: int) -> tuple[Any, ...] | None:
        grad_output = _spread(grads, places, n_outputs)
        for hook in self.pre_hooks:
            replaced = hook(self.module, grad_output)
            if replaced is not None:
                replaced = replaced if isinstance(replaced, tuple) else (replaced,)
                _check_count("pre hook returned an invalid number of grad_output", replaced, n_outputs)
                grad_output = replaced
        if self.input_places is None:
            self._without_grad_input(grad_output)
        else:
            self.grad_output = grad_output
        return tuple(grad_output[place] for place in places)

    def _without_grad_input(self, grad_output: tuple[Any, ...]) -> None:
        """No input requires grad, so backward will not come past the first node: call the hooks now."""
        if self.hooks:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs "
                "since no inputs require gradients. grad_input is None for all inputs.",
                stacklevel=2,
            )
        for hook in self.hooks:
            replaced = hook(self.module, (None,) * self.n_inputs, grad_output)
            if replaced is not None and not (isinstance(replaced, tuple) and all(g is None for g in replaced)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None "
                    "or None for all gradients."
                )

    def _after_inputs(self, grads: Any, _: Any) -> tuple[Any, ...] | None:
        grad_output, self.grad_output = self.grad_output, None
        if grad_output is None or self.input_places is None:  # the gradient came by a way round the module's output
            return None
        grad_input = _spread(grads, self.input_places, self.n_inputs)
        for place, array in self.constants.items():  # as in PyTorch, zeros, if another input requires grad
            grad_input = (*grad_input[:place], Tensor._wrap(np.zeros_like(array)), *grad_input[place + 1 :])
        for hook in self.hooks:
            replaced = hook(self.module, grad_input, grad_output)
            if replaced is not None:
                replaced = replaced if isinstance(replaced, tuple) else (replaced,)
                _check_count("hook returned an invalid number of grad_input", replaced, self.n_inputs)
                grad_input = replaced
        return tuple(grad_input[place] for place in self.input_places)


def _through_identity(values: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[int] | None, Any]:
    """The values with those tensors that require grad led through one identity node: (values, their places, the
    node).
    """
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor) and value.requires_grad]
    if not places or not state.grad_enabled:
        return values, None, None
    passed = list(values)
    for place, result in zip(places, BackwardHookFunction.apply(*[values[i] for i in places]), strict=True):
        values[place]._link_views((result,))  # the same memory: changes in place must be noticed
        passed[place] = result
    return tuple(passed), places, passed[places[0]]._edge[0]


def _spread(grads: Any, places: list[int], n: int) -> tuple[Any, ...]:
    """Gradients at their places among n, None elsewhere."""
    spread: list[Any] = [None] * n
    for place, grad in zip(places, grads, strict=True):
        spread[place] = grad
    return tuple(spread)


def _check_count(what: str, values: tuple[Any, ...], expected: int) -> None:
    if len(values) != expected:
        raise RuntimeError(f"Backward {what}, got {len(values)}, but expected {expected}")


def _insert(hooks: OrderedDict[int, Any], handle: RemovableHandle, hook: Any, prepend: bool) -> None:
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
