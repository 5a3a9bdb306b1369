"""PyTorch's data types that no tensor here can have: programs name them in tables and compare with them.

>>> import tinytorch as torch
>>> torch.zeros(2).dtype in (torch.float8_e4m3fn, torch.qint8)
False
>>> torch.zeros(2, dtype=torch.float8_e4m3fn)
Traceback (most recent call last):
    ...
NotImplementedError: tensors of torch.float8_e4m3fn are not supported: NumPy has no such numbers. Use torch.float16.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.dtypes import COMPLEX, FLOATING, INTEGER, dtype

__all__ = ["DTYPES", "NamedOnly"]


class NamedOnly(dtype):
    """A data type with a name and a size; to make a tensor of it is an error that says what to take instead."""

    __slots__ = ("instead", "limits")
    limits: dict[str, float] | None

    def __init__(self, name: str, itemsize: int, instead: str, category: int, signed: bool) -> None:
        self.name, self.itemsize, self.instead, self.category = name, itemsize, instead, category
        self.limits = None
        self.is_floating_point, self.is_complex, self.is_signed = category == FLOATING, category == COMPLEX, signed

    def __reduce__(self) -> Any:
        return _by_name, (self.name,)

    @property
    def numpy(self) -> np.dtype[Any]:
        raise NotImplementedError(
            f"tensors of {self!r} are not supported: NumPy has no such numbers. Use torch.{self.instead}."
        )


def _by_name(name: str) -> NamedOnly:
    return DTYPES[name]


_FLOATS = ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn_x2")
DTYPES = {
    d.name: d
    for d in (
        *[NamedOnly(name, 1, "float16", FLOATING, signed=name != "float8_e8m0fnu") for name in _FLOATS],
        *[NamedOnly(f"int{bits}", 1, "int8", INTEGER, signed=True) for bits in range(1, 8)],
        *[NamedOnly(f"uint{bits}", 1, "uint8", INTEGER, signed=False) for bits in range(1, 8)],
        *[NamedOnly(name, 1, "uint8", INTEGER, signed=False) for name in ("quint8", "quint4x2", "quint2x4")],
        NamedOnly("qint8", 1, "int8", INTEGER, signed=True),
        NamedOnly("qint32", 4, "int32", INTEGER, signed=True),
        NamedOnly("complex32", 4, "complex64", COMPLEX, signed=True),
    )
}


def _limited(name: str, eps: float, max: float, tiny: float) -> None:
    DTYPES[name].limits = {"bits": 8, "resolution": 1.0, "eps": eps, "max": max, "tiny": tiny}


_limited("float8_e4m3fn", 2.0**-3, 448.0, 2.0**-6)
_limited("float8_e4m3fnuz", 2.0**-3, 240.0, 2.0**-7)
_limited("float8_e5m2", 2.0**-2, 57344.0, 2.0**-14)
_limited("float8_e5m2fnuz", 2.0**-3, 57344.0, 2.0**-15)


def __getattr__(name: str) -> NamedOnly:
    name = "complex32" if name == "chalf" else name
    if name in DTYPES:
        return DTYPES[name]
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
