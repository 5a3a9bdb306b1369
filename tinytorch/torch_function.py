"""``__torch_function__``: how a class takes part in functions that were not written for it.

A function of the public interface that is given an object whose class has a ``__torch_function__`` leaves the work to
that method. It gets the function, the classes found among the arguments, and the arguments::

    class Logged(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            print(func.__name__)
            return super().__torch_function__(func, types, args, kwargs)

    Logged([1.0, 2.0]).exp() + 1        # prints exp, add; the result is a Logged, too

The class may be derived from Tensor or not. What ``super()`` leads to is what every subclass of Tensor inherits
(:func:`by_default`): the function runs on the arguments as they are, and tensors among its results become objects of
the subclass. A :class:`~tinytorch.overrides.TorchFunctionMode` is asked about *all* functions, while it is entered.

How functions come to ask. No line of them does, and programs without such classes pay nothing. When the first class or
mode appears, every public function is given another body, in place (``function.__code__``): one that looks at the
arguments first, and then runs the old one. In place, because the function stays the same object then: whoever has it
under another name, ``from torch import exp`` or a table of functions, has the asking one, and ``func is torch.exp``
holds before and after. When the last class is gone and the last mode left, the old bodies return.

>>> def double(x):
...     return 2 * x
>>> held = double
>>> double.__code__ = (lambda x: "another body").__code__
>>> held(1), held is double
('another body', True)

When it is noticed. A subclass of Tensor when it is defined, a mode when it is entered. A class that is no subclass
when an object of it comes to a function that checks its arguments, or is asked about in :mod:`tinytorch.overrides`.
Operators (``x + y``), functions in place and a few hot ones (``relu``...) do not look: if one of those is the very
first to meet it, it raises TypeError. :func:`notice` helps.

What PyTorch does. Its functions in C++ always look: the parser of arguments does it on the way.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from types import CodeType, FunctionType, NoneType
from typing import Any

import tinytorch  # complete by the time that a function here is called
from tinytorch.size import Size

__all__ = ["OPERATORS", "UNKNOWN_BEFORE", "Overridable", "by_default", "called_again", "disabled_torch_function",
           "enter", "handed_over", "leave", "notice", "notice_any", "overrides", "overriding", "state",
           "without_overrides"]  # fmt: skip


class _State(threading.local):
    """What a thread is in the middle of."""

    enabled = True  # whether classes are asked
    modes: tuple[Any, ...] = ()  # those entered, the innermost last


state = _State()


@contextmanager
def without_overrides(modes: bool = False) -> Iterator[None]:
    """No class is asked inside; and, if ``modes`` is True, no mode."""
    before = state.enabled, state.modes
    state.enabled = False
    if modes:
        state.modes = ()
    try:
        yield
    finally:
        state.enabled, state.modes = before


def disabled_torch_function(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """In a class as ``__torch_function__``: the class is not asked, and results are plain tensors."""
    with without_overrides():
        return func(*args, **(kwargs or {}))


def by_default(cls: type, func: Any, types: Iterable[type], args: Any, kwargs: Any) -> Any:
    """What a subclass of Tensor inherits: the function's own result, as an object of ``cls``.

    NotImplemented where a class takes part that ``cls`` does not derive from.
    """
    _refuse_pytorchs((func, *types))
    if not all(issubclass(cls, other) for other in types):
        return NotImplemented
    with without_overrides():
        result = func(*args, **(kwargs or {}))
        return result if func == tinytorch.Tensor.grad.__get__ else as_class(result, cls)


def as_class(value: Any, cls: type) -> Any:
    """Tensors, alone or in tuples and lists, as objects of ``cls``, a subclass of Tensor."""
    if isinstance(value, tinytorch.Tensor):
        return value if isinstance(value, cls) else value.as_subclass(cls)
    if isinstance(value, (tuple, list)) and type(value) is not Size:
        parts = [as_class(part, cls) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


# ------------------------------------------------------------------------------------------------- who is asked


def overrides(kind: type) -> bool:
    """Whether objects of the class want to be asked."""
    method = getattr(kind, "__torch_function__", None)
    return method is not None and method is not disabled_torch_function and kind is not tinytorch.Tensor


#: What is seen most, and wants nothing.
_PLAIN: set[type] = {NoneType, bool, int, float, complex, str, slice, type(...), Size}


def overriding(values: Iterable[Any]) -> list[Any]:
    """Of each class that wants to be asked, the first object among ``values``, and the lists and tuples in them.

    In the order in which they are asked: from left to right, but a subclass before its base.
    """
    found: list[Any] = []
    for value in values:
        kind = type(value)
        if kind in _PLAIN:
            continue
        for candidate in overriding(value) if kind is list or kind is tuple else [value] if overrides(kind) else ():
            _insert(found, candidate)
    return found


def _insert(found: list[Any], candidate: Any) -> None:
    kind = type(candidate)
    if any(type(other) is kind for other in found):
        return
    bases = (place for place, other in enumerate(found) if issubclass(kind, type(other)))
    found.insert(next(bases, len(found)), candidate)


def handed_over(function: Any, found: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Ask the innermost mode, then the classes of ``found``, what ``function(*args, **kwargs)`` is.

    TypeError if all of them return NotImplemented.
    """
    types = tuple(map(type, found))
    _refuse_pytorchs(types)
    modes = state.modes
    if modes:
        state.modes = modes[:-1]  # what the mode itself calls goes to those around it
        try:
            result = modes[-1].__torch_function__(function, types, args, kwargs)
        finally:
            state.modes = modes
        if result is not NotImplemented:
            return result
    for value in found:
        result = value.__torch_function__(function, types, args, kwargs)
        if result is not NotImplemented:
            return result
    from tinytorch.overrides import resolve_name

    name = resolve_name(function) or f"{function.__module__}.{function.__name__}"
    where = f", nor in mode {modes[-1]}" if modes else ""
    raise TypeError(
        f"no implementation found for '{name}' on types that implement __torch_function__: {list(types)}{where}"
    )


def _refuse_pytorchs(things: Iterable[Any]) -> None:
    """TypeError if PyTorch itself takes part: its tensors and functions ask ours what to do, and ours ask them."""
    for thing in things:
        # built-in functions and methods have no module of their own, but what they belong to has
        owners = (thing, getattr(thing, "__objclass__", None), getattr(thing, "__self__", None))
        home = next(filter(None, (getattr(owner, "__module__", None) for owner in owners)), "")
        if home.partition(".")[0] == "torch":
            raise TypeError(
                f"PyTorch's own {getattr(thing, '__name__', thing)!r} met a tensor of tinytorch: a program uses one of "
                "the two. Change the import that is left; x.numpy() and from_numpy() carry tensors between them."
            )


# -------------------------------------------------------------------------------------------- how functions ask


@cache
def _asking(variables: int) -> CodeType:
    """The other body, before the constant in it is replaced by an :class:`Overridable`. It must do without names: as
    the body of another function it sees the global variables of that function's module, and none of this one's.

    A function keeps its closure, so its body must have as many ``variables`` from around it. They are compiled in, as
    a body that only said so would leave their places in the frame empty, where a debugger looks for them.
    """
    names = ", ".join(f"v{i:03}" for i in range(variables))
    text = f"""
def around({names}):
    def asking(*args, **kwargs):
        if False:
            ({names})
        return "overridable".called(args, kwargs)
    return asking
"""
    scope: dict[str, Any] = {}
    exec(compile(text, __file__, "exec"), scope)  # a frame of this package, for those who look for one of the user's
    code: CodeType = scope["around"](*[None] * variables).__code__
    return code


class Overridable:
    """A function that can ask, with both of its bodies.

    ``known_as`` is what it is called in ``__torch_function__``: ``Tensor.add`` for ``Tensor.__add__``. Functions that
    make tensors (``makes``) ask modes alone. ``walks`` is for backward, where formulas run that nobody has called.
    """

    def __init__(self, function: Any, known_as: Any = None, makes: bool = False, walks: bool = False) -> None:
        self.function, self.known_as = function, function if known_as is None else known_as
        self.makes, self.walks = makes, walks
        self.is_operator = function.__name__ in OPERATORS
        self.silent_code = code = function.__code__
        self.run = FunctionType(code, function.__globals__, function.__name__, function.__defaults__,
                                function.__closure__)  # fmt: skip
        self.run.__kwdefaults__ = function.__kwdefaults__
        asking = _asking(len(code.co_freevars))
        constants = tuple([self if value == "overridable" else value for value in asking.co_consts])
        self.asking_code = asking.replace(co_consts=constants, co_freevars=code.co_freevars)

    def called(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The call of the function while it asks."""
        if not kwargs and not state.modes and _PLAIN.issuperset(map(type, args)):
            return self.run(*args)
        found = overriding((*args, *kwargs.values())) if state.enabled and not self.makes else []
        if found or state.modes:
            try:
                return handed_over(self.known_as, found, args, kwargs)
            except TypeError:
                if self.is_operator:  # Python asks the other operand
                    return NotImplemented
                raise
        if self.walks:
            with without_overrides():
                return self.run(*args, **kwargs)
        return self.run(*args, **kwargs)

    def switch(self, asks: bool) -> None:
        """Give the function its asking body, or its own."""
        self.function.__code__ = self.asking_code if asks else self.silent_code
        if asks and not hasattr(self.function, "__wrapped__"):
            self.function.__wrapped__ = self.run  # so that its signature and source can still be seen
        elif not asks and getattr(self.function, "__wrapped__", None) is self.run:
            del self.function.__wrapped__


#: Operators that PyTorch knows as methods with a name of their own.
OPERATORS = {
    "__abs__": "abs", "__add__": "add", "__and__": None, "__div__": "div", "__eq__": None, "__floordiv__": None,
    "__ge__": "ge", "__gt__": "gt", "__iadd__": "add_", "__iand__": None, "__idiv__": "div_",
    "__ifloordiv__": "floor_divide_", "__ilshift__": None, "__imod__": "remainder_", "__imul__": "mul_",
    "__ior__": None, "__ipow__": "pow_", "__irshift__": None, "__isub__": "sub_", "__itruediv__": "div_",
    "__ixor__": None, "__le__": "le", "__lshift__": None, "__lt__": "lt", "__matmul__": "matmul",
    "__mod__": "remainder", "__mul__": "mul", "__ne__": "ne", "__neg__": "neg", "__or__": None, "__pos__": "positive",
    "__pow__": "pow", "__radd__": "add", "__rand__": None, "__rdiv__": None, "__rfloordiv__": None,
    "__rlshift__": None, "__rmatmul__": None, "__rmod__": None, "__rmul__": "mul", "__ror__": None, "__rpow__": None,
    "__rrshift__": None, "__rshift__": None, "__rsub__": None, "__rxor__": None,
    "__sub__": "sub", "__truediv__": "div", "__xor__": None,
}  # fmt: skip


# ---------------------------------------------------------------------------------------------- when they ask

_classes: set[weakref.ref[type]] = set()
_entered = 0
_ask = False


def notice(cls: type) -> None:
    """Let functions ask, from now on and as long as the class exists, if its objects want to be asked."""
    if overrides(cls):
        _classes.add(weakref.ref(cls, _forget))
        _switch()


def notice_any(values: Iterable[Any]) -> bool:
    """:func:`notice` the classes of ``values``. Whether functions ask from now on, and did not before."""
    if _ask:
        return False
    found = overriding(values)
    for value in found:
        notice(type(value))
    return bool(found)


def called_again(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Inside ``except``: the call once more if one of the arguments wants to be asked. Otherwise the error is raised.

    So a function that does not look at its arguments beforehand, for it is hot, meets a class for the first time.
    """
    if not state.enabled or not (found := overriding((*args, *kwargs.values()))):
        raise
    notice_any(found)
    return function(*args, **kwargs)


#: What the error says where functions do not look (see the module's text).
UNKNOWN_BEFORE = (
    ". Its class has a __torch_function__, which is called from now on: it was not known before this call, and to make "
    "it known is tinytorch.torch_function.notice(its class)"
)


def _forget(reference: weakref.ref[type]) -> None:
    _classes.discard(reference)
    _switch()


def enter(mode: Any, outermost: bool = False) -> None:
    """Ask ``mode`` first in this thread, or last (``outermost``), until :func:`leave`."""
    global _entered
    state.modes = (mode, *state.modes) if outermost else (*state.modes, mode)
    _entered += 1
    _switch()


def leave(mode: Any) -> None:
    """Ask ``mode`` no more."""
    global _entered
    place = max(place for place, entered in enumerate(state.modes) if entered is mode)
    state.modes = (*state.modes[:place], *state.modes[place + 1 :])
    _entered -= 1
    _switch()


def _switch() -> None:
    """Let functions ask if there is anybody to be asked."""
    global _ask
    ask = bool(_classes) or _entered > 0
    if ask != _ask and not sys.is_finalizing():
        _ask = ask
        for overridable in all_overridable():
            overridable.switch(ask)


_all: list[Overridable] = []


def all_overridable() -> list[Overridable]:
    """Every function that can ask: of the public modules, Tensor's methods, and what is behind its properties."""
    if not _all:
        from tinytorch.overrides import overridables

        _PLAIN.update((tinytorch.Tensor, tinytorch.nn.Parameter, tinytorch.nn.Buffer, tinytorch.dtype))
        _all.extend(overridables())
    return _all
