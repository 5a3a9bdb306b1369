"""How a batch gets from a worker process to the training process without its numbers being copied on the way.

Pickling would copy an image batch four times: into the pickle, into the pipe, out of it, and out of the pickle. Here
only the structure is pickled (lists, dicts, dtypes, shapes). Large arrays are written into *segments*, memory that both
processes see::

    worker                               training process
    [ array ] --copied--> [ segment ] <--is seen by-- [ array of the batch ]

The file descriptor of a segment (see :mod:`tinytorch.shared_memory`) is sent along the first time. Later, when the last
array over it has died in the training process, its number goes back to the worker, which writes the next batch there:
memory that is warm, and that need not be found and zeroed again.

Each large array has a segment of its own, and small ones travel in the pickle: who keeps only the labels of all batches
must not keep the images alive with them.
"""

from __future__ import annotations

import copyreg
import io
import itertools
import os
import pickle
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from tinytorch.shared_memory import Segment, copied, new_segment
from tinytorch.tensor import Tensor

__all__ = ["Receiver", "Sender"]

SMALLEST = 1 << 15
"""Bytes; an array smaller than this is pickled."""
MOST_IDLE = 16
"""Segments that a worker keeps for later."""
MOST_LENT = 64
"""Segments of a worker that may be in use; each costs a file descriptor. Beyond that, arrays are copied after all."""
_CAN_SHARE = os.name == "posix"  # elsewhere file descriptors cannot be sent: everything is pickled


class Sender:
    """The worker's end: ``send(label, value)`` puts a value into the pipe, its large arrays into segments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._numbers = itertools.count()
        self._idle: dict[int, Segment] = {}
        self._lent: dict[int, Segment] = {}
        self._dropped: list[int] = []  # segments that the other side may forget

    def take_back(self, returned: Iterable[int], lost: Iterable[int]) -> None:
        """These segments are no longer used there; the lost ones may not be written again."""
        for number in lost:
            self._lent.pop(number, None)
            self._dropped.append(number)
        for number in returned:
            segment = self._lent.pop(number)
            if len(self._idle) < MOST_IDLE:
                self._idle[number] = segment
            else:
                self._dropped.append(number)

    def send(self, label: Any, value: Any) -> None:
        """Send both.

        Raises:
            Exception: whatever pickling raises; nothing has been sent then.
            OSError: the other side has gone.
        """
        used: list[tuple[int, int]] = []  # (number, bytes) of each array, in the order of the pickle
        opened: dict[int, tuple[int, int]] = {}  # new segments: number -> (file descriptor, size)

        def outside(buffer: pickle.PickleBuffer) -> bool:
            """Put one array into a segment, or return True to have it pickled."""
            raw = buffer.raw()
            if raw.nbytes < SMALLEST or not _CAN_SHARE:
                return True
            number, segment = self._segment_for(raw.nbytes, opened)
            self._lent[number] = segment
            used.append((number, raw.nbytes))
            segment.array(raw.nbytes)[:] = np.frombuffer(raw, np.uint8)
            return False

        try:
            body = io.BytesIO()
            pickler = pickle.Pickler(body, 5, buffer_callback=outside)
            pickler.dispatch_table = {**copyreg.dispatch_table, Tensor: copied}
            pickler.dump(value)
        except BaseException:
            for number, _ in used:
                self._take_unsent(number, opened)
            raise
        sizes = [(number, size) for number, (_, size) in opened.items()]
        dropped, self._dropped = self._dropped, []
        try:
            self._connection.send_bytes(pickle.dumps((label, body.getvalue(), used, sizes, dropped), 5))
            for descriptor, _ in opened.values():
                reduction.send_handle(self._connection, descriptor, None)
        finally:
            for descriptor, _ in opened.values():
                os.close(descriptor)

    def _segment_for(self, nbytes: int, opened: dict[int, tuple[int, int]]) -> tuple[int, Segment]:
        """The smallest idle segment that is large enough, else a new one in place of the smallest."""
        by_size = sorted((segment.size, number) for number, segment in self._idle.items())
        for size, number in by_size:
            if size >= nbytes:
                return number, self._idle.pop(number)
        if by_size:
            number = by_size[0][1]
            del self._idle[number]
            self._dropped.append(number)
        segment, descriptor = new_segment(nbytes, "an array of this batch,")
        number = next(self._numbers)
        opened[number] = descriptor, segment.size
        return number, segment

    def _take_unsent(self, number: int, opened: dict[int, tuple[int, int]]) -> None:
        segment = self._lent.pop(number)
        if number in opened:
            os.close(opened.pop(number)[0])
        else:
            self._idle[number] = segment


class Lent(weakref.ref[np.ndarray]):
    """Tells when the array over a segment, and with it every view of the array, has died."""

    __slots__ = ("number",)
    number: int

    @classmethod
    def of(cls, array: np.ndarray, number: int, tell: Callable[[Any], None]) -> Lent:
        lent = cls(array, tell)  # may be called at any moment, in any thread
        lent.number = number
        return lent


class Receiver:
    """The training process's end. Arrays that it gives out rest on segments until they die."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._segments: dict[int, Segment] = {}
        self._lent: dict[int, Lent] = {}
        self._died: deque[Lent] = deque()
        self._unused: list[int] = []
        self._lost: list[int] = []
        _receivers.add(self)

    def receive(self) -> tuple[Any, Any]:
        """``(label, value)``, as sent.

        Raises:
            EOFError, OSError: the other side has gone.
        """
        label, body, used, opened, dropped = pickle.loads(self._connection.recv_bytes())
        for number, size in opened:
            descriptor = reduction.recv_handle(self._connection)
            try:
                self._segments[number] = Segment(descriptor, size)
            finally:
                os.close(descriptor)
        for number in dropped:
            self._segments.pop(number, None)
        return label, pickle.loads(body, buffers=[self._array(number, nbytes) for number, nbytes in used])

    def _array(self, number: int, nbytes: int) -> np.ndarray:
        array = self._segments[number].array(nbytes)
        if len(self._lent) >= MOST_LENT:
            self._unused.append(number)
            return array.copy()
        self._lent[number] = Lent.of(array, number, self._died.append)
        return array

    def to_give_back(self) -> tuple[list[int], list[int]]:
        """The segments on which no array rests any more, and the lost ones: for :meth:`Sender.take_back`."""
        unused, self._unused = self._unused, []
        lost, self._lost = self._lost, []
        while self._died:
            lent = self._died.popleft()
            if self._lent.pop(lent.number, None) is not None:
                unused.append(lent.number)
        return unused, lost

    def after_fork(self) -> None:
        """The new process may go on using what is lent now, and here nobody would know until when: write it off."""
        self._lost += self._lent
        self._lent.clear()

    def close_copy(self) -> None:
        """In the new process: the worker notices the closing of this end only if no copy of it is left open."""
        self._connection.close()


_receivers: weakref.WeakSet[Receiver] = weakref.WeakSet()


def _after_fork() -> None:
    for receiver in list(_receivers):
        receiver.after_fork()


def _after_fork_in_child() -> None:
    for receiver in list(_receivers):
        receiver.close_copy()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
