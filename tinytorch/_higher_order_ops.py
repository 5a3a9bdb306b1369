"""Control flow as functions (``torch.cond`` and its kin): PyTorch's compiler keeps it as it is. Here Python runs it.

Gradients flow through what ran.

>>> import tinytorch as torch
>>> torch.cond(torch.tensor(True), torch.sin, torch.cos, (torch.zeros(2),))
tensor([0., 0.])
>>> while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (torch.tensor(0), torch.ones(2)))
(tensor(3), tensor([8., 8.]))
>>> associative_scan(lambda a, b: a * b, torch.arange(1, 5), dim=0)
tensor([ 1,  2,  6, 24])
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tinytorch import ops
from tinytorch.tensor import Tensor
from tinytorch.utils._pytree import tree_flatten, tree_map, tree_unflatten

__all__ = ["associative_scan", "cond", "map", "scan", "while_loop"]


def cond(pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], operands: Any = ()) -> Any:
    """``true_fn(*operands)`` if ``pred`` else ``false_fn(*operands)``. ``pred`` is a bool or a tensor of one.

    Raises:
        RuntimeError: ``pred`` is something else, or ``operands`` are not a tuple or list of tensors.
    """
    if not isinstance(pred, (bool, int, float, Tensor)):
        raise RuntimeError(f"Expected pred to be bool or tensor, but got {pred}.")
    if isinstance(pred, Tensor) and pred.numel() != 1:
        raise RuntimeError(f"Expected pred to be bool or single-element tensor, but got {pred}.")
    if not callable(true_fn) or not callable(false_fn):
        raise RuntimeError("Expect both branches to be callable.")
    nested = isinstance(operands, (tuple, list)) and all(isinstance(x, Tensor) for x in tree_flatten(operands)[0])
    if isinstance(pred, Tensor) and not nested:
        raise RuntimeError(
            "Expect operands to be a tuple of possibly nested dict/list/tuple that only consists of tensor leaves, "
            f"but got {operands}."
        )
    return true_fn(*operands) if pred else false_fn(*operands)


def while_loop(cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: Any) -> Any:
    """``values = body_fn(*values)`` for as long as ``cond_fn(*values)``; the values at the end."""
    values = tuple(carried_inputs)
    while cond_fn(*values):
        values = body_fn(*values)
        values = tuple(values) if isinstance(values, (tuple, list)) else (values,)
    return values


def map(f: Callable[..., Any], xs: Any, *args: Any) -> Any:
    """``f(x, *args)`` for every x along dimension 0 of the tensors ``xs``; the results stacked."""
    leaves, spec = tree_flatten(xs)
    steps = [f(tree_unflatten([leaf[i] for leaf in leaves], spec), *args) for i in range(len(leaves[0]))]
    return _stacked(steps)


def scan(
    combine_fn: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any, *, dim: int = 0, reverse: bool = False
) -> tuple[Any, Any]:
    """``carry, y = combine_fn(carry, x)`` for every x along ``dim``; the last carry, and the ys stacked.

    Args:
        reverse: go from the last x to the first. The ys stay in the places of their xs.
    """
    leaves, spec = tree_flatten(xs)
    indices = range(leaves[0].size(dim))
    carry, outputs = init, []
    for i in reversed(indices) if reverse else indices:
        carry, y = combine_fn(carry, tree_unflatten([leaf.select(dim, i) for leaf in leaves], spec))
        outputs.append(y)
    return carry, _stacked(outputs[::-1] if reverse else outputs)


def associative_scan(
    combine_fn: Callable[[Any, Any], Any], xs: Any, dim: int, reverse: bool = False, combine_mode: str = "pointwise"
) -> Any:
    """All running results of ``combine_fn`` along ``dim``, as ``cumsum`` has them for a sum.

    ``combine_fn(a, b)`` must be associative. Pairs are combined first, then the results of pairs, and so on: it is
    called with all pairs at once, about 2 log2(n) times for n elements, not n times.
    """
    if combine_mode not in ("pointwise", "generic"):
        raise ValueError(f"Combine_mode must either 'pointwise' or 'generic', but got {combine_mode}")
    leaves, spec = tree_flatten(xs)
    if not leaves:
        raise ValueError("Expected at least 1 xs leaf")
    leaves = [leaf.movedim(dim, 0) for leaf in leaves]
    leaves = [leaf.flip(0) for leaf in leaves] if reverse else leaves

    def combine(a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
        return tree_flatten(combine_fn(tree_unflatten(a, spec), tree_unflatten(b, spec)))[0]

    found = _running(combine, leaves)
    found = [leaf.flip(0) for leaf in found] if reverse else found
    return tree_unflatten([leaf.movedim(0, dim) for leaf in found], spec)


def _running(combine: Callable[[list[Tensor], list[Tensor]], list[Tensor]], xs: list[Tensor]) -> list[Tensor]:
    length = len(xs[0])
    if length < 2:
        return xs
    odd = _running(combine, combine([x[:-1:2] for x in xs], [x[1::2] for x in xs]))  # the results at 1, 3, 5...
    rest = [x[2::2] for x in xs]
    even = combine([y[: len(x)] for y, x in zip(odd, rest, strict=True)], rest) if length > 2 else rest
    results = []
    for x, at_odd, at_even in zip(xs, odd, even, strict=True):
        first = ops.cat([x[:1], at_even])
        pairs = ops.stack([first[: len(at_odd)], at_odd], 1).flatten(0, 1)
        results.append(ops.cat([pairs, first[len(at_odd) :]]))
    return results


def _stacked(values: list[Any]) -> Any:
    return tree_map(lambda *leaves: ops.stack(leaves), values[0], *values[1:])


def _as_module(name: str) -> None:
    """``from torch._higher_order_ops.cond import cond``."""
    module = ModuleType(f"{__name__}.{name}")
    setattr(module, name, globals()[name])
    sys.modules[module.__name__] = module


__path__: list[str] = []
for _name in __all__:
    _as_module(_name)
