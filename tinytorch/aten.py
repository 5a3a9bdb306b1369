"""``torch.ops.aten``: the functions by the names that PyTorch's own library has for them, and those of their overloads.

>>> import tinytorch as torch
>>> torch.ops.aten.add.Tensor(torch.ones(2), torch.ones(2))
tensor([2., 2.])
>>> torch.ops.aten.linalg_norm.default(torch.ones(4))
tensor(2.)
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

__all__ = ["Overload", "Packet", "aten"]

#: ``linalg_norm`` is ``norm`` in ``tinytorch.linalg``.
_PREFIXES = {"linalg_": "tinytorch.linalg", "special_": "tinytorch.special", "fft_": "tinytorch.fft"}


class Overload:
    """A function for some kinds of arguments. It takes the other kinds, too: Python tells them apart."""

    def __init__(self, packet: Packet, name: str) -> None:
        self._packet, self._overload = packet, name
        self.__name__ = f"{packet.__name__}.{name}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._packet(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<OpOverload(op='aten.{self._packet.__name__}', overload='{self._overload}')>"


class Packet:
    """A function, and in it the names of its overloads."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.__name__, self._function = name, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __getattr__(self, name: str) -> Overload:
        if name.startswith("_"):
            raise AttributeError(f"The underlying op of 'aten.{self.__name__}' has no overload name '{name}'")
        overload = Overload(self, name)
        setattr(self, name, overload)  # asked for again it is the same object
        return overload

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='aten.{self.__name__}')>"

    def __str__(self) -> str:
        return f"aten.{self.__name__}"


class Namespace:
    """All functions of the library, each found when it is asked for."""

    def __getattr__(self, name: str) -> Packet:
        function = None if name.startswith("__") else _found(name)
        if function is None:
            raise AttributeError(f"'_OpNamespace' 'aten' object has no attribute '{name}'")
        packet = Packet(name, function)
        setattr(self, name, packet)
        return packet


def _slice(x: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    return x[(*[slice(None)] * (dim % x.dim()), slice(start, end, step))]


def _index(x: Tensor, indices: list[Tensor | None]) -> Tensor:
    return x[tuple(slice(None) if index is None else index for index in indices)]


def _to_copy(x: Tensor, *, dtype: Any = None, device: Any = None, memory_format: Any = None, **options: Any) -> Tensor:
    return x.to(dtype=dtype, device=device, memory_format=memory_format, copy=True)


def _batch_norm_with_update(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor, var: Tensor, momentum: float, eps: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    library = importlib.import_module("tinytorch")
    results = library.native_batch_norm(x, weight, bias, mean, var, True, momentum, eps)
    return (*results, library.empty(0, dtype=library.uint8))  # the last: what kernels of other devices keep


def _max_pool2d_backward(
    grad: Tensor, x: Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, indices: Tensor
) -> Tensor:
    """Each gradient goes to where its maximum was: ``indices`` count along rows of the picture."""
    zeros = x.masked_fill(x.isnan() | True, 0)  # they depend on x, with gradients of zero
    return zeros.flatten(-2).scatter_add(-1, indices.flatten(-2), grad.flatten(-2)).view(x.shape)


def _upsample_bilinear2d_aa(
    x: Tensor, output_size: Any, align_corners: bool, scales_h: Any = None, scales_w: float | None = None, **given: Any
) -> Tensor:
    """Either with a list of scale factors, or with a size and the scales that say where its pixels lie."""
    factors = given.get("scale_factors", scales_h)
    if output_size is None or isinstance(factors, (list, tuple)):
        functional = importlib.import_module("tinytorch").nn.functional
        return functional.interpolate(x, output_size, factors, "bilinear", align_corners, antialias=True)
    bilinear = importlib.import_module("tinytorch.ops.interpolate").smoothed_bilinear
    return bilinear(x, output_size, align_corners, (scales_h, scales_w))


def _convolution_backward(*arguments: Any) -> Any:
    raise NotImplementedError("aten.convolution_backward: use tinytorch.nn.grad.conv2d_input and conv2d_weight")


#: What Python writes in another way.
_OTHERS: dict[str, Callable[..., Any]] = {
    "_batch_norm_with_update": _batch_norm_with_update,
    "_log_softmax": lambda x, dim, half_to_float=False: x.log_softmax(dim),
    "_sparse_addmm": lambda x, sparse, dense, *, beta=1, alpha=1: x.addmm(sparse, dense, beta=beta, alpha=alpha),
    "_softmax": lambda x, dim, half_to_float=False: x.softmax(dim),
    "_to_copy": _to_copy,
    "_upsample_bilinear2d_aa": _upsample_bilinear2d_aa,
    "convolution_backward": _convolution_backward,  # counted under this name (tinytorch.utils.flop_counter)
    "_pin_memory": lambda x, device=None: x.pin_memory(),
    "alias": lambda x: x[...],
    "index": _index,
    "max_pool2d_with_indices_backward": _max_pool2d_backward,
    "native_dropout_backward": lambda grad_output, mask, scale: grad_output * mask * scale,
    "slice": _slice,
}


def _found(name: str) -> Callable[..., Any] | None:
    if name in _OTHERS:
        return _OTHERS[name]
    library = importlib.import_module("tinytorch")
    places = [(library, name), (library.nn.functional, name), (library.Tensor, name)]
    for prefix, place in _PREFIXES.items():
        if name.startswith(prefix):
            places.insert(0, (importlib.import_module(place), name.removeprefix(prefix)))
    for place, short in places:
        found = getattr(place, short, None)
        if callable(found) and not isinstance(found, type):
            return found
    return None


aten = Namespace()
