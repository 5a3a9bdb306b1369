"""Ways for a derivative to be wrong, and how one is planted into a primitive's backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tinytorch
from tinytorch.autograd.modes import state
from tinytorch.autograd.primitive import Primitive

__all__ = ["MUTATIONS", "Planted", "Watched", "primitives"]

#: One gradient, the node and the position of the input: the wrong gradient.
Wrong = Callable[[Any, Any, int], Any]


def negated(gradient: Any, node: Any, position: int) -> Any:
    """The wrong sign."""
    return -gradient


def scaled(gradient: Any, node: Any, position: int) -> Any:
    """A wrong factor, and not a large one."""
    return gradient * 1.01


def cut_off(gradient: Any, node: Any, position: int) -> Any:
    """Right itself, but without a history: the second derivative lacks what this op adds to it."""
    return gradient.detach() if state.grad_enabled and isinstance(gradient, tinytorch.Tensor) else gradient


def not_summed(gradient: Any, node: Any, position: int) -> Any:
    """One slice instead of the sum over the dimensions along which the input was repeated."""
    edge = node.edges[position] if hasattr(node, "edges") else None
    if edge is None or not isinstance(gradient, tinytorch.Tensor):
        return gradient
    shape = edge[0].outputs[edge[1]][0] if hasattr(edge[0], "outputs") else tuple(edge[0].shape)
    one = gradient
    while one.dim() > len(shape):
        one = one[0] if len(one) else one.sum(0)
    for d, size in enumerate(shape):
        if size == 1 and one.shape[d] > 1:
            one = one.narrow(d, 0, 1)
    return one if one is not gradient and differ(one, gradient.sum_to_size(shape)) else gradient


def rolled(gradient: Any, node: Any, position: int) -> Any:
    """Every number in its neighbour's place."""
    return gradient.reshape(-1).roll(1).reshape(gradient.shape) if isinstance(gradient, tinytorch.Tensor) else gradient


def conjugated(gradient: Any, node: Any, position: int) -> Any:
    """A complex gradient with the wrong sign of its imaginary part."""
    is_complex = isinstance(gradient, tinytorch.Tensor) and gradient.is_complex()
    return gradient.conj() if is_complex else gradient


def not_zero(gradient: Any, node: Any, position: int) -> Any:
    """Ones where the derivative is zero everywhere."""
    return gradient if np.asarray(getattr(gradient, "_array", gradient)).any() else gradient + 1


def dropped(which: int) -> Wrong:
    """No gradient for one of the inputs."""

    def without(gradient: Any, node: Any, position: int) -> Any:
        return gradient * 0 if position == which else gradient

    without.__doc__ = f"No gradient for input {which}."
    return without


MUTATIONS: dict[str, Wrong] = {
    "negated": negated, "scaled": scaled, "cut_off": cut_off, "not_summed": not_summed,
    "rolled": rolled, "conjugated": conjugated, "not_zero": not_zero,
    **{f"dropped_{which}": dropped(which) for which in range(4)},
}  # fmt: skip


class Around:
    """While entered, ``see(gradient, node, position)`` stands between a primitive's backward and the engine."""

    def __init__(self, primitive: Any) -> None:
        self.primitive = primitive

    def see(self, gradient: Any, node: Any, position: int) -> Any:
        raise NotImplementedError

    def __enter__(self) -> Around:
        right = self.primitive.backward

        def backward(node: Any, *received: Any) -> Any:
            gradients = right(node, *received)
            if type(gradients) is not tuple:
                return gradients if gradients is None else self.see(gradients, node, 0)
            return tuple([g if g is None else self.see(g, node, i) for i, g in enumerate(gradients)])

        self.own = vars(self.primitive).get("backward")
        self.primitive.backward = staticmethod(backward)
        return self

    def __exit__(self, *exception: Any) -> None:
        if self.own is None:
            del self.primitive.backward
        else:
            self.primitive.backward = self.own


class Planted(Around):
    """Gradients are made wrong."""

    def __init__(self, primitive: Any, wrong: Wrong) -> None:
        super().__init__(primitive)
        self.wrong = wrong

    def see(self, gradient: Any, node: Any, position: int) -> Any:
        return self.wrong(gradient, node, position)


class Watched(Around):
    """Gradients stay as they are; ``would_change`` collects the mutations that would have changed one."""

    def __init__(self, primitive: Any) -> None:
        super().__init__(primitive)
        self.would_change: set[str] = set()

    def see(self, gradient: Any, node: Any, position: int) -> Any:
        for name, wrong in MUTATIONS.items():
            if name not in self.would_change:
                changed = wrong(gradient, node, position)
                if changed is not gradient and differ(changed, gradient):
                    self.would_change.add(name)
        return gradient


def differ(a: Any, b: Any) -> bool:
    """Whether two gradients differ in shape, values or in having a history; rounding and nan do not count."""
    x, y = (np.asarray(getattr(g, "_array", g)) for g in (a, b))
    if x.shape != y.shape or getattr(a, "requires_grad", False) != getattr(b, "requires_grad", False):
        return True
    return not np.allclose(x, y, rtol=1e-3, atol=1e-9, equal_nan=True)


def primitives(base: Any = Primitive) -> Iterator[Any]:
    """All primitives of the library."""
    for cls in base.__subclasses__():
        if cls.__module__.startswith("tinytorch."):
            yield cls
        yield from primitives(cls)
