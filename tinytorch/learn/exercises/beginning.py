"""Exercises of chapters 0 to 3: numbers, the engine, the tensor, elementwise ops."""

from __future__ import annotations

from tinytorch.learn.exercise import Exercise, Wrong

__all__ = ["EXERCISES"]

_SCALAR = "learn/scalar_autograd.py"
_ARITHMETIC = "ops/arithmetic.py"

EXERCISES = (
    Exercise(
        "scalar-mul", 0, "write", _SCALAR, "Value.__mul__",
        "Multiply, and remember the factors and the slopes: ∂(ab)/∂a and ∂(ab)/∂b.",
        (
            "Look at __add__: the same, with another value and other slopes.",
            "If b is held still, ab is a straight line in a. What is its slope?",
            "The slopes are (other.data, self.data): each factor's slope is the other factor.",
        ),
        (
            Wrong("(other.data, self.data)", "(self.data, other.data)", "permuted"),
            Wrong("(other.data, self.data)", "(1.0, 1.0)", "wrong"),
            Wrong("(other.data, self.data)", "(-other.data, -self.data)", "sign flipped"),
        ),
    ),
    Exercise(
        "scalar-tanh", 0, "bug", _SCALAR, "Value.tanh",
        "The slope of tanh is wrong. Find the bug.",
        (
            "Compare the sign of the table's two columns.",
            "tanh only ever rises, so its slope is positive.",
            "d tanh(x)/dx = 1 - tanh(x)², and tanh(x) is y here.",
        ),
        (
            Wrong("1 - y * y", "y * y - 1", "sign flipped"),
            Wrong("1 - y * y", "1 - y", "wrong"),
        ),
    ),
    Exercise(
        "mul-backward", 3, "write", _ARITHMETIC, "Mul.backward",
        "The gradients of a and b in y = a · b, from grad = ∂L/∂y.",
        (
            "forward saved both factors: a, b = ctx.saved_tensors.",
            "∂y/∂a = b, and the chain rule multiplies by grad.",
            "Return (grad * b, grad * a), with None for the one that ctx.needs_input_grad does not ask for.",
        ),
        (
            Wrong("grad * b if need_a else None, grad * a", "grad * a if need_a else None, grad * b", "swapped"),
            Wrong("grad * b if need_a", "b if need_a", "upstream ignored"),
            Wrong("grad * a if need_b", "-grad * a if need_b", "sign flipped"),
            Wrong("grad * b if need_a", "grad * b * 2 if need_a", "doubled"),
        ),
    ),
)  # fmt: skip
