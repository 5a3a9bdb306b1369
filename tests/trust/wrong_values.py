"""What to put in the place of a good argument, one at a time: the tables behind the tests of bad calls.

``perturbed(args, kwargs)`` yields ``(what was changed, args, kwargs)``: every argument in turn is replaced by each entry of the
table for its kind (tensor, int, float, bool, text, sizes, dtype, list of tensors), an argument is left out, and one too many is given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

INF, NAN = math.inf, math.nan
#: Sizes that no memory holds, so that both libraries refuse them at once and nothing is ever allocated.
HUGE = 2**50

#: Things that are not what was asked for, whatever that was.
OTHER_TYPES: dict[str, Any] = {
    "None": None, "text": "a", "object": object(), "list of text": ["a"], "dict": {}, "array": np.ones(2),
}  # fmt: skip

INTS: dict[str, Any] = {
    "0": 0, "-1": -1, "1": 1, "-7": -7, "9": 9, "2**50": HUGE, "2**63-1": 2**63 - 1, "2**63": 2**63, "-2**63": -(2**63),
    "True": True, "1.5": 1.5, "1.0": 1.0, "nan": NAN, "1j": 1j, "[]": [], "(1,)": (1,), "[0, 0]": [0, 0], "numpy int": np.int64(1),
    "numpy float": np.float64(1.0), "tensor": torch.tensor(1), "float tensor": torch.tensor(1.0), **OTHER_TYPES,
}  # fmt: skip

FLOATS: dict[str, Any] = {
    "0.0": 0.0, "-1.5": -1.5, "1": 1, "nan": NAN, "inf": INF, "-inf": -INF, "1e308": 1e308, "1e-320": 1e-320, "2**63": 2**63,
    "True": True, "1j": 1j, "[]": [], "(1.0,)": (1.0,), "numpy float": np.float32(0.5), "tensor": torch.tensor(0.5), **OTHER_TYPES,
}  # fmt: skip

BOOLS: dict[str, Any] = {
    "True": True, "False": False, "1": 1, "1.5": 1.5, "tensor": torch.tensor(True), "numpy bool": np.bool_(True), "[]": [], **OTHER_TYPES,
}  # fmt: skip

TEXTS: dict[str, Any] = {
    "unknown": "nosuch",
    "empty": "",
    "1": 1,
    "True": True,
    **{k: v for k, v in OTHER_TYPES.items() if k != "text"},
}

DTYPES: dict[str, Any] = {
    "int64": torch.int64, "bool": torch.bool, "uint8": torch.uint8, "float16": torch.float16, "float32": torch.float32,
    "complex64": torch.complex64, "name": "float32", "numpy dtype": np.float32, "float": float, "1": 1, **OTHER_TYPES,
}  # fmt: skip

#: From the good tensor, a bad one (or a good one that lies in memory in an unusual way).
TENSORS: dict[str, Callable[[torch.Tensor], Any]] = {
    "without the first dimension": lambda t: t[0] if t.ndim and t.shape[0] else None,
    "a dimension more": lambda t: t.unsqueeze(0),
    "a dimension more at the end": lambda t: t.unsqueeze(-1),
    "two dimensions more": lambda t: t.expand(2, 1, *t.shape),
    "first element": lambda t: t.reshape(-1)[0] if t.numel() else None,
    "flat": lambda t: t.reshape(-1),
    "empty": lambda t: t.new_empty(0),
    "no rows": lambda t: t[:0] if t.ndim else t.new_empty((0, 0)),
    "no columns": lambda t: t[..., :0] if t.ndim > 1 else t.new_empty((2, 0)),
    "a row more": lambda t: torch.cat([t, t[:1]]) if t.ndim else t.new_zeros(3),
    "a column more": lambda t: torch.cat([t, t[..., :1]], -1) if t.ndim > 1 else t.new_zeros((2, 3)),
    "a column less": lambda t: t[..., :-1] if t.ndim > 1 else t.new_zeros((1, 1, 1)),
    "transposed": lambda t: t.mT if t.ndim > 1 else None,
    "columns in memory": lambda t: t.mT.contiguous().mT if t.ndim > 1 else None,
    "gaps in memory": lambda t: t.repeat_interleave(2, -1)[..., ::2] if t.ndim else None,
    "expanded": lambda t: t[..., :1].expand(t.shape) if t.ndim and t.shape[-1] else None,
    "zeros": torch.zeros_like,
    "nan": lambda t: torch.full_like(t, NAN) if t.is_floating_point() else None,
    "inf": lambda t: torch.full_like(t, INF) if t.is_floating_point() else None,
    "-inf": lambda t: torch.full_like(t, -INF) if t.is_floating_point() else None,
    "1e300": lambda t: torch.full_like(t, 1e300) if t.dtype == torch.float64 else None,
    "1e-300": lambda t: torch.full_like(t, 1e-300) if t.dtype == torch.float64 else None,
    "-1": lambda t: torch.full_like(t, -1) if t.dtype not in (torch.bool, torch.uint8) else None,
    "99": lambda t: torch.full_like(t, 99) if t.dtype is not torch.bool else None,
    "2**62": lambda t: torch.full_like(t, 2**62) if t.dtype == torch.int64 else None,
    "in float32": lambda t: t.float() if not t.is_complex() else None,
    "in float16": lambda t: t.half() if not t.is_complex() else None,
    "in int64": lambda t: t.long() if not t.is_complex() else None,
    "in int32": lambda t: t.int() if not t.is_complex() else None,
    "in uint8": lambda t: t.abs().to(torch.uint8) if not t.is_complex() and t.dtype is not torch.bool else None,
    "in bool": lambda t: t.bool(),
    "in complex128": lambda t: t.to(torch.complex128),
    **{name: (lambda t, v=value: v) for name, value in OTHER_TYPES.items()},
    "1": lambda t: 1, "1.5": lambda t: 1.5, "True": lambda t: True, "[1.0]": lambda t: [1.0], "numpy float": lambda t: np.float64(1.5),
    "array of its values": lambda t: t.detach().numpy().copy(), "list of itself": lambda t: [t],
}  # fmt: skip

#: From good sizes (or dims, or padding...) bad ones.
SIZES: dict[str, Callable[[Any], Any]] = {
    "one less": lambda s: s[:-1], "one more": lambda s: (*s, 1), "none": lambda s: (), "first only": lambda s: s[0] if s else None,
    "last -1": lambda s: (*s[:-1], -1), "last 0": lambda s: (*s[:-1], 0), "last -7": lambda s: (*s[:-1], -7), "last 9": lambda s: (*s[:-1], 9),
    "last 2**50": lambda s: (*s[:-1], HUGE), "last 2**63": lambda s: (*s[:-1], 2**63), "last 1.5": lambda s: (*s[:-1], 1.5),
    "last 1.0": lambda s: (*s[:-1], 1.0), "last True": lambda s: (*s[:-1], True), "last None": lambda s: (*s[:-1], None), "last text": lambda s: (*s[:-1], "a"),
    "last tensor": lambda s: (*s[:-1], torch.tensor(1)), "last nested": lambda s: (*s[:-1], (1,)),
    "all the same": lambda s: (s[0],) * 2 if s else None, "backwards": lambda s: tuple(s)[::-1], "list": list, "tuple": tuple,
    "numpy": lambda s: np.array(s), "1.5": lambda s: 1.5, **{name: (lambda s, v=value: v) for name, value in OTHER_TYPES.items()},
}  # fmt: skip

#: From a good list of tensors a bad one.
LISTS: dict[str, Callable[[Any], Any]] = {
    "none": lambda s: [], "one": lambda s: s[:1], "None in it": lambda s: [*s[:-1], None], "number in it": lambda s: [*s[:-1], 1.0],
    "text in it": lambda s: [*s[:-1], "a"], "array in it": lambda s: [*s[:-1], np.ones(2)], "nested": lambda s: [*s[:-1], [s[-1]]],
    "a tensor": lambda s: s[0], "tuple": tuple, "list": list, **{name: (lambda s, v=value: v) for name, value in OTHER_TYPES.items()},
    "first without a dimension": lambda s: [s[0][0], *s[1:]] if s[0].ndim and s[0].shape[0] else None, "first empty": lambda s: [s[0].new_empty(0), *s[1:]],
    "first in int64": lambda s: [s[0].long(), *s[1:]] if not s[0].is_complex() else None, "first in bool": lambda s: [s[0].bool(), *s[1:]],
    "first in complex128": lambda s: [s[0].to(torch.complex128), *s[1:]],
}  # fmt: skip
LISTS = {name: change for name, change in LISTS.items() if change is not None and name != "dict"} | {
    "dict": lambda s: {}
}


def replacements(value: Any) -> Iterator[tuple[str, Any]]:
    """(name, what to give instead of ``value``), by the kind of the good value."""
    if isinstance(value, torch.Tensor):
        yield from _changed(TENSORS, value)
    elif isinstance(value, bool):
        yield from BOOLS.items()
    elif isinstance(value, int):
        yield from INTS.items()
    elif isinstance(value, float):
        yield from FLOATS.items()
    elif isinstance(value, str):
        yield from TEXTS.items()
    elif isinstance(value, torch.dtype):
        yield from DTYPES.items()
    elif isinstance(value, (tuple, list)) and value and all(isinstance(v, torch.Tensor) for v in value):
        yield from _changed(LISTS, list(value))
    elif isinstance(value, (tuple, list)) and all(isinstance(v, int) for v in value):
        yield from _changed(SIZES, tuple(value))
    else:
        yield from OTHER_TYPES.items()


def _changed(table: dict[str, Callable[[Any], Any]], value: Any) -> Iterator[tuple[str, Any]]:
    for name, change in table.items():
        new = change(value)
        if new is not None or name == "None":
            yield name, new


def perturbed(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """(what was changed, args, kwargs) for every change of one argument of a good call."""
    for position, value in enumerate(args):
        for name, new in replacements(value):
            yield f"{position}: {name}", (*args[:position], new, *args[position + 1 :]), kwargs
    for key, value in kwargs.items():
        for name, new in replacements(value):
            yield f"{key}: {name}", args, {**kwargs, key: new}
        yield f"{key}: left out", args, {k: v for k, v in kwargs.items() if k != key}
    yield "last left out", args[:-1], kwargs
    yield "one too many", (*args, object()), kwargs
    yield "unknown keyword", args, {**kwargs, "nosuch": 1}
