"""The types of an op's arguments, checked against its annotations.

::

    @checks_arguments
    def glu(input: Tensor, dim: int = -1) -> Tensor: ...

``glu(x, True)`` is a TypeError, "glu(): argument 'dim' (position 2) must be int, not bool", though to Python True is
an int. What each annotation lets in is what PyTorch's parser of arguments lets in (python_arg_parser.cpp):

- ``Tensor``: tensors. ``bool``: bools. ``str``: strings.
- ``int``: whole numbers and tensors of one whole number, but no bools, and no 2.0.
- ``float``: real numbers, bools too, and tensors of one number. ``Number``: complex ones as well.
- ``Tensor | Number``, ``Tensor | float``: any tensor, or a number.
- ``Sequence[int]``, ``Sequence[Tensor]``: tuples and lists, no arrays; the op itself looks at what is in them. With
  ``int |`` before, an int as well.
- NumPy's names of arguments pass for PyTorch's: ``x``, ``a`` and ``x1`` for ``input``, ``axis`` for ``dim``...
- with ``| None``: None, too. Any other annotation, ``Any`` above all, lets everything in: the op itself looks.

Checking costs one look into a set of the types that passed before. :func:`tinytorch.ops.out.accepts_out` does the same.
An error of the op itself is put into the caller's words (:mod:`tinytorch.ops.explaining`), and only then are the
elements of a ``Sequence[int]`` or ``Sequence[Tensor]`` looked at.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

import numpy as np

from tinytorch.numpy_names import NOT_GIVEN, NUMPY_NAMES
from tinytorch.tensor import Tensor
from tinytorch.torch_function import UNKNOWN_BEFORE, notice_any

__all__ = ["NOT_GIVEN", "ArgumentTypes", "Number", "Truth", "checks_arguments", "raise_explained", "wrong_argument"]

F = TypeVar("F", bound=Callable[..., Any])
Number = bool | int | float | complex
Truth = Any  # a flag of a function that PyTorch writes in Python, where whatever is true will do


def wrong_argument(name: str, argument: str, position: int | None, value: Any, wanted: str = "Tensor") -> TypeError:
    """The error for an argument of the wrong type."""
    where = "" if position is None else f" (position {position})"
    late = UNKNOWN_BEFORE if notice_any((value,)) else ""
    return TypeError(f"{name}(): argument '{argument}'{where} must be {wanted}, not {type(value).__name__}{late}")


def checks_arguments(op: F) -> F:
    """Let ``op`` refuse arguments that its annotations do not name; see the module's text."""
    types = ArgumentTypes(op)
    passed = types.passed

    @functools.wraps(op)
    def checked(*args: Any, **kwargs: Any) -> Any:
        given = (*map(type, args), *kwargs, *map(type, kwargs.values())) if kwargs else tuple(map(type, args))
        if given not in passed:
            if notice_any((*args, *kwargs.values())):
                return checked(*args, **kwargs)
            args, kwargs = types.check(args, kwargs)
        try:
            return op(*args, **kwargs)
        except Exception as error:
            raise_explained(error, op, args, kwargs)

    return checked  # type: ignore[return-value]


def raise_explained(error: Exception, op: Callable[..., Any], args: Any, kwargs: Any) -> NoReturn:
    """Inside ``except``: raise what the caller of ``op`` should see, the error itself or a better one from it."""
    from tinytorch.ops.explaining import explained

    better = explained(error, op, args, kwargs)
    try:
        if better is error:
            raise
        raise better from error
    finally:
        # An error whose traceback leads to a variable that holds it is a cycle, which keeps all tensors alive.
        del better, error


class ArgumentTypes:
    """What the annotations of one op let in.

    ``passed`` holds the types of arguments (and names, of keywords) that were let in whatever their values are.
    """

    def __init__(self, op: Callable[..., Any]) -> None:
        self.op = op
        self.passed: set[tuple[Any, ...]] = set()

    @functools.cached_property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The signature of the op."""
        return inspect.signature(self.op).parameters

    @functools.cached_property
    def positions(self) -> list[str]:
        """The names of the arguments that may be given without their name."""
        return [p.name for p in self.parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY)]

    @functools.cached_property
    def wanted(self) -> dict[str, tuple[str, bool]]:
        """By name of argument: its type, and whether it may be None. Read when first needed: it takes a while."""
        wanted: dict[str, tuple[str, bool]] = {}
        for name, parameter in self.parameters.items():
            annotation = str(parameter.annotation)
            base = annotation.removesuffix(" | None")
            optional = base != annotation or parameter.default is None or name == "requires_grad"
            if (
                base in _ACCEPTED
                and (base == "str" or name not in _TRUTHS)
                and parameter.kind is not parameter.VAR_POSITIONAL
            ):
                wanted[name] = base, optional
        return wanted

    @functools.cached_property
    def takes_unbiased_first(self) -> bool:
        """Whether a bool in the place of ``dim`` is ``unbiased``: then it may not be called ``dim``."""
        return self.wanted.get("unbiased") == ("bool", False)

    def check(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, tensors and NumPy's numbers turned into Python's; TypeError for one of the wrong type."""
        sure = True
        given = [*args]
        for index, (name, value) in enumerate(zip(self.positions, args, strict=False)):
            given[index] = self._one(name, index + 1, value)
            sure = sure and (given[index] is value)
        named = {}
        for given_name, value in kwargs.items():
            name = given_name
            if name not in self.parameters:
                ours = NUMPY_NAMES.get(name, name)
                name = ours if ours in self.parameters and ours not in self.positions[: len(args)] else name
            named[name] = self._one(name, None, value)
            sure = sure and name == given_name and named[name] is value
        if sure:
            self.passed.add((*map(type, args), *kwargs, *map(type, kwargs.values())))
        return tuple(given), named

    def _one(self, name: str, position: int | None, value: Any) -> Any:
        wanted, optional = self.wanted.get(name, ("Any", True))
        if isinstance(value, bool) and name == "dim" and position is None and self.takes_unbiased_first:
            raise wrong_argument(self.op.__name__, name, None, value, "tuple of ints")
        if wanted == "Any" or value is NOT_GIVEN or (value is None and optional):
            return value
        accepted, converted = _ACCEPTED[wanted](value)
        if not accepted:
            raise wrong_argument(self.op.__name__, name, position, value, _WORDS.get(wanted, wanted))
        return converted


def _tensor(value: Any) -> tuple[bool, Any]:
    return isinstance(value, Tensor), value


def _bool(value: Any) -> tuple[bool, Any]:
    return isinstance(value, bool), value


def _text(value: Any) -> tuple[bool, Any]:
    return isinstance(value, str), value


def _int(value: Any) -> tuple[bool, Any]:
    if type(value) is int:
        return True, value
    if isinstance(value, Tensor):
        whole = _one_constant(value) and value._array.dtype.kind in "iu"
        return whole, value._array.item() if whole else value
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole, int(value) if whole else value


def _float(value: Any) -> tuple[bool, Any]:
    if isinstance(value, Tensor):
        real = _one_constant(value) and value._array.dtype.kind != "c"
        return real, value._array.item() if real else value
    if isinstance(value, np.generic):
        return value.dtype.kind in "fViub", value.item()
    if isinstance(value, bool):
        return True, float(value)
    return isinstance(value, (int, float)), value


def _number(value: Any) -> tuple[bool, Any]:
    if isinstance(value, bool):
        return True, value
    if isinstance(value, complex):
        return True, complex(value) if isinstance(value, np.generic) else value
    if isinstance(value, Tensor):
        return _one_constant(value), value._array.item() if _one_constant(value) else value
    return _float(value)


def _tensor_or(check: Callable[[Any], tuple[bool, Any]]) -> Callable[[Any], tuple[bool, Any]]:
    return lambda value: (True, value) if isinstance(value, Tensor) else check(value)


def _several(value: Any) -> tuple[bool, Any]:
    return isinstance(value, (tuple, list)), value


def _one_or_several(value: Any) -> tuple[bool, Any]:
    return (True, value) if isinstance(value, (tuple, list)) else _int(value)


def _one_constant(value: Tensor) -> bool:
    """Whether a tensor is one number that is not being differentiated."""
    return value._array.ndim == 0 and not value._requires_grad


_ACCEPTED: dict[str, Callable[[Any], tuple[bool, Any]]] = {
    "Tensor": _tensor, "bool": _bool, "str": _text, "int": _int, "float": _float, "Number": _number,
    "Tensor | Number": _tensor_or(_number), "Tensor | float": _tensor_or(_float), "Tensor | int": _tensor_or(_int),
    "Sequence[int]": _several, "Sequence[Tensor]": _several, "Sequence[Tensor | None]": _several,
    "int | Sequence[int]": _one_or_several, "int | Sequence[Any]": _one_or_several,
}  # fmt: skip
#: How PyTorch's errors name what Python's annotations cannot say so.
_WORDS = {
    "Sequence[int]": "tuple of ints",
    "Sequence[Tensor]": "tuple of Tensors",
    "Sequence[Tensor | None]": "tuple of Tensors",
    "int | Sequence[int]": "int or tuple of ints",
}

#: Flags that PyTorch's functions written in Python test for truth, so that 1 will do.
_TRUTHS = ("inplace", "return_indices", "size_average", "reduce", "get_infos", "center", "sym",
           "recompute_scale_factor", "_stacklevel")  # fmt: skip
