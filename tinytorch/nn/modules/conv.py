"""Convolution layers. The mathematics stands in :mod:`tinytorch.ops.conv`; here are the parameters."""

from __future__ import annotations

import math
from typing import Any

from tinytorch import ops
from tinytorch.nn import functional as F
from tinytorch.nn import init
from tinytorch.nn.modules.module import Module
from tinytorch.nn.modules.utils import ntuple
from tinytorch.nn.parameter import Parameter
from tinytorch.tensor import Tensor

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_PADDING_MODES = {"zeros", "reflect", "replicate", "circular"}


class _ConvNd(Module):
    """What all convolution layers share: checks, parameters, initialization, printing."""

    n_dims: int
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        output_padding: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        self._check_arguments(in_channels, out_channels, groups, stride, padding, padding_mode)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = ntuple(kernel_size, self.n_dims)
        self.stride = ntuple(stride, self.n_dims)
        self.padding = padding if isinstance(padding, str) else ntuple(padding, self.n_dims)
        self.dilation = ntuple(dilation, self.n_dims)
        self.output_padding = ntuple(output_padding, self.n_dims)
        self.groups = groups
        self.padding_mode = padding_mode
        from_to = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(ops.empty(*from_to, *self.kernel_size, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(ops.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _check_arguments(
        self, in_channels: int, out_channels: int, groups: int, stride: Any, padding: Any, padding_mode: str
    ) -> None:
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}")
            if padding == "same" and any(s != 1 for s in ntuple(stride, self.n_dims)):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {_PADDING_MODES}, but got padding_mode='{padding_mode}'")
        if self.transposed and padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')

    def reset_parameters(self) -> None:
        """Draw new weights: uniform in ±1/√fan_in."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    @property
    def _reversed_padding_repeated_twice(self) -> list[int]:
        """The padding as ``F.pad`` wants it: before and after, from the last dimension on."""
        before_after: list[int] = []
        for axis in reversed(range(self.n_dims)):
            span = self.dilation[axis] * (self.kernel_size[axis] - 1)
            total: Any = {"same": span, "valid": 0}[self.padding] if isinstance(self.padding, str) else None
            total = 2 * self.padding[axis] if total is None else total
            before_after += [total // 2, total - total // 2]
        return before_after

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0,) * len(self.padding):
            text += f", padding={self.padding}"
        if self.dilation != (1,) * self.n_dims:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * self.n_dims:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_ConvNd):
    """A convolution's arguments in PyTorch's order."""

    _convolve: Any

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            0,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The layer with these weights, for subclasses that make them from the parameters."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode), 0
        return self._convolve(input, weight, bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Conv):
    """Convolution of sequences: (N, C, L) to (N, out_channels, L')."""

    n_dims = 1
    _convolve = staticmethod(F.conv1d)


class Conv2d(_Conv):
    """Convolution of images: (N, C, H, W) to (N, out_channels, H', W').

    H' = (H + 2 padding - dilation (kernel - 1) - 1) // stride + 1. Parameters: ``weight`` (out_channels,
    in_channels / groups, kernel height, kernel width) and ``bias`` (out_channels,), at first uniform in ±1/√fan_in.
    ``padding`` may be 'same' or 'valid'; ``padding_mode`` is 'zeros', 'reflect', 'replicate' or 'circular'.
    """

    n_dims = 2
    _convolve = staticmethod(F.conv2d)


class Conv3d(_Conv):
    """Convolution of volumes: (N, C, D, H, W) to (N, out_channels, D', H', W'); else as :class:`Conv2d`."""

    n_dims = 3
    _convolve = staticmethod(F.conv3d)


class _ConvTranspose(_ConvNd):
    """A transposed convolution's arguments in PyTorch's order."""

    transposed = True
    _convolve: Any

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def _output_padding(
        self, input: Tensor, output_size: Any, stride: Any, padding: Any, kernel_size: Any, num_spatial_dims: int,
        dilation: Any = None,
    ) -> tuple[int, ...]:  # fmt: skip
        """The output padding with which the result has the wanted size."""
        if output_size is None:
            return self.output_padding
        n = num_spatial_dims
        batched = input.dim() == n + 2
        wanted = output_size
        if len(wanted) == n + (2 if batched else 1):
            wanted = wanted[-n:]
        if len(wanted) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or "
                f"{n + 2 if batched else n + 1} elements (got {len(wanted)})"
            )
        smallest = [
            (size - 1) * s - 2 * p + d * (k - 1) + 1
            for size, s, p, d, k in zip(
                input.shape[-n:], stride, padding, dilation or (1,) * n, kernel_size, strict=True
            )
        ]
        largest = [low + s - 1 for low, s in zip(smallest, stride, strict=True)]
        if not all(low <= size <= high for low, size, high in zip(smallest, wanted, largest, strict=True)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {smallest} to {largest} "
                f"(for an input of {input.size()[-n:]})"
            )
        return tuple(size - low for size, low in zip(wanted, smallest, strict=True))

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        extra = self._output_padding(
            input, output_size, self.stride, self.padding, self.kernel_size, self.n_dims, self.dilation
        )
        return self._convolve(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution of sequences: (N, C, L) to (N, out_channels, L')."""

    n_dims = 1
    _convolve = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """Transposed convolution of images: the gradient of a convolution for its input, used to enlarge.

    H' = (H - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1. ``weight`` is (in_channels,
    out_channels / groups, kernel height, kernel width).
    """

    n_dims = 2
    _convolve = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution of volumes: (N, C, D, H, W) to (N, out_channels, D', H', W'); else as
    :class:`ConvTranspose2d`."""

    n_dims = 3
    _convolve = staticmethod(F.conv_transpose3d)


_ConvTransposeNd = _ConvTranspose  # PyTorch's name


def __getattr__(name: str) -> Any:
    from tinytorch.nn.modules.places import found_elsewhere

    return found_elsewhere(__name__, name)
