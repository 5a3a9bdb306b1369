"""Grad modes: whether ops are recorded, per thread.

``no_grad``, ``enable_grad``, ``set_grad_enabled`` and ``inference_mode`` are context managers and decorators, as
PyTorch's. The thread's state also holds where in the module tree the running forward is (``call``), because
every recorded node remembers it.

Ctrl-C can come before the first line of an ``__exit__``, but not between the body of a ``try`` and an assignment in its
``finally``. So what the library itself does thousands of times, backward and ``optimizer.step``, is written that way.
"""

from __future__ import annotations

import functools
import inspect
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = [
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_grad_enabled",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])


class ModuleName:
    """A module as a graph knows it.

    Attributes:
        name: its qualified name within the outermost module that ran, ``"block1.0"``; there ``""``.
        kind: its class.
        module: a weak reference to it (a module may hold results, whose nodes point here).
    """

    __slots__ = ("kind", "module", "name")

    def __init__(self, name: str, module: Any) -> None:
        self.name, self.kind, self.module = name, type(module), weakref.ref(module)


#: One run of a module's forward: the module, and the call around this one (None for the outermost). A fresh tuple for
#: every run, so two runs of one module can be told apart; nodes recorded meanwhile point at it.
ModuleCall = tuple[ModuleName, Any]


class _ThreadState(threading.local):
    """What autograd remembers per thread, and the values a new thread starts with.

    Finding a thread's own values takes Python longer than reading one of them, so ops ask for all at once, as the
    dictionary ``state.__dict__``. It holds what every op wants to know.
    """

    def __init__(self) -> None:  # runs once in every thread
        self.grad_enabled: bool = True
        self.inference: bool = False
        self.call: ModuleCall | None = None  # the innermost module call that runs
        self.saved_tensors_hooks: Any = None  # (pack, unpack) of the innermost autograd.graph.saved_tensors_hooks

    no_saved_tensors_hooks: str | None = None  # the error for those who want to use them all the same
    at_end: Any = None  # functions that the running backward is to call when it has ended
    walk: Any = None  # the backward that runs, if results may wait for its end: see tinytorch.autograd.deferred
    unwatched: bool = False  # inside an op that is being watched: see tinytorch.autograd.watching
    examples: tuple[tuple[Any, Any], ...] = ()  # while vmap runs: (argument, the example taken from it), as arrays
    module_names: dict[int, ModuleName] | None = None  # by id(module), of the outermost module that runs

    @property
    def scope(self) -> str:
        """Qualified name of the running module, ``"block1.0"``."""
        return "" if self.call is None else self.call[0].name


state = _ThreadState()


def is_grad_enabled() -> bool:
    """Whether ops are recorded in this thread now."""
    return state.grad_enabled


def is_inference_mode_enabled() -> bool:
    """Whether :class:`inference_mode` is on in this thread now."""
    return state.inference


class _ModeManager:
    """A context manager that is also a decorator of functions, generator functions and classes."""

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(self, *exception: Any) -> None:
        raise NotImplementedError

    def clone(self) -> _ModeManager:
        """A fresh manager of the same kind, so that decorated functions may call themselves."""
        return type(self)()

    def __call__(self, function: F) -> F:
        if inspect.isclass(function):  # decorate what makes the instances, as PyTorch does
            function.__init__ = self(function.__init__)  # type: ignore[method-assign]
            return function
        if inspect.isgeneratorfunction(function):
            return self._wrap_generator(function)

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            enabled, inference = state.grad_enabled, state.inference
            try:
                self.clone().__enter__()
                return function(*args, **kwargs)
            finally:
                state.grad_enabled, state.inference = enabled, inference

        return wrapper  # type: ignore[return-value]

    def _wrap_generator(self, function: Any) -> Any:
        """The mode holds while the generator runs, and not while its consumer does."""

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            step: Any = generator.send
            argument: tuple[Any, ...] = (None,)
            while True:
                try:
                    with self.clone():
                        item = step(*argument)
                except StopIteration as stop:
                    return stop.value
                try:
                    argument, step = ((yield item),), generator.send
                except GeneratorExit:
                    generator.close()
                    raise
                except BaseException as error:
                    argument, step = (error,), generator.throw

        return wrapper


class no_grad(_ModeManager):
    """Nothing is recorded inside: results do not require grad. ``@no_grad`` works with and without brackets."""

    _enabled = False

    def __new__(cls, function: Any = None) -> Any:
        manager = super().__new__(cls)
        return manager if function is None else manager(function)

    def __init__(self, function: Any = None) -> None:
        self._before: list[bool] = []  # a stack: one manager object may be entered again inside itself

    def __enter__(self) -> None:
        self._before.append(state.grad_enabled)
        state.grad_enabled = self._enabled

    def __exit__(self, *exception: Any) -> None:
        state.grad_enabled = self._before[-1]
        self._before.pop()


class enable_grad(no_grad):
    """Ops are recorded inside, also within :class:`no_grad`."""

    _enabled = True


class set_grad_enabled(_ModeManager):
    """Switch recording on or off: at once when called as a function, until the end of the block with ``with``."""

    def __init__(self, mode: bool) -> None:
        self.mode = bool(mode)
        self._before = state.grad_enabled
        state.grad_enabled = self.mode

    def __call__(self, function: F) -> F:
        state.grad_enabled = self._before  # used as a decorator: takes effect when the function runs
        return super().__call__(function)

    def __enter__(self) -> None:
        state.grad_enabled = self.mode

    def __exit__(self, *exception: Any) -> None:
        state.grad_enabled = self._before

    def clone(self) -> set_grad_enabled:
        return set_grad_enabled(self.mode)


class inference_mode(_ModeManager):
    """Like :class:`no_grad`, and the tensors made inside can never take part in autograd."""

    def __new__(cls, mode: Any = True) -> Any:
        if isinstance(mode, bool):
            return super().__new__(cls)
        return cls()(mode)

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode
        self._before: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self._before.append((state.grad_enabled, state.inference))
        state.grad_enabled, state.inference = not self.mode, self.mode

    def __exit__(self, *exception: Any) -> None:
        state.grad_enabled, state.inference = self._before[-1]
        self._before.pop()

    def clone(self) -> inference_mode:
        return inference_mode(self.mode)
