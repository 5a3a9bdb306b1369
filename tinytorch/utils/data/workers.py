"""Workers, played by this process: the random numbers and the order of batches that worker processes would give.

PyTorch's ``num_workers=N`` starts N processes. Process w is seeded with ``base_seed + w`` and makes the batches w,
w + N, w + 2 N... What the dataset draws in it - PyTorch's, NumPy's and Python's random numbers - comes from that seed,
and leaves the main process's generators alone. Here each worker is three generator states, put in place while it
works::

    worker 0:  batch 0           batch 2
    worker 1:           batch 1           batch 3        in one process, one after the other

So a script prints the same numbers as with processes. What differs: the workers share one dataset object, while
processes have a copy each.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Team", "Worker", "WorkerInfo", "get_worker_info"]

_current: WorkerInfo | None = None


class WorkerInfo(NamedTuple):
    """What a dataset can ask about the worker that it is read in."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


def get_worker_info() -> WorkerInfo | None:
    """Which worker is reading, for a stream to take its part; None without workers."""
    return _current


class Worker:
    """One worker: its generators, and the fetcher that it makes in its own surroundings."""

    def __init__(self, info: WorkerInfo, base_seed: int, init: Callable[[int], None] | None) -> None:
        from tinytorch.random import Generator

        self.info = info
        self.fetcher: Any = None
        self.ended = False  # its stream has no more
        main = _states()
        random.seed(info.seed)
        np.random.seed(_numpy_seed(base_seed, info.id))
        self._states = (random.getstate(), np.random.get_state(), Generator().manual_seed(info.seed).get_state())
        _restore(main)
        if init is not None:
            with self.at_work():
                init(info.id)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Its random states and its WorkerInfo hold inside; the main process's come back after."""
        global _current
        main, outer = _states(), _current
        _restore(self._states)
        _current = self.info
        try:
            yield
        finally:
            self._states = _states()
            _restore(main)
            _current = outer


class Team:
    """The workers of one loader, who take turns. ``make_fetcher`` is called by each of them.

    Args:
        base_seed: worker w is seeded with ``base_seed + w``.
        init: ``worker_init_fn``, called with the worker's number.
    """

    def __init__(
        self,
        dataset: Any,
        count: int,
        base_seed: int,
        init: Callable[[int], None] | None,
        make_fetcher: Callable[[], Any],
    ) -> None:
        self._workers = [
            Worker(WorkerInfo(number, count, base_seed + number, dataset), base_seed, init) for number in range(count)
        ]
        self._make_fetcher = make_fetcher
        self.restart()

    def restart(self) -> None:
        """Begin an epoch: new fetchers, the same generators."""
        self._turn = 0
        for worker in self._workers:
            with worker.at_work():
                worker.fetcher, worker.ended = self._make_fetcher(), False

    def fetch(self, index: Any) -> Any:
        """The batch at ``index``, from the worker whose turn it is. Raises StopIteration when no stream has more."""
        while not all(worker.ended for worker in self._workers):
            worker = self._workers[self._turn % len(self._workers)]
            self._turn += 1
            if worker.ended:
                continue
            try:
                with worker.at_work():
                    return worker.fetcher.fetch(index)
            except StopIteration:
                worker.ended = True
        raise StopIteration


def _states() -> tuple[Any, Any, Any]:
    from tinytorch.random import get_rng_state

    return random.getstate(), np.random.get_state(), get_rng_state()


def _restore(states: tuple[Any, Any, Any]) -> None:
    from tinytorch.random import set_rng_state

    random.setstate(states[0])
    np.random.set_state(states[1])
    set_rng_state(states[2])


def _numpy_seed(base_seed: int, worker: int) -> list[int]:
    """Another seed for NumPy's generator, whose algorithm is the same as PyTorch's: four words of NumPy's own mixer."""
    entropy = [worker, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    return np.random.SeedSequence(entropy).generate_state(4).tolist()
