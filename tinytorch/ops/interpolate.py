"""Resizing: every output pixel is looked up, or blended from its two neighbours, along each dimension.

Output pixel i corresponds to the place ``(i + 1/2) · scale - 1/2`` of the input, when pixels are squares whose
centres are half a pixel inside (``align_corners=False``), or to ``i · scale`` when the corner pixels of both are to
coincide (``align_corners=True``). Resizing is separable: one dimension after the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.ops.adaptive_pool import adaptive_avg_pool1d, adaptive_avg_pool2d
from tinytorch.ops.indexing import index_select
from tinytorch.tensor import Tensor

__all__ = ["interpolate"]

_LINEAR_DIMS = {"linear": 1, "bilinear": 2, "trilinear": 3}


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resize (N, C, L), (N, C, H, W) or (N, C, D, H, W) to ``size`` or by ``scale_factor`` (``F.interpolate``).

    Args:
        mode: 'nearest', 'nearest-exact', 'linear' (3-d), 'bilinear' (4-d), 'trilinear' (5-d), 'area'.
        align_corners: for the linear modes; see the module's text.
        recompute_scale_factor: compute the scale anew from the rounded output size.

    Raises:
        ValueError: both or neither of size and scale factor, or as many as do not fit; NotImplementedError: another
            mode,
        or antialias.
    """
    sizes = input._array.shape[2:]
    if align_corners is not None and mode not in (*_LINEAR_DIMS, "bicubic"):
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if antialias or mode == "bicubic":
        raise NotImplementedError("interpolate: bicubic and antialias are not supported; use 'bilinear'")
    out_sizes, factors = _target(sizes, size, scale_factor, bool(recompute_scale_factor))
    if mode == "area" and len(sizes) in (1, 2):
        return adaptive_avg_pool1d(input, out_sizes[0]) if len(sizes) == 1 else adaptive_avg_pool2d(input, out_sizes)
    if mode not in ("nearest", "nearest-exact") and _LINEAR_DIMS.get(mode) != len(sizes):
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported "
            f"(got {input.dim()}D) for the modes: nearest | linear | bilinear | trilinear | area (got {mode})"
        )
    for dim, (out_size, factor) in enumerate(zip(out_sizes, factors, strict=True), 2):
        if mode.startswith("nearest"):
            input = _nearest(input, dim, out_size, factor, 0.5 if mode == "nearest-exact" else 0.0)
        else:
            input = _linear(input, dim, out_size, factor, bool(align_corners))
    return input


def _target(
    sizes: Sequence[int], size: Any, scale_factor: Any, recompute: bool
) -> tuple[tuple[int, ...], list[float | None]]:
    """The output's size along each dimension, and the scale factor that was given for it, if one counts."""
    if (size is None) == (scale_factor is None):
        what = "only one of size or scale_factor should be defined"
        raise ValueError(what if size is not None else "either size or scale_factor should be defined")
    given = size if size is not None else scale_factor
    values = tuple(given) if isinstance(given, (tuple, list)) else (given,) * len(sizes)
    if len(values) != len(sizes):
        what = "output size" if size is not None else "scale_factor"
        raise ValueError(
            f"Input and {what} must have the same number of spatial dimensions, but got input with spatial "
            "dimensions of "
            f"{list(sizes)} and {what} of {given}."
        )
    if size is not None:
        return values, [None] * len(sizes)
    out = tuple(math.floor(n * float(factor)) for n, factor in zip(sizes, values, strict=True))
    return out, [None if recompute else float(factor) for factor in values]


def _nearest(input: Tensor, dim: int, out_size: int, factor: float | None, offset: float) -> Tensor:
    """Each output pixel takes the input pixel in which its place lies. PyTorch computes places in single precision."""
    in_size = input._array.shape[dim]
    scale = np.float32(in_size / out_size if factor is None else 1.0 / factor)
    places = np.floor((np.arange(out_size, dtype=np.float32) + np.float32(offset)) * scale).astype(np.int64)
    return index_select(input, dim, Tensor._wrap(np.minimum(places, in_size - 1)))


def _linear(input: Tensor, dim: int, out_size: int, factor: float | None, align_corners: bool) -> Tensor:
    """Each output pixel blends the two input pixels between which its place lies."""
    in_size, dtype = input._array.shape[dim], input._array.dtype
    places = np.arange(out_size, dtype=dtype)
    if align_corners:
        places = places * dtype.type((in_size - 1) / (out_size - 1) if out_size > 1 else 0.0)
    else:
        scale = dtype.type(in_size / out_size if factor is None else 1.0 / factor)
        places = np.maximum((places + dtype.type(0.5)) * scale - dtype.type(0.5), dtype.type(0))
    low = np.minimum(places.astype(np.int64), in_size - 1)
    high = np.minimum(low + 1, in_size - 1)
    shape = [-1 if d == dim else 1 for d in range(input._array.ndim)]
    share = Tensor._wrap((places - low).reshape(shape).astype(dtype))
    below = index_select(input, dim, Tensor._wrap(low))
    above = index_select(input, dim, Tensor._wrap(high))
    return below * (1.0 - share) + above * share
