"""Memory that several processes see: for tensors that are trained together, and for the batches of worker processes.

A *segment* is a file without a name (on Linux ``memfd``) that is mapped into memory. A forked process has the same
mapping; any other is sent the file's descriptor and maps it too. Nobody has to delete a segment: when the last process
that has it open ends, however it ends, the memory is free.

>>> import tinytorch
>>> total = tinytorch.zeros(3).share_memory_()          # what any process adds to it from now on, all processes see
>>> total.is_shared()
True

What PyTorch does. The same for tensors that ``share_memory_()`` was called on. Beyond that, PyTorch moves every tensor
that is sent through a queue to shared memory, so that sender and receiver go on sharing it. Here a tensor that is not
shared is copied by sending it.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
from collections.abc import Iterator
from multiprocessing import reduction
from typing import Any

import numpy as np

from tinytorch.kernels import memory
from tinytorch.tensor import Tensor

__all__ = ["Segment", "copied", "is_shared", "new_segment", "seen_by_others", "share"]


class Segment:
    """Memory that another process can map too: ``Segment(file_descriptor, size)``."""

    def __init__(self, descriptor: int, size: int) -> None:
        self.size = size
        self.mapping = mmap.mmap(descriptor, size)

    def array(self, nbytes: int) -> np.ndarray:
        """Its first bytes. The array, and every view of it, keeps the mapping alive."""
        return np.frombuffer(self.mapping, np.uint8, nbytes)


def new_segment(nbytes: int, what: str = "a tensor") -> tuple[Segment, int]:
    """A segment of at least so many bytes and the descriptor of its file, whose pages all exist: writing to them later
    cannot fail.

    Raises:
        RuntimeError: there is not so much memory.
    """
    size = -(-max(nbytes, 1) // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
    descriptor = -1
    try:
        descriptor = _nameless_file()
        os.ftruncate(descriptor, size)
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        return Segment(descriptor, size), descriptor
    except OSError as error:
        if descriptor >= 0:
            os.close(descriptor)
        raise RuntimeError(
            f"no shared memory for {what} of {size / 2**20:.1f} MiB ({error}). A DataLoader needs less with smaller "
            "batches, fewer workers or a smaller prefetch_factor; a container may need a larger limit (docker: "
            "--shm-size, --memory)"
        ) from error


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("tinytorch")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class Owner:
    """What arrays in a segment rest on: NumPy reads ``__array_interface__`` and keeps the owner as their base."""

    def __init__(self, segment: Segment, descriptor: int) -> None:
        self.segment, self.descriptor = segment, descriptor
        address = segment.array(segment.size).__array_interface__["data"]
        self.__array_interface__ = {"shape": (segment.size,), "typestr": "|u1", "data": address, "version": 3}

    def __del__(self) -> None:
        os.close(self.descriptor)


def owner_of(array: Any) -> Owner | None:
    """The owner of the segment that an array lies in, if it lies in one."""
    while array is not None and not isinstance(array, Owner):
        array = getattr(array, "base", None)
    return array


def is_shared(tensor: Tensor) -> bool:
    """Whether other processes may see the tensor's memory."""
    return owner_of(tensor._array) is not None


def share(tensor: Tensor) -> None:
    """Move a tensor to shared memory.

    Raises:
        RuntimeError: others see its memory - views, detached tensors, NumPy arrays. They would stay behind.
    """
    if is_shared(tensor):
        return
    if seen_by_others(tensor):
        raise RuntimeError(
            "share_memory_(): a view, a detached tensor or a NumPy array sees this tensor's memory, and would not move "
            "with it. Call share_memory_() before making those, or clone() the tensor first."
        )
    array = tensor._array
    order = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))  # its memory order is kept
    owner = Owner(*new_segment(array.nbytes))
    lying = np.ndarray(tuple(array.shape[axis] for axis in order), array.dtype, np.asarray(owner))
    moved = lying.transpose(np.argsort(order)) if array.ndim else lying
    moved[...] = array
    tensor._array = moved
    tensor._shared_memory()
    for kind in _kinds_of(Tensor):
        reduction.ForkingPickler.register(kind, _reduce)


def seen_by_others(tensor: Tensor) -> bool:
    """Whether more refers to the tensor's memory than the tensor: compared with tensors of which that is known."""
    whole, part = Tensor._wrap(np.empty(1)), Tensor._wrap(np.empty((1, 1))[0])
    base = tensor._array.base
    if base is None or isinstance(base, memory.Lease):
        return _references(tensor) > _references(whole)
    if not isinstance(base, np.ndarray) or not (base.base is None or isinstance(base.base, memory.Lease)):
        return True  # memory from elsewhere
    del base
    return _references(tensor) > _references(part) or _references_to_base(tensor) > _references_to_base(part)


def _references(tensor: Tensor) -> int:
    return sys.getrefcount(tensor._array)


def _references_to_base(tensor: Tensor) -> int:
    return sys.getrefcount(tensor._array.base)


def _kinds_of(kind: type[Tensor]) -> Iterator[type[Tensor]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds_of(below)


def copied(tensor: Tensor) -> Any:
    """How a tensor is sent by value. RuntimeError for one with a history, which would stay behind."""
    if not tensor.is_leaf and tensor.requires_grad:
        raise RuntimeError(
            "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support "
            "crossing process boundaries. If you just want to transfer the data, call detach() on the tensor before "
            "serializing (e.g., putting it on the queue)."
        )
    return tensor.__reduce_ex__(5)


def _reduce(tensor: Tensor) -> Any:
    """How :mod:`multiprocessing` sends a tensor: a shared one as the descriptor of its memory, others as a copy."""
    owner = owner_of(tensor._array)
    if owner is None or not tensor.is_leaf:
        return copied(tensor)
    array = tensor._array
    start = array.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    place = tensor.dtype, start, array.shape, array.strides
    descriptor = reduction.DupFd(owner.descriptor)
    return _rebuild, (type(tensor), descriptor, owner.segment.size, place, tensor.requires_grad)


def _rebuild(kind: type, descriptor: Any, size: int, place: tuple[Any, ...], requires_grad: bool) -> Any:
    dtype, start, shape, strides = place
    number = descriptor.detach()
    owner = Owner(Segment(number, size), number)
    array = np.ndarray(shape, dtype.numpy, np.asarray(owner), start, strides)
    tensor = Tensor._rebuild(kind, array, requires_grad)
    tensor._shared_memory()
    reduction.ForkingPickler.register(kind, _reduce)
    return tensor


reduction.ForkingPickler.register(Tensor, _reduce)
