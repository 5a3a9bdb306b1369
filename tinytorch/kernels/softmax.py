"""Softmax and its logarithm, and their gradients.

(After: `sums`. Next: `cross_entropy`.)

    p_i = e^{x_i} / s            log p_i = x_i - log s            s = sum_j e^{x_j}

`softmax_reference` and its sisters are these formulas, with the maximum taken out so that nothing overflows, along any
axis. Large float arrays go along their last axis through the functions below, a few rows at a time, so that all
passes but the first find their data in the cache; and with fewer passes:

*The maximum is not needed.* e^{x - m} / sum e^{x - m} is the same number for every m. As long as no e^x overflows and
the sum is not small, m = 0 is as good as any, and saves finding the maximum and subtracting it, which take as long as
the exponential. So the exponentials are taken first and *then* looked at: rows whose sum lies outside [`SMALLEST`,
`LARGEST`] are done again with their maximum. (With a sum of 1/2 or more, no e^x is smaller than half its probability,
so none is lost that the dtype can hold.)

*The sums* are products with ones (`sums`). The gradient of log p keeps e^x and s, and has no exponential to compute.

What it gained, forward and backward of 1024 x 512 on one thread (`python -m tests.benchmarks --only softmax`):
0.69 ms, where the formulas took 1.15 (PyTorch: 0.44); of its logarithm 0.71, where they took 1.30 (0.55).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinytorch.kernels import exponential
from tinytorch.kernels.blas import hold_blas
from tinytorch.kernels.layout import Array, Pair, scratch
from tinytorch.kernels.loops import stretched
from tinytorch.kernels.memory import empty_like
from tinytorch.kernels.pieces import BLOCK_BYTES, cache_blocks
from tinytorch.kernels.sums import row_dots, row_sums, total
from tinytorch.kernels.threads import run_blocks

Kept = tuple[Array, Array]
"""e^(x - shift), whatever the shift of each row, and the sums of the rows."""
LARGE = 1 << 14
"""Elements from which on the blocks are worth it."""
MANY = 1 << 16
"""Elements from which on it pays to look whether all of them suit the faster exponential."""
SMALLEST, LARGEST = 0.5, 2.0**100
EXACT_UP_TO = 2.0**16
"""Sums up to which every e^x is right to a few units in the last place (see `exponential`)."""

_smallest, _largest = np.minimum.reduce, np.maximum.reduce  # without what `min` and `max` add for small arrays


def softmax(x: Array, axis: int) -> Array:
    """e^x / sum(e^x) along `axis`."""
    if not in_rows(axis, x):
        return softmax_reference(x, axis)
    y = empty_like(x)
    rows, y_rows = _rows(x), _rows(y)

    def divide(block: Pair) -> None:
        part = slice(*block)
        y = y_rows[part]
        sums = exponentials(rows[part], y)[0]
        stretched(np.divide, y, sums, out=y)

    by_rows(divide, rows, x.size / 1100)
    return y


def softmax_backward(grad: Array, y: Array, axis: int) -> Array:
    """y (grad - sum(grad y)), for y = softmax(x)."""
    if not in_rows(axis, y, grad):
        return y * (grad - np.add.reduce(grad * y, axis=axis, keepdims=True, dtype=y.dtype))
    gx = empty_like(y)
    y_rows, g_rows, gx_rows = _rows(y), _rows(grad), _rows(gx)

    def backward(block: Pair) -> None:
        part = slice(*block)
        g, y, gx = g_rows[part], y_rows[part], gx_rows[part]
        stretched(np.subtract, g, row_dots(g, y), out=gx)
        np.multiply(gx, y, out=gx)

    by_rows(backward, y_rows, y.size / 1500)
    return gx


def log_softmax(x: Array, axis: int, keep: bool = False) -> tuple[Array, Kept | None]:
    """x - log(sum(e^x)) along `axis`; if `keep`, also what helps `log_softmax_backward`: (e^x, their sums)."""
    if not in_rows(axis, x):
        return log_softmax_reference(x, axis), None
    y = empty_like(x)
    kept = empty_like(x) if keep else None
    rows, y_rows = _rows(x), _rows(y)
    all_sums = np.empty((len(rows), 1), x.dtype)

    def subtract(block: Pair) -> None:
        part = slice(*block)
        with scratch(rows[part].shape, x.dtype) as spare:
            sums, shift = exponentials(rows[part], spare if kept is None else _rows(kept)[part])
        all_sums[part] = sums
        log_sums = np.log(sums, dtype=np.float64)
        if shift is not None:
            log_sums += shift
        rounded = log_sums.astype(x.dtype)
        out = stretched(np.subtract, rows[part], rounded, out=y_rows[part])
        if not (_largest(rounded, axis=None) < 8 and _smallest(rounded, axis=None) > -8):
            # where x - log s is near 0, the rounding of a large log s would be seen
            out -= (log_sums - rounded).astype(x.dtype)

    by_rows(subtract, rows, x.size / 1100)
    return y, None if kept is None else (kept, all_sums)


def log_softmax_backward(grad: Array, y: Array, axis: int, kept: Kept | None) -> Array:
    """grad - e^y sum(grad), for what `log_softmax` gave."""
    if kept is None or not in_rows(axis, y, grad):
        return grad - np.exp(y) * np.add.reduce(grad, axis=axis, keepdims=True, dtype=y.dtype)
    exps, sums = kept
    gx = empty_like(y)
    e_rows, g_rows, gx_rows = _rows(exps), _rows(grad), _rows(gx)

    def backward(block: Pair) -> None:
        part = slice(*block)
        g = g_rows[part]
        out = stretched(np.multiply, e_rows[part], row_sums(g) / sums[part], out=gx_rows[part])
        np.subtract(g, out, out=out)

    by_rows(backward, e_rows, y.size / 1300)
    return gx


def exponentials(rows: Array, out: Array) -> tuple[Array, Array | None]:
    """out = e^(rows - shift); returns (the sums of its rows, shift), both (R, 1). Where it can be, shift is None."""
    with np.errstate(over="ignore"):
        normal = rows.size >= MANY and _smallest(rows, axis=None) >= exponential.LOWEST
        (exponential.exp if normal else np.exp)(rows, out)
        sums = row_sums(out)
        if normal and _largest(sums, axis=None) > EXACT_UP_TO:
            sums = row_sums(np.exp(rows, out))
    if _smallest(sums, axis=None) >= SMALLEST and _largest(sums, axis=None) <= LARGEST:
        return sums, None
    shift = np.zeros_like(sums)
    again = np.flatnonzero(~((sums >= SMALLEST) & (sums <= LARGEST)))
    largest = _largest(rows[again], axis=1, keepdims=True)
    redone = np.exp(rows[again] - largest)
    out[again], sums[again], shift[again] = redone, row_sums(redone), largest
    return sums, shift


def log_sums(x: Array, axes: tuple[int, ...], keep: bool = False) -> tuple[Array, Array, Kept | None]:
    """(log(sum(e^(x - shift))) over `axes` in double precision, shift, what `log_sum_exp_backward` needs if `keep`).

    The shift is the maximum or 0; all have size 1 along `axes`.
    """
    if not (len(axes) == 1 and in_rows(axes[0], x)):
        largest = np.maximum.reduce(x.real, axis=axes, keepdims=True)
        exps = np.asarray(np.subtract(x, largest, order="C"))  # of 0 dimensions NumPy makes a scalar
        sums = np.asarray(total(np.exp(exps, out=exps), axes, keepdims=True))
        logs = np.asarray(np.log(sums, dtype=np.result_type(sums, np.float64)))
        return logs, largest, (exps, sums) if keep else None
    rows, kept = _rows(x), empty_like(x) if keep else None
    sums, shifts = np.empty((len(rows), 1), x.dtype), np.zeros((len(rows), 1), x.dtype)

    def sum_up(block: Pair) -> None:
        part = slice(*block)
        with scratch(rows[part].shape, x.dtype) as spare:
            sums[part], shift = exponentials(rows[part], spare if kept is None else _rows(kept)[part])
        if shift is not None:
            shifts[part] = shift

    by_rows(sum_up, rows, x.size / 1500)
    sums, shifts = (a.reshape(*x.shape[:-1], 1) for a in (sums, shifts))
    return np.log(sums, dtype=np.float64), shifts, None if kept is None else (kept, sums)


def log_sum_exp(x: Array, axes: tuple[int, ...], keep: bool = False) -> tuple[Array, Kept | None]:
    """log(sum(e^x)) over `axes`, in double precision and with size 1 there; if `keep`, also what its gradient needs."""
    y, shift, kept = log_sums(x, axes, keep)
    y += shift
    if not np.isfinite(np.add.reduce(y, axis=None)):
        # where the maximum is infinite, so is the sum, but ∞ - ∞ came out as nan
        y = np.where(np.isnan(y), np.maximum.reduce(x.real, axis=axes, keepdims=True), y)
        if kept is not None:
            kept = np.exp(x - y).astype(x.dtype), np.ones(y.shape, x.dtype)
    return y, kept


def log_sum_exp_backward(grad: Array, kept: Kept) -> Array:
    """grad e^x / sum(e^x), for what `log_sum_exp` kept; `grad` has size 1 along the axes."""
    exps, sums = kept
    scale = grad / sums
    if exps.size < LARGE or sums.size != exps.size // exps.shape[-1] or sums.shape[-1] != 1:
        return np.asarray(exps * scale)
    gx = empty_like(exps)
    e_rows, gx_rows, scales = _rows(exps), _rows(gx), scale.reshape(-1, 1)

    def multiply(block: Pair) -> None:
        part = slice(*block)
        stretched(np.multiply, e_rows[part], scales[part], out=gx_rows[part])

    by_rows(multiply, e_rows, exps.size / 4000)
    return gx


def softmax_reference(x: Array, axis: int) -> Array:
    """The formula, as it stands in books."""
    y = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    np.exp(y, out=y)
    y /= np.add.reduce(y, axis=axis, keepdims=True, dtype=y.dtype)
    return y


def log_softmax_reference(x: Array, axis: int) -> Array:
    """The formula, as it stands in books."""
    y = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    y -= np.log(np.add.reduce(np.exp(y), axis=axis, keepdims=True, dtype=y.dtype))
    return y


def in_rows(axis: int, *arrays: Array) -> bool:
    """Whether the arrays are large, and `axis` lies in memory as rows."""
    first = arrays[0]
    if first.size < LARGE or axis not in (-1, first.ndim - 1) or first.dtype.char not in "fd":
        return False
    return all(a.flags.c_contiguous and a.dtype == first.dtype for a in arrays)


def _rows(x: Array) -> Array:
    return x.reshape(-1, x.shape[-1])


def by_rows(formula: Callable[[Pair], object], rows: Array, microseconds: float) -> None:
    """`formula` of the first and last of a few rows after the other."""
    if rows.nbytes <= BLOCK_BYTES:
        hold_blas()
        formula((0, len(rows)))
    else:
        run_blocks(formula, cache_blocks(rows), microseconds)
