"""Reading and checking the arguments of convolutions, of any number of dimensions.

Everything here raises what PyTorch raises, with its words (``aten/src/ATen/native/Convolution.cpp``).
"""

from __future__ import annotations

from typing import Any

from tinytorch.ops.arguments import wrong_argument
from tinytorch.ops.checks import not_implemented, type_name
from tinytorch.ops.dims import ints_from
from tinytorch.tensor import Tensor

__all__ = ["check_bias", "check_convolution", "check_kernel_fits", "check_numbers", "check_tensors", "named_padding",
           "per_dimension", "transposed_size"]  # fmt: skip

Sizes = tuple[int, ...]


def per_dimension(function: str, name: str, value: Any, dims: int) -> Sizes:
    """One int for each of ``dims`` dimensions, from an int or a sequence of 1 or ``dims`` ints."""
    values = ints_from(function, name, value, single=True)
    if len(values) == 1:
        return values * dims
    if len(values) != dims:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {dims} values to match the convolution "
            f"dimensions, but got {name}={list(values)}"
        )
    return values


def check_tensors(function: str, dims: int, input: Any, weight: Any, bias: Any) -> None:
    """Types, ranks and dtypes of the three tensors. TypeError for what is no Tensor, else RuntimeError."""
    for name, value in (("input", input), ("weight", weight), ("bias", bias)):
        if not isinstance(value, Tensor) and not (name == "bias" and value is None):
            raise wrong_argument(function, name, None, value)
    if input._array.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {function}, but got input of size: "
            f"{list(input.shape)}"
        )
    if weight._array.ndim != dims + 2:
        raise RuntimeError(
            f"Expected {weight._array.ndim}-dimensional input for {weight._array.ndim}-dimensional weight "
            f"{list(weight.shape)}, but got {input._array.ndim}-dimensional input of size {list(input.shape)} instead"
        )
    if input._array.dtype != weight._array.dtype:
        raise RuntimeError(f"expected scalar type {type_name(input)} but found {type_name(weight)}")
    if bias is not None and bias._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"Input type ({type_name(input).lower()}) and bias type ({type_name(bias).lower()}) should be the same"
        )
    if input._array.dtype.kind == "b":
        raise not_implemented("slow_conv2d_cpu", input)


def check_numbers(stride: Sizes, padding: Sizes, dilation: Sizes, output_padding: Sizes, groups: int) -> None:
    """Signs of the numbers."""
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(output_padding) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) <= 0:
        raise RuntimeError(f"dilation should be greater than zero, but got {list(dilation)}")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")


def check_convolution(input: Tensor, weight: Tensor, groups: int, transposed: bool) -> None:
    """Whether channels, groups and kernel fit together."""
    shape = weight._array.shape
    if shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{list(shape)} instead"
        )
    if shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size [{list(shape)}] instead"
        )
    if 0 in shape[2:]:
        raise RuntimeError(f"kernel size should be greater than zero, but got kernel size {list(shape[2:])}")
    n, channels, *size = input._array.shape
    if 0 in size and n and channels:
        raise RuntimeError(
            f"Only zero batch or zero channel inputs are supported, but got input shape: {list(input.shape)}"
        )
    expected = shape[0] if transposed else shape[1] * groups
    if channels != expected:
        what = f"transposed={int(transposed)}" if transposed else f"groups={groups}"
        raise RuntimeError(
            f"Given {what}, weight of size {list(shape)}, expected input{list(input.shape)} to have {expected} "
            f"channels, but got {channels} channels instead"
        )


def check_bias(weight: Tensor, bias: Tensor | None, channels: int, transposed: bool) -> None:
    """A bias has one number for each output channel."""
    if bias is not None and bias._array.shape != (channels,):
        what = "transposed=1, weight" if transposed else "weight"
        raise RuntimeError(
            f"Given {what} of size {list(weight.shape)}, expected bias to be 1-dimensional with {channels} elements, "
            f"but got bias of size {list(bias.shape)} instead"
        )


def check_kernel_fits(size: Sizes, kernel: Sizes, padding: Sizes, dilation: Sizes) -> None:
    """The padded image must be at least as large as the kernel with its gaps."""
    padded = [s + 2 * p for s, p in zip(size, padding, strict=True)]
    spanned = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if any(s > p for s, p in zip(spanned, padded, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). Kernel size: "
            f"({' x '.join(map(str, spanned))}). Kernel size can't be greater than actual input size"
        )


def transposed_size(
    size: tuple[int, ...], kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...],
    output_padding: tuple[int, ...], dilation: tuple[int, ...],
) -> tuple[int, ...]:  # fmt: skip
    """The size of a transposed convolution's result; RuntimeError when there is none."""
    each = list(zip(size, kernel, stride, padding, output_padding, dilation, strict=True))
    if any(extra >= s and extra >= d for _, _, s, _, extra, d in each):
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got output_padding: "
            f"{list(output_padding)} stride: {list(stride)} dilation: {list(dilation)}"
        )
    result = tuple((n - 1) * s - 2 * p + d * (k - 1) + extra + 1 for n, k, s, p, extra, d in each)
    if min(result) < 1:
        raise RuntimeError(
            f"Given input size per channel: ({' x '.join(map(str, size))}). Calculated output size per channel: "
            f"({' x '.join(map(str, result))}). Output size is too small"
        )
    return result


def named_padding(
    name: str, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """'same' and 'valid' as (padding on both sides, additional padding at the far side)."""
    if name == "valid":
        return (0,) * len(kernel), (0,) * len(kernel)
    if name != "same":
        raise RuntimeError(f"Invalid padding string: '{name}'")
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return tuple(t // 2 for t in total), tuple(t % 2 for t in total)
