"""Chapter 12. Data.

After: tinytorch/optim/adamw.py
Next: tinytorch/utils/data/sampler.py

Goal: from things with samples to a stream of batches.

The idea. A *map-style* dataset answers ``dataset[i]`` and ``len(dataset)``; that is all that a sampler and a loader
need. An *iterable-style* dataset only answers ``iter(dataset)``: a stream, whose order nobody else decides. The other
classes here combine datasets into new ones. Four small parts then make a loader, each replaceable::

    sampler ──indices──> dataset ──samples──> collate ──batches──> your loop
    (in which order)     (what)               (how joined)

>>> from tinytorch.utils.data import DataLoader, TensorDataset
>>> import tinytorch
>>> pairs = TensorDataset(tinytorch.arange(4), tinytorch.arange(4) ** 2)
>>> [y.tolist() for x, y in DataLoader(pairs, batch_size=3)]
[[0, 1, 4], [9]]

Fast batches: a dataset may offer ``_collated_batch(indices)``, which returns at once what
``default_collate([self[i] for i in indices])`` would give, or None if it cannot. ``fetch.py`` decides when to use it.

What PyTorch does. The same protocol.

Pitfalls. A dataset that draws random numbers in ``__getitem__`` gives other samples in every epoch: that is
augmentation in training and a mistake in evaluation.

Exercises. Write a dataset of all pairs of two datasets. What is its length, and which pair has number i?
Answers: ``python -m tinytorch.learn answers 12``; more: ``python -m tinytorch.learn start --chapter 12``.
Check: ``python -m pytest tests/utils/test_data.py``.

"""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import numpy as np

if TYPE_CHECKING:
    from tinytorch import Generator
    from tinytorch.tensor import Tensor

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Base class: subclasses write ``__getitem__`` and, for most samplers, ``__len__``.

    There is no default ``__len__``: a dataset without a length shall fail in ``len()``, as any object does.
    A subclass may add ``__getitems__(indices) -> list`` of samples, which a loader then calls once a batch.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        """``a + b``: first the samples of a, then those of b."""
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Base class of streams: subclasses write ``__iter__``."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Any, ...]]):
    """Sample i is ``(tensors[0][i], tensors[1][i], ...)``.

    Args:
        tensors: all of the same length in dimension 0.

    Raises:
        AssertionError: the lengths differ.
    """

    if TYPE_CHECKING:  # typing.get_type_hints of a user's dataset would not find the name
        tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        if any(tensors[0].size(0) != tensor.size(0) for tensor in tensors):
            raise AssertionError("Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].size(0)

    def _collated_batch(self, indices: list[int]) -> list[Tensor] | None:
        from tinytorch import Tensor, from_numpy

        if any(type(tensor) is not Tensor or tensor.requires_grad for tensor in self.tensors):
            return None  # a gradient must flow through each sample; a subclass may index as it likes
        # dim() is at least 1, or __init__ would have failed
        return [from_numpy(np.take(tensor.numpy(), indices, axis=0)) for tensor in self.tensors]


class StackDataset(Dataset[Any]):
    """Datasets side by side: sample i is the tuple (or, from keywords, the dict) of their samples i.

    Raises:
        ValueError: no dataset, both kinds of arguments, or different lengths.
    """

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Dataset[Any], **kwargs: Dataset[Any]) -> None:
        if args and kwargs:
            raise ValueError(
                "Supported either ``tuple``- (via ``args``) or``dict``- (via ``kwargs``) like input/output, "
                "but both types are given."
            )
        if not args and not kwargs:
            raise ValueError("At least one dataset should be passed")
        self.datasets = args or kwargs
        lengths = {len(cast(Any, dataset)) for dataset in (args or kwargs.values())}
        if len(lengths) != 1:
            raise ValueError("Size mismatch between datasets")
        self._length = lengths.pop()

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        if isinstance(self.datasets, dict):
            columns = [_items(dataset, indices) for dataset in self.datasets.values()]
            return [dict(zip(self.datasets, row, strict=True)) for row in zip(*columns, strict=True)]
        return list(zip(*(_items(dataset, indices) for dataset in self.datasets), strict=True))

    def __len__(self) -> int:
        return self._length


def _items(dataset: Any, indices: list[Any]) -> list[Any]:
    """``[dataset[i] for i in indices]``, at once where the dataset can."""
    if not callable(getattr(dataset, "__getitems__", None)):
        return [dataset[index] for index in indices]
    items = dataset.__getitems__(indices)
    if len(items) != len(indices):
        raise ValueError(f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(items)}")
    return items


class ConcatDataset(Dataset[T_co]):
    """Datasets one after the other.

    Raises:
        AssertionError: no dataset, or one of them is a stream.
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        #: cumulative_sizes[k] is the number of samples in the first k + 1 datasets.
        self.cumulative_sizes = list(itertools.accumulate(len(cast(Any, d)) for d in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> T_co:
        """
        Raises:
            ValueError: a negative index reaches before the first sample (PyTorch's choice of error).
            IndexError: the index is too large.
        """
        if index < 0:
            if -index > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            index += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        before = self.cumulative_sizes[which - 1] if which > 0 else 0
        return self.datasets[which][index - before]


class ChainDataset(IterableDataset[Any]):
    """Streams one after the other; a stream is first touched when it is its turn.

    Raises:
        AssertionError: when its turn comes, a dataset is not a stream.
    """

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = datasets

    def _streams(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield dataset

    def __iter__(self) -> Iterator[Any]:
        for stream in self._streams():
            yield from stream

    def __len__(self) -> int:
        return sum(len(stream) for stream in self._streams())


class Subset(Dataset[T_co]):
    """The samples of ``dataset`` at ``indices``, in that order.

    Raises:
        NotImplementedError: a subclass writes ``__getitem__`` without ``__getitems__``: loaders call the
            second, so they would pass over the first.
    """

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        cls = type(self)
        if cls.__getitem__ is not Subset.__getitem__ and cls.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{cls.__name__} overrides __getitem__ but not __getitems__, which DataLoader calls. Add\n"
                "def __getitems__(self, indices):\n"
                "    return [self.__getitem__(idx) for idx in indices]"
            )

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[T_co]:
        chosen = [self.indices[i] for i in indices]
        if callable(getattr(self.dataset, "__getitems__", None)):
            return cast(Any, self.dataset).__getitems__(chosen)
        return [self.dataset[i] for i in chosen]

    def _collated_batch(self, indices: list[int]) -> Any:
        from tinytorch.utils.data.fetch import collated_batch

        return collated_batch(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def random_split(dataset: Dataset[T], lengths: Sequence[float], generator: Generator | None = None) -> list[Subset[T]]:
    """Split a dataset at random into parts without overlap (``torch.utils.data.random_split``).

    Args:
        dataset: map-style, with a length.
        lengths: sizes that add up to ``len(dataset)``, or fractions that add up to 1: part k then gets
            ``floor(fraction * len(dataset))`` samples, and what is left over goes one by one to the first
            parts.
        generator: draws the permutation; None for the default generator.

    Raises:
        ValueError: the sizes do not add up, or a fraction is outside [0, 1].
    """
    from tinytorch import randperm

    total = len(cast(Any, dataset))
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        sizes = _sizes_from_fractions(total, lengths)
    else:
        sizes = [cast(int, length) for length in lengths]
    if sum(sizes) != total:
        raise ValueError("Sum of input lengths does not equal the length of the input dataset!")
    order = randperm(total, generator=generator).tolist()
    ends = itertools.accumulate(sizes)
    return [Subset(dataset, order[end - size : end]) for end, size in zip(ends, sizes, strict=True)]


def _sizes_from_fractions(total: int, fractions: Sequence[float]) -> list[int]:
    for index, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise ValueError(f"Fraction at index {index} is not between 0 and 1")
    sizes = [math.floor(total * fraction) for fraction in fractions]
    for extra in range(total - sum(sizes)):
        sizes[extra % len(sizes)] += 1
    for index, size in enumerate(sizes):
        if size == 0:
            warnings.warn(
                f"Length of split at index {index} is 0. This might result in an empty dataset.", stacklevel=3
            )
    return sizes
