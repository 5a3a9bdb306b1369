"""Errors from inside an op, put into the words of who called it: read only when something has gone wrong.

An op that was given something odd stumbles over it somewhere, in words that mean nothing to its caller: "'NoneType'
object has no attribute '_array'". PyTorch looks at the arguments first and says which one is wrong. So does this,
afterwards.
"""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinytorch.ops.arguments import wrong_argument
from tinytorch.ops.dims import ints_from
from tinytorch.tensor import Tensor

__all__ = ["explained"]

#: What Python and NumPy say when an op works with something that it was not made for.
_FROM_INSIDE = re.compile(
    r"has no attribute|is not (iterable|subscriptable|callable)|no len\(\)|(unsupported|bad) operand|^ufunc|"
    r"setting an array element|not supported between|cannot be interpreted|can only concatenate|"
    r"can't multiply sequence|truth value of an array|only (integer scalar arrays|length-1|0-dimensional)|"
    r"(int|float|complex)\(\) argument must|unhashable|cannot unpack|must be real number|could not convert string|"
    r"could not be broadcast|invalid literal|indices must be integers|convert complex to|argument of type"
)
_TOO_LARGE = re.compile(
    r"Unable to allocate|array is too big|[Mm]aximum (supported|allowed) dimension|too large to convert|"
    r"float infinity to integer"
)


def explained(error: Exception, op: Callable[..., Any], args: Any, kwargs: Any) -> Exception:
    """The error that the caller of ``op`` should see: ``error`` itself, unless it speaks of the library's inside."""
    name, text = op.__name__, str(error)
    named = _named(op, args, kwargs)
    if better := _wrong_sequence(name, named) or _overflow(name, named, error):
        return better
    if isinstance(error, IndexError) and text == "tuple index out of range":  # of a shape
        return IndexError(f"{name}(): a tensor has too few dimensions (arguments: {_described(args, kwargs)})")
    if isinstance(error, MemoryError) or (isinstance(error, (ValueError, OverflowError)) and _TOO_LARGE.search(text)):
        return RuntimeError(f"{name}(): can't allocate memory: {text} (arguments: {_described(args, kwargs)})")
    if isinstance(error, (TypeError, AttributeError, ValueError)) and _FROM_INSIDE.search(text):
        if isinstance(error, ValueError) and not _has_arrays((*args, *kwargs.values())):
            return error
        return _misfit(op, args, kwargs) or error
    return error


def _named(op: Callable[..., Any], args: Any, kwargs: Any) -> list[tuple[str, str, Any]]:
    """(name, annotation, value) of every argument; those of ``*args`` have no annotation."""
    parameters = inspect.signature(op).parameters
    plain = [name for name, p in parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)]
    given = [*itertools.zip_longest(plain[: len(args)], args, fillvalue=""), *kwargs.items()]
    return [(name, str(parameters[name].annotation) if name in parameters else "", value) for name, value in given]


def _wrong_sequence(name: str, named: list[tuple[str, str, Any]]) -> TypeError | None:
    """The error for an argument that should have been a sequence of ints, or of tensors, and is not."""
    for number, (argument, annotation, value) in enumerate(named):
        if annotation.startswith(("Sequence[int]", "Ints")) and not (value is None and annotation.endswith("None")):
            try:
                ints_from(name, argument, value, single=annotation.startswith("Ints"))
            except TypeError as error:
                return error
        if annotation.startswith("Sequence[Tensor]"):
            if not isinstance(value, (tuple, list)):
                return wrong_argument(name, argument, None, value, "tuple of Tensors")
            for position, item in enumerate(value):
                if not isinstance(item, Tensor):
                    kind = type(item).__name__
                    return TypeError(f"expected Tensor as element {position} in argument {number}, but got {kind}")
    return None


def _overflow(name: str, named: list[tuple[str, str, Any]], error: Exception) -> Exception | None:
    """The error for an int of more than 64 bits, if one was given: of PyTorch's type for the place where it stands."""
    for _, annotation, given in named:
        for value, inside in _integers((given,)):
            if not -(2**63) <= value < 2**63:
                other = type(error) if isinstance(error, (TypeError, RuntimeError)) else ValueError
                kind = TypeError if inside else ValueError if annotation in ("int", "int | None") else other
                return kind(f"{name}(): Overflow when unpacking long long: {value} has more than 64 bits")
    return None


def _misfit(op: Callable[..., Any], args: Any, kwargs: Any) -> TypeError | None:
    """TypeError that lists the arguments' types beside the signature; None if the arguments do not fit it at all."""
    signature = inspect.signature(op)
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return None
    expected = re.sub(r"(\w+): Any\b", r"\1", str(signature)).replace("'", "").rpartition(" -> ")[0]
    got = _described(args, kwargs)
    return TypeError(
        f"{op.__name__}() received an invalid combination of arguments - got ({got}), but expected {expected}"
    )


def _described(args: Any, kwargs: Any) -> str:
    return ", ".join([*map(_kind_of, args), *[f"{name}={_kind_of(value)}" for name, value in kwargs.items()]])


def _kind_of(value: Any) -> str:
    """A type's name; for tuples and lists, those of the elements too; for a tensor, its shape."""
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__} of ({', '.join(map(_kind_of, value[:8]))})"
    if isinstance(value, Tensor):
        return f"Tensor of shape {list(value._array.shape)}"
    return f"{type(value).__name__} {value}" if type(value) in (int, float, bool) else type(value).__name__


def _integers(values: Any, inside: bool = False) -> Iterator[tuple[int, bool]]:
    """The ints among arguments, and whether they stand in a tuple or list."""
    for value in values:
        if type(value) is int:
            yield value, inside
        elif type(value) in (tuple, list) and len(value) < 64:
            yield from _integers(value, True)


def _has_arrays(values: Any) -> bool:
    return any(isinstance(v, np.ndarray) or (isinstance(v, (tuple, list)) and _has_arrays(v)) for v in values)
