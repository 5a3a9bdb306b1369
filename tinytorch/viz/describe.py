"""Words for what a graph shows: op names, options, shapes, sizes, values. The same thing always in the same words."""

from __future__ import annotations

import functools
import inspect
import math
import re
import unicodedata
from typing import Any

import numpy as np

from tinytorch.viz.data import Output

__all__ = [
    "argument_names",
    "attribute_texts",
    "bytes_text",
    "dtype_name",
    "node_name",
    "number_text",
    "op_name",
    "output_of",
    "printable",
    "rounded",
    "shape_text",
    "short",
    "stats_text",
    "value_text",
]

_NAMES = {
    "MatMul": "matmul", "BasicIndex": "index", "Scale": "dropout", "ReLU": "relu", "StridedGet": "region",
    "StridedPut": "put_region", "SvdBackward": "svd", "ReducedQR": "qr", "Extreme": "amax", "MaxWithIndex": "max",
    "LogAbsDet": "slogdet", "RNNSequence": "rnn", "LSTMSequence": "lstm", "GRUSequence": "gru", "Cast": "to",
}  # fmt: skip

SHARED = ("Reshape", "Permute", "Expand", "Index")  # what transpose, squeeze, flatten, embedding and others are made of
SMALL = 6  # tensors of so many elements are written out
LONG = 8  # of longer attributes (the sizes of all batches of a sequence) the beginning and the end


@functools.lru_cache(maxsize=256)  # of types: users define ops too, in any number
def op_name(op: Any) -> str:
    """The op's name as one would call it: ``MaxPool2d`` is ``"max_pool2d"``."""
    name = op.__name__
    if name in _NAMES:
        return _NAMES[name]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def node_name(node: Any) -> str:
    """The name of a recorded op. Of one that serves many it is what the program called: ``"transpose"``."""
    if node.op_type.__name__ in SHARED and "known_name" in vars(node):
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", re.sub(r"Backward\d*$", "", node.known_name)).lower()
    return op_name(node.op_type)


@functools.lru_cache(maxsize=256)  # of types: users define ops too, in any number
def argument_names(op: Any) -> list[str]:
    """The names of forward's inputs; the last one is repeated for ``*arrays``."""
    names = []
    for parameter in list(inspect.signature(op.forward).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_POSITIONAL:
            break
        names.append(parameter.name)
    return names


def attribute_texts(attributes: dict[str, Any], shape: tuple[int, ...] | None = None) -> dict[str, str]:
    """An op's options as text, without those that say nothing: ``dilation=1``, None, all dims of a sum to a scalar."""
    texts: dict[str, str] = {}
    if shape == () and isinstance(attributes.get("dim"), tuple):
        attributes = {name: value for name, value in attributes.items() if name != "dim"}
    for name, value in attributes.items():
        if hasattr(value, "_asdict"):  # a pooling window: its parts are the options
            texts.update(attribute_texts(value._asdict()))
        elif not _is_plain(name, value):
            texts[name] = _option(value)
    return texts


_DEFAULTS = {"keepdim": False, "reverse": False, "count_include_pad": True, "eps": 1e-05, "accumulate": False}


def _is_plain(name: str, value: Any) -> bool:
    if value is None or (isinstance(value, np.ndarray) and name != "factor"):
        return value is None
    if name in ("out_size", "indices", "geometry", "shape", "input_shape", "weight_shape", "factor", "dims"):
        return True
    ones = ("stride", "dilation", "groups")
    zeros = ("padding", "output_padding")
    numbers = value if isinstance(value, tuple) else (value,)
    flat = set(numbers) if all(isinstance(number, (int, float)) for number in numbers) else set()
    return (name in ones and flat == {1}) or (name in zeros and flat == {0}) or _DEFAULTS.get(name, ...) == value


def _option(value: Any) -> str:
    if isinstance(value, np.ndarray):
        if value.size <= 1:
            return number_text(value.item()) if value.size else "[]"
        return f"{shape_text(value.shape)} {dtype_name(value.dtype)}"
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], int) and value[0] == value[1]:
        return str(value[0])  # (2, 2) is what the user called 2
    if isinstance(value, (tuple, list)):
        items = [_option(item) for item in value]
        inner = ", ".join(items if len(items) <= LONG else [*items[:3], "…", items[-1]])
        return inner if len(value) == 1 and isinstance(value[0], int) else f"({inner})"
    if isinstance(value, slice):
        parts = ["" if part is None else str(part) for part in (value.start, value.stop, value.step)]
        return ":".join(parts[:2] if value.step in (None, 1) else parts)
    if value is Ellipsis:
        return "..."
    if isinstance(value, (bool, np.bool_)) or value is None:
        return str(value)
    if isinstance(value, (int, float, complex, np.number)):
        return number_text(value)
    if isinstance(value, (np.dtype, type)):
        return dtype_name(value)
    if isinstance(value, str):
        return value
    return getattr(value, "__name__", type(value).__name__)


# ------------------------------------------------------------------------------------------ tensors


def output_of(shape: tuple[int, ...], dtype: Any) -> Output:
    """The description of a tensor of this shape and dtype."""
    shape = tuple(int(n) for n in shape)
    itemsize = 0 if dtype is None else np.dtype(dtype).itemsize
    return Output(shape, "" if dtype is None else dtype_name(dtype), math.prod(shape) * itemsize)


def dtype_name(dtype: Any) -> str:
    """``"float32"``."""
    try:
        return np.dtype(dtype).name
    except TypeError:
        return getattr(dtype, "__name__", str(dtype))


def shape_text(shape: tuple[int, ...] | list[int]) -> str:
    """``"64×20×28×28"``, and ``"scalar"`` for no dimensions."""
    return "×".join(str(n) for n in shape) if shape else "scalar"


def bytes_text(n: float) -> str:
    """``"3.2 MB"``."""
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n:.0f} {unit}" if unit == "B" or n >= 100 else f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.3g} TB"


def rounded(value: float) -> str:
    """A measured number to three digits: ``"0.0312"``, ``"1.2e-09"``."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return f"{value + 0.0:.3g}"  # 0.0 makes a zero of -0.0


def number_text(value: Any) -> str:
    """A number of the program: ``"2"``, ``"0.7071"``."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        number = float(value)
        if not math.isfinite(number):
            return rounded(number)
        return str(int(number)) if number == int(number) and abs(number) < 1e6 else f"{number:.5g}"
    return str(value)


def value_text(array: np.ndarray) -> str:
    """A scalar or small tensor in full, a large one as mean, standard deviation and range."""
    if array.size == 0:
        return "empty"
    if array.ndim == 0:
        return _element(array.item())
    if array.size <= SMALL:
        return _nested(array.tolist())
    if array.dtype.kind not in "fiu":
        return ""
    wide = array.astype(np.float64)
    finite = wide[np.isfinite(wide)]
    if finite.size < wide.size:
        bad = wide.size - finite.size
        if not finite.size:
            return f"{bad} of {wide.size} NaN or inf"
        return f"{rounded(finite.min())} .. {rounded(finite.max())}, {bad} of {wide.size} NaN or inf"
    return f"{rounded(wide.mean())} ± {rounded(wide.std())}, {rounded(wide.min())} .. {rounded(wide.max())}"


def stats_text(stats: dict[str, float]) -> str:
    """``"0.1 ± 1.02, -3.1 .. 2.9, 12% zero"``; nothing if nothing was measured."""
    if "mean" not in stats:
        return ""
    numbers = {name: rounded(stats[name]) for name in ("mean", "std", "min", "max")}
    text = f"{numbers['mean']} ± {numbers['std']}, {numbers['min']} .. {numbers['max']}"
    return text + (f", {100 * stats['zero']:.0f}% zero" if stats["zero"] >= 0.005 else "")


def _element(value: Any) -> str:
    if not isinstance(value, float) or not 1e-3 <= abs(value) < 1e5:
        return "0.0" if value == 0 and isinstance(value, float) else number_text(value)
    return f"{value:.1f}" if value == int(value) else f"{value:.4f}"


def _nested(value: Any) -> str:
    return "[" + ", ".join(_nested(item) for item in value) + "]" if isinstance(value, list) else _element(value)


def printable(text: str) -> str:
    """The text without control characters, which could do something to a terminal or a file."""
    if text.isprintable():
        return text
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Cf", "Co", "Cn") else c for c in text)


def short(text: str, width: int = 60) -> str:
    """The text on one line, printable, its middle left out if it is long."""
    text = " ".join(printable(text).split())
    return text if len(text) <= width else f"{text[: width * 2 // 3]}…{text[-(width // 3 - 1) :]}"
