"""Watching: seeing every op run, forward and backward, without touching the ops.

Anomaly mode looks for the first NaN; the recorder of graph pictures measures times. Each is a :class:`Watcher`.

Two lists say what there is to do, and nearly always both are empty: one look at a list is all that an op pays. Backward
and changes in place look at :data:`watchers`. An op's forward looks at :data:`detours`, other ways for it to go, of
which being watched is one, there as long as somebody watches. Another is half precision (:mod:`.half`): it stays from
the first such tensor on, and backward, which nobody watches because of it, is not to be slower for that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from tinytorch.autograd.modes import state

__all__ = ["Watcher", "by_detour", "changed_in_place", "detours", "watched_backward", "watched_forward", "watchers"]


class Watcher:
    """Sees ops run while it is in use as a context manager. Subclasses override what they want to see.

    ``run()`` runs the op and returns its result; it has to be called, once. ``everywhere`` says whether ops of other
    threads are seen too.
    """

    everywhere = False
    _thread = 0

    def forward(self, op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any], run: Callable[[], Any]) -> Any:
        """An op is applied: ``op.apply(*inputs, **attributes)``."""
        return run()

    def backward(self, node: Any, received: list[Any], run: Callable[[], Any]) -> Any:
        """A node's backward turns the gradients ``received`` for its outputs into gradients of its inputs."""
        return run()

    def changed(self, tensor: Any, result: Any) -> None:
        """``tensor`` was given the value of ``result``, in place."""

    def start(self) -> None:
        """Begin to watch."""
        self._thread = threading.get_ident()
        watchers.append(self)
        if _watched not in detours:
            detours.insert(0, _watched)

    def stop(self) -> None:
        """Watch no more."""
        if self in watchers:
            watchers.remove(self)
        if not watchers and _watched in detours:
            detours.remove(_watched)

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.stop()


#: Who watches now.
watchers: list[Watcher] = []
#: Other ways for an op to go: functions of the op, its inputs and attributes, which return its result, or None if it
#: may go the straight way.
detours: list[Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]] = []


def _here() -> list[Watcher]:
    thread = threading.get_ident()
    return [watcher for watcher in watchers if watcher.everywhere or watcher._thread == thread]


def watched_forward(op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    """``op.apply`` with everybody watching. What the op itself does inside is not watched."""
    run = partial(_unwatched, partial(op.apply, *inputs, **attributes))
    for watcher in _here():
        run = partial(watcher.forward, op, inputs, attributes, run)
    return run()


def by_detour(op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    """The op's result by the first of the detours that has one; None if it may go the straight way."""
    for detour in detours:
        result = detour(op, inputs, attributes)
        if result is not None:
            return result
    return None


def _watched(op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
    return None if state.unwatched else watched_forward(op, inputs, attributes)


def watched_backward(node: Any, received: list[Any], run: Callable[[], Any], create_graph: bool) -> Any:
    """A node's backward with everybody watching; the ops that it runs are watched if they are recorded too."""
    if not create_graph:
        run = partial(_unwatched, run)
    for watcher in _here():
        run = partial(watcher.backward, node, received, run)
    return run()


def changed_in_place(tensor: Any, result: Any) -> None:
    """Tell everybody that ``tensor`` has the value of ``result`` now."""
    for watcher in _here():
        watcher.changed(tensor, result)


def _unwatched(run: Callable[[], Any]) -> Any:
    before, state.unwatched = state.unwatched, True
    try:
        return run()
    finally:
        state.unwatched = before
