"""Large arrays that come back: memory that is freed is kept and lent again.

A training step makes the same few dozen large arrays every time. When they are freed, the allocator hands their
memory back to the operating system; when the next step asks again, every 4 KB page must be found and zeroed anew.
That can cost more than the arithmetic that fills it: `tests/benchmarks/bench_kernels.py --only memory` times both.

So `empty` lends memory from a shelf. An array made by it rests on a `Lease`; when the last view of the array
dies, Python deletes the lease, and the lease puts its memory back on the shelf. Nobody has to call anything, and no
memory is lent twice, because as long as any view lives the lease does.

A weak reference to the lease does that, with `deque.append` as its callback. Not `__del__`: what is raised in there,
Ctrl-C too, Python prints and forgets. A function written in C is never interrupted, and needs no lock.

What is too small for the shelf, and what NumPy itself makes, comes from the allocator. The C library's most common one
(glibc) has a rule of its own: it keeps up to twice the largest block that it has seen freed, and gives the rest back.
One large block, freed before anybody has touched it, teaches it to keep 64 MB. That takes 10 microseconds, and makes
the training step of an LSTM 1.5 times as fast: ``python -m tests.benchmarks.processes``, as it stands and with
``MALLOC_TRIM_THRESHOLD_=131072`` in front, which turns the rule off.

The processor keeps the places of a few thousand pages in mind, and looks up all others in memory. A dozen megabytes in
pages of 4 KB are as many; so from 2 MB on, memory is asked for in pages of that size, and elementwise formulas of a
million numbers take 0.8 to 0.9 of their time.
"""

from __future__ import annotations

import contextlib
import math
import weakref
from collections import deque

import numpy as np

Array = np.ndarray

SMALLEST = 1 << 17
"""Bytes; the allocator itself keeps what is smaller."""
_ROUND = 1 << 14  # sizes are rounded up to this, so that nearly equal arrays share a shelf
_ALIGN = 64  # the bytes of a cache line
_LIMIT = 1 << 29  # bytes on the shelf: of one size at any time, of all sizes whenever new memory is needed

_PAGE = 1 << 12
_HUGE_PAGE = 1 << 21  # bytes; of x86-64 and most others

np.empty((32 << 20) - (1 << 14), np.uint8)  # glibc learns from nothing larger: M_MMAP_THRESHOLD in mallopt(3)


class _Return(weakref.ref["Lease"]):
    """Carries a buffer back to the shelf when its lease has died."""

    __slots__ = ("buffer",)
    buffer: Array


_idle: dict[int, deque[_Return]] = {}  # size in bytes -> free buffers of that size


class Lease:
    """Stands for one buffer while arrays use it: NumPy reads `__array_interface__` and keeps the lease as the base."""

    __slots__ = ("__array_interface__", "__weakref__", "_return")

    def __init__(self, buffer: Array, shelf: deque[_Return], shape: tuple[int, ...], dtype: np.dtype) -> None:
        start = buffer.__array_interface__["data"][0]
        aligned = -(-start // _ALIGN) * _ALIGN  # so that vector instructions do not straddle two cache lines
        self.__array_interface__ = {"shape": shape, "typestr": dtype.str, "data": (aligned, False), "version": 3}
        self._return = _Return(self, shelf.append)
        self._return.buffer = buffer


def empty(shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """`np.empty(shape, dtype)` (C order), in memory that was used before if there is some of that size.

    >>> a = empty((1000, 1000), np.dtype(np.float32))
    >>> where = a.ctypes.data
    >>> view = a[5:].T
    >>> del a                                                  # the view still uses the memory
    >>> empty((1000, 1000), np.dtype(np.float32)).ctypes.data == where
    False
    >>> del view                                               # now nobody does
    >>> b, c = (empty((1000, 1000), np.dtype(np.float32)) for _ in range(2))
    >>> where in (b.ctypes.data, c.ctypes.data)
    True
    """
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes < SMALLEST or dtype.hasobject:
        return np.empty(shape, dtype)
    size = -(-(nbytes + _ALIGN) // _ROUND) * _ROUND
    shelf = _idle.get(size)
    if shelf is None:
        shelf = _idle.setdefault(size, deque(maxlen=max(1, _LIMIT // size)))
    try:
        buffer = shelf.pop().buffer  # the one used last: it may still be in the cache
    except IndexError:
        _make_room()
        buffer = new_bytes(size)
    return np.asarray(Lease(buffer, shelf, shape, dtype))


def aligned(shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """`np.empty(shape, dtype)` that begins a cache line, for what lives long and is read often: a weight.

    Products read it without copying it first (`products` says when).
    """
    nbytes = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or nbytes < _PAGE:
        return np.empty(shape, dtype)
    # a lease shows as much memory as was asked for; the shelf keeps nothing
    return np.asarray(Lease(np.empty(nbytes + _ALIGN, np.uint8), deque(maxlen=0), shape, dtype))


def new_bytes(size: int) -> Array:
    """`np.empty(size, np.uint8)`; where the operating system has huge pages, as much as possible of it in these."""
    if size >= _HUGE_PAGE:
        import mmap  # late: `import tinytorch` stays cheap

        if hasattr(mmap, "MADV_HUGEPAGE"):
            with contextlib.suppress(OSError, OverflowError):  # none in this kernel, or too much: NumPy says so below
                mapping = mmap.mmap(-1, size + _HUGE_PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
                pages = np.frombuffer(mapping, np.uint8)
                start = -pages.__array_interface__["data"][0] % _HUGE_PAGE
                mapping.madvise(mmap.MADV_HUGEPAGE, start, size // _HUGE_PAGE * _HUGE_PAGE)
                return pages[start : start + size]
    return np.empty(size, np.uint8)


def idle_bytes() -> int:
    """How much memory is on the shelf."""
    return sum(len(shelf) * size for size, shelf in list(_idle.items()))


def _make_room() -> None:
    """Free what is on the shelf beyond the limit: first what was used longest ago, of the sizes known longest."""
    beyond = idle_bytes() - _LIMIT
    for size, shelf in list(_idle.items()) if beyond > 0 else ():
        while beyond > 0 and shelf:
            try:
                shelf.popleft()
            except IndexError:  # another thread took the last one
                break
            beyond -= size


def zeros(shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """`np.zeros(shape, dtype)` from `empty`."""
    if math.prod(shape) * dtype.itemsize < SMALLEST:
        return np.zeros(shape, dtype)
    array = empty(shape, dtype)
    array.reshape(-1).view(np.uint8).fill(0)  # bytes are set at twice the speed of numbers
    return array


def empty_like(x: Array) -> Array:
    """`np.empty_like(x)`, memory order kept, from `empty`."""
    if x.nbytes < SMALLEST:
        return np.empty_like(x)
    if x.flags.c_contiguous:
        return empty(x.shape, x.dtype)
    order = sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis]))  # sorted is stable: ties keep C order
    lying = empty(tuple(x.shape[axis] for axis in order), x.dtype)
    return lying.transpose(np.argsort(order))


def release() -> None:
    """Give all idle memory back to the operating system."""
    _idle.clear()
