"""Where a walk ends: adding a gradient into ``leaf.grad``.

``.grad`` never shares memory with anything: not with another leaf's gradient (``a + b`` sends the *same* gradient to
both), not with what a hook kept, not with a saved tensor. Copying every gradient would be safe and slow. So a leaf
takes over the memory of a gradient that nobody else holds, and copies all others; reference counts tell them apart.
"""

from __future__ import annotations

import sys

import numpy as np

from tinytorch.kernels.memory import Lease
from tinytorch.tensor import Tensor

__all__ = ["accumulate", "zero_gradient"]


def accumulate(leaf: Tensor, entry: list[Tensor], create_graph: bool) -> None:
    """Add the gradient in ``entry`` into ``leaf.grad``, which never shares memory with anything.

    Not if the leaf was frozen (``requires_grad_(False)``) since it was used.
    """
    if not leaf._requires_grad:
        return
    if entry[0].is_sparse:  # of an embedding; added to a dense gradient it makes a dense one
        leaf._grad = entry.pop() if leaf._grad is None else leaf._grad + entry.pop()
    elif leaf._grad is None:
        if create_graph:
            leaf._grad = entry.pop().clone()
        else:
            array = entry[0]._array if _is_ours_alone(entry) else entry[0]._array.copy(order="K")
            leaf._grad = Tensor._wrap(array)
    elif create_graph or leaf._grad.is_sparse:
        leaf._grad = leaf._grad.to_dense() + entry.pop()
    else:
        if not leaf._grad._array.flags.forc:  # the user may have assigned what cannot be written, an expanded tensor
            check_writable(leaf._grad)
        np.add(leaf._grad._array, entry[0]._array, out=leaf._grad._array)
        leaf._grad._bump_version()
    for hook in list(leaf._post_accumulate_hooks.values()) if leaf._post_accumulate_hooks else ():
        hook(leaf)


def zero_gradient(leaf: Tensor) -> None:
    """Fill ``leaf.grad``, if there is one, with zeros in place, and take it out of the graph that computed it."""
    gradient = leaf.grad
    if gradient is None:
        return
    if gradient.grad_fn is not None:
        gradient.detach_()
    else:  # which may be a view, say of one buffer for all gradients: detach_() refuses views
        gradient.requires_grad_(False)
    gradient.zero_()


def _reference_counts(entry: list[Tensor]) -> tuple[int, int, int]:
    """How many references there are to the tensor in ``entry``, to its array, and to the array's owner."""
    tensor = entry[0]
    array = tensor._array
    base = array.base
    return sys.getrefcount(tensor), sys.getrefcount(array), 0 if base is None else sys.getrefcount(base)


def _is_ours_alone(entry: list[Tensor]) -> bool:
    """Whether nobody but ``entry`` holds this gradient or its memory, so that a leaf may take it without copying.

    Reference counts say so, compared with those of a tensor that is known to be held once.
    """
    counts = _reference_counts(entry)
    owner = entry[0]._array.base
    if type(owner) is np.ndarray and owner.size != entry[0]._array.size:
        return False  # a view of a part: a small gradient must not keep a large array alive
    if owner is not None and type(owner) not in (np.ndarray, Lease):
        return False
    return all(count <= alone for count, alone in zip(counts, _ALONE, strict=True))


_ALONE = _reference_counts([Tensor._wrap(np.zeros((2, 3)).T)])


from tinytorch.autograd.inplace import check_writable  # noqa: E402 - part of the circle that tinytorch.tensor closes
