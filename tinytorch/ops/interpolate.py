"""Resizing: which places of the input an output pixel is made of, and with what weights.

Output pixel i corresponds to the place ``(i + 1/2) · scale - 1/2`` of the input, when pixels are squares whose centres
are half a pixel inside (``align_corners=False``), or to ``i · scale`` when the corner pixels of both are to coincide
(``align_corners=True``). A *nearest* mode takes the pixel there; the *linear* modes blend the two around it; *bicubic*
lays a cubic curve through four. With ``antialias`` the same curves are stretched over all the pixels that shrink into
one; *lanczos* is a third curve for that, a sine wave that fades out over three pixels to each side. Every mode is
separable, so one :class:`~tinytorch.ops.resample.Table` per dimension says it all.
"""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.node import known_as
from tinytorch.ops.adaptive_pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import not_implemented
from tinytorch.ops.dims import ints_from
from tinytorch.ops.resample import Table, resample
from tinytorch.tensor import Tensor

__all__ = ["cubic_weights", "interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

_DIMS = {
    "nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "area": (1, 2, 3), "linear": (1,), "bilinear": (2,),
    "bicubic": (2,), "lanczos": (2,), "trilinear": (3,),
}  # fmt: skip
#: How far the curves of smoothing reach to each side, in pixels.
_SUPPORT = {"bilinear": 1.0, "bicubic": 2.0, "lanczos": 3.0}
_AREA = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}


@checks_arguments
def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Resize (N, C, L), (N, C, H, W) or (N, C, D, H, W) to ``size`` or by ``scale_factor``
    (``torch.nn.functional.interpolate``).

    Args:
        mode: 'nearest', 'nearest-exact', 'linear' (3-d), 'bilinear', 'bicubic' or 'lanczos' (4-d), 'trilinear' (5-d),
            'area'.
        align_corners: for the linear modes and bicubic; see the module's text.
        recompute_scale_factor: compute the scale anew from the rounded output size.
        antialias: for bilinear and bicubic, and always for lanczos: smooth when shrinking.

    Raises:
        ValueError: both or neither of size and scale factor, as many as do not fit, options of another mode.
        NotImplementedError: a mode that does not go with the number of dimensions.
    """
    sizes = input._array.shape[2:]
    _check_mode(input, mode, align_corners)
    out_sizes, factors = _target(sizes, size, scale_factor, recompute_scale_factor, mode == "area")
    if antialias and not (mode in _SUPPORT and len(sizes) == 2):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if len(sizes) not in _DIMS.get(mode, ()):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.dim()}D) for the modes: nearest | "
            f"linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got {mode})"
        )
    if mode == "lanczos" and (align_corners or not antialias):
        what = "does not support align_corners=True" if align_corners else "requires antialias=True"
        raise ValueError(f"Lanczos mode {what}")
    if min(sizes) < 1 or min(out_sizes) < (0 if mode == "area" else 1):
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {list(sizes)} and output {list(out_sizes)}"
        )
    if mode == "area":
        return _AREA[len(sizes)](input, out_sizes)
    each = zip(sizes, out_sizes, factors, strict=True)
    real = np.dtype(np.float64 if input._array.dtype == np.float64 else np.float32)
    y = resample(input, tuple([_table(n, out, f, mode, bool(align_corners), antialias, real) for n, out, f in each]))
    name = "".join(word.capitalize() for word in mode.split("-"))
    return known_as(y, f"Upsample{name}{len(sizes)}D{'Aa' if antialias else ''}Backward0")


@checks_arguments
def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """:func:`interpolate` under its old name."""
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=3)
    return interpolate(input, size, scale_factor, mode, align_corners)


@checks_arguments
def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """``interpolate(mode="nearest")``."""
    return interpolate(input, size, scale_factor, "nearest")


@checks_arguments
def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """``interpolate(mode="bilinear", align_corners=True)``."""
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)


def smoothed_bilinear(input: Tensor, size: Sequence[int], align_corners: bool, factors: Sequence[Any]) -> Tensor:
    """``interpolate(mode="bilinear", antialias=True)`` to ``size``, whose pixels lie as ``factors`` say."""
    real = np.dtype(np.float64 if input._array.dtype == np.float64 else np.float32)
    each = zip(input._array.shape[2:], size, factors, strict=True)
    return resample(input, tuple([_table(n, out, f, "bilinear", align_corners, True, real) for n, out, f in each]))


def _check_mode(input: Tensor, mode: str, align_corners: bool | None) -> None:
    if align_corners is not None and mode in ("nearest", "area", "nearest-exact"):
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if input._array.dtype.kind == "u" and mode in ("linear", "trilinear"):
        raise not_implemented("compute_indices_weights_linear", input)
    if input._array.dtype.kind not in "fVu" and mode != "area":
        raise not_implemented("interpolate", input)


def _target(
    sizes: Sequence[int], size: Any, scale_factor: Any, recompute: bool | None, area: bool = False
) -> tuple[tuple[int, ...], list[float | None]]:
    """The output's size along each dimension, and the scale factor that was given for it, if one counts."""
    if (size is None) == (scale_factor is None):
        what = "only one of size or scale_factor should be defined"
        raise ValueError(what if size is not None else "either size or scale_factor should be defined")
    if recompute and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    given = size if size is not None else scale_factor
    values = tuple(given) if isinstance(given, (tuple, list)) else (given,) * len(sizes)
    if len(values) != len(sizes):
        what = "output size" if size is not None else "scale_factor"
        raise ValueError(
            f"Input and {what} must have the same number of spatial dimensions, but got input with spatial "
            f"dimensions of {list(sizes)} and {what} of {given}."
        )
    if size is not None:
        return ints_from("interpolate", "size", values), [None] * len(sizes)
    wanted = _scaled(sizes, values, area)
    return tuple(map(math.floor, wanted)), [None if recompute else float(factor) for factor in values]


def _scaled(sizes: Sequence[int], factors: Sequence[Any], area: bool) -> list[float]:
    """Sizes times their scale factors; TypeError unless these are real numbers, RuntimeError for what is no size.

    Sizes for ``area`` are made by PyTorch's Python, which multiplies by tensors as well, and has errors of its own.
    """
    for position, factor in enumerate(factors):
        if not isinstance(factor, numbers.Real) and not (area and isinstance(factor, Tensor)):
            raise TypeError(
                "interpolate(): argument 'scale_factor' must be float or tuple of floats, but found element of type "
                f"{type(factor).__name__} at pos {position}"
            )
    wanted = [n * float(factor) for n, factor in zip(sizes, factors, strict=True)]
    if not all(-(2.0**63) <= n < 2.0**63 for n in wanted):
        error: type[Exception] = RuntimeError
        if area and not all(map(math.isfinite, wanted)):
            error = ValueError if any(map(math.isnan, wanted)) else OverflowError
        raise error(f"interpolate(): sizes of {wanted} cannot be converted to type int64_t without overflow")
    return wanted


def _table(
    n: int, out: int, factor: float | None, mode: str, align_corners: bool, antialias: bool, real: np.dtype[Any]
) -> Table | None:
    """How ``out`` pixels are made of ``n``; places and weights are computed in the precision ``real``, as PyTorch's."""
    if align_corners:
        scale = real.type((n - 1) / (out - 1) if out > 1 else 0.0)
    else:
        scale = real.type(1.0 / factor if factor else n / out)
    if antialias:
        return _smooth(n, out, scale, mode)
    if out == n and (scale == 1.0 or mode == "nearest"):
        return None
    if mode.startswith("nearest"):
        return _nearest(n, out, scale, 0.5 if mode == "nearest-exact" else 0.0)
    if align_corners:
        places = np.arange(out, dtype=real) * scale
    else:  # in single precision rounded once, as by a processor's multiply-and-add
        places = ((np.arange(out) + 0.5) * scale.astype(np.float64) - 0.5).astype(real)
    if mode == "bicubic":
        low = np.floor(places)
        taps = low.astype(np.int64) + np.arange(-1, 3)[:, None]
        return Table(np.clip(taps, 0, n - 1), np.stack(cubic_weights(places - low)), n)
    places = np.maximum(places, 0)
    low = np.minimum(places.astype(np.int64), n - 1)
    share = places - low
    return Table(np.stack([low, np.minimum(low + 1, n - 1)]), np.stack([1 - share, share]), n)


def _nearest(n: int, out: int, scale: Any, offset: float) -> Table:
    """The input pixel in which each output pixel's place lies. PyTorch computes places in single precision."""
    places = np.floor((np.arange(out, dtype=np.float32) + np.float32(offset)) * np.float32(scale)).astype(np.int64)
    return Table(np.minimum(places, n - 1)[None], None, n)


def cubic_weights(t: Any, a: float = -0.75) -> tuple[Any, Any, Any, Any]:
    """The weights of four neighbours at -1, 0, 1, 2 for a place t in [0, 1) (Keys 1981); of arrays or Tensors."""

    def near(d: Any) -> Any:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Any) -> Any:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return far(t + 1), near(t), near(1 - t), far(2 - t)


def _smooth(n: int, out: int, scale: Any, mode: str) -> Table:
    """The mode's curve stretched over ``scale`` pixels where it shrinks, its weights made to add up to 1."""
    stretch = max(scale, type(scale)(1))
    support = _SUPPORT[mode] * stretch
    centers = (np.arange(out, dtype=type(scale)) + 0.5) * scale
    first = np.maximum((centers - support + 0.5).astype(np.int64), 0)
    stop = np.minimum((centers + support + 0.5).astype(np.int64), n)
    taps = first + np.arange(int((stop - first).max()))[:, None]
    distances = np.abs((taps.astype(centers.dtype) - centers + 0.5) / stretch)
    if mode == "bicubic":
        far, near = cubic_weights(distances - 1, a=-0.5)[0], cubic_weights(distances, a=-0.5)[1]
        weights = np.where(distances < 1, near, np.where(distances < 2, far, 0))
    elif mode == "lanczos":
        weights = np.where(distances < 3, np.sinc(distances) * np.sinc(distances / 3), 0)
    else:
        weights = np.maximum(1 - distances, 0)
    weights = np.where(taps < stop, weights, 0)
    return Table(np.minimum(taps, n - 1), weights / weights.sum(0), n)
