"""Padding: more elements at both ends of the last dimensions (``F.pad``).

Constant padding is the transpose of cutting out the middle. The other modes repeat elements of the input, so each
is a selection: for every position of the result, which position of the input stands there. Negative padding crops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import refuse_bool
from tinytorch.ops.dims import ints_from
from tinytorch.ops.indexing import Index, basic_index
from tinytorch.ops.shape import narrow
from tinytorch.tensor import Tensor

__all__ = ["constant_pad_nd", "pad"]

_NUMPY_MODES: dict[str, Any] = {"reflect": "reflect", "circular": "wrap"}

_SUPPORTED = """Supported combinations for non-constant padding:
  - 2D or 3D input: padding size = 2 (pads last dimension)
  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)
  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"""


class ConstantPad(Primitive):
    """x in the middle of a larger tensor of one number; backward cuts the middle out again."""

    known_name = "ConstantPadNdBackward0"

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, widths: tuple[tuple[int, int], ...], value: Any) -> np.ndarray:
        padded = np.full([low + n + high for n, (low, high) in zip(x.shape, widths, strict=True)], value, x.dtype)
        inside = tuple(slice(low, low + n) for n, (low, _) in zip(x.shape, widths, strict=True))
        padded[inside] = x
        ctx.save_intermediates(inside)
        return padded

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (inside,) = ctx.intermediates
        return basic_index(grad, inside)


@checks_arguments
def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """``pad = (left, right, top, bottom, ...)``, from the last dimension on (``torch.nn.functional.pad``).

    Args:
        pad: two numbers per dimension; negative ones crop.
        mode: 'constant' (any number of dimensions), 'reflect', 'replicate' or 'circular'.
        value: for 'constant'; 0 by default.

    Raises:
        RuntimeError: an odd number of paddings, too many, or larger than the mode allows.
        NotImplementedError: an unknown mode, or numbers of dimensions that a mode does not take (as in PyTorch).
    """
    paddings = ints_from("pad", "pad", pad)
    if len(paddings) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    ndim = input._array.ndim
    if len(paddings) > 2 * ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(paddings)} and input of dimension {ndim}"
        )
    pairs = [(paddings[i], paddings[i + 1]) for i in range(0, len(paddings), 2)]
    widths = tuple([(0, 0)] * (ndim - len(pairs)) + pairs[::-1])
    if mode == "constant":
        return _constant(input, widths, 0 if value is None else value)
    if mode != "replicate" and mode not in _NUMPY_MODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if len(paddings) not in (2, 4, 6) or ndim - len(pairs) not in (1, 2):
        raise NotImplementedError(
            f"Padding size {len(paddings)} is not supported for {ndim}D input tensor.\n{_SUPPORTED}"
        )
    for dim, width in enumerate(widths):
        if width != (0, 0):
            input = _selected(input, dim, width, mode)
    return input


def _constant(input: Tensor, widths: tuple[tuple[int, int], ...], value: Any) -> Tensor:
    for dim, (low, high) in enumerate(widths):
        input = _cropped(input, dim, low, high)
    grown = tuple((max(low, 0), max(high, 0)) for low, high in widths)
    return ConstantPad.apply(input, widths=grown, value=value)


def _cropped(input: Tensor, dim: int, low: int, high: int) -> Tensor:
    """Without the elements that negative padding takes away."""
    if low >= 0 and high >= 0:
        return input
    start = max(-low, 0)
    return narrow(input, dim, start, input._array.shape[dim] - start - max(-high, 0))


def _selected(input: Tensor, dim: int, width: tuple[int, int], mode: str) -> Tensor:
    size = input._array.shape[dim]
    if mode != "circular":
        refuse_bool(f"{mode} padding", input)
    if mode == "reflect" and max(width) >= size:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"{width} at dimension {dim} of input {list(input.shape)}"
        )
    if mode == "circular" and max(width) > size:
        raise RuntimeError("Padding value causes wrapping around more than once.")
    if size + sum(width) < 1:
        raise RuntimeError(f"input (W: {size}) is too small. Calculated output W: {size + sum(width)}")
    if mode == "replicate":
        places = np.arange(-width[0], size + width[1]).clip(0, size - 1)
    else:
        start, stop = max(-width[0], 0), size - max(-width[1], 0)
        more = (max(width[0], 0), max(width[1], 0))
        places = np.pad(np.arange(start, stop), more, _NUMPY_MODES[mode])
    return Index.apply(input, index=(slice(None),) * dim + (places,))


def constant_pad_nd(input: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """Constant padding by its other name."""
    return ops.pad(input, pad, "constant", value)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
