"""Chapter 0. The whole idea, on numbers.

After: nothing
Next: tinytorch/autograd/node.py

Goal: everything a framework for gradients does, for single numbers and on one screen.

It stands alone: Python's ``math`` is all that it imports.

The idea. A program that computes a number is a chain of small steps, and each small step has a derivative that one
knows from school. While the program runs, remember for each result *what it was made of* and *how fast it changes with
each of them*. Afterwards walk from the result back to the start and multiply along the way: the chain rule

    ∂out/∂a  =  Σ over all uses y of a:   ∂out/∂y · ∂y/∂a          (y.grad · slope)

>>> a, b = Value(2.0), Value(-3.0)
>>> out = (a * b + 10).tanh() + a
>>> out.backward()
>>> round(a.grad, 4), round(b.grad, 4)
(0.996, 0.0027)

Two questions that everybody asks.

**Why in topological order?** ``a`` used twice has two contributions, which are added. A step may hand its gradient on
only when *all* contributions to it have arrived. The naive recursion hands on what it has at once, and then what it
has so far, once more:

>>> a = Value(3.0)
>>> b = a + a
>>> c = b + b                     # c = 4a, so dc/da = 4
>>> naive_backward(c)
>>> b.grad, a.grad                # right for b; a got 1 + 1 on the first visit of b, then 2 + 2 on the second
(2.0, 6.0)
>>> a.grad = b.grad = c.grad = 0.0
>>> c.backward()                  # b waits until both of its contributions are there
>>> b.grad, a.grad
(2.0, 4.0)

(Handing on only the *new* part would be right, but it walks every path: for 30 steps like ``b = a + a``, a billion.)

**What does calling backward() twice do?** It adds once more, because gradients are accumulated: that is how one trains
on several batches before a step, and why every training loop sets the gradients to zero first. Only a *leaf*, a value
that was made of nothing, like ``a``, is meant to keep its sum; what was computed on the way, like ``b``, starts from
zero each time.

>>> c.backward()
>>> a.grad
8.0

What PyTorch does. The same, for tensors instead of numbers; there the second ``backward()`` needs
``retain_graph=True``, because the first one frees what was saved.

Pitfalls. ``=`` where ``+=`` belongs keeps only the last of several uses, and no single-use test will notice. ``visit``
calls itself, and Python allows that about a thousand times in a row: the next chapter does without.

Exercises. Run this file, and it computes every number above again. More:
``python -m tinytorch.learn start --chapter 0``.
Check: ``python -m pytest tests/examples/test_scalar_autograd.py``.

"""

from __future__ import annotations

import math

__all__ = ["Value", "naive_backward", "topological_order"]


class Value:
    """A number that remembers how it was made: from ``sources``, with ``slopes`` ∂self/∂source."""

    def __init__(self, data: float, sources: tuple[Value, ...] = (), slopes: tuple[float, ...] = ()) -> None:
        self.data, self.sources, self.slopes, self.grad = data, sources, slopes, 0.0

    def __add__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent: float) -> Value:
        return Value(self.data**exponent, (self,), (exponent * self.data ** (exponent - 1),))

    def tanh(self) -> Value:
        """The hyperbolic tangent, whose slope is 1 - tanh²."""
        y = math.tanh(self.data)
        return Value(y, (self,), (1 - y * y,))

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Value:
        return self * -1.0

    def __sub__(self, other: Value | float) -> Value:
        return self + -other

    def __truediv__(self, other: Value) -> Value:
        return self * other**-1.0

    def backward(self) -> None:
        """Add ∂self/∂leaf into ``grad`` of every leaf."""
        order = topological_order(self)
        for value in order:
            value.grad = 0.0 if value.sources else value.grad
        self.grad += 1.0
        for value in order:
            for source, slope in zip(value.sources, value.slopes, strict=True):
                source.grad += value.grad * slope


def topological_order(result: Value) -> list[Value]:
    """All values behind ``result``, each before the values that it was made of."""
    done: dict[Value, None] = {}

    def visit(value: Value) -> None:
        if value not in done:
            for source in value.sources:
                visit(source)
            done[value] = None

    visit(result)
    return list(done)[::-1]


def naive_backward(value: Value, grad: float = 1.0) -> None:
    """The wrong one, for comparison: hands on at once whatever has arrived so far."""
    value.grad += grad
    for source, slope in zip(value.sources, value.slopes, strict=True):
        naive_backward(source, value.grad * slope)


if __name__ == "__main__":
    import doctest

    result = doctest.testmod()
    print(result)
    assert not result.failed
