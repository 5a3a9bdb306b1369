"""One call in both libraries: the same result, or errors of the same type with a message that says what is wrong."""

from __future__ import annotations

import re
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import torch

import tinytorch
from tests.databases.run_ops import LIMITS, equal_all, flatten, map_tensors
from tests.databases.translate import Untranslatable, translate
from tests.trust.determined import determined

__all__ = ["Difference", "compare_call"]

#: Messages of Python and NumPy that speak of the library's inside, not of what the caller did.
INTERNAL = re.compile(
    r"object has no attribute|object is not (iterable|subscriptable|callable)|has no len\(\)|unsupported operand|ufunc|"
    r"not supported between instances|object cannot be interpreted|could not broadcast|operands could not|setting an array element|"
    r"bad operand type|an integer is required|Python int too large|^maximum supported dimension|^array is too big|only integer scalar arrays|"
    r"object of type|cannot unpack|not enough values|too many values|list index|tuple index|argument of type|must be real number|"
    r"only length-1|truth value|zip\(\) argument|^Unable to allocate|not aligned|inhomogeneous|Cannot cast|invalid literal"
)


#: NumPy's names of the dtypes that have digits.
_LETTERS = {
    torch.float16: "f2", torch.float32: "f4", torch.float64: "f8", torch.complex64: "c8", torch.complex128: "c16",
}  # fmt: skip
#: Messages about dtypes.
_NO_KERNEL = re.compile("not implemented for|Expected a floating point or complex tensor")


class Difference(Exception):
    """How tinytorch differs from PyTorch: ``kind`` is accepts, refuses, type, value or words."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def compare_call(
    their_function: Callable[..., Any],
    our_function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    random: bool = False,
    name: str = "",
) -> str:
    """'same value', 'same error', or the reason why a difference is none; raises :class:`Difference`.

    ``name`` is the op's: only what its definition determines is compared (:mod:`tests.trust.determined`).
    """
    args, kwargs = map_tensors(_copy, (args, kwargs))
    our_args, our_kwargs = translate((args, kwargs))
    theirs, their_error = _outcome(torch, their_function, args, kwargs)
    ours, our_error = _outcome(tinytorch, our_function, our_args, our_kwargs)
    if their_error is None and our_error is None:
        try:
            coarse = _coarseness(args, kwargs, theirs)
            same = determined(name)
            theirs, ours = same(args, kwargs, theirs), same(our_args, our_kwargs, ours)
            equal_all("value", flatten(theirs), flatten(ours), random, coarse)
        except MemoryError:  # a view of one element, expanded to a size that cannot be compared
            return "same value"
        except AssertionError as error:
            raise Difference("value", str(error)) from None
        return "same value"
    if theirs is NotImplemented and isinstance(our_error, TypeError):
        return "same error"  # an operator called by its name, which leaves the error to Python
    if "descriptor" in str(their_error):
        return "a method called with something that is no tensor"
    if our_error is None:
        if _overflows(their_error):
            return "an int of more than 64 bits is a large number"
        raise Difference("accepts", f"no error; PyTorch: {_said(their_error)}")
    if their_error is None:
        if "has more than 64 bits" in str(our_error):
            return "an error that names an int of more than 64 bits, which PyTorch meets in one of its parsers or later"
        if _NO_KERNEL.search(str(our_error)) and all(
            isinstance(t, torch.Tensor) and not t.numel() for t in flatten(theirs)
        ):
            return "an error that names a dtype for which there is no kernel, where PyTorch needs none, as nothing is computed"
        raise Difference("refuses", f"{_said(our_error)}; PyTorch: {str(theirs)[:60]}") from our_error
    if not _same_type(their_error, our_error):
        if "has more than 64 bits" in str(our_error):
            return "an error that names an int of more than 64 bits, which PyTorch meets in one of its parsers or later"
        if isinstance(our_error, TypeError) and not INTERNAL.search(str(our_error)):
            return "a TypeError that names the argument, where PyTorch stumbles over it later"
        raise Difference("type", f"{_said(our_error)}; PyTorch: {_said(their_error)}") from our_error
    if (INTERNAL.search(str(our_error)) and str(our_error) != str(their_error)) or not str(our_error):
        raise Difference("words", f"{_said(our_error)}; PyTorch: {_said(their_error)}") from our_error
    return "same error"


def _coarseness(args: Any, kwargs: Any, results: Any) -> float:
    """By how much the limits of a result are too narrow, as an argument has fewer digits than it."""

    def limits(value: Any) -> list[float]:
        tensors = [t for t in flatten(value) if isinstance(t, torch.Tensor)]
        return [LIMITS[_LETTERS[t.dtype]][0] for t in tensors if t.dtype in _LETTERS]

    coarse, fine = limits([*args, *kwargs.values()]), limits(results)
    return max(max(coarse, default=0) / min(fine), 1.0) if fine else 1.0


def _overflows(error: Exception | None) -> bool:
    return "Overflow when unpacking long" in str(error)


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().clone() if tensor.is_contiguous() else tensor


def _outcome(library: Any, function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, Exception | None]:
    library.manual_seed(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*args, **kwargs), None
        except Untranslatable:
            raise
        except Exception as error:
            return None, error


def _same_type(theirs: Exception, ours: Exception) -> bool:
    """NotImplementedError is a RuntimeError, and which of them a missing dtype is varies in PyTorch."""
    if isinstance(theirs, RuntimeError):
        return isinstance(ours, RuntimeError)
    return isinstance(ours, type(theirs))


def _said(error: Exception | None) -> str:
    first = " ".join(str(error).split())
    return f"{type(error).__name__}({first[:160]!r})"


def where(error: BaseException) -> str:
    """The file and line of tinytorch that raised."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/tinytorch/" in f.filename]
    return f"{frames[-1].filename.split('/tinytorch/')[-1]}:{frames[-1].lineno}" if frames else ""
