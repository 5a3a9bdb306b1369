"""When a gradient has arrived: the hooks that want to see it, or to replace it, are called in PyTorch's order."""

from __future__ import annotations

from typing import Any

from tinytorch.autograd.hooks import NodeHooks
from tinytorch.tensor import Tensor

__all__ = ["before_node", "on_arrival", "run_leaf_hooks"]


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
            received = list(replaced) if isinstance(replaced, tuple) else [replaced]
    return received


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
    return replaced
