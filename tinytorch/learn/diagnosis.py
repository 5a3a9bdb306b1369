"""What is wrong with a gradient, judged by its numbers alone: yours beside what was expected.

Each mistake leaves its trace in the numbers. A sign flips all of them; a mean taken for a sum divides them by the
count; a transposed matrix has them in the other order. :func:`diagnose` tries the traces one by one, the most specific
first.

>>> import numpy as np
>>> diagnose(np.array([1.0, -2.0]), np.array([-1.0, 2.0])).name
'sign flipped'
>>> diagnose(np.array([0.5, 1.0, 1.5]), np.array([1.5, 3.0, 4.5])).words
'it is the expected gradient divided by 3, its number of elements: a mean where a sum belongs?'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Finding", "Row", "diagnose", "table"]

_EQUAL = 1e-5  # of the largest number: what finite differences in float64 can be trusted with, and more


class Finding(NamedTuple):
    """What is wrong: a short name, and a sentence about it."""

    name: str
    words: str

    @property
    def right(self) -> bool:
        """Whether the gradient is right after all."""
        return self.name in ("right", "float noise")


def diagnose(yours: Any, expected: Any, *, uses: Sequence[Any] = (), slope: np.ndarray | None = None) -> Finding:
    """Compare a gradient with what it should be.

    Args:
        yours: the gradient to judge; None where there is none.
        expected: the right one.
        uses: what each use of the variable contributes to it, if it is used several times.
        slope: the right gradient for an upstream gradient of 1.
    """
    expected = np.asarray(expected)
    if yours is None:
        return Finding("missing", "there is no gradient: backward returned None, or never came here")
    yours = np.asarray(yours)
    if yours.shape != expected.shape:
        return _of_shapes(yours, expected)
    if not np.isfinite(yours).all() and np.isfinite(expected).all():
        return Finding("not finite", "it contains nan or inf: a division by 0, or a 0 · inf?")
    if _close(yours, expected):
        return Finding("right", "it is right")
    noise = 50 * float(np.sqrt(np.finfo(yours.dtype if yours.dtype.kind in "fc" else np.float64).eps))
    if _close(yours, expected, noise):
        return Finding("float noise", f"it is right, but for the rounding of {yours.dtype}: compare in float64")
    return _of_numbers(yours, expected, uses, slope)


def _of_shapes(yours: np.ndarray, expected: np.ndarray) -> Finding:
    shapes = f"its shape is {list(yours.shape)} instead of {list(expected.shape)}"
    extra = yours.ndim - expected.ndim
    if extra >= 0:
        dims = [i for i, size in enumerate(yours.shape) if i < extra or (expected.shape[i - extra] == 1 and size != 1)]
        summed = yours.sum(axis=tuple(dims), keepdims=True)
        if summed.size == expected.size and _close(summed.reshape(expected.shape), expected):
            return Finding("not summed", f"{shapes}: not summed over the broadcast axes {dims}; the sum is right")
    if yours.ndim > 1 and yours.swapaxes(-1, -2).shape == expected.shape:
        right = _close(yours.swapaxes(-1, -2), expected)
        return Finding("transposed", f"{shapes}: transposed" + ("" if right else ", and the numbers differ, too"))
    if yours.size == expected.size and _close(np.sort(yours, axis=None), np.sort(expected, axis=None)):
        return Finding("permuted", f"{shapes}: the right numbers in another shape")
    return Finding("wrong shape", shapes)


def _of_numbers(yours: np.ndarray, expected: np.ndarray, uses: Sequence[Any], slope: np.ndarray | None) -> Finding:
    if not yours.any():
        return Finding("zero", "it is zero everywhere")
    if _close(yours, -expected):
        return Finding("sign flipped", "every number is the negative of what it should be")
    for number, use in enumerate(uses, 1):
        if len(uses) > 1 and _close(yours, np.asarray(use)):
            return Finding(
                "only one branch",
                f"it is what use {number} of {len(uses)} contributes; contributions add up: = where += belongs?",
            )
    if slope is not None and _close(yours, slope):
        return Finding("upstream ignored", "it is right for an upstream gradient of 1: the chain rule multiplies by it")
    return _factor(yours, expected) or _order(yours, expected) or _part(yours, expected)


def _factor(yours: np.ndarray, expected: np.ndarray) -> Finding | None:
    """All numbers off by one and the same factor."""
    norm = float(np.vdot(expected, expected).real)
    factor = float(np.vdot(expected, yours).real) / norm if norm else 0.0
    if not factor or not _close(yours, factor * expected):
        return None
    if abs(factor - 2) < 1e-4:
        return Finding("doubled", "every number is twice what it should be")
    sizes = {size: f"the size of dimension {dim}" for dim, size in enumerate(expected.shape)}
    sizes[expected.size] = "its number of elements"
    for value, how, mistake in (
        (factor, "times", "a sum where a mean"),
        (1 / factor, "divided by", "a mean where a sum"),
    ):
        count = round(value)
        if abs(count) > 1 and abs(value - count) < 1e-3 * abs(count):
            what = f", {sizes[count]}: {mistake} belongs?" if count in sizes else ""
            return Finding("off by a factor", f"it is the expected gradient {how} {count}{what}")
    if expected.size == 1:  # any two numbers differ by some factor
        return None
    return Finding("off by a factor", f"it is the expected gradient times {factor:.4g}")


def _order(yours: np.ndarray, expected: np.ndarray) -> Finding | None:
    """The right numbers in the wrong places."""
    if expected.ndim > 1 and expected.shape[-1] == expected.shape[-2] and _close(yours.swapaxes(-1, -2), expected):
        return Finding("transposed", "it is the transpose of what it should be")
    if expected.size > 1 and _close(np.sort(yours, axis=None), np.sort(expected, axis=None)):
        return Finding("permuted", "the right numbers, in the wrong places")
    return None


def _part(yours: np.ndarray, expected: np.ndarray) -> Finding:
    """Nothing that has a name; say where it is wrong."""
    if yours.size == 1:
        return Finding("wrong", "the number is another one")
    off = np.abs(yours - expected) > _EQUAL * _scale(yours, expected)
    first = ", ".join(map(str, np.argwhere(off)[0].tolist()))
    return Finding("wrong", f"{off.sum()} of {off.size} numbers differ, the first at [{first}]")


def _scale(a: np.ndarray, b: np.ndarray) -> float:
    finite = [np.abs(x[np.isfinite(x)]).max(initial=0.0) for x in (a, b)]
    return max(float(max(finite)), 1e-8)


def _close(a: np.ndarray, b: np.ndarray, tolerance: float = _EQUAL) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=0, atol=tolerance * _scale(a, b), equal_nan=True))


# ------------------------------------------------------------------------------------------ the table


class Row(NamedTuple):
    """One gradient in the report."""

    name: str
    yours: Any
    expected: np.ndarray
    finding: Finding

    @property
    def difference(self) -> float:
        """The largest difference; nan where shapes differ."""
        if self.yours is None or np.shape(self.yours) != self.expected.shape:
            return float("nan")
        return float(np.abs(np.asarray(self.yours) - self.expected).max(initial=0.0))

    def cells(self) -> tuple[str, ...]:
        """The columns of the table."""
        return self.name, _short(self.yours), _short(self.expected), f"{self.difference:.3g}", self.finding.name


def table(rows: Sequence[Row], of: str = "gradient of") -> str:
    """The report: a line per gradient (or other value), then a sentence for each that is wrong.

    >>> a = np.array([1.0, 2.0])
    >>> print(table([Row("a", a * 2, a, diagnose(a * 2, a)), Row("b", a, a, diagnose(a, a))]))
    gradient of  yours  expected  largest difference  finding
    a            [2 4]  [1 2]     2                   doubled
    b            [1 2]  [1 2]     0                   right
    a: every number is twice what it should be
    """
    lines = [(of, "yours", "expected", "largest difference", "finding"), *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*text, *(f"{row.name}: {row.finding.words}" for row in rows if not row.finding.right)])


def _short(value: Any) -> str:
    """A few numbers of an array, and its shape where that is not all."""
    if value is None:
        return "None"
    array = np.asarray(value)
    numbers = " ".join(f"{number:.4g}" for number in array.reshape(-1)[:4])
    if array.size > 4 or array.ndim > 1:
        return f"[{numbers}{' …' if array.size > 4 else ''}] {list(array.shape)}"
    return f"[{numbers}]" if array.ndim else numbers
