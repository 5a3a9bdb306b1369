"""The pickle machine, without the instructions that make Python's own dangerous.

What :mod:`tinytorch.serialization.pickler` describes is run here: one instruction at a time, on a stack, with
a memo. It differs from Python's own machine in what a file can make it do:

- A name means what :mod:`~tinytorch.serialization.rebuild` says, or the file is refused. No import, no class
  of the file's choice.
- There are no instructions to set attributes of arbitrary objects, and none that protocol 2 of PyTorch does
  not need.
- It does not recurse, whatever is nested in the pickle, it copies no more than the pickle is long, and keys that
  collide are refused: memory and time stay proportional to the file. (The memo is a dictionary; Python's own makes
  room for as many entries as the file says.)
"""

from __future__ import annotations

import pickle
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from tinytorch import dtypes
from tinytorch.device import device
from tinytorch.serialization.rebuild import Keys, KnownFunction, find_global
from tinytorch.serialization.storages import Storage, StorageType
from tinytorch.size import Size
from tinytorch.tensor import Tensor
from tinytorch.tensor_base import TensorBase

__all__ = ["Unpickler"]

_DEEPEST = 500  # containers within containers; Python's own functions give up near 1000
_COPIES_PER_BYTE = 8
_FINISHED = frozenset({
    type(None), bool, int, float, complex, str, bytes, bytearray, set, Size, dtypes.dtype, device,
})  # fmt: skip
_PLAIN = frozenset({list, tuple, dict})
_PROTOCOL_2_ONLY = (
    "pickle instruction {code!r} at byte {position} is not one that PyTorch's default protocol 2 uses. If "
    "torch.save was called with pickle_protocol=..., save again without it."
)


class Unpickler:
    """Runs the pickle ``data``; ``load_storage(type, key, location, length)`` fetches storages.

    Raises pickle.UnpicklingError for every pickle that is damaged or wants what it may not have.
    """

    def __init__(
        self,
        data: bytes,
        load_storage: Callable[[StorageType, str, str, int], Storage],
        encoding: str = "utf-8",
    ) -> None:
        self._data, self._position = data, 0
        self._load_storage, self._encoding = load_storage, encoding
        self._stack: list[Any] = []
        self._outer_stacks: list[list[Any]] = []  # put aside by MARK
        self._memo: dict[int, Any] = {}
        self._keys = Keys()
        self._copies_left = _COPIES_PER_BYTE * len(data) + 1000
        self._elsewhere = False  # while load_storage runs, whose errors are not the pickle's

    def load(self) -> Any:
        """The object."""
        try:
            while True:
                code = self._take(1)
                if code == pickle.STOP:
                    result = self._stack.pop()
                    break
                instruction = _INSTRUCTIONS.get(code)
                if instruction is None:
                    raise pickle.UnpicklingError(_PROTOCOL_2_ONLY.format(code=code, position=self._position - 1))
                instruction(self)
        except (
            IndexError,
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            OverflowError,
            struct.error,
        ) as error:
            if self._elsewhere:
                raise
            raise pickle.UnpicklingError(
                f"the pickle is damaged near byte {self._position}: {type(error).__name__}: {str(error)[:200]}"
            ) from None
        _check_finished(result)
        return result

    # ------------------------------------------------------------------------------------ reading bytes

    def _take(self, count: int) -> bytes:
        end = self._position + count
        if end > len(self._data):
            raise pickle.UnpicklingError("the pickle ends early")
        part = self._data[self._position : end]
        self._position = end
        return part

    def _unpack(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _line(self) -> str:
        end = self._data.find(b"\n", self._position)
        if end < 0:
            raise pickle.UnpicklingError("the pickle ends early")
        line = self._take(end - self._position)
        self._position += 1
        return line.decode()

    def _pop_mark(self) -> list[Any]:
        items, self._stack = self._stack, self._outer_stacks.pop()
        return items

    # ------------------------------------------------------------------------------------ values

    def _protocol(self) -> None:
        version = self._unpack("<B")
        if version != 2:
            raise pickle.UnpicklingError(
                f"the pickle has protocol {version}, and only PyTorch's default, 2, can be loaded. Save "
                "again without pickle_protocol=..."
            )

    def _long(self) -> None:
        self._stack.append(pickle.decode_long(self._take(self._unpack("<B"))))

    def _text(self) -> None:
        self._stack.append(self._take(self._unpack("<I")).decode("utf-8", "surrogatepass"))

    def _old_text(self) -> None:  # Python 2's str
        raw = self._take(self._unpack("<B"))
        self._stack.append(raw if self._encoding == "bytes" else raw.decode(self._encoding))

    # ------------------------------------------------------------------------------------ memo, tuples,
    # containers

    def _mark(self) -> None:
        self._outer_stacks.append(self._stack)
        self._stack = []

    def _put(self, form: str) -> None:
        self._memo[self._unpack(form)] = self._stack[-1]

    def _get(self, form: str) -> None:
        self._stack.append(self._memo[self._unpack(form)])

    def _tuple(self) -> None:
        items = self._pop_mark()
        self._stack.append(tuple(items))

    def _short_tuple(self, length: int) -> None:
        if len(self._stack) < length:
            raise pickle.UnpicklingError("a tuple of more than there is on the stack")
        self._stack[-length:] = [tuple(self._stack[-length:])]

    def _append(self, items: list[Any]) -> None:
        if type(self._stack[-1]) is not list:
            raise pickle.UnpicklingError(f"Can only append to lists, but got {type(self._stack[-1])}")
        self._stack[-1].extend(items)

    def _set(self, items: list[Any]) -> None:
        if type(self._stack[-1]) not in (dict, OrderedDict, Counter):
            raise pickle.UnpicklingError(f"Can only set items of dictionaries, but got {type(self._stack[-1])}")
        if len(items) % 2:
            raise pickle.UnpicklingError("a key without a value")
        target = self._stack[-1]
        for key, value in zip(self._keys(items[::2]), items[1::2], strict=True):
            target[key] = value

    def _pop_two(self) -> list[Any]:
        value, key = self._stack.pop(), self._stack.pop()
        return [key, value]

    # ------------------------------------------------------------------------------------ names, calls,
    # storages

    def _global(self) -> None:
        module = self._line()
        self._stack.append(find_global(module, self._line()))

    def _reduce(self) -> None:
        args, function = self._stack.pop(), self._stack.pop()
        if not isinstance(function, KnownFunction) or type(args) is not tuple:
            raise pickle.UnpicklingError(f"Trying to call reduce for unrecognized function {_kind(function)}")
        self._copies_left -= sum(len(arg) for arg in args if type(arg) in (str, bytes, tuple, list, dict))
        if self._copies_left < 0:
            raise pickle.UnpicklingError("the pickle copies more than it holds")
        try:
            self._stack.append(function.function(*args))
        except TypeError as error:
            raise pickle.UnpicklingError(
                f"{function.name} is called with wrong arguments: {str(error)[:200]}"
            ) from None

    def _build(self) -> None:
        """Attributes of an OrderedDict: a state_dict has ``_metadata``."""
        state, target = self._stack.pop(), self._stack[-1]
        if type(target) is not OrderedDict or type(state) is not dict:
            raise pickle.UnpicklingError(f"Can only build OrderedDict, but got {type(target)}")
        for name, value in state.items():
            if type(name) is not str or hasattr(OrderedDict, name):
                raise pickle.UnpicklingError("an OrderedDict with an attribute that would hide one of its methods")
            setattr(target, name, value)

    def _persistent(self) -> None:
        saved = self._stack.pop()
        if (
            type(saved) is not tuple
            or len(saved) != 5
            or saved[0] != "storage"
            or not isinstance(saved[1], StorageType)
        ):
            raise pickle.UnpicklingError(f"Only persistent_load of storage is allowed, but got {_kind(saved)}")
        _, storage_type, key, location, length = saved
        if type(key) is not str or type(location) is not str or type(length) is not int:
            raise pickle.UnpicklingError("a storage whose key or location is no text, or whose length is no integer")
        self._elsewhere = True
        self._stack.append(self._load_storage(storage_type, key, location, length))
        self._elsewhere = False


_INSTRUCTIONS: dict[bytes, Callable[[Unpickler], None]] = {
    pickle.PROTO: Unpickler._protocol,
    pickle.NONE: lambda u: u._stack.append(None),
    pickle.NEWTRUE: lambda u: u._stack.append(True),
    pickle.NEWFALSE: lambda u: u._stack.append(False),
    pickle.BININT: lambda u: u._stack.append(u._unpack("<i")),
    pickle.BININT1: lambda u: u._stack.append(u._unpack("<B")),
    pickle.BININT2: lambda u: u._stack.append(u._unpack("<H")),
    pickle.LONG1: Unpickler._long,
    pickle.BINFLOAT: lambda u: u._stack.append(u._unpack(">d")),
    pickle.BINUNICODE: Unpickler._text,
    pickle.SHORT_BINSTRING: Unpickler._old_text,
    pickle.EMPTY_TUPLE: lambda u: u._stack.append(()),
    pickle.EMPTY_LIST: lambda u: u._stack.append([]),
    pickle.EMPTY_DICT: lambda u: u._stack.append({}),
    pickle.TUPLE: Unpickler._tuple,
    pickle.TUPLE1: lambda u: u._short_tuple(1),
    pickle.TUPLE2: lambda u: u._short_tuple(2),
    pickle.TUPLE3: lambda u: u._short_tuple(3),
    pickle.MARK: Unpickler._mark,
    pickle.APPEND: lambda u: u._append([u._stack.pop()]),
    pickle.APPENDS: lambda u: u._append(u._pop_mark()),
    pickle.SETITEM: lambda u: u._set(u._pop_two()),
    pickle.SETITEMS: lambda u: u._set(u._pop_mark()),
    pickle.BINPUT: lambda u: u._put("<B"),
    pickle.LONG_BINPUT: lambda u: u._put("<I"),
    pickle.BINGET: lambda u: u._get("<B"),
    pickle.LONG_BINGET: lambda u: u._get("<I"),
    pickle.GLOBAL: Unpickler._global,
    pickle.REDUCE: Unpickler._reduce,
    pickle.BUILD: Unpickler._build,
    pickle.BINPERSID: Unpickler._persistent,
}


def _kind(obj: Any) -> str:
    """What an object is, for error messages. Never its text: that of nested lists can be endless."""
    return f"torch.{obj.type_name}" if isinstance(obj, Storage) else str(getattr(obj, "name", type(obj).__name__))


def _check_finished(result: Any) -> None:
    """Raise if the object is nested too deeply, or holds what only the machine may see."""
    seen: set[int] = set()
    level = [result]
    for _ in range(_DEEPEST):
        inner: list[Any] = []
        for obj in level:
            if type(obj) in _FINISHED or id(obj) in seen or (type(obj) in _PLAIN and not obj):
                continue
            seen.add(id(obj))
            if isinstance(obj, (list, tuple)):
                inner.extend(obj)
            elif isinstance(obj, dict):
                inner.extend(obj.values())
                inner.extend(vars(obj).values() if isinstance(obj, OrderedDict) else ())
            elif isinstance(obj, Tensor):
                inner.extend(vars(obj)[name] for name in vars(obj).keys() - TensorBase.__annotations__.keys())
            else:
                raise pickle.UnpicklingError(f"the file holds {_kind(obj)} where a tensor or a value should be")
        if not inner:
            return
        level = inner
    raise pickle.UnpicklingError(f"the file holds containers nested more than {_DEEPEST} deep")
