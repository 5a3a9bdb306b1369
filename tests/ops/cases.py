"""What a case is: an expression over a library ``T`` and recipes for its inputs."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

FLOATS = ("float32", "float64")
COMPLEX = {"float32": "complex64", "float64": "complex128"}


@dataclass(frozen=True)
class Sample:
    """A recipe for an input array. ``kind`` 'real' becomes every floating dtype in turn, 'complex' the complex one of the same
    precision; other kinds are dtypes."""

    shape: tuple[int, ...]
    kind: str = "real"
    low: float = -2.0
    high: float = 2.0
    values: Any = None

    def make(self, rng: np.random.Generator, real: str, layout: str) -> np.ndarray:
        """The array, in memory as ``layout`` says: 'rows' (row-major), 'columns' (reversed) or 'gaps' (every second element)."""
        dtype = {"real": real, "complex": COMPLEX[real]}.get(self.kind, self.kind)
        if self.values is not None:
            array = np.array(self.values, dtype)
        elif dtype == "bool":
            array = rng.integers(0, 2, self.shape).astype(bool)
        elif self.kind == "complex":
            real_part, imaginary_part = rng.uniform(self.low, self.high, (2, *self.shape))
            array = (real_part + 1j * imaginary_part).astype(dtype)
        elif np.dtype(dtype).kind in "iu":
            array = rng.integers(int(self.low), int(self.high), self.shape).astype(dtype)
        else:
            array = rng.uniform(self.low, self.high, self.shape).astype(dtype)
        array = np.asarray(array)
        if layout == "columns":
            return array.T.copy().T
        if layout == "gaps" and array.ndim:
            return np.repeat(array, 2, axis=-1)[..., ::2]
        return array


def real(*shape: int, low: float = -2.0, high: float = 2.0) -> Sample:
    """Floating numbers, uniform in [low, high)."""
    return Sample(shape, "real", low, high)


def complex_(*shape: int, low: float = -2.0, high: float = 2.0) -> Sample:
    """Complex numbers, both parts uniform in [low, high)."""
    return Sample(shape, "complex", low, high)


def complex_values(*numbers: Any) -> Sample:
    """These very complex numbers."""
    return Sample((), "complex", values=numbers)


def positive(*shape: int) -> Sample:
    """Floating numbers in [0.5, 2)."""
    return Sample(shape, "real", 0.5, 2.0)


def values(*numbers: Any) -> Sample:
    """These very floating numbers (ties, nan, infinities, zeros); nested lists for more dimensions."""
    return Sample((), "real", values=numbers[0] if len(numbers) == 1 else numbers)


def whole(*shape: int, kind: str = "int64", low: int = -4, high: int = 5) -> Sample:
    """Integers of the given dtype in [low, high)."""
    return Sample(shape, kind, low, high)


def counts(*shape: int, kind: str = "int64", high: int = 5) -> Sample:
    """Integers from 1, so that they can divide."""
    return Sample(shape, kind, 1, high)


def truth(*shape: int) -> Sample:
    """Random bools."""
    return Sample(shape, "bool")


def fixed(kind: str, numbers: Any) -> Sample:
    """These numbers in this dtype, whatever dtype the floating inputs have."""
    return Sample((), kind, values=numbers)


class Case:
    """One expression and its inputs, run in each floating dtype and several memory layouts.

    Args:
        function: ``function(T, *tensors)``.
        samples: recipes.
        second: compare second derivatives.
        layouts: memory layouts to try in float64; float32 runs row-major.
        options: handed to :func:`tests.compare.compare`.
    """

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        *samples: Sample,
        layouts: tuple[str, ...] = ("rows", "columns", "gaps"),
        **options: Any,
    ) -> None:
        self.name, self.function, self.samples = name, function, samples
        self.layouts, self.options = layouts, options

    def variants(self) -> list[tuple[str, str]]:
        """(floating dtype, memory layout) of each way to run the case."""
        has_real = any(sample.kind in ("real", "complex") for sample in self.samples)
        has_dims = any(len(sample.shape) > 0 or sample.values is not None for sample in self.samples)
        layouts = self.layouts if has_dims else ("rows",)
        return [("float32", layouts[0])] * has_real + [("float64", layout) for layout in layouts]

    def inputs(self, dtype: str, layout: str) -> list[np.ndarray]:
        """The input arrays of that variant; always the same ones."""
        rng = np.random.default_rng(zlib.crc32(self.name.encode()))
        return [sample.make(rng, dtype, layout) for sample in self.samples]

    def __repr__(self) -> str:
        return self.name


def same(names: str, *samples: Sample, **options: Any) -> list[Case]:
    """One case ``T.name(*samples)`` for each of the names."""
    shapes = ",".join("special" if s.values is not None else "x".join(map(str, s.shape)) or "0-d" for s in samples)
    shapes += "".join(f" {s.kind}" for s in samples if s.kind != "real")
    return [Case(f"{name}({shapes})", _call(name), *samples, **options) for name in names.split()]


def _call(name: str) -> Callable[..., Any]:
    return lambda T, *tensors: getattr(T, name)(*tensors)
