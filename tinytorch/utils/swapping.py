"""Two tensors exchange what they are (``torch.utils.swap_tensors``)."""

from __future__ import annotations

import gc
from typing import Any

from tinytorch.tensor import Tensor

__all__ = ["swap_tensors"]


def swap_tensors(t1: Tensor, t2: Tensor) -> None:
    """Exchange everything but identity: whoever holds ``t1`` finds in it all that ``t2`` was, and the other way round.

    Values, gradients, history, hooks, attributes, and the class are exchanged.

    >>> import tinytorch
    >>> a, b = tinytorch.zeros(1), tinytorch.nn.Parameter(tinytorch.ones(2))
    >>> swap_tensors(a, b)
    >>> a, b
    (Parameter containing:
    tensor([1., 1.], requires_grad=True), tensor([0.]))

    Raises:
        RuntimeError: a graph or a view holds one of the tensors, and would find another than it saw.
    """
    for name, tensor in (("t1", t1), ("t2", t2)):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"swap_tensors(): {name} must be a Tensor, not {type(tensor).__name__}")
        if any(_relies_on(holder, tensor) for holder in gc.get_referrers(tensor)):
            raise RuntimeError(f"Cannot swap {name}: a view of it, or what was computed from it, is still there.")
    t1.__class__, t2.__class__ = t2.__class__, t1.__class__
    t1.__dict__, t2.__dict__ = t2.__dict__, t1.__dict__


def _relies_on(holder: Any, tensor: Tensor) -> bool:
    """Whether ``holder`` is a graph's ``(tensor, number)``, or what a view consists of."""
    if isinstance(holder, tuple):
        return len(holder) == 2 and holder[0] is tensor and isinstance(holder[1], int)
    attributes = holder if isinstance(holder, dict) else vars(holder) if isinstance(holder, Tensor) else {}
    return attributes.get("_base") is tensor
