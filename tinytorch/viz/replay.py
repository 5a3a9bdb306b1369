"""Replay: the values and gradients inside a small graph, computed once more.

Autograd does not keep the values of intermediate results, and frees what it kept when backward has run. But an
expression of scalars is quickly computed again from its leaves: run the same ops in the same order. If the result
is the one that the program got, so are the values on the way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.engine import grad
from tinytorch.autograd.modes import enable_grad
from tinytorch.autograd.node import Node
from tinytorch.autograd.part import reachable
from tinytorch.autograd.primitive import Primitive
from tinytorch.tensor import Tensor

__all__ = ["Replay", "replay"]

MAX_ELEMENTS = 20_000


class Replay:
    """What a replay found, by ``(id(node), output index)``: values, and the result's gradients with respect to them."""

    def __init__(self, values: dict[tuple[int, int], Tensor], gradients: dict[tuple[int, int], Tensor]) -> None:
        self.values, self.gradients = values, gradients


def replay(root: Tensor) -> Replay | None:
    """Compute the graph of ``root`` again; None if that cannot be done or does not give ``root``.

    It cannot be done for large graphs, for users' Functions (running them again could do more than compute), and
    where an input without gradient was freed or a leaf was changed since.
    """
    if root.grad_fn is None:
        return None
    nodes = sorted(reachable((root,))[0], key=lambda node: node.number)
    if sum(max(1, _size(node)) for node in nodes) > MAX_ELEMENTS:
        return None
    values: dict[tuple[int, int], Tensor] = {}
    with enable_grad():
        for node in nodes:
            if not _run(node, values):
                return None
        again = values[id(root.grad_fn), root.output_nr]
        if not np.array_equal(again._array, root._array, equal_nan=root._array.dtype.kind in "fc"):
            return None
        return Replay(values, _gradients(again, values))


def _size(node: Node) -> int:
    return sum(int(np.prod(shape)) for shape, _ in node.outputs)


def _run(node: Node, values: dict[tuple[int, int], Tensor]) -> bool:
    """Apply one op to the new values of its inputs; False if an input is unknown."""
    if not isinstance(node, Primitive):
        return False
    numbers = dict(zip(node.numbers[::2], node.numbers[1::2], strict=True))
    constants = iter(
        [saved[0] for saved in node._saved or () if isinstance(saved, tuple) and not saved[0]._requires_grad]
    )
    inputs: list[Any] = []
    for place, edge in enumerate(node.edges):
        if edge is None:
            value = numbers[place] if place in numbers else next(constants, None)
            if value is None:
                return False
            inputs.append(value)
        elif isinstance(edge[0], Node):
            inputs.append(values[id(edge[0]), edge[1]])
        else:
            inputs.append(values.setdefault((id(edge[0]), 0), edge[0].detach().clone().requires_grad_()))
    results = node.op_type.apply(*inputs, **node.attributes)
    for index, result in enumerate(results if isinstance(results, tuple) else (results,)):
        values[id(node), index] = result
    return True


def _gradients(root: Tensor, values: dict[tuple[int, int], Tensor]) -> dict[tuple[int, int], Tensor]:
    """d(root)/d(value) of every value; none if root is no scalar."""
    inner = {key: value for key, value in values.items() if value.requires_grad}
    if root._array.size != 1:
        return {}
    found = grad(root, list(inner.values()), allow_unused=True)
    return {key: gradient for key, gradient in zip(inner, found, strict=True) if gradient is not None}
