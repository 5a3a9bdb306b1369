"""Sliding blocks of images as columns (im2col), and back (col2im); and pixels to channels and back.

``nn.functional.unfold`` and ``fold`` are these under PyTorch's public names. Column l holds the block that the
kernel sees at its l-th place. The two are transposes of each other: each is the other's derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels.windows import count_outputs
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import check_dims, refuse
from tinytorch.ops.dims import ints_from
from tinytorch.tensor import Tensor

__all__ = ["channel_shuffle", "col2im", "im2col", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]

Pair = tuple[int, int]


def _taps(kernel: Pair, dilation: Pair, stride: Pair, blocks: Pair) -> Any:
    """For each element of the kernel, where all blocks see it, as slices of the padded image."""
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            top, left = i * dilation[0], j * dilation[1]
            yield (
                i,
                j,
                (
                    ...,
                    slice(top, top + (blocks[0] - 1) * stride[0] + 1, stride[0]),
                    slice(left, left + (blocks[1] - 1) * stride[1] + 1, stride[1]),
                ),
            )


class Im2Col(Primitive):
    """(N, C, H, W) to (N, C · kh · kw, L)."""

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, size: Pair, kernel: Pair, dilation: Pair, padding: Pair, stride: Pair
    ) -> np.ndarray:
        n, c = x.shape[:2]
        blocks = _blocks(size, kernel, dilation, padding, stride)
        padded = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
        columns = np.empty((n, c, *kernel, *blocks), x.dtype)
        for i, j, places in _taps(kernel, dilation, stride, blocks):
            columns[:, :, i, j] = padded[places]
        return columns.reshape(n, c * kernel[0] * kernel[1], blocks[0] * blocks[1])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Col2Im.apply(grad, **ctx.attributes)


class Col2Im(Primitive):
    """(N, C · kh · kw, L) to (N, C, H, W): blocks added where they overlap."""

    @staticmethod
    def forward(
        ctx: Any, x: np.ndarray, size: Pair, kernel: Pair, dilation: Pair, padding: Pair, stride: Pair
    ) -> np.ndarray:
        n, c = x.shape[0], x.shape[1] // (kernel[0] * kernel[1])
        blocks = _blocks(size, kernel, dilation, padding, stride)
        columns = x.reshape(n, c, *kernel, *blocks)
        image = np.zeros((n, c, size[0] + 2 * padding[0], size[1] + 2 * padding[1]), x.dtype)
        for i, j, places in _taps(kernel, dilation, stride, blocks):
            image[places] += columns[:, :, i, j]
        return image[:, :, padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return Im2Col.apply(grad, **ctx.attributes)


def _pair(name: str, value: Any, least: int) -> Pair:
    if isinstance(value, Tensor):
        raise TypeError(f"{name} must be an int or a tuple of ints, not a Tensor")
    numbers = ints_from("fold", name, value if isinstance(value, (tuple, list)) else (value, value))
    if len(numbers) != 2:
        raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(numbers)}")
    pair = (numbers[0], numbers[1])
    if min(pair) < least:
        what = "greater than zero" if least else "non-negative"
        raise RuntimeError(f"{name} should be {what}, but got {name}_height: {pair[0]} {name}_width: {pair[1]}")
    return pair


def _blocks(size: Pair, kernel: Pair, dilation: Pair, padding: Pair, stride: Pair) -> Pair:
    """How many blocks fit, downwards and across."""
    down, across = map(count_outputs, size, kernel, stride, padding, dilation)
    return down, across


@checks_arguments
def im2col(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Sliding blocks as columns (``F.unfold``): (N, C, H, W) gives (N, C · kh · kw, L); also without N."""
    refuse("iu", "im2col", input)
    kernel, dilation = _pair("kernel", kernel_size, 1), _pair("dilation", dilation, 1)
    padding, stride = _pair("padding", padding, 0), _pair("stride", stride, 1)
    if input._array.ndim:
        check_dims(input, 1)
    if input._array.ndim not in (3, 4) or 0 in input._array.shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for "
            f"input, but got: {list(input.shape)}"
        )
    batched = input if input._array.ndim == 4 else input.unsqueeze(0)
    size = batched._array.shape[2:]
    blocks = _blocks(size, kernel, dilation, padding, stride)
    if min(blocks) < 1:
        raise RuntimeError(
            f"Given input with spatial size {size}, kernel_size={kernel}, dilation={dilation}, padding={padding}, "
            f"calculated shape of the array of sliding blocks as {blocks}, but its components must be at least one."
        )
    columns = Im2Col.apply(batched, size=size, kernel=kernel, dilation=dilation, padding=padding, stride=stride)
    return columns if input._array.ndim == 4 else columns.squeeze(0)


@checks_arguments
def col2im(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Columns added back into an image (``F.fold``): (N, C · kh · kw, L) gives (N, C, H, W); also without N."""
    refuse("iu", "col2im", input)
    kernel, dilation = _pair("kernel", kernel_size, 1), _pair("dilation", dilation, 1)
    padding, stride, size = (
        _pair("padding", padding, 0),
        _pair("stride", stride, 1),
        _pair("output_size", output_size, 1),
    )
    if input._array.ndim not in (2, 3):
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(input.shape)}"
        )
    batched = input if input._array.ndim == 3 else input.unsqueeze(0)
    rows, count = batched._array.shape[1:]
    if rows % (kernel[0] * kernel[1]):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={rows} and kernel_size={kernel}."
        )
    down, across = _blocks(size, kernel, dilation, padding, stride)
    if count != down * across:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={kernel}, dilation={dilation}, padding={padding}, stride={stride}, "
            f"expected size of input's dimension 2 to match the calculated number of sliding blocks {down} * {across} "
            f"= {down * across}, but got input.size(2)={count}."
        )
    image = Col2Im.apply(batched, size=size, kernel=kernel, dilation=dilation, padding=padding, stride=stride)
    return image if input._array.ndim == 3 else image.squeeze(0)


def _check_image(name: str, input: Tensor, argument: str, factor: int) -> None:
    if input._array.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {input._array.ndim} dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {argument}, but got {factor}")


@checks_arguments
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(*, C · r², H, W) to (*, C, H · r, W · r): channels become pixels (Shi et al. 2016)."""
    r = upscale_factor
    _check_image("pixel_shuffle", input, "upscale_factor", r)
    if r * r >= 2**63:
        raise ValueError(f"upscale factor is too large, (upscale_factor)^2 overflowed: upscale_factor={r}")
    *lead, c, h, w = input._array.shape
    if c % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={c} is not divisible by {r * r}"
        )
    if r == 1:
        return input.clone()
    n = len(lead)
    apart = input.reshape(*lead, c // (r * r), r, r, h, w)
    pixels = apart.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return known_as(pixels.reshape(*lead, c // (r * r), h * r, w * r), "PixelShuffleBackward0")


@checks_arguments
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(*, C, H · r, W · r) to (*, C · r², H, W): the inverse of :func:`pixel_shuffle`."""
    r = downscale_factor
    _check_image("pixel_unshuffle", input, "downscale_factor", r)
    *lead, c, h, w = input._array.shape
    for name, position, size in (("height", -2, h), ("width", -1, w)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but "
                f"input.size({position})={size} is not divisible by {r}"
            )
    if r == 1:
        return input.clone()
    n = len(lead)
    apart = input.reshape(*lead, c, h // r, r, w // r, r)
    channels = apart.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return known_as(channels.reshape(*lead, c * r * r, h // r, w // r), "PixelUnshuffleBackward0")


@checks_arguments
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """(N, C, *) with channels of all groups mixed: (groups, C / groups) transposed (Zhang et al. 2018)."""
    _check_image("channel_shuffle", input, "groups", groups)
    n, c, *rest = input._array.shape
    if c % groups:
        raise RuntimeError(f"Number of channels must be divisible by groups. Got {c} channels and {groups} groups.")
    shuffled = input.reshape(n, groups, c // groups, *rest).transpose(1, 2).reshape(n, c, *rest)
    return known_as(shuffled, "ChannelShuffleBackward0")


native_channel_shuffle = channel_shuffle
