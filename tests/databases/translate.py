"""PyTorch objects as tinytorch's: what lets a sample of PyTorch's own test databases be fed to both libraries."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch.testing._internal.opinfo.core import OpInfo

import tinytorch

__all__ = ["Untranslatable", "named", "resolve", "to_numpy", "translate"]


class Untranslatable(Exception):
    """The object has no counterpart in a NumPy framework: a sparse tensor, a complex number of half precision, a scripted function."""


def translate(value: Any) -> Any:
    """The same thing for tinytorch: tensors over copies in the same memory layout, containers item by item."""
    outermost = not _memories
    try:
        return _translate(value)
    finally:
        if outermost:
            _memories.clear()
            _tensors.clear()


def _translate(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return _tensor(value)
    if isinstance(value, torch.dtype):
        return named(str(value).removeprefix("torch."), value)
    if isinstance(value, torch.device):
        return tinytorch.device(value.type)
    if isinstance(value, torch.Size):
        return tinytorch.Size(value)
    if isinstance(value, (torch.memory_format, torch.layout)):
        return named(str(value).removeprefix("torch."), value)
    if isinstance(value, torch.Generator):
        return tinytorch.Generator().manual_seed(value.initial_seed())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_translate, value))
    if isinstance(value, (list, tuple)):
        return type(value)(map(_translate, value))
    if isinstance(value, Mapping):
        return {_translate(key): _translate(item) for key, item in value.items()}
    if isinstance(value, torch.nn.Module):
        return _module(value)
    if callable(value) and not isinstance(value, type) and not isinstance(value, OpInfo):
        return resolve(value)
    return value


def _module(value: torch.nn.Module) -> Any:
    """The same layer: its class, attributes, parameters, buffers and submodules."""
    name = type(value).__name__
    cls = named(f"nn.modules.attention.{name}" if name.startswith("NonDynamically") else f"nn.{name}", value)
    copy = cls.__new__(cls)
    tinytorch.nn.Module.__init__(copy)
    for name, parameter in value._parameters.items():
        same = (
            None if parameter is None else tinytorch.nn.Parameter(_tensor(parameter.detach()), parameter.requires_grad)
        )
        copy.register_parameter(name, same)
    for name, buffer in value._buffers.items():
        copy.register_buffer(name, None if buffer is None else _tensor(buffer))
    for name, child in value._modules.items():
        copy.add_module(name, None if child is None else _translate(child))
    for name in vars(value).keys() - vars(torch.nn.Module()).keys():
        setattr(copy, name, _translate(vars(value)[name]))
    return copy.train(value.training)


def _tensor(value: torch.Tensor) -> tinytorch.Tensor:
    if value.layout is torch.sparse_coo:
        parts = [_tensor(part) for part in (value._indices(), value._values())]
        return tinytorch.sparse_coo_tensor(*parts, tuple(value.shape), is_coalesced=value.is_coalesced())
    if value.layout is not torch.strided or value.is_quantized:
        raise Untranslatable(f"{value.layout} tensor")
    if id(value) not in _tensors:
        _tensors[id(value)] = value, tinytorch.from_numpy(_array(value)).requires_grad_(value.requires_grad)
    return _tensors[id(value)][1]


#: Storages of PyTorch that are being translated, by address: views of one memory stay views of one memory.
_memories: dict[int, tuple[Any, np.ndarray]] = {}  # with the original, whose address must not be given away
#: Tensors that are being translated: an object that occurs twice stays one object.
_tensors: dict[int, tuple[torch.Tensor, tinytorch.Tensor]] = {}  # with the original, whose id must not be given away


def _array(value: torch.Tensor) -> np.ndarray:
    """A view with the tensor's strides into a copy of its whole storage."""
    value = value.detach().resolve_conj().resolve_neg()
    try:
        half = value.dtype is torch.bfloat16
        dtype = tinytorch.bfloat16.numpy if half else value.new_empty(0).numpy().dtype
    except TypeError:
        raise Untranslatable(str(value.dtype)) from None
    if not value.numel() and value.is_contiguous():  # no memory, so nothing that it could share
        return np.empty(tuple(value.shape), dtype)
    if not value.numel():
        strides = tuple(stride * dtype.itemsize for stride in value.stride())
        return np.lib.stride_tricks.as_strided(np.empty(0, dtype), tuple(value.shape), strides)
    storage = value.untyped_storage()
    if storage.data_ptr() not in _memories:
        whole = torch.empty(0, dtype=torch.uint8).set_(storage).numpy().copy()
        _memories[storage.data_ptr()] = storage, whole
    memory = _memories[storage.data_ptr()][1]
    if value.ndim > 64:
        raise Untranslatable("NumPy has 64 dimensions at most")
    strides = tuple(stride * dtype.itemsize for stride in value.stride())
    return np.ndarray(tuple(value.shape), dtype, memory, value.storage_offset() * dtype.itemsize, strides)


def named(path: str, original: Any) -> Any:
    """``path`` looked up in tinytorch."""
    found: Any = tinytorch
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise Untranslatable(f"no tinytorch.{path} (for {original})") from None
    return found


#: How PyTorch's C functions name the module they stand in.
_PREFIXES = {
    "_linalg.linalg_": "linalg.",
    "_nn.": "nn.functional.",
    "_special.special_": "special.",
    "_fft.fft_": "fft.",
}


def resolve(function: Callable[..., Any]) -> Callable[..., Any]:
    """tinytorch's counterpart of one of PyTorch's functions or methods, or of a lambda that calls some.

    A Python function from outside PyTorch's public modules is kept, with ``torch`` and ``F`` in its globals replaced.
    """
    if isinstance(function, functools.partial):
        return functools.partial(
            resolve(function.func), *translate(list(function.args)), **translate(function.keywords)
        )
    if not (getattr(function, "__module__", None) or "torch").startswith("torch"):
        return function
    if isinstance(function, types.FunctionType) and (
        "<lambda>" in function.__qualname__ or function.__module__.startswith("torch.testing")
    ):
        return _rebound(function)
    if isinstance(function, (torch._ops.OpOverload, torch._ops.OpOverloadPacket)):
        return named(f"ops.aten.{function.__name__.split('.')[0]}", function)
    if isinstance(function, (types.MethodDescriptorType, types.WrapperDescriptorType)) or (
        getattr(function, "__qualname__", "").startswith("Tensor.")
    ):
        return named(f"Tensor.{function.__name__}", function)
    path = _path(function)
    if path is not None:
        return named(path, function)
    name = getattr(function, "__name__", "")
    if name.endswith("_") and hasattr(tinytorch.nn.functional, name[:-1]):
        return functools.partial(getattr(tinytorch.nn.functional, name[:-1]), inplace=True)
    raise Untranslatable(f"cannot place {function}")


@functools.cache
def _path(function: Callable[..., Any]) -> str | None:
    """The dotted name, below ``torch``, by which one of PyTorch's modules has the function."""
    for module, prefix in _modules():
        for name, value in reversed(vars(module).items()):
            if value is function and not name.startswith("__"):
                return prefix + name
    return None


def _modules() -> list[tuple[Any, str]]:
    return [
        (torch, ""),
        (torch.nn.functional, "nn.functional."),
        (torch.linalg, "linalg."),
        (torch.special, "special."),
        (torch.fft, "fft."),
        (torch.masked, "masked."),
        (torch.signal.windows, "signal.windows."),
        (torch.nn.init, "nn.init."),
    ]


class _TorchForTests(types.ModuleType):
    """tinytorch under the name ``torch``; what it lacks is an :class:`Untranslatable`, not an AttributeError."""

    def __getattr__(self, name: str) -> Any:
        return named(name, name)


def _seeded(op: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Stands for ``wrapper_set_seed`` of PyTorch's tests: random ops are called from a fixed seed."""
    tinytorch.manual_seed(42)
    return op(*args, **kwargs)


#: What a function from outside PyTorch's public modules finds under these names.
_STAND_INS = {"torch": _TorchForTests("torch"), "F": tinytorch.nn.functional, "wrapper_set_seed": _seeded}
#: Globals of such functions with the stand-ins in place, by the identity of the originals.
_replaced: dict[int, dict[str, Any]] = {}


def _rebound(function: Any) -> Any:
    names = function.__globals__
    if id(names) not in _replaced:
        _replaced[id(names)] = {name: _STAND_INS.get(name, value) for name, value in names.items()}
    cells = tuple(types.CellType(translate(cell.cell_contents)) for cell in function.__closure__ or ())
    defaults = translate(function.__defaults__ or ()) or None
    new = types.FunctionType(function.__code__, _replaced[id(names)], function.__name__, defaults, cells or None)
    new.__kwdefaults__ = translate(function.__kwdefaults__) if function.__kwdefaults__ else None
    return new


def to_numpy(tensor: Any) -> np.ndarray:
    """The values of a tensor of either library."""
    tensor = tensor.detach().to_dense() if tensor.is_sparse else tensor.detach()
    if isinstance(tensor, torch.Tensor):
        tensor = tensor.float() if tensor.dtype is torch.bfloat16 else tensor
        return tensor.resolve_conj().resolve_neg().numpy(force=True)
    tensor = tensor.float() if tensor.dtype is tinytorch.bfloat16 else tensor
    return np.asarray(tensor.numpy())
