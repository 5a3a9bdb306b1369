"""Where a backward pass starts, and with which gradients: the arguments of ``backward`` and ``grad``, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.node import AccumulateGrad, GradientEdge
from tinytorch.tensor import Tensor

__all__ = ["as_tuple", "start_gradients"]


def as_tuple(tensors: Any) -> tuple[Tensor, ...]:
    """One tensor, or a sequence of them, as a tuple; in place of a tensor may stand its gradient edge."""
    if isinstance(tensors, Tensor):
        return (tensors,)
    if isinstance(tensors, GradientEdge):
        return (_tensor_at(tensors),)
    return tuple([_tensor_at(tensor) if isinstance(tensor, GradientEdge) else tensor for tensor in tensors])


def _tensor_at(edge: GradientEdge) -> Tensor:
    """A tensor that hangs at the edge; of its values, nothing is asked."""
    if isinstance(edge.node, AccumulateGrad):
        return edge.node.variable
    shape, dtype = edge.node.outputs[edge.output_nr]
    tensor = Tensor._wrap(np.broadcast_to(np.zeros((), dtype), shape))
    tensor._edge, tensor._requires_grad = (edge.node, edge.output_nr), True
    return tensor


def start_gradients(starts: tuple[Tensor, ...], given: Any, argument: str) -> list[Tensor | None]:
    """Check or make the gradients to start with; a scalar's is 1."""
    gradients = [None] * len(starts) if given is None else list(as_tuple(given))
    if len(gradients) != len(starts):
        raise RuntimeError(f"got {len(starts)} tensors and {len(gradients)} gradients")
    result: list[Tensor | None] = []
    for position, (start, gradient) in enumerate(zip(starts, gradients, strict=True)):
        if gradient is None:
            if start.requires_grad:
                if start.numel() != 1:
                    raise RuntimeError("grad can be implicitly created only for scalar outputs")
                if not start.dtype.is_floating_point:
                    raise RuntimeError(
                        f"grad can be implicitly created only for real scalar outputs but got {start.dtype}"
                    )
                gradient = Tensor._wrap(np.ones(start._array.shape, start._array.dtype))
        elif not isinstance(gradient, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
        elif gradient.dtype.is_complex != start.dtype.is_complex and start.requires_grad:
            raise RuntimeError(
                "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in "
                f"dtype: {argument}[{position}] has a dtype of {gradient.dtype} and output[{position}] has a dtype of "
                f"{start.dtype}."
            )
        elif gradient.shape != start.shape:
            raise RuntimeError(
                f"Mismatch in shape: {argument}[{position}] has a shape of {gradient.shape} and output[{position}] has "
                f"a shape of {start.shape}."
            )
        if not start.requires_grad:
            raise RuntimeError(f"element {position} of tensors does not require grad and does not have a grad_fn")
        result.append(gradient)
    return result
