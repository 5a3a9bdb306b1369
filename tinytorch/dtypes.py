"""Data types: PyTorch's names over NumPy's dtypes, and PyTorch's rules for mixing them.

NumPy and PyTorch disagree on what ``int64 + 1.5`` is (NumPy: float64, PyTorch: the default float type) and on whether a
0-dimensional array may widen a larger one (NumPy: yes, PyTorch: no, not within the same category). Both
disagreements end here: every operator asks :func:`result_dtype` before it calls NumPy.

The rule (PyTorch's): operands fall into three priorities - tensors with dimensions, 0-dimensional tensors, Python
numbers - and into categories - bool < integer < floating < complex. The dtype comes from the highest priority; a
lower priority changes it only when its *category* is higher.

>>> promote_types(int64, float32)
torch.float32
>>> promote_types(uint8, int8)
torch.int16
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

__all__ = [
    "bfloat16",
    "bool",
    "can_cast",
    "cdouble",
    "cfloat",
    "complex64",
    "complex128",
    "double",
    "dtype",
    "finfo",
    "float",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "half",
    "iinfo",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "long",
    "promote_types",
    "set_default_dtype",
    "short",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]  # fmt: skip

BOOL, INTEGER, FLOATING, COMPLEX = range(4)
#: NumPy's `dtype.kind` of floating numbers. "V" is its word for types that others add to it: here, bfloat16.
FLOATS, INEXACT = "fV", "fVc"
_CATEGORY_OF_KIND = {"b": BOOL, "u": INTEGER, "i": INTEGER, "f": FLOATING, "V": FLOATING, "c": COMPLEX}


class dtype:
    """The type of a tensor's elements. Prints as PyTorch prints it, so that scripts print the same text.

    Attributes: ``itemsize`` (bytes), ``is_floating_point``, ``is_complex``, ``is_signed``; ``numpy`` is NumPy's dtype.
    Half precision gets ``numpy`` when that is first asked for, and only then what computes with it is made ready
    (:mod:`tinytorch.autograd.half`).
    """

    __module__ = "tinytorch"  # as users know it
    __slots__ = ("category", "is_complex", "is_floating_point", "is_signed", "itemsize", "name", "numpy")

    def __init__(self, name: str, numpy: Any) -> None:
        self.name = name
        self.numpy = np.dtype(numpy)
        self.itemsize = self.numpy.itemsize
        self.category = _CATEGORY_OF_KIND[self.numpy.kind]
        self.is_floating_point = self.category == FLOATING
        self.is_complex = self.category == COMPLEX
        self.is_signed = self.numpy.kind in "ifc"

    @classmethod
    def _half(cls, name: str) -> dtype:
        """float16 or bfloat16."""
        self = object.__new__(cls)
        self.name, self.itemsize, self.category = name, 2, FLOATING
        self.is_floating_point, self.is_complex, self.is_signed = True, False, True
        return self

    def __getattr__(self, name: str) -> Any:
        if name != "numpy":
            raise AttributeError(f"'torch.dtype' object has no attribute '{name}'")
        from tinytorch.autograd import half

        self.numpy = made = np.dtype(np.float16 if self is float16 else _bfloat16())
        _OF_NUMPY[made] = self
        half.begin()
        return made

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> Any:  # copies and unpickles to the one object, so that `is` works
        return _by_name, (self.name,)

    def to_real(self) -> dtype:
        """The real type of the same precision: complex64 gives float32."""
        return {complex64: float32, complex128: float64}.get(self, self)

    def to_complex(self) -> dtype:
        """The complex type of the same precision: float32 gives complex64. RuntimeError for integers and bools."""
        if self is float16:
            from tinytorch.dtype_names import DTYPES

            return DTYPES["complex32"]  # a name only
        found = {float32: complex64, bfloat16: complex64, float64: complex128}.get(self, self)
        if not found.is_complex:
            raise RuntimeError(f"Unknown Complex ScalarType for {self!r}")
        return found


def _bfloat16() -> Any:
    """NumPy's bfloat16, which an optional package adds to it; ImportError without that."""
    try:
        import ml_dtypes
    except ImportError:
        raise ImportError(
            "tensors of torch.bfloat16 need the package ml_dtypes: pip install tinytorch[bfloat16] (or use "
            "torch.float32, or torch.float16 where memory matters)"
        ) from None
    return ml_dtypes.bfloat16


def _by_name(name: str) -> dtype:
    return _NAMES[name]


def has_bfloat16() -> builtins.bool:
    """Whether tensors may have bfloat16 numbers: whether the package for it is installed."""
    try:
        bfloat16.numpy  # noqa: B018
    except ImportError:
        return False
    return True


float16 = half = dtype._half("float16")
bfloat16 = dtype._half("bfloat16")
float32 = dtype("float32", np.float32)
float64 = double = dtype("float64", np.float64)
complex64 = cfloat = dtype("complex64", np.complex64)
complex128 = cdouble = dtype("complex128", np.complex128)
uint8 = dtype("uint8", np.uint8)
uint16 = dtype("uint16", np.uint16)
uint32 = dtype("uint32", np.uint32)
uint64 = dtype("uint64", np.uint64)
int8 = dtype("int8", np.int8)
int16 = short = dtype("int16", np.int16)
int32 = dtype("int32", np.int32)
int64 = long = dtype("int64", np.int64)
bool_ = dtype("bool", np.bool_)

_HALVES = (float16, bfloat16)
_ALL = (float32, float64, complex64, complex128, uint8, uint16, uint32, uint64,
        int8, int16, int32, int64, bool_)  # fmt: skip
_NAMES = {t.name: t for t in (*_HALVES, *_ALL)}
_OF_NUMPY = {t.numpy: t for t in _ALL}
_OF_PYTHON = {builtins.float: float64, builtins.int: int64, builtins.bool: bool_, complex: complex128}
#: PyTorch's words for dtypes in error messages.
SCALAR_NAMES = {
    float16: "Half", bfloat16: "BFloat16", float32: "Float", float64: "Double", complex64: "ComplexFloat",
    complex128: "ComplexDouble", uint8: "Byte", uint16: "UInt16", uint32: "UInt32", uint64: "UInt64", int8: "Char",
    int16: "Short", int32: "Int", int64: "Long", bool_: "Bool",
}  # fmt: skip

_default = float32


def get_default_dtype() -> dtype:
    """The dtype of tensors made from Python floats, and of ``int / int``. float32 at first."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Set the dtype of tensors made from Python floats. Raises TypeError for a type that is not floating."""
    global _default
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {d!r}")
    d.numpy  # noqa: B018 - raises for a type that tensors cannot have
    _default = d


def from_numpy_dtype(numpy_dtype: Any) -> dtype:
    """The dtype for NumPy's; TypeError for one that tensors cannot hold (object, text, dates, big-endian)."""
    try:
        return _OF_NUMPY[numpy_dtype]
    except (KeyError, TypeError):
        for half in _HALVES:  # not used before
            if getattr(numpy_dtype, "name", "") == half.name and half.numpy == numpy_dtype:
                return half
        raise TypeError(
            f"can't convert np.ndarray of type {np.dtype(numpy_dtype)}. The only supported types are: "
            "float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, "
            "uint8, and bool."
        ) from None


def to_numpy_dtype(d: Any) -> np.dtype[Any]:
    """NumPy's dtype for a ``dtype=`` argument: a :class:`dtype`, or Python's ``float``, ``int``, ``bool``,
    ``complex``.
    """
    if isinstance(d, dtype):
        return d.numpy
    try:
        return _OF_PYTHON[d].numpy
    except (KeyError, TypeError):
        pass
    raise TypeError(f"dtype must be a tinytorch dtype such as tinytorch.float32, not {d!r}")


def default_numpy_dtype() -> np.dtype[Any]:
    """NumPy's dtype of the current default."""
    return _default.numpy


def category_of(value: Any) -> builtins.int:
    """BOOL, INTEGER, FLOATING or COMPLEX, of an array or a Python number."""
    if isinstance(value, np.ndarray):
        return _CATEGORY_OF_KIND[value.dtype.kind]
    if isinstance(value, builtins.bool):
        return BOOL
    if isinstance(value, builtins.int):
        return INTEGER
    return COMPLEX if isinstance(value, complex) else FLOATING


def dtype_of_number(value: Any) -> np.dtype[Any]:
    """The dtype that a tensor made of this Python number has."""
    category = category_of(value)
    if category == FLOATING:
        return _default.numpy
    if category == COMPLEX:
        return (complex128 if _default is float64 else complex64).numpy
    return int64.numpy if category == INTEGER else bool_.numpy


def promote_numpy(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """The smallest dtype for both, as PyTorch: an integer never widens a float (int64 + float16 = float16)."""
    if a == b:
        return a
    if a.itemsize == b.itemsize == 2 and a.kind in FLOATS and b.kind in FLOATS:  # float16 with bfloat16
        return float32.numpy
    kind_a, kind_b = _CATEGORY_OF_KIND[a.kind], _CATEGORY_OF_KIND[b.kind]
    if kind_a != kind_b and max(kind_a, kind_b) >= FLOATING:
        if {kind_a, kind_b} == {FLOATING, COMPLEX}:
            return np.promote_types(a, b)
        return a if kind_a > kind_b else b
    promoted = np.promote_types(a, b)
    if promoted.kind == "f" and kind_a == kind_b == INTEGER:  # uint64 with a signed type: NumPy says float64
        raise RuntimeError(f"Promotion for {_OF_NUMPY[a]} and {_OF_NUMPY[b]} is not supported, cast one of them first")
    return promoted


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest dtype that both convert to (PyTorch's ``torch.promote_types``)."""
    _check_dtypes("promote_types", type1=type1, type2=type2)
    return _OF_NUMPY[promote_numpy(type1.numpy, type2.numpy)]


def _check_dtypes(name: str, **arguments: Any) -> None:
    for argument, value in arguments.items():
        if not isinstance(value, dtype):
            raise TypeError(f"{name}(): argument '{argument}' must be torch.dtype, not {type(value).__name__}")


def can_cast(from_: dtype, to: dtype) -> builtins.bool:
    """Whether PyTorch lets a result of ``from_`` be written into a tensor of ``to``: never down a category."""
    _check_dtypes("can_cast", from_=from_, to=to)
    if to.category == BOOL:
        return from_.category == BOOL
    return from_.category <= to.category


def result_dtype(*operands: Any) -> np.dtype[Any]:
    """The dtype in which arrays and Python numbers meet (``torch.result_type``); NumPy's dtype.

    Args:
        operands: arrays (with dimensions or 0-dimensional) and Python numbers.
    """
    by_priority: list[np.dtype[Any] | None] = [None, None, None]
    for operand in operands:
        if isinstance(operand, np.ndarray):
            priority, candidate = (0 if operand.ndim else 1), operand.dtype
        else:
            priority, candidate = 2, dtype_of_number(operand)
        seen = by_priority[priority]
        by_priority[priority] = candidate if seen is None else promote_numpy(seen, candidate)
    result = None
    for candidate in by_priority:
        if candidate is None:
            continue
        if result is None:
            result = candidate
        elif candidate.kind == "c" and result.kind in FLOATS:  # becomes complex, and no wider
            result = np.promote_types(result, complex64.numpy)
        elif _CATEGORY_OF_KIND[candidate.kind] > _CATEGORY_OF_KIND[result.kind]:
            result = promote_numpy(result, candidate)
    assert result is not None, "result_dtype needs at least one operand"
    return result


class finfo:
    """Limits of a floating type: ``eps, max, min, tiny, smallest_normal, resolution, bits``."""

    def __init__(self, type: dtype | None = None) -> None:
        self._dtype = type or _default
        _check_dtypes("finfo", type=self._dtype)
        if not (self._dtype.is_floating_point or self._dtype.is_complex):
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle {type!r}")
        limits = _BFLOAT16_LIMITS if self._dtype is bfloat16 else _float_limits(self._dtype)
        self.bits, self.resolution, self.eps = limits["bits"], limits["resolution"], limits["eps"]
        self.max, self.min = limits["max"], -limits["max"]
        self.tiny = self.smallest_normal = limits["tiny"]
        self.dtype = self._dtype.to_real().name

    def __eq__(self, other: object) -> builtins.bool:
        return isinstance(other, finfo) and self._dtype is other._dtype

    def __hash__(self) -> builtins.int:
        return hash(self._dtype)

    def __repr__(self) -> str:
        return (f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
                f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})")  # fmt: skip


_BFLOAT16_LIMITS = {"bits": 16, "eps": 2.0**-7, "max": 2.0**128 * (1 - 2.0**-8), "tiny": 2.0**-126, "resolution": 0.01}


def _float_limits(type: dtype) -> dict[str, Any]:
    if (known := getattr(type, "limits", None)) is not None:
        return dict(known)  # of a type that is only named
    info = np.finfo(type.numpy)
    limits: dict[str, Any] = {name: builtins.float(getattr(info, name)) for name in ("eps", "max", "tiny")}
    return {"bits": builtins.int(info.bits), "resolution": 10.0**-info.precision, **limits}


class iinfo:
    """Limits of an integer type: ``max, min, bits``."""

    def __init__(self, type: dtype) -> None:
        _check_dtypes("iinfo", type=type)
        if type.category != INTEGER:
            raise TypeError(f"torch.iinfo() requires an integer input type, got {type!r}")
        info = np.iinfo(type.numpy)
        self.bits, self.max, self.min, self.dtype = info.bits, builtins.int(info.max), builtins.int(info.min), type.name

    def __eq__(self, other: object) -> builtins.bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> builtins.int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


# PyTorch also calls these by Python's own names; assigned last, because from here on the names are shadowed.
bool = bool_
float = float32
int = int32
