"""Chapter 12, part 2. Samplers: in which order a map-style dataset is read.

After: tinytorch/utils/data/dataset.py
Next: tinytorch/utils/data/collate.py

Goal: shuffle, weigh and batch samples, so that one seed always gives one order.

A sampler is an iterable of indices, a batch sampler one of lists of indices. The random ones draw exactly as
PyTorch's do, so that the same seed shuffles the same way.

What PyTorch does. The same samplers, and bit for bit the same orders from the same seed.

Pitfalls. Sampling *with* replacement sees about 63 % of the samples in an epoch, and some of them three times.

Exercises. How can a sampler of those here draw every class equally often, where 90 samples are of one and 10 of the
other?
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    from tinytorch import Generator

T_co = TypeVar("T_co", covariant=True)

# PyTorch draws indices with replacement in blocks of this many; other blocks would give other numbers.
_REPLACEMENT_BLOCK = 32


def draw_seed(generator: Generator | None) -> int:
    """``torch.empty((), dtype=torch.int64).random_(generator=generator).item()``: 63 random bits."""
    import tinytorch

    source = tinytorch.default_generator if generator is None else generator
    return int(source.random64(1)[0]) % 2**63


class Sampler(Generic[T_co]):
    """Base class: subclasses write ``__iter__`` and, if they know it, ``__len__``."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ..."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """A new permutation each time; or, with ``replacement``, independent draws.

    Args:
        data_source: what is sampled; only its length is used.
        replacement: draw each index independently.
        num_samples: how many indices; ``len(data_source)`` if None. More than that, without replacement, are
            as many permutations as needed.
        generator: the source of randomness. If None, each epoch draws a seed from the default generator for a
            generator of its own, so that an epoch costs the default generator one number, however long it is.

    Raises:
        TypeError: ``replacement`` is not a bool.
        ValueError: there is nothing to draw.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={self.num_samples}")

    @property
    def num_samples(self) -> int:
        """Computed each time, because the dataset may grow."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        from tinytorch import Generator

        generator = self.generator
        if generator is None:
            generator = Generator()
            generator.manual_seed(draw_seed(None))
        # "yield from", not "return": as in PyTorch, nothing is drawn before the first index is asked for.
        yield from self._with_replacement(generator) if self.replacement else self._permutations(generator)

    def _with_replacement(self, generator: Generator) -> Iterator[int]:
        from tinytorch import int64, randint

        high = len(self.data_source)
        blocks, rest = divmod(self.num_samples, _REPLACEMENT_BLOCK)
        sizes = itertools.chain(itertools.repeat(_REPLACEMENT_BLOCK, blocks), [rest])  # no list: it may be very long
        for size in sizes:
            yield from randint(high, (size,), dtype=int64, generator=generator).tolist()

    def _permutations(self, generator: Generator) -> Iterator[int]:
        from tinytorch import randperm

        length = len(self.data_source)
        whole, rest = divmod(self.num_samples, length)
        for _ in range(whole):
            yield from randperm(length, generator=generator).tolist()
        # PyTorch draws this permutation also when none of it is needed.
        yield from randperm(length, generator=generator).tolist()[:rest]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in a new random order each time."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        from tinytorch import randperm

        for position in randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[position]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Index i is drawn with a probability proportional to ``weights[i]``.

    Args:
        weights: not negative; they need not add up to 1.
        num_samples: how many indices are drawn.
        replacement: whether an index may be drawn more than once.
        generator: the source of randomness; None for the default generator.

    Raises:
        ValueError: an argument is out of range, or ``weights`` is not one-dimensional.
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        from tinytorch import as_tensor, float64

        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = as_tensor(weights, dtype=float64)
        if self.weights.dim() != 1:
            shape = tuple(self.weights.shape)
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {shape}")
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        from tinytorch import multinomial

        drawn = multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of ``batch_size`` indices from another sampler.

    Args:
        sampler: any iterable of indices.
        batch_size: length of the lists.
        drop_last: leave out a last list that is shorter.

    Raises:
        ValueError: ``batch_size`` or ``drop_last`` is not what it should be.

    >>> list(BatchSampler(range(7), batch_size=3, drop_last=False))
    [[0, 1, 2], [3, 4, 5], [6]]
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        count = len(cast(Any, self.sampler))
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
