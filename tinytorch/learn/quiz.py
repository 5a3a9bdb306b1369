"""Questions to answer with pencil and paper before the machine does.

Each function returns answers by name. ``check`` runs the program in question on your copy of the package and compares;
where they differ it shows the graph with its numbers.
"""

from __future__ import annotations

from typing import Any

__all__ = ["cnn", "cubic", "graph", "index", "leaf", "reuse", "ties", "twice"]


def reuse() -> dict[str, float]:
    """Gradients of c, where ``a = 3``, ``b = a + a``, ``c = b * b``."""
    return {"b": 12.0, "a": 24.0}


def twice() -> dict[str, float]:
    """What ``a.grad`` is where ``a = 3`` and ``y = a.sin() + a``, in units of ``cos(3) + 1``.

    First after ``y.backward(retain_graph=True)``, then after ``y.backward()`` once more, then after
    ``a.grad = None`` and a new ``y`` with its own ``backward()``.
    """
    return {"once": 1.0, "twice": 2.0, "after None": 1.0}


def leaf() -> dict[str, bool]:
    """Which tensors have a ``.grad`` after ``c.backward()``?

    ``a`` is a leaf that requires grad, ``b = a.exp()``, ``k`` a leaf that does not, ``c = b + k``.
    All are single numbers.
    """
    return {"a": True, "b": False, "k": False, "c": False}


def index() -> dict[str, list[float]]:
    """The gradient of x for ``y = x[[0, 0, 2]]``, where x has 4 elements and the gradient of y is [1, 10, 100]."""
    return {"x": [11.0, 0.0, 100.0, 0.0]}


def cnn() -> dict[str, Any]:
    """A 5x5 convolution from 1 to 6 channels without padding, ReLU, 2x2 max pooling, on images (64, 1, 28, 28).

    How many parameters (with bias), which shape after the convolution, which after the pooling?
    """
    return {"parameters": 156, "convolved": (64, 6, 24, 24), "pooled": (64, 6, 12, 12)}


def ties() -> dict[str, list[float]]:
    """The gradient of x = [2, 2, 1, 0] for its max pooling with a window of 4, where y's gradient is 5."""
    return {"x": [5.0, 0.0, 0.0, 0.0]}


def graph() -> dict[str, int]:
    """``y = ((a * b).tanh() + a).sum()``: how many ops are recorded, and how many leaves does the graph have?

    Two edges leave the leaf a; how many edges does the graph have in all?
    """
    return {"ops": 4, "leaves": 2, "edges": 6}


def cubic() -> dict[str, float]:
    """The first, second, third and fourth derivative of ``x * x * x`` at 2."""
    return {"first": 12.0, "second": 12.0, "third": 6.0, "fourth": 0.0}
