"""Forward-mode derivatives by dual numbers (``torch.autograd.forward_ad``).

A dual number is a value together with a tangent, the direction in which it moves. What is computed from dual numbers
moves too, and :func:`unpack_dual` says how:

>>> import tinytorch as torch
>>> with dual_level():
...     x = make_dual(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 10.0]))
...     print(unpack_dual(x * x).tangent)
tensor([ 2., 40.])

What PyTorch does. Every op carries the tangent along with the value. Here a dual number is a leaf of the recorded
graph, and the tangent of a result is had from two walks back: the first gives Jᵀu as a function of u, which is linear,
so that its own derivative by u in the direction v is J v (as in :func:`tinytorch.func.jvp`). The numbers are the same.

Pitfalls. Results require grad here, and what ran under ``no_grad`` has no tangent. The ``jvp`` of a custom ``Function``
is called if it has no ``backward``, or if nothing but dual numbers requires a gradient.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tinytorch import ops
from tinytorch.autograd.engine import grad
from tinytorch.autograd.modes import enable_grad, is_grad_enabled
from tinytorch.autograd.node import Node
from tinytorch.tensor import Tensor

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]


class UnpackedDualTensor(NamedTuple):
    """A dual number taken apart; ``tangent`` is None for a value that does not move."""

    primal: Tensor
    tangent: Tensor | None


class _Level:
    """The dual numbers made since :func:`enter_dual_level`, as pairs of the dual and its tangent."""

    pairs: list[tuple[Tensor, Tensor]] | None = None


def enter_dual_level() -> int:
    """Begin; returns the level's number, 0. RuntimeError inside another level: they do not nest."""
    if _Level.pairs is not None:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _Level.pairs = []
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """End: tangents are forgotten."""
    if _Level.pairs is None or level not in (None, 0):
        raise RuntimeError("Trying to exit a forward AD level that was not the last one that was created.")
    _Level.pairs = None


class dual_level:
    """A context in which there are dual numbers."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exception: Any) -> None:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """``tensor`` moving in the direction ``tangent``: same values and memory, also differentiable as before.

    Raises:
        RuntimeError: outside of :class:`dual_level`, shapes that differ, or ``tensor`` is a dual number already.
        ValueError: either does not hold floating-point or complex numbers.
    """
    pairs = _Level.pairs
    if pairs is None:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    for what, value in (("primal", tensor), ("tangent", tangent)):
        if not (value.is_floating_point() or value.is_complex()):
            raise ValueError(f"Expected {what} to be floating point or complex, but got: {value.dtype}")
    if tensor.shape != tangent.shape:
        raise RuntimeError(
            f"Expected tangent of shape {list(tensor.shape)} like the primal's, but got {list(tangent.shape)}"
        )
    if any(tensor is dual for dual, _ in pairs):
        raise RuntimeError("forward AD: the tensor already has a tangent at this level")
    with enable_grad():
        dual = tensor.view_as(tensor) if tensor.requires_grad else tensor.detach().requires_grad_()
    pairs.append((dual, tangent))
    return dual


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The value of a result, and the direction in which it moves with all dual numbers that went into it."""
    for dual, tangent in _Level.pairs or ():
        if dual is tensor:
            return UnpackedDualTensor(_without_duals(tensor), tangent)
    if not _Level.pairs or not tensor.requires_grad:
        return UnpackedDualTensor(tensor, None)
    return UnpackedDualTensor(_without_duals(tensor), _tangent(tensor, _Level.pairs))


def moved_by_jvp(ctx: Any, args: tuple[Any, ...], results: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The results of a custom Function as dual numbers, by its own ``jvp``.

    None if no argument moves, or if its backward is needed: for leaves other than dual numbers.
    """
    if _Level.pairs is None:
        return None
    duals, tensors = [dual for dual, _ in _Level.pairs], [arg for arg in args if isinstance(arg, Tensor)]
    if type(ctx).backward is not Node.backward and _has_other_leaves(tensors, duals):
        return None
    tangents = [unpack_dual(arg).tangent if isinstance(arg, Tensor) else None for arg in args]
    if all(tangent is None for tangent in tangents):
        return None
    moved = type(ctx).jvp(ctx, *tangents)
    pairs = zip(results, moved if isinstance(moved, tuple) else (moved,), strict=True)
    return tuple([result if tangent is None else make_dual(result, tangent) for result, tangent in pairs])


def _tangent(output: Tensor, pairs: list[tuple[Tensor, Tensor]]) -> Tensor | None:
    """``J v``: the map from u to Jᵀu, transposed itself, whatever u is. None where no dual number is reached."""
    with enable_grad():
        u = ops.zeros_like(output).requires_grad_()
        duals = [dual for dual, _ in pairs]
        transposed = grad(output, duals, u, retain_graph=True, create_graph=True, allow_unused=True)
        reached = [(g, v) for g, (_, v) in zip(transposed, pairs, strict=True) if g is not None]
        if not reached:
            return None
        moving = [(g, v) for g, v in reached if g.requires_grad]
        if not moving:
            return ops.zeros_like(output)
        again = is_grad_enabled() and _has_other_leaves([output], duals)
        products, vectors = [g for g, _ in moving], [v for _, v in moving]
        (tangent,) = grad(products, (u,), vectors, retain_graph=True, create_graph=again, materialize_grads=True)
    return tangent


def _has_other_leaves(tensors: list[Tensor], duals: list[Tensor]) -> bool:
    from tinytorch.func.derivatives import has_other_leaves

    return has_other_leaves(tensors, [dual for dual in duals if dual.is_leaf])


def _without_duals(tensor: Tensor) -> Tensor:
    """The value alone; it stays in the graph if something other than dual numbers requires its gradient."""
    return tensor if _has_other_leaves([tensor], [dual for dual, _ in _Level.pairs or ()]) else tensor.detach()
