"""Future: a result that is there, or will be (``torch.futures``). Everything here runs at once, in one thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["Future", "collect_all", "wait_all"]

T = TypeVar("T")


class Future(Generic[T]):
    """A value to be set later, with functions to call when it is."""

    def __init__(self, *, devices: Any = None) -> None:
        self._done = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future[T]], Any]] = []

    def done(self) -> bool:
        """Whether the value is there."""
        return self._done

    def value(self) -> Any:
        """The value; raises what was set as an exception, or RuntimeError if there is nothing yet."""
        if not self._done:
            raise RuntimeError("value() on a Future that has no value yet, and nothing here could set it meanwhile")
        if self._error is not None:
            raise self._error
        return self._value

    wait = value

    def set_result(self, result: Any) -> None:
        """Set the value and call what waits for it. RuntimeError the second time."""
        self._finish(result, None)

    def set_exception(self, result: BaseException) -> None:
        """Let :meth:`value` raise this exception."""
        self._finish(None, result)

    def _finish(self, value: Any, error: BaseException | None) -> None:
        if self._done:
            raise RuntimeError("Future can only be marked completed once.")
        self._done, self._value, self._error = True, value, error
        for callback in self._callbacks:
            callback(self)

    def add_done_callback(self, callback: Callable[[Future[T]], Any]) -> None:
        """Call ``callback(self)`` when the value is set, or at once."""
        if self._done:
            callback(self)
        else:
            self._callbacks.append(callback)

    def then(self, callback: Callable[[Future[T]], Any]) -> Future[Any]:
        """The Future of ``callback(self)``."""
        following: Future[Any] = Future()

        def run(done: Future[T]) -> None:
            try:
                result = callback(done)
            except Exception as error:
                following.set_exception(error)
            else:
                following.set_result(result)

        self.add_done_callback(run)
        return following


def wait_all(futures: list[Future[Any]]) -> list[Any]:
    """The values of all."""
    return [future.value() for future in futures]


def collect_all(futures: list[Future[Any]]) -> Future[list[Future[Any]]]:
    """A Future whose value is the list, once all are done."""
    collected: Future[list[Future[Any]]] = Future()

    def check(_: Any) -> None:
        if not collected.done() and all(future.done() for future in futures):
            collected.set_result(list(futures))

    for future in futures:
        future.add_done_callback(check)
    if not futures:
        collected.set_result([])
    return collected
