"""Fetching: from a list of indices to a collated batch.

Two kinds of datasets, two fetchers: a map-style dataset is asked for the samples at the indices, a stream is
asked for its next samples, and then the list of indices only says how many.

Collating sample by sample makes one tensor per sample only to stack them again. Where the result is known to
be the same, a whole batch is read at once: the dataset offers ``_collated_batch`` (see ``dataset.py``), the
loader collates in the default way, and no subclass has changed how samples are read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch.utils.data.collate import is_unchanged_default

_READERS = ("_collated_batch", "__getitem__", "__getitems__")


def collated_batch(dataset: Any, indices: Any) -> Any:
    """``default_collate`` of the samples at ``indices``, read at once; None if that is not possible."""
    owner = next((cls for cls in type(dataset).__mro__ if any(name in vars(cls) for name in _READERS)), None)
    # The short cut must come from the same class as the way around it, else a subclass has its own
    # __getitem__.
    if owner is None or "_collated_batch" not in vars(owner):
        return None
    # Plain integers only: a slice or a mask as an "index" means something else. An empty batch raises on the
    # long way.
    if type(indices) is not list or not indices or any(type(index) is not int for index in indices):
        return None
    return dataset._collated_batch(indices)


class MapFetcher:
    """Fetches from a map-style dataset.

    Args:
        dataset: the dataset.
        auto_collation: whether ``fetch`` gets lists of indices, else single ones.
        collate_fn: applied to the list of samples, or to the single sample.
    """

    is_stream = False

    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any]) -> None:
        self.dataset = dataset
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.at_once = auto_collation and is_unchanged_default(collate_fn)

    def fetch(self, index: Any) -> Any:
        """The batch, or the sample, at ``index``."""
        if not self.auto_collation:
            return self.collate_fn(self.dataset[index])
        if self.at_once and (batch := collated_batch(self.dataset, index)) is not None:
            return batch
        if getattr(self.dataset, "__getitems__", None):
            return self.collate_fn(self.dataset.__getitems__(index))
        return self.collate_fn([self.dataset[i] for i in index])


class IterableFetcher:
    """Fetches from a stream; ``drop_last`` ends it before a batch that is too short."""

    is_stream = True

    def __init__(self, dataset: Any, auto_collation: bool, collate_fn: Callable[[Any], Any], drop_last: bool) -> None:
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.stream = iter(dataset)
        self.ended = False  # a stream that has ended is not asked again: it might start anew

    def fetch(self, index: Any) -> Any:
        """The next batch of ``len(index)`` samples, or the next sample.

        Raises:
            StopIteration: the stream has ended.
        """
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.stream))
        samples = []
        for _ in index:
            try:
                samples.append(next(self.stream))
            except StopIteration:
                self.ended = True
                break
        if not samples or (self.drop_last and len(samples) < len(index)):
            raise StopIteration
        return self.collate_fn(samples)
