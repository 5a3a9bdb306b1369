"""``torch.overrides``: which functions a class can override with ``__torch_function__``, and help with writing some.

How that works is told in :mod:`tinytorch.torch_function`.

>>> import tinytorch as torch
>>> class Counting(TorchFunctionMode):
...     calls = 0
...     def __torch_function__(self, func, types, args=(), kwargs=None):
...         self.calls += 1
...         return func(*args, **(kwargs or {}))
>>> with Counting() as counting:
...     y = torch.ones(2).exp() + 1         # ones, exp, add
>>> counting.calls
3

A function of one's own, that classes can override as they can PyTorch's, asks first::

    def twice(x):
        if has_torch_function_unary(x):
            return handle_torch_function(twice, (x,), x)
        return 2 * x
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any

import tinytorch
from tinytorch import torch_function
from tinytorch.tensor import Tensor
from tinytorch.torch_function import OPERATORS, Overridable, state

__all__ = ["TorchFunctionMode", "get_ignored_functions", "get_overridable_functions", "get_testing_overrides",
           "handle_torch_function", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic",
           "is_tensor_like", "is_tensor_method_or_property", "resolve_name", "wrap_torch_function"]  # fmt: skip

#: Functions that make tensors of what is none: no class of arguments is asked, but modes are.
_MAKERS = {
    "arange", "as_tensor", "asarray", "bartlett_window", "blackman_window", "empty", "empty_permuted",
    "empty_strided", "eye", "fftfreq", "from_dlpack", "from_file", "from_numpy", "frombuffer", "full",
    "hamming_window", "hann_window", "kaiser_window", "linspace", "logspace", "ones", "rand", "randint", "randn",
    "randperm", "range", "rfftfreq", "scalar_tensor", "tensor", "tril_indices", "triu_indices", "zeros"
}  # fmt: skip
#: Functions that nobody is asked about: questions and switches.
_SILENT = {
    "are_deterministic_algorithms_enabled", "broadcast_shapes", "can_cast", "get_default_device", "get_default_dtype",
    "get_deterministic_debug_mode", "get_float32_matmul_precision", "get_num_interop_threads", "get_num_threads",
    "get_rng_state", "initial_seed", "is_anomaly_check_nan_enabled", "is_anomaly_enabled",
    "is_deterministic_algorithms_warn_only_enabled", "is_grad_enabled", "is_inference_mode_enabled", "is_storage",
    "is_tensor", "is_warn_always_enabled", "load", "manual_seed", "promote_types", "save", "seed",
    "set_default_device", "set_default_dtype", "set_default_tensor_type", "set_deterministic_debug_mode",
    "set_float32_matmul_precision", "set_flush_denormal", "set_num_interop_threads", "set_num_threads",
    "set_printoptions", "set_rng_state", "set_warn_always", "typename", "use_deterministic_algorithms", "as_subclass",
    "graph"
}  # fmt: skip
#: The methods with underscores that can be overridden, beside operators.
_PROTOCOLS = {
    "__array__", "__array_wrap__", "__bool__", "__complex__", "__contains__", "__deepcopy__", "__dir__", "__dlpack__",
    "__dlpack_device__", "__float__", "__format__", "__getitem__", "__index__", "__int__", "__invert__", "__len__",
    "__reduce_ex__", "__repr__", "__reversed__", "__setitem__", "__setstate__", "_version"
}  # fmt: skip


# ----------------------------------------------------------------------------------------------- the functions


def _modules() -> list[tuple[str, Any, Iterable[str]]]:
    """The modules whose functions can be overridden: PyTorch's name, the module, the names in it."""
    from tinytorch import autograd, fft, linalg, special
    from tinytorch.nn import functional, init

    public = [name for name in vars(tinytorch) if not name.startswith("_")]
    return [
        ("torch", tinytorch, public),
        ("torch.nn.functional", functional, functional.__all__),
        ("torch.linalg", linalg, linalg.__all__),
        ("torch.special", special, special.__all__),
        ("torch.fft", fft, fft.__all__),
        ("torch.nn.init", init, ("constant_", "kaiming_uniform_", "normal_", "uniform_")),
        ("torch.autograd", autograd, ("backward", "grad")),
    ]


def _named_functions() -> Iterator[tuple[str, Any, Any]]:
    """Functions of the modules: PyTorch's name, the module and the function. Some are in several modules."""
    for prefix, module, names in _modules():
        for name in names:
            function = vars(module).get(name)
            if isinstance(function, FunctionType) and function.__module__.startswith("tinytorch"):
                yield f"{prefix}.{name}", module, function


def _members() -> Iterator[tuple[str, Any]]:
    """What Tensor has under its public names: methods and properties."""
    for cls in (base for base in Tensor.__mro__ if base is not object):
        for name, member in vars(cls).items():
            public = not name.startswith("_") or name in OPERATORS or name in _PROTOCOLS
            if public and name not in _SILENT and isinstance(member, (FunctionType, property)):
                yield name, member


def overridables() -> list[Overridable]:
    """All functions that can ask, once each."""
    found: dict[Any, Overridable] = {}
    for name, member in _members():
        if isinstance(member, property):
            found[member.fget] = Overridable(member.fget, member.__get__)
            if member.fset is not None:
                found[member.fset] = Overridable(member.fset, member.__set__)
        elif member not in found:
            known_as = OPERATORS.get(name)
            found[member] = Overridable(member, None if known_as is None else getattr(Tensor, known_as))
    for name, module, function in _named_functions():
        plain_name = name.rpartition(".")[2]
        if function not in found and plain_name not in _SILENT:
            walks = module is tinytorch.autograd
            found[function] = Overridable(function, makes=plain_name in _MAKERS, walks=walks)
    return list(found.values())


def _is_ignored(name: str) -> bool:
    return name.rpartition(".")[2] in _SILENT | _MAKERS


@functools.cache
def _overridable_by_place() -> tuple[dict[Any, list[Any]], dict[Any, str]]:
    places: dict[Any, list[Any]] = {}
    names: dict[Any, str] = {}
    for name, module, function in _named_functions():
        if not _is_ignored(name):
            places.setdefault(module, []).append(function)
            names.setdefault(function, name)
    for name, member in _members():
        function = member.__get__ if isinstance(member, property) else member
        places.setdefault(member if isinstance(member, property) else Tensor, []).append(function)
        names.setdefault(function, f"torch.Tensor.{name}" + ".__get__" * isinstance(member, property))
    return places, names


def get_overridable_functions() -> dict[Any, list[Any]]:
    """What a class can override, by where it stands: in a module, in Tensor, or, the ``__get__`` of a property, in it.

    Each call returns lists of its own.
    """
    return {place: [*functions] for place, functions in _overridable_by_place()[0].items()}


def get_ignored_functions() -> set[Callable[..., Any]]:
    """The functions of the public modules that no class is asked about."""
    ignored = {function for name, _, function in _named_functions() if _is_ignored(name)}
    return ignored | {Tensor.as_subclass, Tensor.__new__, Tensor.__init_subclass__, Tensor.__iter__, Tensor.__hash__}


def get_testing_overrides() -> dict[Callable[..., Any], Callable[..., Any]]:
    """For every function that can be overridden one of the same signature that returns -1."""

    def stand_in(function: Any) -> Callable[..., int]:
        def override(*args: Any, **kwargs: Any) -> int:
            return -1

        try:
            override.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        except ValueError:  # of a property
            override.__signature__ = inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)])  # type: ignore[attr-defined]
        return override

    return {function: stand_in(function) for function in _overridable_by_place()[1]}


def resolve_name(f: Callable[..., Any]) -> str | None:
    """What PyTorch programs call the function: ``'torch.add'``, ``'torch.Tensor.shape.__get__'``; None for others."""
    return _overridable_by_place()[1].get(f)


def is_tensor_method_or_property(func: Any) -> bool:
    """Whether ``func``, as ``__torch_function__`` gets it, is a method of Tensor, or the ``__get__`` of a property."""
    return func in _overridable_by_place()[0][Tensor] or getattr(func, "__name__", "") == "__get__"


# ------------------------------------------------------------------------------------ for functions of one's own


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of the arguments wants to be asked, or a mode does."""
    found = [value for value in relevant_args if torch_function.overrides(type(value))] if state.enabled else []
    torch_function.notice_any(found)
    return bool(found or state.modes)


def has_torch_function_unary(tensor: Any) -> bool:
    """:func:`has_torch_function` of one argument."""
    return has_torch_function((tensor,))


def has_torch_function_variadic(*tensors: Any) -> bool:
    """:func:`has_torch_function` of these arguments."""
    return has_torch_function(tensors)


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """What those among ``relevant_args`` that want to be asked say ``public_api(*args, **kwargs)`` is.

    TypeError if they say NotImplemented, or none wants to be asked.
    """
    found = torch_function.overriding(relevant_args) if state.enabled else []
    return torch_function.handed_over(public_api, found, args, kwargs)


def wrap_torch_function(
    dispatcher: Callable[..., Iterable[Any]],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that lets a function ask. ``dispatcher`` has its signature, and returns those who are to be asked."""

    def decorate(func: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return func(*args, **kwargs)

        return wrapped

    return decorate


def is_tensor_like(inp: Any) -> bool:
    """Whether ``inp`` is a tensor, or has a ``__torch_function__``."""
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


# ---------------------------------------------------------------------------------------------------- modes


class TorchFunctionMode:
    """A context manager that is asked about every function called inside, and overrides what it likes.

    Subclasses define ``__torch_function__(self, func, types, args=(), kwargs=None)``. What is called in there goes to
    the mode around this one, if there is any. NotImplemented leaves the answer to the classes of the arguments.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Override this."""
        raise NotImplementedError

    def __enter__(self) -> Any:
        torch_function.enter(self)
        return self

    def __exit__(self, *exception: Any) -> None:
        torch_function.leave(self)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that overrides nothing."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


def _get_current_function_mode() -> TorchFunctionMode | None:
    """The innermost mode."""
    return state.modes[-1] if state.modes else None


def _get_current_function_mode_stack() -> list[TorchFunctionMode]:
    """The modes that are entered, the innermost last."""
    return [*state.modes]


def __getattr__(name: str) -> Any:
    from tinytorch.missing import missing

    raise missing(__name__, name)
