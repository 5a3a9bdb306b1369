"""What the exercises' tests are written with: NumPy only, no test framework, and errors that explain."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.learn.diagnosis import Row, diagnose, table
from tinytorch.learn.doctor import examine
from tinytorch.tensor import Tensor

__all__ = ["check_answers", "check_close", "check_gradient", "check_raises", "leaf", "lines_run", "numbers"]


def numbers(*shape: int, seed: int = 0, low: float = 0.3, high: float = 1.7) -> np.ndarray:
    """Random numbers of both signs, float64, none of them near 0."""
    source = np.random.default_rng(seed)
    return source.uniform(low, high, shape) * source.choice([-1.0, 1.0], shape)


def leaf(array: Any) -> Tensor:
    """A float64 tensor that requires grad."""
    return Tensor._wrap(np.array(array, np.float64)).requires_grad_()


def check_gradient(function: Callable[..., Any], *arrays: Any, names: Sequence[str] = "abcdefgh") -> None:
    """AssertionError with the doctor's report unless the gradients of ``function`` are what finite differences say."""
    report = examine(function, tuple(leaf(array) for array in arrays), names)
    if not report.right:
        raise AssertionError(f"\n{report}")


def check_close(name: str, yours: Any, expected: Any, uses: Any = ()) -> None:
    """AssertionError with a table unless ``yours`` has the expected values."""
    yours, expected = _array(yours), np.asarray(expected, np.float64)
    finding = diagnose(yours, expected, uses=uses)
    if not finding.right:
        raise AssertionError("\n" + table([Row(name, yours, expected, finding)], of="value of"))


def check_answers(yours: Any, truth: dict[str, Any], result: Tensor | None = None) -> None:
    """AssertionError unless all answers are right: says which are not, and shows the graph behind ``result``."""
    if not isinstance(yours, dict) or set(yours) != set(truth):
        raise AssertionError(f"answer with a dict that has the keys {', '.join(truth)}; you returned {yours!r}")
    if all(_same(yours[name], truth[name]) for name in truth):
        return
    width = max(map(len, truth))
    lines = [
        f"{name:{width}}  you say {yours[name]!s:12}" + ("  right" if _same(yours[name], truth[name]) else "  wrong")
        for name in truth
    ]
    if result is not None:
        lines.append(str(result.graph()))
    raise AssertionError("\n" + "\n".join(lines))


def _same(a: Any, b: Any) -> bool:
    if isinstance(b, float):
        return isinstance(a, (int, float)) and abs(a - b) <= 1e-6 * max(1.0, abs(b))
    return a == b


def check_raises(kind: type[Exception], function: Callable[[], Any], why: str) -> None:
    """AssertionError unless ``function()`` raises the kind of error."""
    try:
        function()
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was expected: {why}")


def lines_run(function: Callable[..., Any], *args: Any) -> int:
    """How many lines of Python ``function(*args)`` runs: speed that does not depend on the machine."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*args)
    finally:
        sys.settrace(before)
    return count


def _array(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value._array
    return value if value is None else np.asarray(value, np.float64)
