"""The workers of a data loader, seen from the training process: who gets which task, and in which order batches return.

Task k is the k-th list of indices from the sampler. Tasks are dealt in turn; at any time ``prefetch_factor`` of each
worker's are under way, so that batches are ready before they are asked for::

    worker 0:  batch 0           batch 2                 (batch 4)
    worker 1:           batch 1           batch 3                  (batch 5)

Each worker has one connection, for tasks in one direction and batches in the other. It is also how one side learns of
the other's end: whatever kills a worker closes it, and then reading from it fails. The workers, for their part, stop
when the training process closes it or dies.
"""

from __future__ import annotations

import itertools
import os
import pickle
import signal
import socket
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection as connections
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

from tinytorch.utils.data.sending import Receiver
from tinytorch.utils.data.worker import NEW_EPOCH, Failure, StreamEnded, interrupts_held, work
from tinytorch.utils.data.worker_info import WorkerInfo

__all__ = ["Workers"]

PATIENCE = 5.0
"""Seconds that a worker has to end by itself, and between two looks whether all are alive."""


class Worker:
    """One worker process and the connection to it."""

    def __init__(self, process: BaseProcess, connection: Connection, receiver: Receiver) -> None:
        self.process, self.connection, self.receiver = process, connection, receiver
        self.under_way = 0  # tasks whose batch has not been handed out
        self.ended = False  # its stream has no more

    def send(self, number: int, index: Any) -> None:
        """Give it a task, and back the memory of batches that are no longer used."""
        message = pickle.dumps((number, index, *self.receiver.to_give_back()), 5)
        with suppress(OSError):  # if it has died, that will be seen when a batch is missing
            self.connection.send_bytes(message)


class Workers:
    """Batches made by worker processes: an iterator over one epoch, until ``start`` begins the next.

    Args:
        dataset: copied into each worker by starting it.
        make_fetcher: called in each worker, once an epoch.
        count: how many.
        context: how processes are started.
        base_seed: worker w is seeded with ``base_seed + w``.
        init: ``worker_init_fn``, called in the worker with its number.
        prefetch: tasks under way for each worker.
        timeout: seconds to wait for a batch; 0 for ever.
        in_order: batches come in the sampler's order, else as they get ready.
    """

    def __init__(
        self,
        dataset: Any,
        make_fetcher: Callable[[], Any],
        count: int,
        *,
        context: BaseContext,
        base_seed: int,
        init: Callable[[int], None] | None,
        prefetch: int,
        timeout: float,
        in_order: bool,
    ) -> None:
        self._most_under_way, self._timeout, self._in_order = prefetch * count, timeout, in_order
        self._workers: list[Worker] = []
        self._numbers = itertools.count()
        self._owner = os.getpid()
        self.close = weakref.finalize(self, _close, self._workers, self._owner)
        self.close.atexit = False  # when Python ends, multiprocessing ends daemons, at once
        for number in range(count):
            ours, theirs = context.Pipe()
            receiver = Receiver(ours)
            info = WorkerInfo(number, count, base_seed + number, dataset)
            arguments = (theirs, info, base_seed, init, make_fetcher)
            process = context.Process(target=work, args=arguments, daemon=True)  # type: ignore[attr-defined]
            with interrupts_held():
                process.start()
            theirs.close()
            self._workers.append(Worker(process, ours, receiver))

    def start(self, indices: Iterator[Any], again: bool = False) -> None:
        """Begin an epoch and deal the first tasks; what is still under way from another epoch is forgotten."""
        self._indices = indices
        self._turns = itertools.cycle(self._workers)
        self._owners: dict[int, Worker] = {}  # of the tasks under way, in order
        self._arrived: dict[int, Any] = {}
        with self._no_half_messages():
            for worker in self._workers:
                worker.under_way, worker.ended = 0, False
                if again:
                    worker.send(NEW_EPOCH, None)
            for _ in range(self._most_under_way):
                self._deal()

    @property
    def closed(self) -> bool:
        """Whether the processes have been ended, or are those of another process, of which this is a copy."""
        return not self.close.alive or self._owner != os.getpid()

    def __next__(self) -> Any:
        """The next batch.

        Raises:
            StopIteration: there are no more.
            RuntimeError: a worker has died, or the time is over.
            Exception: what the dataset raised, see :meth:`Failure.reraise`.
        """
        with self._no_half_messages():
            while self._owners:
                number = next(iter(self._owners if self._in_order else self._arrived), None)
                if number not in self._arrived:
                    self._receive()
                    continue
                value, worker = self._arrived.pop(number), self._owners.pop(number)
                worker.under_way -= 1
                worker.ended = worker.ended or isinstance(value, StreamEnded)
                self._deal()
                if isinstance(value, Failure):
                    value.reraise()
                if not isinstance(value, StreamEnded):
                    return value
        raise StopIteration

    @contextmanager
    def _no_half_messages(self) -> Iterator[None]:
        """Ctrl-C may come in the middle of a message; nobody could make sense of the next one."""
        try:
            yield
        except KeyboardInterrupt:
            self.close()
            raise

    def _deal(self) -> None:
        """Give the next task to the worker whose turn it is (or, if order does not matter, who has least to do)."""
        able = [worker for worker in self._workers if not worker.ended]
        if not able:
            return
        try:
            index = next(self._indices)
        except StopIteration:
            return
        worker = next(worker for worker in self._turns if not worker.ended)
        if not self._in_order:
            worker = min(able, key=lambda worker: worker.under_way)
        number = next(self._numbers)
        self._owners[number] = worker
        worker.under_way += 1
        worker.send(number, index)

    def _receive(self) -> None:
        """Wait until something arrives, and take in all that is there."""
        receivers = {worker.connection: worker.receiver for worker in self._workers}
        try:
            ready = connections.wait(list(receivers), self._timeout or PATIENCE)
            for connection in ready:
                number, value = receivers[connection].receive()  # type: ignore[index]
                if number in self._owners:  # else it is of an epoch that was broken off
                    self._arrived[number] = value
        except (EOFError, OSError):
            self._check_alive(PATIENCE)
            self.close()
            raise
        if not ready:
            self._check_alive()
            if self._timeout:
                raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")

    def _check_alive(self, patience: float = 0.0) -> None:
        """Raise RuntimeError if a worker has ended; ``patience``: seconds to wait for one that is about to."""
        processes = {worker.process.sentinel: worker.process for worker in self._workers}
        dead = [processes[sentinel] for sentinel in connections.wait(list(processes), patience)]  # type: ignore[index]
        for process in dead:
            process.join()
        if dead:
            numbers, how = ", ".join(str(process.pid) for process in dead), _cause_of_death(dead[0].exitcode)
            self.close()
            raise RuntimeError(f"DataLoader worker (pid(s) {numbers}) exited unexpectedly{how}")


def _cause_of_death(code: int | None) -> str:
    if not code:
        return ""
    if code > 0:
        return f" with exit code {code}"
    name = signal.Signals(-code).name
    return f": killed by {name}" + (", as the system does when memory runs out" if name == "SIGKILL" else "")


def _close(workers: list[Worker], owner: int) -> None:
    """End the processes: hang up, wait, and kill those who do not hear. A forked copy of the loader does nothing."""
    if os.getpid() != owner:
        return
    for worker in workers:
        _hang_up(worker.connection)
    deadline = time.monotonic() + PATIENCE
    for worker in workers:
        worker.process.join(max(0.0, deadline - time.monotonic()))
    for end in (BaseProcess.terminate, BaseProcess.kill):
        for worker in workers:
            if worker.process.is_alive():
                end(worker.process)
                worker.process.join(1.0)


def _hang_up(connection: Connection) -> None:
    if os.name == "posix":  # even if some process has a copy of this end
        with socket.fromfd(connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as end, suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    connection.close()
