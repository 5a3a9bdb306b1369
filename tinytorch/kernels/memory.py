"""Large arrays that come back: memory that is freed is kept and lent again.

A training step makes the same few dozen large arrays every time. When they are freed, the allocator hands their
memory back to the operating system; when the next step asks again, every 4 KB page must be found and zeroed anew.
That can cost more than the arithmetic that fills it: `tests/benchmarks/bench_kernels.py --only memory` times both.

So `empty` lends memory from a shelf. An array made by it rests on a `_Lease`; when the last view of the array
dies, Python deletes the lease, and the lease puts its memory back on the shelf. Nobody has to call anything, and no
memory is lent twice, because as long as any view lives the lease does.
"""

from __future__ import annotations

import math
import os
import threading
from collections import deque

import numpy as np

Array = np.ndarray

SMALLEST = 1 << 17
"""Bytes; the allocator itself keeps what is smaller."""
_ROUND = 1 << 14
_ALIGN = 64
_idle: dict[int, deque[Array]] = {}  # size in bytes -> free buffers of that size
_LIMIT = 1 << 29  # bytes on the shelf; what comes back beyond that is freed
_idle_bytes = 0
_lock = threading.RLock()  # reentrant, as a lease may die (and `__del__` run) at any moment, even in here


class _Lease:
    """Owns one buffer while arrays use it: NumPy reads `__array_interface__` and keeps the lease as the base."""

    __slots__ = ("__array_interface__", "buffer")

    def __init__(self, buffer: Array, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.buffer = buffer
        start = buffer.__array_interface__["data"][0]
        aligned = -(-start // _ALIGN) * _ALIGN  # so that vector instructions do not straddle two cache lines
        self.__array_interface__ = {"shape": shape, "typestr": dtype.str, "data": (aligned, False), "version": 3}

    def __del__(self) -> None:
        global _idle_bytes
        with _lock:
            if _idle_bytes + self.buffer.nbytes <= _LIMIT:
                _idle_bytes += self.buffer.nbytes
                _idle.setdefault(self.buffer.nbytes, deque()).append(self.buffer)


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
    global _idle_bytes
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes < SMALLEST or dtype.hasobject:
        return np.empty(shape, dtype)
    size = -(-(nbytes + _ALIGN) // _ROUND) * _ROUND
    buffer = None
    with _lock:
        if shelf := _idle.get(size):
            buffer = shelf.pop()  # the one used last: it may still be in the cache
            _idle_bytes -= size
    return np.asarray(_Lease(np.empty(size, np.uint8) if buffer is None else buffer, shape, dtype))


def zeros(shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """`np.zeros(shape, dtype)` from `empty`."""
    if math.prod(shape) * dtype.itemsize < SMALLEST:
        return np.zeros(shape, dtype)
    array = empty(shape, dtype)
    array.fill(0)
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
    global _idle_bytes
    with _lock:
        _idle.clear()
        _idle_bytes = 0


def _new_lock_after_fork() -> None:
    global _lock
    _lock = threading.RLock()  # another thread may have held the old one when the process was copied


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock_after_fork)
