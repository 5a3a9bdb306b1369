"""Sequences of different lengths in one batch: padded, or packed without the padding (``torch.nn.utils.rnn``).

Sequences of lengths 3, 2 and 1, padded and packed::

    padded (time, batch)     packed                        batch_sizes
    a1 b1 c1                 a1 b1 c1 a2 b2 a3             3 2 1
    a2 b2 .
    a3 .  .

Packed, a step of a recurrent layer works on rows that lie together and no work is spent on padding. That asks for
the longest sequence first; ``enforce_sorted=False`` sorts them, and ``unsorted_indices`` remembers the way back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from tinytorch import dtypes, ops
from tinytorch.dtypes import int64
from tinytorch.tensor import Tensor

__all__ = ["PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
           "pad_sequence", "unpack_sequence", "unpad_sequence"]  # fmt: skip


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """All steps of all sequences, time by time; made by :func:`pack_padded_sequence` and :func:`pack_sequence`.

    Attributes:
        data: (sum of lengths, ...).
        batch_sizes: (longest length,): how many sequences have a step at each time.
        sorted_indices, unsorted_indices: the permutation by length and its inverse; None if they were sorted already.
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """As ``Tensor.to``, on the data."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def double(self) -> PackedSequence:
        """float64 data."""
        return self.to(dtype=dtypes.float64)

    def float(self) -> PackedSequence:
        """float32 data."""
        return self.to(dtype=dtypes.float32)

    def half(self) -> PackedSequence:
        """float16 data."""
        return self.to(dtype=dtypes.float16)

    def bfloat16(self) -> PackedSequence:
        """bfloat16 data."""
        return self.to(dtype=dtypes.bfloat16)

    def long(self) -> PackedSequence:
        """int64 data."""
        return self.to(dtype=dtypes.int64)

    def int(self) -> PackedSequence:
        """int32 data."""
        return self.to(dtype=dtypes.int32)

    def short(self) -> PackedSequence:
        """int16 data."""
        return self.to(dtype=dtypes.int16)

    def char(self) -> PackedSequence:
        """int8 data."""
        return self.to(dtype=dtypes.int8)

    def byte(self) -> PackedSequence:
        """uint8 data."""
        return self.to(dtype=dtypes.uint8)

    def cpu(self) -> PackedSequence:
        """Itself: all tensors are in main memory."""
        return self

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """RuntimeError: there is no GPU here."""
        return type(self)(self.data.cuda(*args, **kwargs), *self[1:])

    def pin_memory(self) -> PackedSequence:
        """RuntimeError, as in a PyTorch that finds no accelerator."""
        return type(self)(self.data.pin_memory(), *self[1:])

    def is_pinned(self) -> bool:
        """False: pinned memory is for copies to an accelerator."""
        return self.data.is_pinned()

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes ``permutation``."""
    return None if permutation is None else Tensor._wrap(np.argsort(permutation._array))


def pack_padded_sequence(
    input: Tensor, lengths: Tensor | list[int], batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Drop the padding of ``input`` (time, batch, ...), or (batch, time, ...) if ``batch_first``.

    RuntimeError for lengths that do not fit the batch, are below 1, or are not sorted though ``enforce_sorted``.

    >>> import tinytorch
    >>> pack_padded_sequence(tinytorch.tensor([[1, 2, 3], [4, 5, 0]]), [3, 2], batch_first=True).data
    tensor([1, 4, 2, 5, 3])
    """
    values = np.asarray(lengths._array if isinstance(lengths, Tensor) else lengths).astype(np.int64)
    sorted_indices = None
    batch_dim = 0 if batch_first else 1
    if not enforce_sorted:
        order = np.argsort(-values, kind="stable")
        values, sorted_indices = values[order], Tensor._wrap(order)
        input = input.index_select(batch_dim, sorted_indices)
    if values.ndim != 1:
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {values.ndim}D cpu Long tensor"
        )
    _check_lengths(input, values, batch_dim)
    batch_sizes = (values > np.arange(values.max())[:, None]).sum(1)
    data = ops.index_select(_flat(input), 0, _rows(batch_sizes, input, batch_first))
    return PackedSequence(data, Tensor._wrap(batch_sizes), sorted_indices, None)


def _check_lengths(input: Tensor, lengths: np.ndarray, batch_dim: int) -> None:
    if input._array.size == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    if len(lengths) != input.shape[batch_dim]:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(lengths)} "
            f"(batch_size={input.shape[batch_dim]})"
        )
    if (lengths <= 0).any():
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if (np.diff(lengths) > 0).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you "
            "do not need ONNX exportability."
        )
    if lengths[0] > input.shape[1 - batch_dim]:
        raise RuntimeError(
            f"Expected `lengths` of at most {input.shape[1 - batch_dim]} (the padded length), but got {lengths[0]}"
        )


def _flat(padded: Tensor) -> Tensor:
    """The first two dimensions as one."""
    return padded.reshape(padded.shape[0] * padded.shape[1], *padded.shape[2:])


def _rows(batch_sizes: np.ndarray, padded: Tensor, batch_first: bool) -> Tensor:
    """Where the packed rows lie among the flattened padded ones."""
    times = np.repeat(np.arange(len(batch_sizes)), batch_sizes)
    places = np.concatenate([np.arange(size) for size in batch_sizes])
    width = padded.shape[1]
    return Tensor._wrap(places * width + times if batch_first else times * width + places)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The inverse of :func:`pack_padded_sequence`: padded sequences and their lengths.

    ValueError if ``total_length`` is below the longest length.
    """
    sizes = sequence.batch_sizes._array
    length = len(sizes)
    if total_length is not None:
        if total_length < length:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {length}"
            )
        length = total_length
    data, batch = sequence.data, int(sizes[0])
    shape = (batch, length) if batch_first else (length, batch)
    padded = ops.full((*shape, *data.shape[1:]), padding_value, dtype=data.dtype)
    padded = _flat(padded).index_copy(0, _rows(sizes, padded, batch_first), data).reshape(padded.shape)
    lengths = Tensor._wrap((sizes > np.arange(batch)[:, None]).sum(1))
    if sequence.unsorted_indices is None:
        return padded, lengths
    order = sequence.unsorted_indices
    return padded.index_select(0 if batch_first else 1, order), lengths.index_select(0, order)


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences (length, ...) of different lengths as one tensor (time, batch, ...); (batch, time, ...) if
    ``batch_first``.

    >>> import tinytorch
    >>> pad_sequence([tinytorch.tensor([1, 2, 3]), tinytorch.tensor([4])], batch_first=True)
    tensor([[1, 2, 3],
            [4, 0, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    sequences = tuple(sequences)
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    longest = max(sequence.shape[0] for sequence in sequences)
    dtype = sequences[0].dtype
    padded = []
    for sequence in sequences:
        filler = ops.full((longest - sequence.shape[0], *sequence.shape[1:]), padding_value, dtype=dtype)
        parts = [sequence.to(dtype), filler]
        padded.append(ops.cat(parts if padding_side == "right" else parts[::-1]))
    return ops.stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences without padding, as a list."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [sequence[: int(n)] for sequence, n in zip(padded_sequences, lengths, strict=True)]


def pack_sequence(sequences: list[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """:func:`pack_padded_sequence` of sequences that are not padded yet."""
    lengths = ops.tensor([sequence.shape[0] for sequence in sequences], dtype=int64)
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The inverse of :func:`pack_sequence`."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
