"""The gradient doctor: when a gradient is wrong, it says how, and which lines to read.

:func:`examine` compares the gradients of a function with finite differences, as ``gradcheck`` does. Where they
disagree, it looks for the cause in two ways. From the numbers: :mod:`.diagnosis`. From the ops: it listens to all that
the function applies, and checks each op alone; the one whose own backward is wrong is the culprit, however deep it
stands.

>>> import tinytorch
>>> class Double(tinytorch.autograd.Function):
...     @staticmethod
...     def forward(ctx, x):
...         return x * 2
...     @staticmethod
...     def backward(ctx, grad):
...         return -grad * 2
>>> x = tinytorch.tensor([1.0, 2.0], dtype=tinytorch.float64, requires_grad=True)
>>> examine(lambda x: Double.apply(x.exp()).sum(), x, names=["x"]).findings
{'x': 'sign flipped'}
>>> examine(lambda x: Double.apply(x.exp()).sum(), x).culprits[0].name
'Double.backward'
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tinytorch.autograd import engine
from tinytorch.autograd.engine import grad
from tinytorch.autograd.fitting import fitted
from tinytorch.autograd.modes import enable_grad
from tinytorch.autograd.watching import Watcher
from tinytorch.learn.diagnosis import Finding, Row, diagnose, table
from tinytorch.ops.broadcast import Elementwise
from tinytorch.tensor import Tensor

__all__ = ["Culprit", "Finding", "Report", "diagnose", "examine"]

_STEP = 1e-6


class Culprit(NamedTuple):
    """An op whose own backward is wrong, and where it stands."""

    name: str
    place: str
    finding: Finding

    def __str__(self) -> str:
        return f"{self.finding.name}: read {self.name}, {self.place}"


class Report(NamedTuple):
    """What :func:`examine` found; printed, it is a table and the places to read."""

    rows: list[Row]
    culprits: list[Culprit]

    @property
    def right(self) -> bool:
        """Whether every gradient is right."""
        return all(row.finding.right for row in self.rows)

    @property
    def findings(self) -> dict[str, str]:
        """For every input, the name of what was found."""
        return {row.name: row.finding.name for row in self.rows}

    def __str__(self) -> str:
        if not self.rows:
            return "the doctor knows real inputs that require grad, and there are none"
        lines = [table(self.rows), *map(str, self.culprits)]
        if not self.right and not self.culprits:
            adding, summing = _places_of_the_engine()
            lines.append(f"each op alone is right: read how contributions are added up, {adding}")
            lines.append(f"and how gradients of broadcast inputs are summed, {summing}")
        return "\n".join(lines)


def examine(function: Callable[..., Any], inputs: Any, names: Sequence[str] | None = None) -> Report:
    """Compare the gradients of ``function(*inputs)`` with finite differences, and explain what is wrong.

    Args:
        function: takes tensors, returns a tensor or several.
        inputs: a tensor or a tuple of them; gradients of the real ones that require grad are examined.
        names: one per input, for the report.
    """
    tensors = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    names = list(names or (f"input {position}" for position in range(len(tensors))))
    case = _Case(function, tensors)
    rows = []
    for position, yours, expected in case.compared():
        finding = diagnose(yours, expected)
        if not finding.right:  # look closer
            finding = diagnose(yours, expected, uses=case.uses(position), slope=case.numerical(position, upstream=1))
        rows.append(Row(names[position], yours, expected, finding))
    rows = _confused(rows)
    right = all(row.finding.right for row in rows)
    return Report(rows, [] if right else case.culprits())


class _Case:
    """A function, its inputs in double precision, and a random gradient to start its backward with."""

    def __init__(self, function: Callable[..., Any], tensors: tuple[Any, ...]) -> None:
        self.function, self.given = function, tensors
        self.tensors = tuple(_double(t) for t in tensors)
        self.wanted = [i for i, t in enumerate(tensors) if isinstance(t, Tensor) and t.requires_grad and _real(t)]
        source = np.random.default_rng(0)
        results = _outputs(function(*self.tensors))
        self.cotangents = [source.standard_normal(r._array.shape) for r in results]

    def compared(self) -> list[tuple[int, Any, np.ndarray]]:
        """(position, gradient, what it should be) for each input. Where they are right, those of a recorded walk
        (``create_graph``): some ops have a quick way that is gone only if nothing is recorded, and both count.
        """
        expected = [self.numerical(position) for position in self.wanted]
        for recorded in (False, True):
            found = self.gradients(recorded)
            if not all(diagnose(yours, right).right for yours, right in zip(found, expected, strict=True)):
                break
        return list(zip(self.wanted, found, expected, strict=True))

    def gradients(self, recorded: bool) -> list[np.ndarray | None]:
        """As backward computes them, from the inputs as they were given."""
        with enable_grad():
            results = _outputs(self.function(*self.given))
        pairs = [
            (result, Tensor._wrap(cotangent.astype(result._array.dtype)))
            for result, cotangent in zip(results, self.cotangents, strict=True)
            if result.requires_grad
        ]
        if not pairs or not self.wanted:
            return [None] * len(self.wanted)
        starts, cotangents = zip(*pairs, strict=True)
        found = grad(starts, [self.given[i] for i in self.wanted], cotangents, create_graph=recorded, allow_unused=True)
        return [None if g is None else g._array for g in found]

    def loss(self, tensors: Sequence[Any], upstream: float | None = None) -> float:
        """The outputs, weighted with the gradients that backward starts with."""
        results = _outputs(self.function(*tensors))
        weights = self.cotangents if upstream is None else [upstream] * len(results)
        return float(sum(np.sum(r._array * weight) for r, weight in zip(results, weights, strict=True)))

    def numerical(self, position: int, upstream: float | None = None) -> np.ndarray:
        """The gradient for one input by central differences."""

        def loss(array: np.ndarray) -> float:
            moved = Tensor._wrap(array).requires_grad_()  # the function may itself ask for gradients
            return self.loss((*self.tensors[:position], moved, *self.tensors[position + 1 :]), upstream)

        return _differences(loss, self.tensors[position]._array)

    def uses(self, position: int) -> list[np.ndarray]:
        """What each single use of an input contributes to its gradient."""
        count = _Uses(self.tensors[position])
        with count:
            self.loss(self.tensors)
        if not 1 < count.seen <= 8:
            return []
        array = self.tensors[position]._array
        try:
            return [_differences(partial(self._with_use, position, use), array) for use in range(count.seen)]
        except ValueError:  # a function that itself differentiates by this input has lost sight of it
            return []

    def _with_use(self, position: int, use: int, array: np.ndarray) -> float:
        with _Uses(self.tensors[position], use, Tensor._wrap(array).requires_grad_()):
            return self.loss(self.tensors)

    def culprits(self) -> list[Culprit]:
        """The ops whose own backward is wrong, each once."""
        heard = _Applied()
        with heard, enable_grad():
            self.function(*self.given)
        found: dict[str, Culprit] = {}
        for op, inputs, attributes in heard.calls:
            culprit = _check_op(op, inputs, attributes)
            if culprit is not None:
                found.setdefault(culprit.name, culprit)
        return list(found.values())


def _check_op(op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Culprit | None:
    if issubclass(op, Elementwise):
        inputs = _of_one_shape(inputs)
    arguments = tuple([v.detach().requires_grad_(v.requires_grad) if isinstance(v, Tensor) else v for v in inputs])
    case = _Case(lambda *values: op.apply(*values, **attributes), arguments)
    name = f"{op.__name__}.backward"
    for position, yours, expected in case.compared():
        if not diagnose(yours, expected).right:
            finding = diagnose(yours, expected, slope=case.numerical(position, upstream=1))
            return Culprit(name, _place(op.backward), finding)
    return None


def _of_one_shape(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Inputs repeated to the shape in which they meet: then nothing has to be summed on the way back."""
    shape = np.broadcast_shapes(*[value._array.shape for value in inputs if isinstance(value, Tensor)])
    return tuple(
        Tensor._wrap(np.broadcast_to(value._array, shape).copy()).requires_grad_(value.requires_grad)
        if isinstance(value, Tensor)
        else value
        for value in inputs
    )


class _Applied(Watcher):
    """Notes every op that is applied, with its inputs."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []

    def forward(self, op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any], run: Callable[[], Any]) -> Any:
        if any(isinstance(value, Tensor) and value.requires_grad for value in inputs):
            self.calls.append((op, inputs, attributes))
        return run()


class _Uses(Watcher):
    """Counts the uses of a tensor as an op's input, and puts ``other`` in its place in use number ``use``."""

    def __init__(self, tensor: Tensor, use: int = -1, other: Tensor | None = None) -> None:
        self.tensor, self.use, self.other, self.seen = tensor, use, other, 0

    def forward(self, op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any], run: Callable[[], Any]) -> Any:
        replaced = []
        for value in inputs:
            is_it = value is self.tensor
            replaced.append(self.other if is_it and self.seen == self.use else value)
            self.seen += is_it
        result = run()
        return (
            result if all(a is b for a, b in zip(inputs, replaced, strict=True)) else _applied(op, replaced, attributes)
        )


def _applied(op: Any, inputs: Sequence[Any], attributes: dict[str, Any]) -> Any:
    from tinytorch.autograd.modes import state

    before, state.unwatched = state.unwatched, True
    try:
        return op.apply(*inputs, **attributes)
    finally:
        state.unwatched = before


def _differences(loss: Callable[[np.ndarray], float], array: np.ndarray) -> np.ndarray:
    slopes = np.zeros(array.size)
    for element in range(array.size):
        ends = []
        for step in (_STEP, -_STEP):
            moved = np.array(array, order="C")
            moved.reshape(-1)[element] += step
            ends.append(loss(moved))
        slopes[element] = (ends[0] - ends[1]) / (2 * _STEP)
    return slopes.reshape(array.shape)


def _confused(rows: list[Row]) -> list[Row]:
    """Gradients that were given to the wrong inputs."""
    result = []
    for row in rows:
        for other in rows:
            vague = row.finding.name in ("wrong", "wrong shape", "permuted")
            if vague and other is not row and diagnose(row.yours, other.expected).right:
                row = row._replace(finding=Finding("swapped", f"this is the gradient of {other.name}"))
                break
        result.append(row)
    return result


def _double(value: Any) -> Any:
    """A real tensor in float64, a leaf of its own; all else as it is."""
    if not (isinstance(value, Tensor) and _real(value)):
        return value
    return Tensor._wrap(value._array.astype(np.float64)).requires_grad_(value.requires_grad)


def _real(tensor: Tensor) -> bool:
    return tensor._array.dtype.kind == "f"


def _outputs(result: Any) -> list[Tensor]:
    values = result if isinstance(result, (tuple, list)) else (result,)
    return [value for value in values if isinstance(value, Tensor) and _real(value)]


def _places_of_the_engine() -> tuple[str, str]:
    return _place(engine._Walk.deliver), _place(fitted)


def _place(function: Any) -> str:
    """File and line of a function's code."""
    code = inspect.unwrap(function).__code__
    path = Path(code.co_filename)
    parts = path.parts
    start = len(parts) - 1 - parts[::-1].index("tinytorch") if "tinytorch" in parts else len(parts) - 1
    return f"{'/'.join(parts[start:])}:{code.co_firstlineno}"
