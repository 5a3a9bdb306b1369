"""The text of a tensor: ``print(x)`` gives, to the character, what PyTorch gives.

The idea in three steps.

1. *Choose one notation for the whole tensor* (:class:`ElementFormatter`). Columns line up only when every
   element is written the same way, so the notation is decided from all elements together: integers as they
   are, whole-numbered floats as ``2.``, other floats with ``precision`` digits, and scientific notation as
   soon as the magnitudes spread over more than three decades, or leave the range [1e-4, 1e8].
2. *Write the nested brackets* (:func:`_format_nested`), wrapping rows at ``linewidth``. A tensor with more
   than ``threshold`` elements is summarized: ``edgeitems`` elements at both ends of each dimension, dots
   between them.
3. *Append what the numbers do not show* (:func:`_append_suffixes`): shape, dtype, ``grad_fn``,
   ``requires_grad``, each only when the reader could not guess it.

This file knows NumPy arrays only; ``Tensor.__repr__`` hands it the array and the names.
Source for the rules: the behaviour of ``torch.Tensor.__repr__`` in PyTorch 2.13.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass
class PrintOptions:
    """What :func:`set_printoptions` sets; the defaults are PyTorch's."""

    precision: int = 4  # digits after the point
    threshold: float = 1000  # more elements than this: summarize
    edgeitems: int = 3  # elements shown at each end of a summarized dimension
    linewidth: int = 80  # wrap after this many characters
    sci_mode: bool | None = None  # None: decided by the values


PRINT_OPTIONS = PrintOptions()

# (precision, threshold, edgeitems, linewidth) of each named profile.
_PROFILES: dict[str, tuple[int, float, int, int]] = {
    "default": (4, 1000, 3, 80),
    "short": (2, 1000, 2, 80),
    "full": (4, math.inf, 3, 80),
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors are printed (``torch.set_printoptions``).

    Args:
        precision: digits after the decimal point.
        threshold: number of elements above which a tensor is summarized; ``float("inf")`` for never.
        edgeitems: elements shown at each end of a summarized dimension.
        linewidth: characters after which a row is wrapped.
        profile: ``"default"``, ``"short"`` or ``"full"``: sets all of the above, which may then override it.
        sci_mode: True or False forces scientific notation on or off. As in PyTorch, **every** call sets it,
            so a call that leaves it out returns to the automatic choice.

    >>> set_printoptions(precision=2)
    >>> print(format_tensor(np.array([1.2345])))
    tensor([1.23], dtype=torch.float64)
    >>> set_printoptions(profile="default")
    """
    options = PRINT_OPTIONS
    if profile in _PROFILES:
        options.precision, options.threshold, options.edgeitems, options.linewidth = _PROFILES[profile]
    if precision is not None:
        options.precision = precision
    if threshold is not None:
        options.threshold = threshold
    if edgeitems is not None:
        options.edgeitems = edgeitems
    if linewidth is not None:
        options.linewidth = linewidth
    options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The current options as a dictionary that :func:`set_printoptions` takes back."""
    return asdict(PRINT_OPTIONS)


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Set options inside a ``with`` block; the old ones return at its end, also after an error.

    >>> with printoptions(precision=1):
    ...     print(format_tensor(np.array([0.25], dtype=np.float32)))
    tensor([0.2])
    """
    saved = get_printoptions()
    try:
        set_printoptions(**options)
        yield
    finally:
        set_printoptions(**saved)


class ElementFormatter:
    """One notation for all elements of a real array: decided once, then :meth:`format` writes each of them.

    ``width`` is the length of the longest element, to which the others are padded on the left. Zeros and
    non-finite values have no say in it, so ``[nan, 0.]`` has width 1 and its elements may stick out.
    """

    def __init__(self, array: np.ndarray) -> None:
        self.is_float = array.dtype.kind in "fV"
        self.whole = True  # all values are whole numbers: written "2."
        self.scientific = False
        self.width = 1
        if not self.is_float:
            self.width = max([1, *(len(str(value)) for value in array.reshape(-1).tolist())])
            return
        values = array[np.isfinite(array) & (array != 0)]  # 1-d
        if values.size == 0:
            return
        self.whole = bool((values == np.ceil(values)).all())
        self.scientific = _needs_scientific(values)
        spec = self._spec()
        # "+ 1" for the point that marks a whole-numbered float.
        point = 1 if self.whole and not self.scientific else 0
        self.width = max(1, max(len(spec.format(value)) for value in values.tolist()) + point)

    def _spec(self) -> str:
        if self.scientific:
            return f"{{:.{PRINT_OPTIONS.precision}e}}"
        return "{:.0f}" if self.whole else f"{{:.{PRINT_OPTIONS.precision}f}}"

    def format(self, value: float | bool) -> str:
        """``value`` in the chosen notation, padded to ``width``."""
        if not self.is_float:
            return str(value).rjust(self.width)
        text = self._spec().format(value)
        if self.whole and not self.scientific and math.isfinite(value):
            text += "."
        return text.rjust(self.width)


def _needs_scientific(values: np.ndarray) -> bool:
    """PyTorch's rule on the nonzero finite values; float64, because a float16 ratio would overflow."""
    if PRINT_OPTIONS.sci_mode is not None:
        return PRINT_OPTIONS.sci_mode
    magnitudes = np.abs(values).astype(np.float64)
    smallest, largest = float(magnitudes.min()), float(magnitudes.max())
    return largest / smallest > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4


class ComplexFormatter:
    """Real and imaginary parts each have their own notation: ``1.0000+2.5000j``."""

    def __init__(self, array: np.ndarray) -> None:
        self.real, self.imag = ElementFormatter(array.real), ElementFormatter(array.imag)
        self.width = self.real.width + self.imag.width + 1  # the sign is not counted, as in PyTorch

    def format(self, value: complex) -> str:
        """``value`` as ``a+bj``; only the real part is padded."""
        imag = self.imag.format(value.imag).lstrip() + "j"
        sign = "" if imag[0] in "+-" else "+"
        return self.real.format(value.real) + sign + imag


def _edges(array: np.ndarray) -> np.ndarray:
    """The elements that a summary shows: only they decide the notation."""
    edge = PRINT_OPTIONS.edgeitems
    if not edge and array.ndim > 1:
        return array.reshape(-1)[:0]  # nothing is shown; in one dimension PyTorch still looks at everything
    for dim, size in enumerate(array.shape):
        if edge and size > 2 * edge:
            array = array.take([*range(edge), *range(size - edge, size)], axis=dim)
    return array


def _format_nested(
    array: np.ndarray, indent: int, summarize: bool, formatter: ElementFormatter | ComplexFormatter
) -> str:
    """The bracketed numbers. ``indent``: the column of the opening bracket; inner lines start right of it."""
    if array.ndim == 0:
        return formatter.format(array.item())
    edge = PRINT_OPTIONS.edgeitems
    cut = summarize and len(array) > 2 * edge
    if array.ndim == 1:
        return _format_row(array, indent, cut, formatter)
    rows = [*range(edge), *range(len(array) - edge, len(array))] if cut else range(len(array))
    parts = [_format_nested(array[row], indent + 1, summarize, formatter) for row in rows]
    if cut:
        parts.insert(edge, "...")
    # One empty line more between blocks for each further dimension.
    separator = "," + "\n" * (array.ndim - 1) + " " * (indent + 1)
    return "[" + separator.join(parts) + "]"


def _format_row(array: np.ndarray, indent: int, cut: bool, formatter: ElementFormatter | ComplexFormatter) -> str:
    """A one-dimensional array, wrapped to the line width."""
    edge = PRINT_OPTIONS.edgeitems
    if not cut:
        items = [formatter.format(value) for value in array.tolist()]
    elif not edge:
        items = ["..."]
    else:
        head = [formatter.format(value) for value in array[:edge].tolist()]
        items = [*head, " ...", *(formatter.format(value) for value in array[-edge:].tolist())]
    per_line = max(1, (PRINT_OPTIONS.linewidth - indent) // (formatter.width + 2))  # 2: comma and space
    lines = [", ".join(items[start : start + per_line]) for start in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _append_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """Add each ``, suffix``, on a new line where the last one would get too long, and close the bracket."""
    last_line = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if last_line + len(suffix) + 2 > PRINT_OPTIONS.linewidth:
            text += ",\n" + " " * indent + suffix
            last_line = indent + len(suffix)
        else:
            text += ", " + suffix
            last_line += len(suffix) + 2
    return text + ")"


def _needs_dtype(dtype: np.dtype, default_dtype: np.dtype, empty: bool) -> bool:
    """Whether the numbers leave the dtype open. With no numbers, only the default dtype goes unsaid."""
    if empty:
        return dtype != default_dtype
    default_complex = np.complex128 if default_dtype == np.float64 else np.complex64
    return dtype not in (default_dtype, np.dtype(default_complex), np.dtype(np.int64), np.dtype(np.bool_))


def format_tensor(
    array: np.ndarray,
    *,
    requires_grad: bool = False,
    grad_fn_name: str | None = None,
    default_dtype: np.dtype | type = np.float32,
    is_parameter: bool = False,
    prefix: str = "tensor(",
) -> str:
    """The text of a tensor (``torch.Tensor.__repr__``).

    Args:
        array: the numbers, any shape; float, integer, bool or complex.
        requires_grad: adds ``requires_grad=True``, unless ``grad_fn_name`` says more.
        grad_fn_name: name of the graph node, ``"AddBackward0"``, or None for a leaf.
        default_dtype: the floating dtype that goes unsaid (``get_default_dtype()``).
        is_parameter: put ``Parameter containing:`` on a line before it.
        prefix: the opening; lines after the first are indented by its length.

    >>> array = np.array([[1.5, 2.0], [-3.25, 40.0]], dtype=np.float32)
    >>> print(format_tensor(array, grad_fn_name="AddBackward0"))
    tensor([[ 1.5000,  2.0000],
            [-3.2500, 40.0000]], grad_fn=<AddBackward0>)
    >>> print(format_tensor(np.zeros((0, 3), dtype=np.int64)))
    tensor([], size=(0, 3), dtype=torch.int64)
    """
    indent = len(prefix)
    suffixes = []
    empty = array.size == 0
    if (empty and array.ndim != 1) or (not empty and not PRINT_OPTIONS.edgeitems):
        suffixes.append(f"size={array.shape}")
    if _needs_dtype(array.dtype, np.dtype(default_dtype), empty):
        suffixes.append(f"dtype=torch.{array.dtype.name}")
    if grad_fn_name is not None:
        suffixes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    text = _append_suffixes(prefix + format_numbers(array, indent), suffixes, indent)
    return "Parameter containing:\n" + text if is_parameter else text


def format_numbers(array: np.ndarray, indent: int) -> str:
    """The brackets and what is in them; ``indent`` is the column of the first one.

    >>> print("x = " + format_numbers(np.array([[1, -2], [30, 4]]), indent=4))
    x = [[ 1, -2],
         [30,  4]]
    """
    if array.size == 0:
        return "[]"
    summarize = array.size > PRINT_OPTIONS.threshold
    shown = _edges(array) if summarize else array
    formatter = ComplexFormatter(shown) if array.dtype.kind == "c" else ElementFormatter(shown)
    return _format_nested(array, indent, summarize, formatter)


def format_scalar(array: np.ndarray, format_spec: str) -> str:
    """``f"{x:.3f}"`` of a 0-d tensor: the Python number is formatted, so any number's format works.

    Tensors with dimensions (and parameters) have no number to format: for them ``Tensor.__format__`` calls
    ``object.__format__``, which takes the empty format only.

    Raises:
        TypeError: ``array`` has dimensions.

    >>> format_scalar(np.array(2.5, dtype=np.float32), ".3f")
    '2.500'
    """
    if array.ndim != 0:
        raise TypeError(f"format_scalar: expected a 0-d array, got shape {array.shape}")
    return format(array.item(), format_spec)
