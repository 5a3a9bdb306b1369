"""All exercises, in the order of the chapters. Each table is plain data; see :class:`.Exercise`."""

from __future__ import annotations

from difflib import get_close_matches

from tinytorch.learn.exercise import Exercise
from tinytorch.learn.exercises import beginning, images, networks, tensors

__all__ = ["EXERCISES", "named"]

EXERCISES: tuple[Exercise, ...] = (
    *beginning.EXERCISES,
    *tensors.EXERCISES,
    *networks.EXERCISES,
    *images.EXERCISES,
)


def named(name: str) -> Exercise:
    """The exercise of that name. LookupError names similar ones."""
    by_name = {exercise.name: exercise for exercise in EXERCISES}
    if name not in by_name:
        similar = get_close_matches(name, by_name)
        raise LookupError(
            f"no exercise is called {name!r}" + (f"; did you mean {', '.join(similar)}?" if similar else "")
        )
    return by_name[name]
