"""What runs in a worker process: its random numbers, its loop, and the errors that it reports.

Worker w of a loader is seeded with ``base_seed + w``: tinytorch's generator, Python's and NumPy's. So what the dataset
draws there is the same in every run with the same seed, and the same as in PyTorch.
"""

from __future__ import annotations

import os
import pickle
import queue
import random
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from tinytorch.utils.data.sending import Sender
from tinytorch.utils.data.worker_info import WorkerInfo, set_worker_info

__all__ = ["NEW_EPOCH", "Failure", "StreamEnded", "work"]

PATIENCE = 5.0
"""Seconds to finish a batch in that nobody wants any more, and between two looks whether the training process lives."""
LOOK_EVERY = 0.1
"""Seconds between looks whether it does, once the connection is closed."""

NEW_EPOCH = -1
"""The number of the task to begin the dataset, if it is a stream, anew."""


class StreamEnded:
    """Sent in place of a batch: this worker's stream has no more."""


class _Readable(str):
    """A KeyError shows the ``repr`` of its argument; of this one, that is the text itself, line by line."""

    __slots__ = ()
    __repr__ = str.__str__


class Failure:
    """An exception on its way to the training process: its class and, as text, its traceback."""

    def __init__(self, error: Exception, number: int) -> None:
        text = "".join(traceback.format_exception(error))
        self.message = f"Caught {type(error).__name__} in DataLoader worker process {number}.\nOriginal {text}"
        try:
            self._kind = pickle.dumps(type(error))
        except Exception:  # a class made inside a function
            self._kind = pickle.dumps(RuntimeError)

    def reraise(self) -> None:
        """Raise it again, as PyTorch does: the same class with the traceback for a message.

        Classes that cannot be made from a message alone become a RuntimeError.
        """
        try:
            kind = pickle.loads(self._kind)
            error = kind(_Readable(self.message) if kind is KeyError else self.message)
        except Exception:
            error = RuntimeError(self.message)
        raise error from None


@contextmanager
def interrupts_held(held: bool = True) -> Iterator[None]:
    """Ctrl-C is not heard inside, but afterwards; or, if not ``held``, is heard inside.

    A process that is started while it is not heard begins so: it is not interrupted before it is ready for that.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    how = signal.SIG_BLOCK if held else signal.SIG_UNBLOCK
    before = signal.pthread_sigmask(how, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def work(
    connection: Connection,
    info: WorkerInfo,
    base_seed: int,
    init: Callable[[int], None] | None,
    make_fetcher: Callable[[], Any],
) -> None:
    """The life of a worker process: fetch what the tasks say and send it, until the other end is closed."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not what the training process does then
    done = threading.Event()
    with suppress(KeyboardInterrupt), closing(connection), ExitStack() as at_end, interrupts_held(False):
        # (Ctrl-C reaches the whole group of processes; the training process says so.)
        at_end.callback(done.set)
        tasks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        stop = threading.Event()
        threading.Thread(target=_receive_tasks, args=(connection, tasks, stop, done), daemon=True).start()
        _seed(base_seed, info.id)
        set_worker_info(info)
        sender, fetcher = Sender(connection), _attempt(info, lambda: _begin(info, init, make_fetcher))
        while (message := tasks.get()) is not None and not stop.is_set():
            number, index, returned, lost = pickle.loads(message)
            sender.take_back(returned, lost)
            if number == NEW_EPOCH:
                fetcher = _attempt(info, make_fetcher)
                continue
            value = fetcher if isinstance(fetcher, Failure) else _fetch(info, fetcher, index)
            try:
                sender.send(number, value)
            except OSError:
                break  # nobody is there to receive it
            except Exception as error:
                sender.send(number, Failure(error, info.id))
            del value


def _receive_tasks(
    connection: Connection, tasks: queue.SimpleQueue[bytes | None], stop: threading.Event, done: threading.Event
) -> None:
    """Queue what arrives, so that nobody waits in sending it; and end when the training process does, come what may."""
    parent = os.getppid()
    try:
        while os.getppid() == parent:
            if connection.poll(PATIENCE):
                tasks.put(connection.recv_bytes())
    except (EOFError, OSError):
        pass
    stop.set()
    tasks.put(None)
    until = time.monotonic() + PATIENCE
    while not done.wait(LOOK_EVERY):  # a batch is still being made
        if os.getppid() != parent or time.monotonic() > until:
            os._exit(1)


def _seed(base_seed: int, number: int) -> None:
    from tinytorch import manual_seed, set_num_threads

    set_num_threads(1)  # the workers share the cores by being several
    random.seed(base_seed + number)
    manual_seed(base_seed + number)
    # NumPy's generator has the same algorithm as PyTorch's, so it gets another seed: words of NumPy's own mixer
    entropy = [number, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(entropy).generate_state(4).tolist())


def _attempt(info: WorkerInfo, action: Callable[[], Any]) -> Any:
    """The result, or the Failure that is sent in place of every batch."""
    try:
        return action()
    except Exception as error:
        return Failure(error, info.id)


def _begin(info: WorkerInfo, init: Callable[[int], None] | None, make_fetcher: Callable[[], Any]) -> Any:
    if init is not None:
        init(info.id)
    return make_fetcher()


def _fetch(info: WorkerInfo, fetcher: Any, index: Any) -> Any:
    try:
        return fetcher.fetch(index)
    except StopIteration as error:
        # a dataset with indices has no end to tell of: there it is an error like any other
        return StreamEnded() if fetcher.is_stream else Failure(error, info.id)
    except Exception as error:
        return Failure(error, info.id)
