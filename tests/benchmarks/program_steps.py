"""What the training steps of :mod:`tests.benchmarks.programs` have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Step", "training"]

#: Makes everything with the library that it is given, and returns the function to time.
Step = Callable[[Any], Callable[[], float]]


def training(library: Any, model: Any, loss_of: Callable[[], Any], optimizer: Any = None) -> Callable[[], float]:
    """zero_grad, loss, backward, step; with Adam if nothing else is asked for."""
    optimizer = optimizer or library.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step
