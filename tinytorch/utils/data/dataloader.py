"""Chapter 12, part 4. The data loader: a dataset, a sampler and a collate function, joined into an iterable of batches.

After: tinytorch/utils/data/collate.py
Next: tinytorch/kernels/conv_reference.py

Goal: keep a training loop in batches, made here or ahead of time by other processes.

**Workers.** With ``num_workers=0`` batches are made in this process, when they are asked for. That is best for arrays
in memory. Where samples must be read, decoded or transformed, ``num_workers=N`` starts N processes that make batches
ahead of time; they come in the same order. How: :mod:`~tinytorch.utils.data.workers` (who does what),
:mod:`~tinytorch.utils.data.worker` (inside such a process), :mod:`~tinytorch.utils.data.sending` (shared memory).

**Same seed, same batches.** Each epoch costs the generator what it costs in PyTorch: one 64-bit draw for the
worker seed (used or not), then, for a shuffle without a generator of its own, one more for the permutation's
seed.

What PyTorch does. The same.

Pitfalls. The last batch is smaller than the others: a mean of batch means is not the mean over the samples.
``drop_last`` drops it.

Exercises. How many batches have 1,000 samples in batches of 64? How large is the last one?
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tinytorch.utils.data.collate import default_collate, default_convert
from tinytorch.utils.data.dataset import Dataset, IterableDataset
from tinytorch.utils.data.fetch import IterableFetcher, MapFetcher
from tinytorch.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed
from tinytorch.utils.data.worker_info import get_worker_info

if TYPE_CHECKING:
    from tinytorch import Generator
    from tinytorch.utils.data.workers import Workers

T_co = TypeVar("T_co", covariant=True)

__all__ = ["DataLoader", "get_worker_info"]

_LOCKED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


_REPLICAS = (
    "With workers, each has a copy of the stream and gives all of it unless the stream itself takes a part: "
    "see tinytorch.utils.data.get_worker_info."
)


class _InfiniteConstantSampler(Sampler[None]):
    """The sampler of a stream: the stream decides how long it is."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class DataLoader(Generic[T_co]):
    """Batches of a dataset, epoch after epoch (``torch.utils.data.DataLoader``).

    Args:
        dataset: map-style, or a stream (:class:`IterableDataset`).
        batch_size: samples per batch; None gives single samples, converted but not stacked.
        shuffle: a new random order each epoch.
        sampler: the order of the indices, in place of ``shuffle``.
        batch_sampler: lists of indices, in place of ``batch_size``, ``shuffle``, ``sampler`` and
            ``drop_last``.
        num_workers: how many processes make batches; 0: this one does.
        collate_fn: from a list of samples to a batch; :func:`default_collate` if None.
        pin_memory: accepted; warns, because there is no accelerator.
        drop_last: leave out a last batch that is too small.
        timeout: seconds to wait for a worker's batch; 0 for ever.
        worker_init_fn: called in each worker with its number, after seeding.
        multiprocessing_context: how workers are started: ``"fork"``, ``"spawn"``, ``"forkserver"``, a context, or None
            for Python's default. All but fork need a picklable dataset and, in scripts, ``if __name__ == "__main__"``.
        generator: draws the shuffle and the worker seed; None for the default generator.
        prefetch_factor: batches that each worker makes ahead; 2 if None.
        persistent_workers: the processes stay for the next epoch, with their copies of the dataset.
        pin_memory_device: accepted, no effect.
        in_order: with workers, batches come in the sampler's order; if False, as they get ready.

    Raises:
        ValueError: arguments that contradict each other.

    >>> list(DataLoader(range(5), batch_size=2))
    [tensor([0, 1]), tensor([2, 3]), tensor([4])]
    """

    _locked = False

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_worker_arguments(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = _checked_context(multiprocessing_context, num_workers)
        self.in_order = in_order
        self.generator = generator
        self._is_stream = isinstance(dataset, IterableDataset)
        self._set_samplers(batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.collate_fn = collate_fn or (default_collate if self._auto_collation else default_convert)
        self.persistent_workers = persistent_workers
        self._reported_length: int | None = None  # what len() last said of a stream
        self._iterator: _BaseDataLoaderIter | None = None
        self._locked = True
        self.check_worker_number_rationality()

    def _set_samplers(
        self, batch_size: int | None, shuffle: bool | None, sampler: Any, batch_sampler: Any, drop_last: bool
    ) -> None:
        if self._is_stream:
            _check_stream_arguments(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        dataset: Any = self.dataset
        if sampler is None and self._is_stream:
            sampler = _InfiniteConstantSampler()
        elif sampler is None:
            sampler = RandomSampler(dataset, generator=self.generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler

    def __setattr__(self, name: str, value: Any) -> None:
        if self._locked and name in _LOCKED:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __iter__(self) -> Iterator[Any]:
        if not (self.persistent_workers and self.num_workers > 0):
            return _BaseDataLoaderIter(self)
        if self._iterator is None or self._iterator.broken:
            self._iterator = _BaseDataLoaderIter(self)
        else:  # persistent workers keep their seed, so only the first epoch draws one
            self._iterator.restart()
        return self._iterator

    def _start_workers(self, make_fetcher: Callable[[], Any], base_seed: int) -> Workers:
        import multiprocessing  # late, as most loaders have no workers

        from tinytorch.utils.data.workers import Workers

        return Workers(
            self.dataset,
            make_fetcher,
            self.num_workers,
            context=self.multiprocessing_context or multiprocessing.get_context(),
            base_seed=base_seed,
            init=self.worker_init_fn,
            prefetch=self.prefetch_factor or 0,
            timeout=self.timeout,
            in_order=self.in_order,
        )

    def check_worker_number_rationality(self) -> None:
        """Warn if there are more workers than processors that this process may use."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        if cores is not None and self.num_workers > cores:
            warnings.warn(
                f"This DataLoader will create {self.num_workers} worker processes in total. Our suggested max number "
                f"of worker in current system is {cores}, which is smaller than what this DataLoader is going to "
                "create. Please be aware that excessive worker creation might get DataLoader running slow or even "
                "freeze, lower the worker number to avoid potential slowness/freeze if necessary.",
                stacklevel=3,
            )

    def __len__(self) -> int:
        """The number of batches; of a stream only if it has a length.

        Raises:
            TypeError: the dataset or the sampler has no length.
        """
        if not self._is_stream:
            return len(self._index_sampler)
        dataset: Any = self.dataset
        length = self._reported_length = len(dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)


class _BaseDataLoaderIter:
    """One epoch of a :class:`DataLoader`."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        if loader.timeout != 0 and loader.num_workers == 0:
            raise AssertionError("DataLoader without workers (num_workers=0) requires timeout == 0")
        if loader.num_workers > 0 and loader.prefetch_factor == 0:
            raise AssertionError("DataLoader with workers requires prefetch_factor > 0")
        if loader.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory "
                "won't be used.",
                stacklevel=3,
            )
        self._loader = loader
        self._base_seed = draw_seed(loader.generator)
        self._workers: Workers | None = None
        self.restart()

    def restart(self) -> None:
        """Begin an epoch."""
        loader = self._loader
        self._indices = iter(loader._index_sampler)
        self._yielded = 0
        self._reported = loader._reported_length
        make_fetcher = partial(
            _make_fetcher,
            loader.dataset, loader._is_stream, loader._auto_collation, loader.collate_fn, loader.drop_last,
        )  # fmt: skip
        if loader.num_workers == 0:
            self._fetcher = make_fetcher()
        elif self._workers is not None:
            self._workers.start(self._indices, again=True)
        else:
            self._workers = loader._start_workers(make_fetcher, self._base_seed)
            self._workers.start(self._indices)

    @property
    def broken(self) -> bool:
        """Whether its workers have been ended, by an error."""
        return self._workers is not None and self._workers.closed

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        batch = self._fetcher.fetch(next(self._indices)) if self._workers is None else self._next_from_workers()
        self._yielded += 1
        if self._reported is not None and self._yielded > self._reported:
            warnings.warn(
                f"Length of IterableDataset {self._loader.dataset} was reported to be {self._reported}"
                f"(when accessing len(dataloader)), but {self._yielded} samples have been fetched. "
                + _REPLICAS
                * bool(self._workers),
                stacklevel=2,
            )
        return batch

    def _next_from_workers(self) -> Any:
        assert self._workers is not None
        try:
            return next(self._workers)
        except StopIteration:
            if not self._loader.persistent_workers:
                self._workers.close()
            raise

    def __len__(self) -> int:
        return len(self._loader._index_sampler)


#: The same class does both here. Some libraries look for these names.
_SingleProcessDataLoaderIter = _MultiProcessingDataLoaderIter = _BaseDataLoaderIter


def _make_fetcher(
    dataset: Any, is_stream: bool, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool
) -> MapFetcher | IterableFetcher:
    if is_stream:
        return IterableFetcher(dataset, auto_collation, collate_fn, drop_last)
    return MapFetcher(dataset, auto_collation, collate_fn)


def _check_worker_arguments(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable "
            "multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _checked_context(context: Any, num_workers: int) -> Any:
    """``multiprocessing_context`` as PyTorch stores it: a context object, or None."""
    if context is None:
        return None
    import multiprocessing.context

    if num_workers == 0:
        raise ValueError(
            "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
            f"num_workers={num_workers}"
        )
    if isinstance(context, str):
        methods = multiprocessing.get_all_start_methods()
        if context not in methods:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {methods!r}, but got "
                f"multiprocessing_context={context!r}"
            )
        return multiprocessing.get_context(context)
    if not isinstance(context, multiprocessing.context.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the "
            f"start method, but got multiprocessing_context={context}"
        )
    return context


def _check_stream_arguments(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    """A stream has its own order."""
    wrong = "DataLoader with IterableDataset: expected unspecified"
    if shuffle not in {False, None}:
        raise ValueError(f"{wrong} shuffle option, but got shuffle={shuffle}")
    if sampler is not None:
        raise ValueError(f"{wrong} sampler option, but got sampler={sampler}")
    if batch_sampler is not None:
        raise ValueError(f"{wrong} batch_sampler option, but got batch_sampler={batch_sampler}")
