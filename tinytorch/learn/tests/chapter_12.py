"""Checks of chapter 12: data."""

from tinytorch.learn.checking import check_raises
from tinytorch.utils.data import BatchSampler, ConcatDataset


def test_batch_sampler() -> None:
    batches = list(BatchSampler(range(7), 3, drop_last=False))
    assert batches == [[0, 1, 2], [3, 4, 5], [6]], f"seven indices in threes: {batches}?"
    batches = list(BatchSampler(range(7), 3, drop_last=True))
    assert batches == [[0, 1, 2], [3, 4, 5]], f"drop_last leaves out a batch that is not full: {batches}?"
    batches = list(BatchSampler(range(6), 3, drop_last=False))
    assert batches == [[0, 1, 2], [3, 4, 5]], f"six indices in threes: {batches}?"
    assert list(BatchSampler([], 3, drop_last=False)) == [], "no index, no batch"
    endless = iter(BatchSampler(iter(range(10**12)), 2, drop_last=False))
    assert next(endless) == [0, 1], "a batch at a time: not all indices at once"


def test_concat_dataset() -> None:
    joined: ConcatDataset[str] = ConcatDataset(["ab", "", "cde"])  # type: ignore[list-item]
    read = [joined[i] for i in range(5)]
    assert read == list("abcde"), f"'ab', '' and 'cde' one after the other: {read}?"
    assert joined[-1] == "e" and joined[-5] == "a", "negative indices count from the end"
    check_raises(ValueError, lambda: joined[-6], "before the first sample")
    check_raises(IndexError, lambda: joined[5], "behind the last sample")
