"""Tensors without values, only a shape and a dtype: ``device="meta"``.

A module on the meta device, made there or moved, takes no memory. It serves as the form into which others' parameters
go, or waits for its own: :func:`tinytorch.func.functional_call`, ``load_state_dict(..., assign=True)``,
``to_empty(device="cpu")``.

>>> import tinytorch
>>> layer = tinytorch.nn.Linear(2, 3).to("meta")
>>> layer.weight
Parameter containing:
tensor(..., device='meta', size=(3, 2), requires_grad=True)
>>> layer.load_state_dict(tinytorch.nn.Linear(2, 3).state_dict(), assign=True)
<All keys matched successfully>
>>> layer(tinytorch.ones(1, 2)).shape
torch.Size([1, 3])

What PyTorch does. There ops on such tensors compute shapes. Here only what fills a tensor in place may be called, as
layers do with their parameters: it does nothing. Every other op raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinytorch.device import device
from tinytorch.dtypes import dtype as DType
from tinytorch.dtypes import from_numpy_dtype, get_default_dtype
from tinytorch.nn.parameter import Parameter, Valueless, is_lazy, valueless
from tinytorch.tensor import Tensor

__all__ = ["MetaParameter", "MetaTensor", "module_from_meta", "module_to_meta", "parameter_without_values",
           "without_values"]  # fmt: skip

_META = device("meta")


class MetaTensor(Valueless):
    """A shape and a dtype."""

    is_meta = True

    @property
    def _array(self) -> Any:  # type: ignore[override]
        raise NotImplementedError(
            "Cannot copy out of meta tensor; no data! A module on the meta device has no values to compute with: give "
            "it some by torch.nn.Module.to_empty() instead of torch.nn.Module.to(), by load_state_dict(..., "
            "assign=True), or by torch.func.functional_call()."
        )

    @property
    def device(self) -> device:
        """The meta device."""
        return _META

    @property
    def shape(self) -> Any:
        """The size of each dimension."""
        return self._form.shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._form.ndim

    def size(self, dim: int | None = None) -> Any:
        """The shape, or one of its sizes."""
        return self._form.size(dim)

    def dim(self) -> int:
        """The number of dimensions."""
        return self._form.ndim

    def numel(self) -> int:
        """How many elements there would be."""
        return self._form.numel()

    def element_size(self) -> int:
        """Bytes of an element."""
        return self._form.element_size()

    def is_floating_point(self) -> bool:
        """Whether the dtype is a floating one."""
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Whether the dtype is a complex one."""
        return self.dtype.is_complex

    @property
    def data(self) -> Tensor:
        """The same, outside of any graph."""
        return MetaTensor._of(self._form, False)

    @data.setter
    def data(self, value: Tensor) -> None:
        raise RuntimeError("a tensor on the meta device cannot be given data: assign another parameter")

    def detach(self) -> Tensor:
        """The same, outside of any graph."""
        return self.data

    def to(self, *args: Any, **options: Any) -> Any:
        """The same on the meta device, perhaps in another dtype; there are no values to take anywhere else."""
        wanted = options.get("dtype", next((arg for arg in args if isinstance(arg, DType)), None))
        where = options.get("device", next((arg for arg in args if isinstance(arg, (str, device))), _META))
        if str(where) != "meta" or isinstance(args[0] if args else None, Tensor):
            return self._array
        return self if wanted in (None, self.dtype) else valueless(type(self), self.shape, wanted, self._requires_grad)

    def _fill(self, *args: Any, **options: Any) -> Any:
        """Nothing: there are no values to fill in."""
        return self

    uniform_ = normal_ = zero_ = fill_ = copy_ = random_ = bernoulli_ = exponential_ = _fill

    def __len__(self) -> int:
        return len(self._form)

    def __repr__(self) -> str:  # type: ignore[override]
        said = [f"size={tuple(self.shape)}"]
        if self.dtype is not get_default_dtype():
            said.append(f"dtype={self.dtype}")
        if self._requires_grad:
            said.append("requires_grad=True")
        return f"tensor(..., device='meta', {', '.join(said)})"


class MetaParameter(MetaTensor, Parameter):
    """A parameter without values."""

    def __repr__(self) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()


def without_values(array: np.ndarray, requires_grad: bool) -> Any:
    """A tensor on the meta device in place of one that holds the array."""
    return valueless(MetaTensor, array.shape, from_numpy_dtype(array.dtype), requires_grad)


def parameter_without_values(data: Any, requires_grad: bool) -> Any:
    """The parameter on the meta device for such a tensor."""
    return MetaParameter._of(data._form, requires_grad)


def _kept_by(module: Any, recurse: bool = True) -> Iterator[tuple[dict[str, Any], str, Any]]:
    """All parameters and buffers: where each is kept, under which name, and itself."""
    for part in module.modules() if recurse else [module]:
        for kept in (part._parameters, part._buffers):
            yield from [(kept, name, tensor) for name, tensor in kept.items() if tensor is not None]


def module_to_meta(module: Any, dtype: Any) -> None:
    """Replace all parameters and buffers of the module and its children by such without values."""
    for kept, name, tensor in _kept_by(module):
        if not is_lazy(tensor):
            cls = MetaParameter if isinstance(tensor, Parameter) else MetaTensor
            kind = dtype if dtype is not None and tensor.is_floating_point() else tensor.dtype
            kept[name] = valueless(cls, tuple(tensor.shape), kind, tensor._requires_grad)


def module_from_meta(module: Any, recurse: bool) -> None:
    """Replace those without values by such with arbitrary ones."""
    for kept, name, tensor in _kept_by(module, recurse):
        if isinstance(tensor, MetaTensor):
            values = Tensor._wrap(np.empty(tensor.shape, tensor._form._array.dtype))
            is_parameter = isinstance(tensor, Parameter)
            kept[name] = Parameter(values, requires_grad=tensor._requires_grad) if is_parameter else values
