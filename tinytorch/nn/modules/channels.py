"""Layers that move or add pixels: padding and pixel shuffling."""

from __future__ import annotations

from typing import Any

from tinytorch.nn import functional as F
from tinytorch.nn.modules.module import Module
from tinytorch.nn.modules.utils import ntuple
from tinytorch.tensor import Tensor

__all__ = ["ChannelShuffle", "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
           "ConstantPad3d", "PixelShuffle", "PixelUnshuffle", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d",
           "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d",
           "ZeroPad2d", "ZeroPad3d"]  # fmt: skip


class _Pad(Module):
    """Padding by a mode of :func:`tinytorch.nn.functional.pad`."""

    n_dims: int
    mode = "constant"

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = ntuple(padding, 2 * self.n_dims)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """``value`` before and after the last dimension: ``padding`` is a number or (left, right)."""

    n_dims = 1


class ConstantPad2d(_ConstantPad):
    """``value`` around images: ``padding`` is a number or (left, right, top, bottom)."""

    n_dims = 2


class ConstantPad3d(_ConstantPad):
    """``value`` around volumes: ``padding`` is a number or six, from the last dimension on."""

    n_dims = 3


class ZeroPad1d(ConstantPad1d):
    """Zeros before and after the last dimension."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Zeros around images."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Zeros around volumes."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(_Pad):
    """The mirrored sequence on both sides, the edge not repeated."""

    n_dims, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """The mirrored image around images, the edge not repeated."""

    n_dims, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """The mirrored volume around volumes, the edge not repeated."""

    n_dims, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """The edge repeated on both sides."""

    n_dims, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """The edge repeated around images."""

    n_dims, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """The edge repeated around volumes."""

    n_dims, mode = 3, "replicate"


class _CircularPad(_Pad):
    """The other side of the input, on both sides."""

    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        n = self.n_dims
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")
        return super().forward(input)


class CircularPad1d(_CircularPad):
    """The other end of the sequence on both sides."""

    n_dims = 1


class CircularPad2d(_CircularPad):
    """The other side of the image around images."""

    n_dims = 2


class CircularPad3d(_CircularPad):
    """The other side of the volume around volumes."""

    n_dims = 3


class PixelShuffle(Module):
    """(N, C·r², H, W) to (N, C, H·r, W·r)."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """(N, C, H·r, W·r) to (N, C·r², H, W)."""

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """(N, C, ...) with the channels of all groups mixed (Zhang et al. 2018)."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
