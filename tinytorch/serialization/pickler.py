"""The object as a program for the pickle machine.

A pickle is a little program for a machine with a stack and a memo. ``{"a": [1, 2]}`` becomes::

    EMPTY_DICT  BINPUT 0  MARK  BINUNICODE "a"  BINPUT 1  EMPTY_LIST  BINPUT 2  MARK  BININT1 1  BININT1 2
    APPENDS  SETITEMS  STOP

An object that turns up again is fetched from the memo (``BINGET 2``), so what was one object is one object
after loading.

Python's own pickler would do, but its output depends on which strings happen to be the same object; here equal
objects give equal bytes. For tensors and plain containers it writes just the instructions that
``torch.load(weights_only=True)`` knows: protocol 2. Objects of other classes, which cannot be loaded in this safe way,
are written by :mod:`~tinytorch.serialization.reduction`.

A tensor becomes ``_rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks)``, where the
storage is a "persistent id": a tuple ``("storage", torch.FloatStorage, key, "cpu", length)`` that the reader
looks up outside the pickle.
"""

from __future__ import annotations

import pickle
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from tinytorch import dtypes
from tinytorch.device import device
from tinytorch.serialization.memory_map import View
from tinytorch.serialization.reduction import save_object
from tinytorch.serialization.storages import STORAGE_NAMES, UNTYPED
from tinytorch.size import Size
from tinytorch.tensor import Tensor
from tinytorch.tensor_base import TensorBase
from tinytorch.torch_function import overrides, without_overrides

__all__ = ["Pickler"]

_STORED_ATTRIBUTES = frozenset(TensorBase.__annotations__)  # what every tensor keeps for itself


class Pickler:
    """Turns an object into pickle bytes. ``place(tensor)`` says which view of which storage a tensor is.

    Raises pickle.PicklingError, naming the place, for what cannot be made again from a file.
    """

    def __init__(self, place: Callable[[Tensor], View]) -> None:
        self._place = place
        self._out = bytearray()
        self._memo: dict[Any, int] = {}
        self._alive: list[Any] = []  # the memo knows objects by id, which no other object may get meanwhile
        self._path: list[Any] = []  # indices and keys that lead to where we are, for error messages

    def dump(self, obj: Any) -> bytes:
        """The whole pickle of ``obj``."""
        self._out += pickle.PROTO + b"\x02"
        try:
            self._save(obj)
        except RecursionError:
            raise pickle.PicklingError("the object is nested too deeply, or a tuple contains itself") from None
        return bytes(self._out + pickle.STOP)

    # ------------------------------------------------------------------------------------ one object

    def _save(self, obj: Any) -> None:
        number = self._memo.get(_memo_key(obj))
        if number is not None:
            self._out += _indexed(pickle.BINGET, pickle.LONG_BINGET, number)
            return
        writer = _WRITERS.get(type(obj))
        if writer is not None:
            writer(self, obj)
        elif isinstance(obj, Tensor):
            with without_overrides(modes=True):
                self._tensor(obj)
        else:
            save_object(self, obj)

    def _save_at(self, step: Any, obj: Any) -> None:
        self._path.append(step)
        self._save(obj)
        self._path.pop()

    def _memoize(self, obj: Any) -> None:
        """Remember the object on top of the stack as ``obj``."""
        number = self._memo[_memo_key(obj)] = len(self._memo)
        self._alive.append(obj)
        self._out += _indexed(pickle.BINPUT, pickle.LONG_BINPUT, number)

    def _where(self) -> str:
        return "".join(f"[{step!r}]" for step in self._path) or "the object itself"

    # ------------------------------------------------------------------------------------ plain values

    def _none(self, obj: None) -> None:
        self._out += pickle.NONE

    def _bool(self, obj: bool) -> None:
        self._out += pickle.NEWTRUE if obj else pickle.NEWFALSE

    def _int(self, obj: int) -> None:
        if 0 <= obj < 1 << 8:
            self._out += pickle.BININT1 + struct.pack("<B", obj)
        elif 0 <= obj < 1 << 16:
            self._out += pickle.BININT2 + struct.pack("<H", obj)
        elif -(1 << 31) <= obj < 1 << 31:
            self._out += pickle.BININT + struct.pack("<i", obj)
        else:
            digits = pickle.encode_long(obj)
            if len(digits) > 255:
                raise pickle.PicklingError(f"integers of more than 2039 bits cannot be saved (at {self._where()})")
            self._out += pickle.LONG1 + struct.pack("<B", len(digits)) + digits

    def _float(self, obj: float) -> None:
        self._out += pickle.BINFLOAT + struct.pack(">d", obj)

    def _str(self, obj: str) -> None:
        text = obj.encode("utf-8", "surrogatepass")
        if len(text) >= 1 << 32:
            raise pickle.PicklingError(f"strings of 4 GB and more cannot be saved (at {self._where()})")
        self._out += pickle.BINUNICODE + struct.pack("<I", len(text)) + text
        self._memoize(obj)

    def _bytes(self, obj: bytes) -> None:
        self._call("_codecs", "encode", obj.decode("latin1"), "latin1")  # protocol 2 is older than bytes
        self._memoize(obj)

    def _bytearray(self, obj: bytearray) -> None:
        self._call("__builtin__", "bytearray", bytes(obj))
        self._memoize(obj)

    def _complex(self, obj: complex) -> None:
        self._call("__builtin__", "complex", obj.real, obj.imag)

    def _dtype(self, obj: dtypes.dtype) -> None:
        self._global("torch", obj.name)

    def _device(self, obj: device) -> None:
        self._call("torch", "device", obj.type, *([] if obj.index is None else [obj.index]))

    # ------------------------------------------------------------------------------------ containers

    def _list(self, obj: list[Any]) -> None:
        self._out += pickle.EMPTY_LIST
        self._memoize(obj)
        self._append_all(obj)

    def _append_all(self, items: list[Any]) -> None:
        if items:
            self._out += pickle.MARK
            for index, item in enumerate(items):
                self._save_at(index, item)
            self._out += pickle.APPENDS

    def _tuple(self, obj: tuple[Any, ...]) -> None:
        if not obj:
            self._out += pickle.EMPTY_TUPLE
            return
        if len(obj) > 3:
            self._out += pickle.MARK
        for index, item in enumerate(obj):
            self._save_at(index, item)
        self._out += {1: pickle.TUPLE1, 2: pickle.TUPLE2, 3: pickle.TUPLE3}.get(len(obj), pickle.TUPLE)
        self._memoize(obj)

    def _dict(self, obj: dict[Any, Any]) -> None:
        self._out += pickle.EMPTY_DICT
        self._memoize(obj)
        self._items(obj)

    def _items(self, obj: dict[Any, Any]) -> None:
        if obj:
            self._out += pickle.MARK
            for key, value in obj.items():
                self._save(key)
                self._save_at(key, value)
            self._out += pickle.SETITEMS

    def _ordered_dict(self, obj: OrderedDict[Any, Any]) -> None:
        self._call("collections", "OrderedDict")
        self._memoize(obj)
        self._items(obj)
        if vars(obj):  # a state_dict carries its versions as the attribute _metadata
            self._save_at("__dict__", vars(obj))
            self._out += pickle.BUILD

    def _counter(self, obj: Counter[Any]) -> None:
        self._call("collections", "Counter", dict(obj))
        self._memoize(obj)

    def _set(self, obj: set[Any]) -> None:
        # A set of strings has another order in every process; sorted, equal sets give equal bytes.
        self._call("__builtin__", "set", sorted(obj, key=lambda item: (type(item).__name__, repr(item))))
        self._memoize(obj)

    def _size(self, obj: Size) -> None:
        self._call("torch", "Size", tuple(obj))
        self._memoize(obj)

    # ------------------------------------------------------------------------------------ calls and tensors

    def _global(self, module: str, name: str) -> None:
        number = self._memo.get(("global", module, name))
        if number is not None:
            self._out += _indexed(pickle.BINGET, pickle.LONG_BINGET, number)
            return
        self._out += pickle.GLOBAL + f"{module}\n{name}\n".encode()
        number = self._memo["global", module, name] = len(self._memo)
        self._out += _indexed(pickle.BINPUT, pickle.LONG_BINPUT, number)

    def _call(self, module: str, name: str, *args: Any) -> None:
        """``module.name(*args)``, where the reader knows the function by that name."""
        self._global(module, name)
        self._save(args)
        self._out += pickle.REDUCE

    def _tensor(self, obj: Tensor) -> None:
        from tinytorch.nn.parameter import Parameter  # nn is loaded only for those who use it

        kind = type(obj)
        if kind not in (Tensor, Parameter) and not overrides(kind):
            raise pickle.PicklingError(
                f"cannot save {kind.__module__}.{kind.__qualname__} (at {self._where()}): convert it to a plain Tensor "
                "with as_subclass(Tensor)"
            )
        own = {name: value for name, value in vars(obj).items() if name not in _STORED_ATTRIBUTES}
        if kind is Parameter:
            self._global("torch._utils", "_rebuild_parameter_with_state" if own else "_rebuild_parameter")
            self._out += pickle.MARK
            self._rebuild_call(obj, requires_grad=False)
            self._bool(obj.requires_grad)
            self._call("collections", "OrderedDict")  # of hooks: none are saved
            if own:
                self._save_at("__dict__", own)
            self._out += pickle.TUPLE + pickle.REDUCE
        elif own or kind is not Tensor:
            self._global("torch._tensor", "_rebuild_from_type_v2")
            self._out += pickle.MARK
            self._rebuild_call(obj, obj.requires_grad, only_arguments=True)
            self._save_at("__dict__", own)
            self._out += pickle.TUPLE + pickle.REDUCE
        else:
            self._rebuild_call(obj, obj.requires_grad)
        self._memoize(obj)

    def _rebuild_call(self, obj: Tensor, requires_grad: bool, only_arguments: bool = False) -> None:
        """``_rebuild_tensor_v2(...)``; or function, class and arguments, left on the stack."""
        view, dtype = self._place(obj), obj.dtype
        name = STORAGE_NAMES.get(dtype)
        self._global("torch._utils", "_rebuild_tensor_v2" if name else "_rebuild_tensor_v3")
        if only_arguments:
            kind = type(obj)
            if overrides(kind):
                self._save(kind)
            else:
                self._global("torch", "Tensor")
        self._out += pickle.MARK + pickle.MARK
        self._save("storage")
        if name:
            self._global("torch", name)
        else:
            self._global("torch.storage", UNTYPED)
        self._save(view.key)
        self._save("cpu")
        self._int(view.storage_size if name else view.storage_size * dtype.itemsize)
        self._out += pickle.TUPLE + pickle.BINPERSID
        self._int(view.offset)
        self._save(tuple(view.shape))
        self._save(view.strides)
        self._bool(requires_grad)
        self._call("collections", "OrderedDict")
        if not name:
            self._dtype(dtype)
        self._out += pickle.TUPLE + (b"" if only_arguments else pickle.REDUCE)


def _memo_key(obj: Any) -> Any:
    """How the memo knows an object: text by its value, for equal bytes; all else by identity."""
    return (type(obj), obj) if type(obj) in (str, bytes) else id(obj)


def _indexed(short: bytes, long: bytes, number: int) -> bytes:
    return short + struct.pack("<B", number) if number < 256 else long + struct.pack("<I", number)


_WRITERS: dict[type, Callable[[Pickler, Any], None]] = {
    type(None): Pickler._none, bool: Pickler._bool, int: Pickler._int, float: Pickler._float,
    complex: Pickler._complex, str: Pickler._str, bytes: Pickler._bytes, bytearray: Pickler._bytearray,
    list: Pickler._list, tuple: Pickler._tuple, dict: Pickler._dict, set: Pickler._set,
    OrderedDict: Pickler._ordered_dict, Counter: Pickler._counter,
    Size: Pickler._size, dtypes.dtype: Pickler._dtype, device: Pickler._device,
}  # fmt: skip
