"""When a gradient has arrived: the hooks that want to see it, or to replace it, are called in PyTorch's order."""

from __future__ import annotations

from typing import Any

from tinytorch.autograd.hooks import NodeHooks
from tinytorch.tensor import Tensor

__all__ = ["after_node", "before_node", "on_arrival", "run_leaf_hooks"]


def on_arrival(hooks: NodeHooks, received: list[Tensor | None]) -> None:
    """Tensor hooks, which may put other gradients into ``received``, and retained gradients."""
    for index, gradient in enumerate(received):
        if gradient is None:
            continue
        for hook in list(hooks.of_output.get(index, {}).values()):
            gradient = _replaced_by_hook(hook, gradient)
        received[index] = gradient
        tensor = hooks.retained[index]() if index in hooks.retained else None
        if tensor is not None:
            tensor._grad = gradient.clone() if tensor._grad is None else tensor._grad + gradient


def before_node(hooks: NodeHooks, received: list[Tensor | None]) -> list[Tensor | None]:
    """Node pre-hooks: what the node runs on instead of ``received``. What was asked for is captured before them."""
    for hook in list(hooks.before.values()):
        replaced = hook(tuple(received))
        if replaced is not None:
            received = list(_replaced_values(hook, replaced, len(received)))
    return received


def after_node(hooks: NodeHooks, grads: tuple[Any, ...], received: tuple[Any, ...]) -> tuple[Any, ...]:
    """Node hooks: the gradients that the node's inputs get instead of ``grads``."""
    for hook in list(hooks.after.values()):
        replaced = hook(grads, received)
        if replaced is not None:
            grads = _replaced_values(hook, replaced, len(grads))
    return grads


def _replaced_values(hook: Any, replaced: Any, count: int) -> tuple[Any, ...]:
    """What a node's hook returned: a tuple, or a tensor where there is one value."""
    values = (replaced,) if isinstance(replaced, Tensor) else replaced
    if not isinstance(values, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(replaced).__name__}'")
    if len(values) != count:
        raise RuntimeError(
            f"hook '{getattr(hook, '__name__', hook)}' has returned an incorrect number of values (got {len(values)}, "
            f"but expected {count})"
        )
    return values


def run_leaf_hooks(entry: list[Any]) -> None:
    """``entry`` is ``[leaf, gradient]``: its gradient becomes what the leaf's hooks make of it."""
    leaf, gradient = entry
    for hook in list(leaf._hooks.values()) if leaf._hooks else ():
        gradient = _replaced_by_hook(hook, gradient)
    entry[1] = gradient


def _replaced_by_hook(hook: Any, gradient: Tensor) -> Tensor:
    replaced = hook(gradient)
    if replaced is None:
        return gradient
    if not isinstance(replaced, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{type(replaced).__name__}'")
    if replaced.shape != gradient.shape:
        raise RuntimeError(
            f"hook '{getattr(hook, '__name__', hook)}' has changed the size of value: {list(gradient.shape)} became "
            f"{list(replaced.shape)}"
        )
    if replaced.dtype != gradient.dtype:  # of sparse gradients, too
        raise RuntimeError(
            f"hook '{getattr(hook, '__name__', hook)}' has changed the type of value (was {gradient.type()} got "
            f"{replaced.type()})"
        )
    return replaced
