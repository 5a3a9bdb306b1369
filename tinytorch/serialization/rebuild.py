"""The only functions that a checkpoint may call.

In a pickle stands "call ``torch._utils._rebuild_tensor_v2`` with ...". Python's own unpickler would import
whatever is named there and call it - ``os.system`` as well - and this is why a pickle from a stranger must
never be opened with it. Here the names are looked up in :data:`KNOWN_GLOBALS`, a plain dictionary: nothing is
imported, and what a name stands for is one of the functions below.

Each takes exactly what PyTorch writes and checks it, because the arguments are a stranger's too:
``bytearray(10**12)`` would be harmless code and still the end of the process.
"""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from time import thread_time
from typing import Any

import numpy as np

from tinytorch import dtypes
from tinytorch.device import device
from tinytorch.serialization.storages import STORAGE_NAMES, UNTYPED, Storage, StorageType, view_of_storage
from tinytorch.size import Size
from tinytorch.tensor import Tensor
from tinytorch.tensor_base import TensorBase

__all__ = ["KNOWN_GLOBALS", "Keys", "KnownClass", "KnownFunction", "find_global"]


class KnownFunction:
    """A function that a pickle may call, under PyTorch's name for it."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name, self.function = name, function

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)


class KnownClass:
    """A class that a pickle may mention."""

    def __init__(self, name: str) -> None:
        self.name = name


def find_global(module: str, name: str) -> Any:
    """What ``module.name`` stands for. Raises pickle.UnpicklingError, naming it, if it is nothing known."""
    module = _NEWER_NAMES.get(module, module)
    full_name = f"{module}.{name}"[:300]
    known = KNOWN_GLOBALS.get(full_name)
    if known is not None:
        return known
    if module in ("torch", "torch.storage") and name.endswith("Storage"):
        return StorageType(name)  # an error only if such a storage is really loaded
    if full_name in _FOREIGN_DTYPES:
        raise pickle.UnpicklingError(f"the file names the dtype {full_name}, which tinytorch does not have")
    raise pickle.UnpicklingError(
        f"Unsupported global: GLOBAL {full_name} was not an allowed global by default. With weights_only=True (the "
        "default) tensors, Parameters and plain containers are loaded, and no code from the file runs. If you trust "
        "the file, load it with weights_only=False."
    )


# ------------------------------------------------------------------------------------------------ tensors


def _tensor(
    storage: Any,
    offset: Any,
    shape: Any,
    strides: Any,
    requires_grad: Any = False,
    hooks: Any = None,
    meta: Any = None,
) -> Tensor:
    """``torch._utils._rebuild_tensor_v2``. Hooks are never restored."""
    if not isinstance(storage, Storage) or storage.type_name == UNTYPED:
        raise pickle.UnpicklingError("a tensor without a storage of numbers")
    return _made(view_of_storage(storage.numbers, offset, shape, strides), requires_grad, meta)


def _tensor_with_dtype(
    storage: Any,
    offset: Any,
    shape: Any,
    strides: Any,
    requires_grad: Any,
    hooks: Any,
    dtype: Any,
    meta: Any = None,
) -> Tensor:
    """``torch._utils._rebuild_tensor_v3``: the storage is untyped bytes."""
    if not isinstance(storage, Storage) or storage.type_name != UNTYPED or not isinstance(dtype, dtypes.dtype):
        raise pickle.UnpicklingError("a tensor without a storage of bytes or without a dtype")
    return _made(view_of_storage(storage.as_dtype(dtype), offset, shape, strides), requires_grad, meta)


def _made(array: np.ndarray, requires_grad: Any, meta: Any) -> Tensor:
    if meta:  # PyTorch's marks for "the numbers are still to be conjugated" or "negated"
        raise RuntimeError(
            "the file holds a tensor with the marks of PyTorch's lazy .conj() or .imag, which tinytorch does "
            "not have. In PyTorch, save tensor.resolve_conj().resolve_neg() instead."
        )
    tensor = Tensor._wrap(array)
    tensor._shared_memory()  # with the other tensors over the same storage
    if requires_grad:
        tensor.requires_grad = True
    return tensor


def _parameter(data: Any, requires_grad: Any, hooks: Any) -> Tensor:
    """``torch._utils._rebuild_parameter``."""
    from tinytorch.nn.parameter import Parameter  # nn is loaded only for those who use it

    if not isinstance(data, Tensor):
        raise pickle.UnpicklingError("a Parameter without a tensor")
    return Parameter(data, bool(requires_grad))


def _parameter_with_attributes(data: Any, requires_grad: Any, hooks: Any, attributes: Any) -> Tensor:
    """``torch._utils._rebuild_parameter_with_state``."""
    return _with_attributes(_parameter(data, requires_grad, hooks), attributes)


def _tensor_with_attributes(function: Any, kind: Any, args: Any, attributes: Any) -> Tensor:
    """``torch._tensor._rebuild_from_type_v2``: a tensor with attributes of the user's, or a Buffer's mark."""
    if not isinstance(function, KnownFunction) or function.function not in (_tensor, _tensor_with_dtype):
        raise pickle.UnpicklingError("a tensor that is made by something else than _rebuild_tensor")
    is_subclass = isinstance(kind, type) and issubclass(kind, Tensor)
    if not (is_subclass or isinstance(kind, KnownClass)) or not isinstance(args, tuple):
        raise pickle.UnpicklingError("a tensor of an unknown class")
    tensor = function.function(*args)
    if is_subclass and kind is not Tensor:
        tensor = tensor._as_object_of(kind)
    return _with_attributes(tensor, attributes)


def _with_attributes(tensor: Tensor, attributes: Any) -> Tensor:
    if isinstance(attributes, tuple) and len(attributes) == 2 and not attributes[1]:
        attributes = attributes[0]  # (__dict__, slots)
    if attributes is None:
        return tensor
    if type(attributes) is not dict:
        raise pickle.UnpicklingError("the attributes of a tensor are no dictionary")
    for name, value in attributes.items():
        if type(name) is not str:
            raise pickle.UnpicklingError("an attribute of a tensor whose name is no text")
        if name in TensorBase.__annotations__ or hasattr(Tensor, name):
            raise pickle.UnpicklingError(f"a tensor whose attribute {name!r} hides one of its own")
        setattr(tensor, name, value)
    return tensor


# ----------------------------------------------------------------------------------------------- plain values


class Keys:
    """Keys of dictionaries and members of sets, handed out one by one to whoever inserts them: those that are safe,
    and as long as inserting them takes no time to speak of.

    Numbers are easily chosen so that they all meet in one place of Python's hash table (the multiples of 2**61 - 1 have
    the hash 0). Inserting n of them takes n**2 steps: a megabyte would take hours. What meets where is up to Python, so
    the time itself is looked at. A key takes a fraction of a microsecond; those of real files come nowhere near the
    limit.
    """

    seconds_at_first, seconds_per_key = 0.1, 2e-5  # of computing

    def __init__(self) -> None:
        self.count, self.seconds = 0, 0.0

    def __call__(self, keys: Iterable[Any]) -> Iterator[Any]:
        """``keys`` again. UnpicklingError for one that is not safe, and where they, and all before, took too long."""
        started = thread_time()
        for key in keys:
            yield checked_key(key)
            self.count += 1
            if self.count % 256 == 0:
                self._spent(thread_time() - started)
                started = thread_time()
        self._spent(thread_time() - started)

    def _spent(self, seconds: float) -> None:
        self.seconds += seconds
        if self.seconds > self.seconds_at_first + self.seconds_per_key * self.count:
            raise pickle.UnpicklingError(
                f"the keys of dictionaries take too long: {self.count} of them took {self.seconds:.1f} s. Their hashes "
                "collide, as if chosen to. If you trust the file, load it with weights_only=False."
            )


def checked_key(key: Any) -> Any:
    """``key`` itself if it can safely be a key of a dictionary or a member of a set; UnpicklingError if not.

    Python hashes a tuple by hashing all that is in it, without a limit to depth or repetition: a short pickle
    can build a tuple whose hash overflows the stack or takes years.
    """
    if type(key) in _SIMPLE_KEYS or isinstance(key, Tensor):
        return key
    steps, to_check = 0, [key]
    while to_check:
        part = to_check.pop()
        steps += 1
        if isinstance(part, tuple) and steps + len(part) < 1000:
            to_check.extend(part)
        elif type(part) not in _SIMPLE_KEYS:
            raise pickle.UnpicklingError(
                f"a {type(part).__name__} in the key of a dictionary, or a key that is too large"
            )
    return key


_SIMPLE_KEYS = frozenset({str, int, float, bool, type(None), bytes, complex, dtypes.dtype, device})


def _encode(text: Any, encoding: Any) -> bytes:
    """``_codecs.encode(text, "latin1")``: how protocol 2 writes bytes."""
    if type(text) is not str or encoding != "latin1":
        raise pickle.UnpicklingError("bytes that are not written as latin1 text")
    return text.encode("latin1")


def _bytes() -> bytes:
    return b""


def _bytearray(content: Any = b"") -> bytearray:
    if type(content) is not bytes:
        raise pickle.UnpicklingError("a bytearray that is not made of bytes")
    return bytearray(content)


def _complex(real: Any, imag: Any) -> complex:
    if type(real) is not float or type(imag) is not float:
        raise pickle.UnpicklingError("a complex number that is not made of two floats")
    return complex(real, imag)


def _set(members: Any = ()) -> set[Any]:
    if type(members) not in (list, tuple):
        raise pickle.UnpicklingError("a set that is not made of a list")
    return set(Keys()(members))


def _ordered_dict(source: Any = ()) -> OrderedDict[Any, Any]:
    if type(source) not in (list, tuple) or any(type(pair) not in (list, tuple) or len(pair) != 2 for pair in source):
        raise pickle.UnpicklingError("an OrderedDict that is not made of pairs")  # as Python 2 wrote them
    return OrderedDict(zip(Keys()(key for key, _ in source), (value for _, value in source), strict=True))


def _counter(source: Any = None) -> Counter[Any]:
    if source is not None and type(source) is not dict:
        raise pickle.UnpicklingError("a Counter that is not made of a dictionary")
    return Counter(source or {})


def _size(sizes: Any = ()) -> Size:
    if type(sizes) not in (tuple, list) or any(type(n) is not int for n in sizes):
        raise pickle.UnpicklingError("a torch.Size that is not made of integers")
    return Size(sizes)


def _device(kind: Any, index: Any = None) -> device:
    if type(kind) is not str or not (index is None or type(index) is int):
        raise pickle.UnpicklingError("a torch.device that is not made of a name and a number")
    return device(kind, index)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_with_dtype,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter_with_attributes,
    "torch._tensor._rebuild_from_type_v2": _tensor_with_attributes,
    "torch.Size": _size,
    "torch.device": _device,
    "collections.OrderedDict": _ordered_dict,
    "collections.Counter": _counter,
    "builtins.set": _set,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytearray,
    "builtins.complex": _complex,
    "_codecs.encode": _encode,
}
_DTYPES = {f"torch.{d.name}": d for d in (*STORAGE_NAMES, dtypes.uint16, dtypes.uint32, dtypes.uint64)}
_NEWER_NAMES = {"__builtin__": "builtins", "torch.tensor": "torch._tensor"}  # of Python 2 and older PyTorch
_FOREIGN_DTYPES = frozenset({"torch.complex32", "torch.qint8", "torch.quint8", "torch.qint32"})
#: Everything that a pickle may name: nothing else exists for it.
KNOWN_GLOBALS: dict[str, Any] = {
    **{name: KnownFunction(name, function) for name, function in _FUNCTIONS.items()},
    **_DTYPES,
    "torch.Tensor": KnownClass("torch.Tensor"),
}
