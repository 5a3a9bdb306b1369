"""What primitives share whose gradients are computed by kernels: batch norm, an LSTM over all its steps...

Such a backward works on arrays, and nothing of it is recorded. Where the gradient is to be differentiated again
(``create_graph=True``), the same function in Tensor ops takes its place, and the engine does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.tensor import Tensor

__all__ = ["as_tensors", "recorded_gradients"]


def as_tensors(arrays: Sequence[np.ndarray | None]) -> tuple[Tensor | None, ...]:
    """The gradients that a kernel computed; None for those that nobody asked for."""
    return tuple([None if array is None else Tensor._wrap(array) for array in arrays])


def recorded_gradients(
    formula: Callable[..., Sequence[Tensor]], inputs: Sequence[Any], needs: Sequence[bool], grads: Sequence[Any]
) -> tuple[Tensor | None, ...]:
    """The gradients of ``formula(*inputs)`` for the inputs that need one, as a recorded computation.

    ``formula`` is made of Tensor ops, ``grads`` are the gradients of its results. Views stand for
    the inputs, so that one input that was computed from another does not count twice.
    """
    from tinytorch.autograd import engine  # it is loaded after the ops

    views = [None if x is None else x.view_as(x) for x in inputs]
    wanted = [view for view, need in zip(views, needs, strict=True) if need]
    found = iter(engine.grad(formula(*views), wanted, grads, create_graph=True, allow_unused=True))  # type: ignore[arg-type]
    return tuple([next(found) if need else None for need in needs])
