"""Padding: a larger tensor with the input inside it.

With a constant, padding and slicing are each other's transpose: backward cuts the padding off again. The other modes repeat
elements of the input, so they are a look-up along each dimension, and backward adds up what every copy received.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.ops.indexing import PutInZeros, basic_index, index_select
from tinytorch.tensor import Tensor

__all__ = ["pad"]

_NUMPY_MODES: dict[str, Any] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Pad the last dimensions (``torch.nn.functional.pad``).

    Args:
        pad: (before, after) of the last dimension, then of the one before it, and so on; with mode 'constant' a
            negative number cuts off.
        mode: 'constant' (``value``, 0 by default), 'reflect' (mirrored without repeating the edge), 'replicate' (the
            edge), 'circular' (from the other end). The last three pad the spatial dimensions of (N, C, ...) or (C, ...).

    Raises:
        RuntimeError, NotImplementedError: numbers that do not fit the input; ValueError: a ``value`` for another mode.
    """
    if len(pad) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, but got {len(pad)}")
    if len(pad) // 2 > input._array.ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {input._array.ndim}"
        )
    amounts = [(int(pad[i]), int(pad[i + 1])) for i in range(0, len(pad), 2)]
    if mode == "constant":
        return _pad_constant(input, amounts, 0.0 if value is None else value)
    if value is not None and value != 0:
        raise ValueError(f"Padding mode '{mode}' doesn't take in value argument")
    if mode not in _NUMPY_MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if not 1 <= len(amounts) <= 3 or input._array.ndim not in (len(amounts) + 1, len(amounts) + 2):
        raise NotImplementedError("Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now")
    for back, (before, after) in enumerate(amounts, 1):
        input = _pad_by_index(input, input._array.ndim - back, before, after, mode)
    return input


def _pad_constant(input: Tensor, amounts: list[tuple[int, int]], value: float) -> Tensor:
    ndim = input._array.ndim
    crop = [slice(None)] * ndim
    inside = [slice(None)] * ndim
    shape = list(input._array.shape)
    for back, (before, after) in enumerate(amounts, 1):
        dim = ndim - back
        crop[dim] = slice(max(-before, 0), shape[dim] - max(-after, 0))
        shape[dim] += before + after
        if shape[dim] < 0:
            raise RuntimeError(
                f"The input size {input._array.shape[dim]}, plus negative padding {before} and {after}, resulted in a negative "
                f"output size, which is invalid. Check dimension {dim} of your input."
            )
        inside[dim] = slice(max(before, 0), shape[dim] - max(after, 0))
    if any(before < 0 or after < 0 for before, after in amounts):
        input = basic_index(input, tuple(crop))
    padded = PutInZeros.apply(input, index=tuple(inside), shape=tuple(shape))
    if value == 0:
        return padded
    frame = np.full(shape, value, input._array.dtype)
    frame[tuple(inside)] = 0
    return padded + Tensor._wrap(frame)


def _pad_by_index(input: Tensor, dim: int, before: int, after: int, mode: str) -> Tensor:
    size = input._array.shape[dim]
    if mode == "reflect" and max(before, after) >= size:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) at dimension {dim} of input {list(input.shape)}"
        )
    if mode == "circular" and max(before, after) > size:
        raise RuntimeError("Padding value causes wrapping around more than once.")
    places = np.arange(size)
    if mode == "circular":  # what is cut off is not there to wrap around; the other modes never reach that far
        places = _cut(places, before, after)
    places = np.pad(places, (max(before, 0), max(after, 0)), mode=_NUMPY_MODES[mode])
    if mode != "circular":
        places = _cut(places, before, after)
    return index_select(input, dim, Tensor._wrap(places))


def _cut(places: np.ndarray, before: int, after: int) -> np.ndarray:
    """Negative padding: so many places fewer at either end."""
    return places[max(-before, 0) : len(places) - max(-after, 0)]
