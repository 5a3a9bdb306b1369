"""The formula of an update, applied to arrays of any size at the speed of the cache.

An update such as Adam's reads like its paper::

    m += (1 - beta1) * (g - m)
    v *= beta2
    v += (1 - beta2) * g * g
    p -= step_size * m / (np.sqrt(v) / bias + eps)

NumPy carries out one operation after the other, each over the whole array. For a parameter of ten million
numbers each of the 13 operations above then travels through 40 MB of memory and most make a fresh array of 40
MB; memory is what takes the time, not arithmetic. But element i of the result needs only element i of the
arguments. So the same formula may be applied to a *piece* of a megabyte at a time: its operations find their
arguments in the cache, and its temporary arrays are small enough for the allocator to hand out the same
memory again and again. The formula stays as in the paper, no scratch arrays are juggled, and threads may
share the pieces. (Adam over ten million numbers, in milliseconds, on one thread and on two, an AMD processor: in
pieces of 128 KB 22 and 25, of 512 KB 20 and 13, of a megabyte 19 and 11, in one piece 59. Small pieces are for two
threads so many meetings at Python's lock. `cache.piece_size` says where they are better on one: on an Intel processor,
three times a million numbers take 6.7 ms in pieces of 512 KB, 9.7 in pieces of a megabyte.
``python -m tests.benchmarks --only Adam``, with another `PIECE_BYTES`.)

Elements are independent also in *order*. Parameters and gradients are looked at as flat arrays in the order
in which they lie in memory, whatever their shape. (An optimizer for which the elements of one parameter do
depend on each other, such as :class:`~tinytorch.optim.LBFGS`, does not come here.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.kernels.cache import piece_size
from tinytorch.kernels.pieces import Piece, ceil_div, even_parts
from tinytorch.kernels.threads import run_blocks

__all__ = ["direction", "update_in_blocks"]

PIECE_BYTES = 1 << 20
"""At most so many bytes of one array are worked on together."""
PER_MICROSECOND = 1000.0
"""Numbers that a formula updates, one thread."""


def update_in_blocks(
    formula: Callable[..., None], param: np.ndarray, grad: np.ndarray, state: list[np.ndarray | None], options: Any
) -> None:
    """Call ``formula(param, grad, *state, **options)`` on matching flat pieces of the arrays.

    ``formula`` changes ``param`` and ``state`` in place, never ``grad``. Arrays have the same shape; those of
    ``state`` may be None and are passed on as they are. Complex arrays are seen as pairs of real numbers.
    """
    arrays = _flat_alike(param, grad, state)
    if arrays is None:  # memory with gaps is rare: work on copies without, and put the results back
        changed = [param, *state]
        copies: Any = [None if array is None else np.array(array, order="C") for array in changed]
        update_in_blocks(formula, copies[0], grad, copies[1:], options)
        for array, copied in zip(changed, copies, strict=True):
            if array is not None:
                array[...] = copied
        return
    size, nbytes = arrays[0].size, arrays[0].nbytes
    most = min(PIECE_BYTES, piece_size() * 4)
    if nbytes <= most:
        formula(*arrays, **options)
        return

    def update(piece: Piece) -> None:
        part = slice(*piece)
        with np.errstate(all="ignore"):  # of this thread
            formula(*[None if array is None else array[part] for array in arrays], **options)

    count = 2 * ceil_div(nbytes, 2 * most)  # even: two threads have the same to do
    run_blocks(update, even_parts(size, count), size / PER_MICROSECOND)


def direction(p: np.ndarray, g: np.ndarray, weight_decay: float, maximize: bool) -> np.ndarray:
    """What to descend by: the gradient ``g``, turned round to climb, plus that of weight_decay/2 * |p|^2."""
    if maximize:
        g = -g
    if not isinstance(p, np.ndarray):
        p = p.clone()  # a weight decay that is learned has the p of now as its derivative, whatever p becomes
    return g + weight_decay * p if weight_decay else g


def _flat_alike(param: np.ndarray, grad: np.ndarray, state: list[np.ndarray | None]) -> list[Any] | None:
    """The arrays as one-dimensional views in the order of ``param``'s memory; None if that needs gaps.

    ``grad`` is only read: it is copied when it lies in another order.
    """
    if not param.flags.c_contiguous:
        order = sorted(range(param.ndim), key=lambda axis: -param.strides[axis])
        param, grad = param.transpose(order), grad.transpose(order)
        state = [None if array is None else array.transpose(order) for array in state]
        if not param.flags.c_contiguous:
            return None
    flat: list[Any] = [param.reshape(-1), grad.reshape(-1)]  # reshape copies where it has to
    for array in state:
        if array is None:
            flat.append(None)
        elif array.flags.c_contiguous:
            flat.append(array.reshape(-1))
        else:
            return None
    if param.dtype.kind == "c":
        real = param.real.dtype
        flat = [None if array is None else array.view(real) for array in flat]
    return flat
