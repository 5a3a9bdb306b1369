"""The arguments of ``Module.to`` and its kin: a device, a dtype, both, or a tensor that has them."""

from __future__ import annotations

from typing import Any

from tinytorch.device import device
from tinytorch.dtypes import dtype
from tinytorch.tensor import Tensor

__all__ = ["parse_to"]

_FORMS = {  # the parameters after self, for each of the three ways to call it
    "device": ("device", "dtype", "non_blocking", "copy"),
    "dtype": ("dtype", "non_blocking", "copy"),
    "tensor": ("tensor", "non_blocking", "copy"),
}
_TYPES: dict[str, Any] = {
    "device": (device, str, int, type(None)), "dtype": (dtype, type(None)), "tensor": Tensor, "non_blocking": bool,
    "copy": bool, "memory_format": object,
}  # fmt: skip


def parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool, Any]:
    """Device (None where it is not given), dtype (the same), ``non_blocking`` and ``memory_format``.

    ``torch._C._nn._parse_to``, which public classes with a ``to`` of their own call. TypeError for what fits none of
    ``to(device, dtype)``, ``to(dtype)`` and ``to(tensor)``, each followed by ``non_blocking`` and ``copy``.
    """
    form = "device"
    if args:
        form = "tensor" if isinstance(args[0], Tensor) else "dtype" if isinstance(args[0], dtype) else "device"
    elif "tensor" in kwargs:
        form = "tensor"
    given = dict(zip(_FORMS[form], args))  # noqa: B905 - too many are counted below
    allowed = (*_FORMS[form], "memory_format")
    if len(args) > len(_FORMS[form]) or any(name in given or name not in allowed for name in kwargs):
        raise _invalid(args, kwargs)
    given.update(kwargs)
    if any(not isinstance(value, _TYPES[name]) for name, value in given.items()):
        raise _invalid(args, kwargs)
    if form == "tensor":
        given.update(device=given["tensor"].device, dtype=given["tensor"].dtype)
    where = given.get("device")
    return (
        None if where is None else device(where),
        given.get("dtype"),
        given.get("non_blocking", False),
        given.get("memory_format"),
    )


def _invalid(args: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError:
    shown = [type(arg).__name__ for arg in args] + [f"{name}={type(kwargs[name]).__name__}" for name in kwargs]
    return TypeError(
        f"to() received an invalid combination of arguments - got ({', '.join(shown)}), but expected to(device, dtype),"
        " to(dtype) or to(tensor), each followed by non_blocking"
    )
