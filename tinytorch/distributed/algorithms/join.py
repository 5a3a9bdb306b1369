"""Training on unequal numbers of batches (``torch.distributed.algorithms.join``): one process waits for nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["Join", "JoinHook", "Joinable"]


class JoinHook:
    """What a process that has run out of batches does in the others' steps; never called here."""

    def main_hook(self) -> None:
        """Does nothing."""

    def post_hook(self, is_last_joiner: bool) -> None:
        """Does nothing."""


class Joinable:
    """What takes part in a :class:`Join`."""

    def join_hook(self, **kwargs: Any) -> JoinHook:
        """What to do when this process has run out of batches."""
        return JoinHook()


class Join:
    """``with Join([model, optimizer]): ...`` waits at its end until all processes are there: does nothing."""

    def __init__(
        self, joinables: Sequence[Any], enable: bool = True, throw_on_early_termination: bool = False, **kwargs: Any
    ) -> None:
        if len(joinables) == 0:
            raise ValueError("The join context manager requires at least one joinable")

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: Any) -> None:
        pass

    @staticmethod
    def notify_join_context(joinable: Any) -> None:
        """None: there is nothing to wait for."""
