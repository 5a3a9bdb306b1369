"""Looking up images at places between the pixels: ``grid_sample``, and the grids of affine maps.

A place is one number per dimension, from -1 (one side of the image) to 1 (the other). It is turned into pixels; the
value there is blended from the pixels around it, by the same weights as in :mod:`tinytorch.ops.interpolate`. What lies
outside the image is zero, or the border, or the image's reflection. Both the image and the places can be learned:
the blend is composed of ops, so that its derivatives exist to any order; for the most usual case there is a node of
its own beside it, with the same formulas. (Jaderberg et al. 2015, "Spatial Transformer
Networks".)
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.modes import is_grad_enabled
from tinytorch.autograd.primitive import Primitive
from tinytorch.dtypes import FLOATS
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import check_dims, refuse
from tinytorch.ops.fused import recorded_gradients
from tinytorch.ops.interpolate import cubic_weights
from tinytorch.ops.weighted_rows import WeightedRows, and_zeros, row_products, spread_rows, weighted_rows
from tinytorch.tensor import Tensor

__all__ = ["affine_grid", "grid_sample"]


@checks_arguments
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The values of images at given places (``torch.nn.functional.grid_sample``).

    Args:
        input: (N, C, H, W) or (N, C, D, H, W).
        grid: (N, H', W', 2), the places as (x, y); or (N, D', H', W', 3), as (x, y, z). -1 and 1 are the ends.
        mode: 'bilinear' (of volumes: trilinear), 'nearest', or 'bicubic' (images only).
        padding_mode: 'zeros', 'border' or 'reflection': what is outside.
        align_corners: -1 and 1 are the centres of the outer pixels, and not their far edges.

    Returns:
        (N, C, H', W') or (N, C, D', H', W').

    Raises:
        ValueError: an unknown mode. RuntimeError: shapes or dtypes that do not fit.
    """
    refuse("biuc", "grid_sample", input)
    _check(input, grid, mode, padding_mode)
    corners = _corners("grid_sample", align_corners)
    if mode == "bilinear" and input._array.ndim == 4 and input._array.dtype in (np.float32, np.float64):
        return GridSampler2D.apply(input, grid, padding_mode=padding_mode, align_corners=corners)
    return _composed(input, grid, mode, padding_mode, corners)


def _composed(input: Tensor, grid: Tensor, mode: str, padding_mode: str, corners: bool) -> Tensor:
    """:func:`grid_sample` of ops."""
    n, c, *size = input._array.shape
    extents = np.array(size[::-1])[:, None]  # a row of its own for each dimension, last to first, as in the grid
    flat_grid = grid.reshape(-1, len(size)).t()
    place = _to_pixels(flat_grid, extents.astype(grid._array.dtype), corners)
    if mode != "bicubic":
        place = _inside(place, extents, padding_mode, corners)
    whole, weights = _taps(place, mode)
    if mode == "bicubic":
        whole = _whole_inside(whole, extents, padding_mode, corners)
    index = _row_numbers(whole, n, size)
    pixels = input.movedim(1, -1).reshape(n * math.prod(size), c)  # a row per pixel: looked up as a whole
    weight = Tensor._wrap(np.ones(index.shape, input._array.dtype)) if weights is None else _multiplied(weights)
    total = WeightedRows.apply(pixels, weight, index=index)
    if mode == "nearest" and grid.requires_grad:  # the places do not matter, which is a gradient of 0 and not of None
        total = total + (flat_grid.sum(0) * 0).reshape(-1, 1)
    return total.reshape(n, *grid._array.shape[1:-1], c).movedim(-1, 1).contiguous()


class GridSampler2D(Primitive):
    """The most usual case, bilinear and of images, as a single node: with a grid that is learned, in half the time.

    Its second derivative is that of the composition.
    """

    known_name = "GridSampler2DBackward0"

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, grid: np.ndarray, padding_mode: str, align_corners: bool) -> np.ndarray:
        n, c, *size = x.shape
        extents = np.array(size[::-1])[:, None]
        scale, shift = _pixel_scale(extents.astype(grid.dtype), align_corners)
        place, slope = (grid.reshape(-1, 2).T + 1) * scale - shift, scale
        if padding_mode != "zeros":
            place, sign = _moved_inside(place, extents, padding_mode, align_corners)
            slope = sign * scale
        low = np.floor(place)
        share = place - low
        along = np.stack([1 - share, share])  # (taps, dimensions, Q)
        index = _row_numbers(_whole(low) + np.arange(2)[:, None, None], n, size)
        rows = and_zeros(x.transpose(0, 2, 3, 1).reshape(-1, c))
        weight = (along[:, None, 1] * along[None, :, 0]).reshape(4, -1)
        ctx.save_for_backward(x, grid)
        ctx.save_intermediates(rows, index, weight, along, slope)
        return _as_images(weighted_rows(rows, weight, index), n, grid.shape[1:-1])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
        x, grid = ctx.saved_tensors
        need_x, need_grid = ctx.needs_input_grad
        if is_grad_enabled():  # create_graph
            padding_mode, corners = ctx.attributes["padding_mode"], ctx.attributes["align_corners"]
            return recorded_gradients(
                lambda x, grid: (_composed(x, grid, "bilinear", padding_mode, corners),),
                (x, grid), ctx.needs_input_grad, (grad,),
            )  # fmt: skip
        rows, index, weight, along, slope = ctx.intermediates
        y = np.ascontiguousarray(grad._array.transpose(0, 2, 3, 1)).reshape(-1, rows.shape[1])
        grad_x = grad_grid = None
        if need_x:
            n, _, *size = x._array.shape
            grad_x = Tensor._wrap(_as_images(spread_rows(y, weight, index, len(rows) - 1), n, size))
        if need_grid:
            by_tap = row_products(rows, y, index).reshape(2, 2, -1)  # down, right
            right = ((by_tap[:, 1] - by_tap[:, 0]) * along[:, 1]).sum(0)
            down = ((by_tap[1] - by_tap[0]) * along[:, 0]).sum(0)
            grad_grid = Tensor._wrap((np.stack([right, down]) * slope).T.reshape(grid._array.shape))
        return grad_x, grad_grid


def _as_images(rows: np.ndarray, n: int, size: Sequence[int]) -> np.ndarray:
    """(N · H · W, C) to row-major (N, C, H, W)."""
    return np.ascontiguousarray(rows.reshape(n, *size, rows.shape[1]).transpose(0, 3, 1, 2))


def _to_pixels(place: Tensor, size: np.ndarray, align_corners: bool) -> Tensor:
    """-1..1 to pixels, the first of which has its centre at 0."""
    scale, shift = _pixel_scale(size, align_corners)
    place = (place + 1) * Tensor._wrap(scale)
    return place - shift if shift else place


def _pixel_scale(size: np.ndarray, align_corners: bool) -> tuple[np.ndarray, float]:
    """(place + 1) · scale - shift is the pixel."""
    return ((size - 1) / 2, 0.0) if align_corners else (size / 2, 0.5)


def _inside(place: Tensor, size: np.ndarray, padding_mode: str, align_corners: bool) -> Tensor:
    """Places outside the image moved inside, as the padding mode says. Where a place is clipped it has no gradient."""
    if padding_mode == "zeros":
        return place
    value, slope = _moved_inside(place._array, size, padding_mode, align_corners)
    return place * Tensor._wrap(slope) + Tensor._wrap(value - np.nan_to_num(place._array) * slope)


def _moved_inside(
    place: np.ndarray, size: np.ndarray, padding_mode: str, align_corners: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Where places go for 'border' and 'reflection', and how far they move with the given ones: 1, -1 or 0."""
    value, slope = place, np.ones_like(place)
    if padding_mode == "reflection":
        value, slope = _reflected(place, size, align_corners)
    slope = np.where((value <= 0) | (value >= size - 1), 0, slope).astype(place.dtype)
    return np.clip(np.nan_to_num(value, nan=0.0), 0, size - 1).astype(place.dtype), slope


def _whole_inside(index: np.ndarray, size: np.ndarray, padding_mode: str, align_corners: bool) -> np.ndarray:
    """:func:`_inside` for pixels."""
    return _inside(Tensor._wrap(index.astype(np.float64)), size, padding_mode, align_corners)._array.astype(np.int64)


def _reflected(place: np.ndarray, size: np.ndarray, align_corners: bool) -> tuple[np.ndarray, np.ndarray]:
    """Places folded back at both ends as often as it takes, and the sign with which they move."""
    low, span = (0.0, size - 1.0) if align_corners else (-0.5, size + 0.0)
    single = span == 0  # one pixel: all places are there
    span = np.where(single, 1.0, span)
    distance = np.abs(place - low)
    turns, rest = np.floor(distance / span), np.fmod(distance, span)
    forward = turns % 2 == 0
    value = np.where(forward, rest + low, span - rest + low)
    slope = np.where(place < low, -1.0, 1.0) * np.where(forward, 1.0, -1.0)
    return np.where(single, 0.0, value), np.where(single, 0.0, slope)


def _taps(place: Tensor, mode: str) -> tuple[np.ndarray, Tensor | None]:
    """The pixels around the places along each dimension, (taps, dimensions, Q), and their weights (None: 1)."""
    array = place._array
    low = np.rint(array) if mode == "nearest" else np.floor(array)
    first = _whole(low)
    if mode == "nearest":
        return first, None
    share = place - Tensor._wrap(low)
    if mode == "bilinear":
        return first + np.arange(2)[:, None, None], ops.stack([1 - share, share])
    return first + np.arange(-1, 3)[:, None, None], ops.stack(cubic_weights(share))


def _whole(low: np.ndarray) -> np.ndarray:
    """As integers, one tap (1, dimensions, Q). What is no number is far outside."""
    return np.fmin(np.fmax(low, -1e6), 1e6).astype(np.int64)[None]


def _multiplied(weights: Tensor) -> Tensor:
    """Weights along each dimension, (taps, dimensions, Q), multiplied for every combination of taps, (T, Q)."""
    *rest, total = weights.unbind(1)
    for one in reversed(rest):
        total = total.unsqueeze(-2) * one
    return total.reshape(-1, total._array.shape[-1])


def _row_numbers(whole: np.ndarray, n: int, size: Sequence[int]) -> np.ndarray:
    """Whole places (taps, dimensions, N · Q), for every combination of taps as rows (T, N · Q) of the pixels of all
    images; outside of them the row after the last."""
    count = whole.shape[2]
    exists: Any = np.ones(count, bool)
    position: Any = np.arange(n).repeat(count // max(n, 1))
    for axis, extent in enumerate(size):
        one = whole[:, -1 - axis]
        exists = exists[..., None, :] & (one >= 0) & (one < extent)
        position = position[..., None, :] * extent + one
    return np.where(exists, position, n * math.prod(size)).reshape(-1, count)


def _check(input: Tensor, grid: Tensor, mode: str, padding_mode: str) -> None:
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    check_dims(input, 0)
    check_dims(grid, 0)
    shape, where = input._array.shape, grid._array.shape
    if len(shape) not in (4, 5) or len(shape) != len(where):
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
            f"{list(shape)} and grid with sizes {list(where)}"
        )
    if shape[0] != where[0]:
        raise RuntimeError(
            f"grid_sampler(): expected grid and input to have same batch size, but got input with sizes {list(shape)} "
            f"and grid with sizes {list(where)}"
        )
    if where[-1] != len(shape) - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {len(shape) - 2} in last dimension, but got grid with sizes "
            f"{list(where)}"
        )
    if input._array.dtype != grid._array.dtype:
        raise RuntimeError(
            f"grid_sampler(): expected input and grid to have same dtype, but input has {input.dtype} and grid has "
            f"{grid.dtype}"
        )
    if 0 in shape[2:]:
        raise RuntimeError(
            f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {list(shape)}"
        )
    if len(shape) == 5 and mode == "bicubic":
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")


def _corners(name: str, align_corners: bool | None) -> bool:
    """``align_corners``, which is False where it is not given: a warning, as old programs count on True."""
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please "
            "specify align_corners=True if the old behavior is desired. See the documentation of "
            f"{name} for details.",
            stacklevel=4,
        )
    return bool(align_corners)


@checks_arguments
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The places to which affine maps send the pixels of an image (``torch.nn.functional.affine_grid``).

    Args:
        theta: (N, 2, 3), or (N, 3, 4) for volumes: the maps.
        size: (N, C, H, W) or (N, C, D, H, W), of the image to be made.
        align_corners: as in :func:`grid_sample`, for which the result is meant.

    Returns:
        (N, H, W, 2) or (N, D, H, W, 3).

    Raises:
        ValueError: a theta that is not floating, or of a shape that does not go with ``size``.
    """
    if theta._array.dtype.kind not in FLOATS:
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    n, _, *extents = size
    dims = len(extents)
    if dims not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{tuple(size)}."
        )
    if theta._array.ndim != 3 or theta._array.shape[1:] != (dims, dims + 1):
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} for size {tuple(size)}. Got "
            f"{tuple(theta.shape)}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    # In theta's own precision, step by step as PyTorch: the identity map leads to the pixels themselves, where the
    # gradient of a sample jumps, and rounding decides on which side.
    numbers = theta._array.dtype
    axes = [ops.linspace(-1, 1, n, dtype=theta.dtype)._array if n > 1 else np.zeros(1, numbers) for n in extents]
    if not _corners("affine_grid", align_corners):
        axes = [axis * numbers.type(n - 1) / numbers.type(n) for axis, n in zip(axes, extents, strict=True)]
    along = np.meshgrid(*axes, indexing="ij")[::-1]
    base = np.stack([*along, np.ones(extents, numbers)], -1).reshape(-1, dims + 1)
    return Tensor._wrap(base).matmul(theta.transpose(1, 2)).reshape(n, *extents, dims)


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
