"""Lazy layers: those that find out the number of input features when they first see an input.

A lazy layer is an ordinary one whose parameters have no shape yet (:class:`~tinytorch.nn.UninitializedParameter`). A
hook in front of its first ``forward`` reads the input's size, gives the parameters their shapes, draws their values,
and turns the object into the ordinary class: from then on nothing is lazy about it.

>>> import tinytorch
>>> from tinytorch import nn
>>> layer = nn.LazyLinear(2)
>>> layer
LazyLinear(in_features=0, out_features=2, bias=True)
>>> layer(tinytorch.ones(4, 3)).shape, layer
(torch.Size([4, 2]), Linear(in_features=3, out_features=2, bias=True))
"""

from __future__ import annotations

import warnings
from typing import Any

from tinytorch import ops
from tinytorch.autograd.modes import no_grad
from tinytorch.dtypes import int64
from tinytorch.nn.modules.batchnorm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from tinytorch.nn.modules.conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from tinytorch.nn.modules.linear import Linear
from tinytorch.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from tinytorch.tensor import Tensor

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d",
    "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
    "LazyInstanceNorm3d", "LazyLinear", "LazyModuleMixin",
]  # fmt: skip


class LazyModuleMixin:
    """Makes a layer lazy; stands before the layer's own class (``torch.nn.modules.lazy.LazyModuleMixin``).

    A subclass sets ``cls_to_become`` and writes :meth:`initialize_parameters`.
    """

    cls_to_become: Any = None
    weight: Any
    bias: Any

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)
        warnings.warn(
            "Lazy modules are a new feature under heavy development so changes to the API or functionality can happen "
            "at any moment.",
            stacklevel=2,
        )

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes, from the arguments of ``forward``."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self: Any) -> bool:
        """Whether any parameter or buffer of this layer still lacks a shape."""
        return any(is_lazy(value) for value in (*self._parameters.values(), *self._buffers.values()))

    def reset_parameters(self: Any) -> None:
        """Draw new values, once there are shapes. (The layer's own constructor makes it for 0 features at first.)"""
        made = [parameter for parameter in self._parameters.values() if parameter is not None]
        if not self.has_uninitialized_params() and all(parameter._array.size for parameter in made):
            super().reset_parameters()  # type: ignore[misc]

    def _infer_parameters(self: Any, module: Any, args: Any, kwargs: Any = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _lazy_load_hook(
        self: Any, state_dict: Any, prefix: str, local_metadata: Any, strict: Any, missing_keys: Any,
        unexpected_keys: Any, error_msgs: Any,
    ) -> None:  # fmt: skip
        """Parameters about to be loaded take the shapes of what is loaded."""
        for name, value in (*self._parameters.items(), *self._buffers.items()):
            loaded = state_dict.get(prefix + name)
            if is_lazy(value) and loaded is not None and not is_lazy(loaded):
                with no_grad():
                    value.materialize(loaded.shape)


def _set_shapes(module: Any, **shapes: tuple[int, ...]) -> None:
    """Give the parameters and buffers that are there these shapes, and draw their values."""
    with no_grad():
        for name, shape in shapes.items():
            value = getattr(module, name)
            if value is not None:
                value.materialize(shape)
        module.reset_parameters()


class LazyLinear(LazyModuleMixin, Linear):
    """:class:`Linear` that takes ``in_features`` from the first input."""

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def initialize_parameters(self, input: Tensor) -> None:
        """The last dimension of ``input`` is ``in_features``."""
        if self.has_uninitialized_params():
            self.in_features = input.shape[-1]
            _set_shapes(self, weight=(self.out_features, self.in_features), bias=(self.out_features,))


class _LazyConv(LazyModuleMixin):
    """A convolution whose ``in_channels`` comes from the first input."""

    def _make_lazy(self: Any, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_channels = out_channels
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def initialize_parameters(self: Any, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """The channels of ``input``, a batch or a single image, are ``in_channels``."""
        if not self.has_uninitialized_params():
            return
        self.in_channels = _channels(self, input, self.n_dims)
        if self.in_channels % self.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        by_group = (self.in_channels, self.out_channels // self.groups)
        if not self.transposed:
            by_group = (self.out_channels, self.in_channels // self.groups)
        _set_shapes(self, weight=(*by_group, *self.kernel_size), bias=(self.out_channels,))


def _channels(module: Any, input: Tensor, n_dims: int) -> int:
    if input.dim() not in (n_dims + 1, n_dims + 2):
        raise RuntimeError(
            f"Expected {n_dims + 1}D (unbatched) or {n_dims + 2}D (batched) input to {type(module).__name__}, but got "
            f"input of size: {input.shape}"
        )
    return input.shape[1] if input.dim() == n_dims + 2 else input.shape[0]


class _LazyConvForward(_LazyConv):
    def __init__(
        self: Any, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
        groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._make_lazy(out_channels, bias, device, dtype)


class LazyConv1d(_LazyConvForward, Conv1d):
    """:class:`Conv1d` that takes ``in_channels`` from the first input."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyConvForward, Conv2d):
    """:class:`Conv2d` that takes ``in_channels`` from the first input."""

    cls_to_become = Conv2d


class LazyConv3d(_LazyConvForward, Conv3d):
    """:class:`Conv3d` that takes ``in_channels`` from the first input."""

    cls_to_become = Conv3d


class _LazyConvTranspose(_LazyConv):
    def __init__(
        self: Any, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
        groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode)
        self._make_lazy(out_channels, bias, device, dtype)


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """:class:`ConvTranspose1d` that takes ``in_channels`` from the first input."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """:class:`ConvTranspose2d` that takes ``in_channels`` from the first input."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """:class:`ConvTranspose3d` that takes ``in_channels`` from the first input."""

    cls_to_become = ConvTranspose3d


class _LazyNorm(LazyModuleMixin):
    """A normalization whose ``num_features`` comes from the first input."""

    def __init__(
        self: Any, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(0, eps, momentum, False, False, device, dtype)
        self.affine = affine
        self.track_running_stats = track_running_stats
        new = {"device": device, "dtype": dtype}
        if affine:
            self.weight = UninitializedParameter(**new)
            if bias:
                self.bias = UninitializedParameter(**new)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(**new)
            self.running_var = UninitializedBuffer(**new)
            self.num_batches_tracked = ops.tensor(0, dtype=int64)

    def initialize_parameters(self: Any, input: Tensor) -> None:
        """The channels of ``input`` are ``num_features``."""
        if self.has_uninitialized_params():
            self.num_features = self._features(input)
            names = ("weight", "bias", "running_mean", "running_var")
            _set_shapes(self, **dict.fromkeys(names, (self.num_features,)))

    def _features(self: Any, input: Tensor) -> int:
        return input.shape[1]


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """:class:`BatchNorm1d` that takes ``num_features`` from the first input."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """:class:`BatchNorm2d` that takes ``num_features`` from the first input."""

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """:class:`BatchNorm3d` that takes ``num_features`` from the first input."""

    cls_to_become = BatchNorm3d


class _LazyInstanceNorm(_LazyNorm):
    def _features(self: Any, input: Tensor) -> int:
        return _channels(self, input, self.n_dims)


class LazyInstanceNorm1d(_LazyInstanceNorm, InstanceNorm1d):
    """:class:`InstanceNorm1d` that takes ``num_features`` from the first input."""

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyInstanceNorm, InstanceNorm2d):
    """:class:`InstanceNorm2d` that takes ``num_features`` from the first input."""

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyInstanceNorm, InstanceNorm3d):
    """:class:`InstanceNorm3d` that takes ``num_features`` from the first input."""

    cls_to_become = InstanceNorm3d
