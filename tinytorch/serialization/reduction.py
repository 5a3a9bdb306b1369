"""Objects of any class, as Python's own pickler writes them: by name, or as a call that makes them again.

A class or a function is its name, ``GLOBAL module name``. Every other object says itself how it is made again
(``__reduce_ex__``): a function, its arguments, then perhaps a state, items to append, and keys to set. Reading such a
file back imports what is named in it, so it takes :func:`tinytorch.load` with ``weights_only=False``.
"""

from __future__ import annotations

import copyreg
import functools
import pickle
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinytorch.serialization.pickler import Pickler

__all__ = ["save_object"]

_NAMED = (type, types.FunctionType, types.BuiltinFunctionType)


def save_object(pickler: Pickler, obj: Any) -> None:
    """Write ``obj``. Raises pickle.PicklingError for what has no name to be found by, such as a lambda."""
    if isinstance(obj, _NAMED):
        _save_name(pickler, obj, obj.__qualname__)
        return
    try:
        reduced = copyreg.dispatch_table.get(type(obj), lambda value: value.__reduce_ex__(2))(obj)
    except TypeError as error:
        raise pickle.PicklingError(f"cannot save {obj!r:.200}: {error}") from None
    if isinstance(reduced, str):
        _save_name(pickler, obj, reduced)
        return
    function, args, state, items, pairs = (*reduced, None, None, None)[:5]
    if getattr(function, "__name__", "") == "__newobj__":
        pickler._save(args[0])
        pickler._save(args[1:])
        pickler._out += pickle.NEWOBJ
    else:
        pickler._save(function)
        pickler._save(args)
        pickler._out += pickle.REDUCE
    pickler._memoize(obj)
    pickler._append_all(list(items or ()))
    pickler._items(dict(pairs or ()))
    if state is not None:
        pickler._save_at("__dict__", state)
        pickler._out += pickle.BUILD


def _save_name(pickler: Pickler, obj: Any, name: str) -> None:
    module = getattr(obj, "__module__", None) or "builtins"
    *outer, last = name.split(".")
    try:
        found = functools.reduce(getattr, [*outer, last], sys.modules[module])
    except (KeyError, AttributeError):
        found = None
    if found is not obj:
        raise pickle.PicklingError(
            f"cannot save {obj!r:.200} (at {pickler._where()}): it is not found as {module}.{name}"
        )
    if outer:  # a class within a class: GLOBAL knows plain names only
        pickler._call("builtins", "getattr", functools.reduce(getattr, outer, sys.modules[module]), last)
        pickler._memoize(obj)
    else:
        pickler._global(module, name)
