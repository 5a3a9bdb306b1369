"""Do the tests notice a wrong derivative? Plants one after the other into every primitive's backward and looks.

    python -m tests.trust.mutations                # every primitive
    python -m tests.trust.mutations Mul MaxPool    # those whose name starts so

All in one pytest session: first the tests run as they are, and for each is noted whose backward it reached. Then, for each
primitive and each way to be wrong, its tests run again, the quickest first, until one fails. A mutation that never changed a
gradient (there is nothing to un-broadcast, say) was not planted and does not count.
"""

from __future__ import annotations

import argparse
import collections
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from _pytest.runner import runtestprotocol

import tinytorch
from tinytorch.autograd.modes import state
from tinytorch.autograd.primitive import Primitive

#: Where derivatives are compared with PyTorch's.
TESTS = (
    "tests/ops", "tests/autograd", "tests/nn/test_rnn.py", "tests/nn/test_hooks.py", "tests/test_complex.py", "tests/test_fft.py",
    "tests/masked", "tests/func",
)  # fmt: skip

#: One gradient, the node and the position of the input: the wrong gradient.
Wrong = Callable[[Any, Any, int], Any]


def negated(gradient: Any, node: Any, position: int) -> Any:
    """The wrong sign."""
    return -gradient


def scaled(gradient: Any, node: Any, position: int) -> Any:
    """A wrong factor, and not a large one."""
    return gradient * 1.01


def cut_off(gradient: Any, node: Any, position: int) -> Any:
    """Right itself, but without a history: the second derivative lacks what this op adds to it."""
    return gradient.detach() if state.grad_enabled and isinstance(gradient, tinytorch.Tensor) else gradient


def not_summed(gradient: Any, node: Any, position: int) -> Any:
    """One slice instead of the sum over the dimensions along which the input was repeated."""
    edge = node.edges[position] if hasattr(node, "edges") else None
    if edge is None or not isinstance(gradient, tinytorch.Tensor):
        return gradient
    shape = edge[0].outputs[edge[1]][0] if hasattr(edge[0], "outputs") else tuple(edge[0].shape)
    while gradient.dim() > len(shape):
        gradient = gradient[0] if len(gradient) else gradient.sum(0)
    for d, size in enumerate(shape):
        if size == 1 and gradient.shape[d] > 1:
            gradient = gradient.narrow(d, 0, 1)
    return gradient


def dropped(which: int) -> Wrong:
    """No gradient for one of the inputs."""

    def without(gradient: Any, node: Any, position: int) -> Any:
        return gradient * 0 if position == which else gradient

    without.__name__ = f"dropped_{which}"
    return without


MUTATIONS: tuple[Wrong, ...] = (negated, scaled, cut_off, not_summed, *[dropped(i) for i in range(4)])


class Planted:
    """While entered, ``primitive.backward`` gives gradients made wrong by ``wrong``; ``changed`` says if any was."""

    def __init__(self, primitive: Any, wrong: Wrong) -> None:
        self.primitive, self.wrong, self.changed = primitive, wrong, False

    def __enter__(self) -> Planted:
        right = self.primitive.backward

        def backward(node: Any, *received: Any) -> Any:
            gradients = right(node, *received)
            if type(gradients) is not tuple:
                return self.mutated(gradients, node, 0)
            return tuple([self.mutated(gradient, node, i) for i, gradient in enumerate(gradients)])

        self.own = vars(self.primitive).get("backward")
        self.primitive.backward = staticmethod(backward)
        return self

    def __exit__(self, *exception: Any) -> None:
        if self.own is None:
            del self.primitive.backward
        else:
            self.primitive.backward = self.own

    def mutated(self, gradient: Any, node: Any, position: int) -> Any:
        if gradient is None:
            return None
        wrong = self.wrong(gradient, node, position)
        self.changed = self.changed or (wrong is not gradient and differ(wrong, gradient))
        return wrong


def differ(a: Any, b: Any) -> bool:
    """Whether two gradients differ in shape, values or in having a history; rounding and nan do not count."""
    x, y = (np.asarray(getattr(g, "_array", g)) for g in (a, b))
    if x.shape != y.shape or getattr(a, "requires_grad", False) != getattr(b, "requires_grad", False):
        return True
    return not np.allclose(x, y, rtol=1e-3, atol=1e-9, equal_nan=True)


def primitives(base: Any = Primitive) -> Iterator[Any]:
    """All primitives of the library."""
    for cls in base.__subclasses__():
        if cls.__module__.startswith("tinytorch."):
            yield cls
        yield from primitives(cls)


class Session:
    """The pytest plugin: instead of running the tests once, it makes the experiment."""

    def __init__(self, names: list[str]) -> None:
        self.names, self.planted, self.caught = names, 0, 0
        self.reached: dict[Any, list[tuple[float, pytest.Item]]] = collections.defaultdict(list)
        self.missed: list[str] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        classes = [c for c in dict.fromkeys(primitives()) if not self.names or c.__name__.startswith(tuple(self.names))]
        self.observe(session.items, classes)
        for cls in classes:
            if not self.reached[cls]:
                print(f"{cls.__name__}: no test differentiates it", flush=True)
            planted, caught = self.planted, self.caught
            for wrong in MUTATIONS:
                self.plant(cls, wrong)
            print(f"{cls.__name__}: {self.caught - caught} of {self.planted - planted}", flush=True)
        print(f"caught {self.caught} of {self.planted} planted derivatives in {len(classes)} primitives")
        return True

    def observe(self, items: list[pytest.Item], classes: list[Any]) -> None:
        """Note which tests reach which primitive's backward, and how long they take."""
        calls: set[Any] = set()

        def noting(cls: Any) -> Wrong:
            def note(gradient: Any, node: Any, position: int) -> Any:
                calls.add(cls)
                return gradient

            return note

        watched = [Planted(cls, noting(cls)) for cls in classes]
        for each in watched:
            each.__enter__()
        try:
            for item in items:
                if item.path.name != "test_coverage.py":
                    calls.clear()
                    started = time.perf_counter()
                    if passes(item):
                        for cls in calls:
                            self.reached[cls].append((time.perf_counter() - started, item))
        finally:
            for each in reversed(watched):
                each.__exit__()
        for tests in self.reached.values():
            tests.sort(key=lambda entry: entry[0])

    def plant(self, cls: Any, wrong: Wrong) -> None:
        with Planted(cls, wrong) as planted:
            for _, item in self.reached[cls]:
                if not passes(item) and planted.changed:
                    self.planted += 1
                    self.caught += 1
                    return
        if planted.changed:
            self.planted += 1
            self.missed.append(f"{cls.__name__} {wrong.__name__}")
            print(f"MISSED: {cls.__module__}.{cls.__name__} {wrong.__name__}: {wrong.__doc__}", flush=True)


def passes(item: pytest.Item) -> bool:
    """Run a test once more."""
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=item))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only primitives whose name starts with one of these")
    parser.add_argument("--tests", nargs="+", default=list(TESTS), help="the files that have to notice")
    options = parser.parse_args()
    session = Session(options.names)
    settings = ["-o", "addopts=", "--import-mode=importlib", "-q", "-s", "-p", "no:cacheprovider"]
    pytest.main([*settings, *options.tests], plugins=[session])
    return 1 if session.missed or not session.planted else 0


if __name__ == "__main__":
    sys.exit(main())
