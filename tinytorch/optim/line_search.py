"""How far to go along a direction: a line search for the strong Wolfe conditions.

Next: :mod:`tinytorch.optim.lbfgs`.

Given a point and a downhill direction d, look at the loss along it, phi(t) = loss(x + t d). A step t is good
enough if it satisfies both conditions (Nocedal and Wright, Numerical Optimization, 2006, section 3.1)::

    phi(t) <= phi(0) + c1 * t * phi'(0)          the loss fell, by at least a little of what the slope promised
    |phi'(t)| <= c2 * |phi'(0)|                  and it is flatter here: no large gain is left on this line

Two phases (their algorithms 3.5 and 3.6). First go farther and farther until two points *bracket* a good one;
then *zoom*: try a point inside the bracket, keep the half that still holds a good one. The point to try is
the minimum of the cubic through values and slopes at both ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Point", "cubic_minimum", "strong_wolfe"]


class Point(NamedTuple):
    """A point on the line: how far along, the loss there, its gradient, and its slope along the line."""

    t: Any
    loss: float
    grad: np.ndarray
    slope: Any


def strong_wolfe(
    evaluate: Callable[[Any], Point], start: Point, t: Any, d_norm: float, c1: float = 1e-4, c2: float = 0.9,
    tolerance_change: float = 1e-9, max_ls: int = 25,
) -> tuple[Point, int]:  # fmt: skip
    """A point that satisfies the strong Wolfe conditions, or the best one after ``max_ls`` tries.

    Args:
        evaluate: gives the :class:`Point` for a t.
        start: the point t = 0.
        t: the first t to try.
        d_norm: largest element of the direction, to judge when a bracket is small.
        c1, c2: constants of the conditions.
        tolerance_change: stop when a bracket gets smaller.
        max_ls: largest number of tries after the first.

    Returns the point and how often ``evaluate`` was called.
    """
    bracket, tries, done = _bracket(evaluate, start, t, c1, c2, max_ls)
    low = 0 if bracket[0].loss <= bracket[-1].loss else 1
    stuck = False
    while not done and tries < max_ls and abs(bracket[1].t - bracket[0].t) * d_norm >= tolerance_change:
        t, stuck = _trial(bracket, stuck)
        new = evaluate(t)
        tries += 1
        high = 1 - low
        if new.loss > start.loss + c1 * t * start.slope or new.loss >= bracket[low].loss:
            bracket[high] = new
            low = 0 if bracket[0].loss <= bracket[1].loss else 1
            continue
        if abs(new.slope) <= -c2 * start.slope:
            done = True
        elif new.slope * (bracket[high].t - bracket[low].t) >= 0:
            bracket[high] = bracket[low]  # downhill from the new point lies the old best one
        bracket[low] = new
    return bracket[low], tries + 1


def _bracket(
    evaluate: Callable[[Any], Point], start: Point, t: Any, c1: float, c2: float, max_ls: int
) -> tuple[list[Point], int, bool]:
    """Two points with a good one between them, or (and then True) a good one alone; and the tries after the first."""
    before, new = start, evaluate(t)
    for tries in range(max_ls):
        if new.loss > start.loss + c1 * new.t * start.slope or (tries > 1 and new.loss >= before.loss):
            return [before, new], tries, False
        if abs(new.slope) <= -c2 * start.slope:
            return [new], tries, True
        if new.slope >= 0:
            return [before, new], tries, False
        bounds = new.t + 0.01 * (new.t - before.t), new.t * 10
        t = cubic_minimum(before, new, bounds)
        before, new = new, evaluate(t)
    return [start, new], max(max_ls, 0), False


def _trial(bracket: list[Point], stuck: bool) -> tuple[Any, bool]:
    """Where to look inside the bracket, and whether that is close to an end.

    The second time in a row, or outside, it is moved a tenth of the bracket's length away from the end.
    """
    t = cubic_minimum(bracket[0], bracket[1])
    left, right = sorted(point.t for point in bracket)
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if stuck or t >= right or t <= left:
        return (right - margin if abs(t - right) < abs(t - left) else left + margin), False
    return t, True


def cubic_minimum(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Where the cubic through loss and slope at ``a`` and ``b`` has its minimum, clipped to ``bounds``.

    By default the bounds are the points themselves. The middle of the bounds if the cubic has no minimum.
    (Nocedal and Wright, equation 3.59.)

    >>> zero = np.zeros(1)  # phi(t) = (t - 1)^2
    >>> float(cubic_minimum(Point(0.0, 1.0, zero, np.float64(-2.0)), Point(3.0, 4.0, zero, np.float64(4.0))))
    1.0
    """
    if a.t > b.t:
        a, b = b, a
    lowest, highest = bounds or (a.t, b.t)
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (lowest + highest) / 2.0
    d2 = np.sqrt(square)
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, lowest), highest)
