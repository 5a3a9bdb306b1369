"""Padding: more elements at both ends of the last dimensions (``F.pad``).

Constant padding is the transpose of cutting out the middle. The other modes repeat elements of the input: x comes into
the middle, and then, one dimension after the other, each border is copied from where it is repeated, the borders of
earlier dimensions included. So x is copied once, and the rest are slices; the transpose adds each border to where it
came from, in the opposite order. Negative padding crops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels.memory import empty
from tinytorch.ops.arguments import Number, checks_arguments
from tinytorch.ops.checks import refuse_bool
from tinytorch.ops.dims import ints_from
from tinytorch.ops.indexing import basic_index
from tinytorch.ops.numbers import number_as
from tinytorch.ops.shape import narrow
from tinytorch.tensor import Tensor

__all__ = ["constant_pad_nd", "pad"]

Widths = tuple[tuple[int, int], ...]  # of the borders, for each dimension

_NAMES = {"reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}

_SUPPORTED = """Supported combinations for non-constant padding:
  - 2D or 3D input: padding size = 2 (pads last dimension)
  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)
  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"""


class ConstantPad(Primitive):
    """x in the middle of a larger tensor of one number; backward cuts the middle out again."""

    keeps_channels_last = True  # see tinytorch.ops.memory_order

    known_name = "ConstantPadNdBackward0"

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, widths: Widths, value: Any) -> np.ndarray:
        padded, number = _in_the_middle(x, widths), number_as(value, x.dtype) if value else 0
        for dim, (low, high) in enumerate(widths):
            before = (slice(None),) * dim
            padded[(*before, slice(low))] = number
            padded[(*before, slice(padded.shape[dim] - high, None))] = number
        ctx.save_intermediates(_inside(x.shape, widths))
        return padded

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (inside,) = ctx.intermediates
        return basic_index(grad, inside)


class EdgePad(Primitive):
    """x in the middle of borders that repeat it."""

    keeps_channels_last = True  # see tinytorch.ops.memory_order

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, widths: Widths, mode: str) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        padded = _in_the_middle(x, widths)
        for border, source, _ in _repetitions(x.shape, widths, mode):
            padded[border] = padded[source]
        return padded

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return EdgeFold.apply(grad, shape=shape, **ctx.attributes)

    def name(self) -> str:
        dims = sum(1 for width in self.attributes["widths"] if width != (0, 0))
        return f"{_NAMES[self.attributes['mode']]}Pad{dims}DBackward0"


class EdgeFold(Primitive):
    """The transpose of :class:`EdgePad`: every border is added to what it repeats, and cut off."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, shape: tuple[int, ...], widths: Widths, mode: str) -> np.ndarray:
        folded = x.copy(order="K")
        for border, source, dim in reversed(_repetitions(shape, widths, mode)):
            more = folded[border]
            folded[source] += more.sum(axis=dim, keepdims=True) if mode == "replicate" else more
        return folded[_inside(shape, widths)]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return EdgePad.apply(grad, widths=ctx.attributes["widths"], mode=ctx.attributes["mode"])


def _in_the_middle(x: np.ndarray, widths: Widths) -> np.ndarray:
    """A larger array with x inside and the borders uninitialised, in x's order of memory."""
    shape = [low + n + high for n, (low, high) in zip(x.shape, widths, strict=True)]
    order = list(range(x.ndim))
    if 0 not in x.strides:
        order.sort(key=lambda dim: -abs(x.strides[dim]))
    padded = empty(tuple([shape[dim] for dim in order]), x.dtype).transpose(np.argsort(order))
    padded[_inside(x.shape, widths)] = x
    return padded


def _inside(shape: tuple[int, ...], widths: Widths) -> tuple[slice, ...]:
    return tuple([slice(low, low + n) for n, (low, _) in zip(shape, widths, strict=True)])


def _repetitions(shape: tuple[int, ...], widths: Widths, mode: str) -> list[tuple[Any, Any, int]]:
    """(border, what stands there, dimension), as indices of the padded array, in the order of copying."""
    found = []
    inside = _inside(shape, widths)
    for dim, (n, (low, high)) in enumerate(zip(shape, widths, strict=True)):
        end = low + n
        if mode == "reflect":
            sources = slice(2 * low, low, -1), slice(end - 2, end - 2 - high if end - 2 >= high else None, -1)
        elif mode == "replicate":
            sources = slice(low, low + 1), slice(end - 1, end)
        else:
            sources = slice(n, end), slice(low, low + high)
        for width, border, source in zip((low, high), (slice(low), slice(end, None)), sources, strict=True):
            if width:
                before, after = (slice(None),) * dim, inside[dim + 1 :]
                found.append(((*before, border, *after), (*before, source, *after), dim))
    return found


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
    ndim, paddings = input._array.ndim, ints_from("pad", "pad", pad)
    widths = _widths(paddings, ndim)
    if mode == "constant":
        return _constant(input, widths, 0 if value is None else value)
    if mode not in _NAMES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    padded = len(paddings) // 2
    if padded not in (1, 2, 3) or ndim - padded not in (1, 2):
        raise NotImplementedError(
            f"Padding size {len(paddings)} is not supported for {ndim}D input tensor.\n{_SUPPORTED}"
        )
    if mode != "circular" and 0 in input._array.shape[-padded - 1 :]:
        raise RuntimeError(
            f"Expected {padded + 1}D or {padded + 2}D (batch mode) tensor with possibly 0 batch size and other "
            f"non-zero dimensions for input, but got: {list(input.shape)}"
        )
    for dim, width in enumerate(widths):
        if width != (0, 0):
            _check_edges(input, dim, width, mode)
    sizes = [n + low + high for n, (low, high) in zip(input._array.shape, widths, strict=True)][-padded:]
    if mode != "circular" and max(sizes) < 1:
        raise RuntimeError(f"input {list(input.shape)} is too small. Calculated output sizes: {sizes}")
    if mode == "circular":  # goes around what is left; the others repeat what is cropped, too
        input = _cropped(input, widths)
    grown = _grown(widths)
    grows = any(width != (0, 0) for width in grown)
    result = EdgePad.apply(input, widths=grown, mode=mode) if grows else input
    cropped = result if mode == "circular" else _cropped(result, widths)
    return cropped if grows and cropped is result else cropped.clone()  # no view, and in one piece


def _widths(paddings: Sequence[int], ndim: int) -> Widths:
    """(low, high) of every dimension; ``paddings`` begins with the last one's."""
    if len(paddings) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(paddings) > 2 * ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(paddings)} and input of dimension {ndim}"
        )
    pairs = [(paddings[i], paddings[i + 1]) for i in range(0, len(paddings), 2)]
    return tuple([(0, 0)] * (ndim - len(pairs)) + pairs[::-1])


def _constant(input: Tensor, widths: Widths, value: Any) -> Tensor:
    return ConstantPad.apply(_cropped(input, widths), widths=_grown(widths), value=value)


def _grown(widths: Widths) -> Widths:
    return tuple([(max(low, 0), max(high, 0)) for low, high in widths])


def _cropped(input: Tensor, widths: Widths) -> Tensor:
    """Without the elements that negative padding takes away."""
    for dim, (low, high) in enumerate(widths):
        if low < 0 or high < 0:
            start = max(-low, 0)
            input = narrow(input, dim, start, input._array.shape[dim] - start - max(-high, 0))
    return input


def _check_edges(input: Tensor, dim: int, width: tuple[int, int], mode: str) -> None:
    size = input._array.shape[dim]
    if mode != "circular":
        refuse_bool(f"{mode} padding", input)
    if mode == "reflect" and max(width) >= size:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"{width} at dimension {dim} of input {list(input.shape)}"
        )
    if mode == "circular" and max(width) > size + min(width[0], 0) + min(width[1], 0):
        raise RuntimeError("Padding value causes wrapping around more than once.")
    if mode == "circular" and size + sum(width) < 0:
        raise RuntimeError("Negative padding value is resulting in an empty dimension.")


@checks_arguments
def constant_pad_nd(input: Tensor, pad: Sequence[int], value: Number = 0) -> Tensor:
    """Constant padding by its other name; ``value`` may be complex."""
    return _constant(input, _widths(ints_from("constant_pad_nd", "pad", pad), input._array.ndim), value)
