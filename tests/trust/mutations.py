"""Do the tests notice a wrong derivative? Plants one after the other into every primitive's backward and looks.

    python -m tests.trust.mutations                          # every primitive
    python -m tests.trust.mutations Mul MaxPool              # those whose name starts so
    python -m tests.trust.mutations --results build/wrong    # keep results, and go on where an earlier run stopped

Wrong are the gradients that come out (:mod:`tests.trust.wrong`: sign, factor, not summed...), or the formula inside
(:mod:`tests.trust.terms`: one term dropped, one factor left out, one sign turned).

First the *survey*: every test runs once as it is, and for each is noted which mutations of which primitives would have
changed a gradient in it. Then, for each primitive in a process of its own (forked, so that nothing is imported and
collected again) and each mutation: the tests in which it matters run with it planted, the quickest first, until one
fails; that test must then pass again without it. A mutation that changes no gradient in any test (there is nothing to
un-broadcast, say) cannot be planted and does not count.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from _pytest.runner import runtestprotocol

from tests.trust.terms import Replaced, wrong_formulas
from tests.trust.wrong import MUTATIONS, Planted, Watched, primitives

#: Where derivatives are compared with PyTorch's.
TESTS = (
    "tests/ops", "tests/autograd", "tests/nn", "tests/masked", "tests/func", "tests/distributions", "tests/databases",
    "tests/test_complex.py", "tests/test_fft.py",
)  # fmt: skip

#: Not run: these judge a whole session.
LEFT_OUT = ("test_coverage.py",)

BASE = "a base class"

#: Primitives whose gradient cannot be wrong, and why.
NO_GRADIENT = {
    "Elementwise": BASE,
    "Convolution": BASE,
    "Curve": BASE,
    "CountNonzero": "its input gets no gradient",
    "FloorDivide": "refuses, as in PyTorch",
    "CtcGradient": "refuses, as in PyTorch",
    "QRReflections": "refuses, as in PyTorch",
    "NoReflections": "refuses, as in PyTorch",
    "SparseRows": "gives none to the engine: the walk has it at once (tests/optim/test_sparse_gradients.py)",
    "LDLFactor": "refuses",
    "StandardGammaGrad": "refuses, as in PyTorch",
    "DirichletGrad": "refuses, as in PyTorch",
}

#: A primitive's tests, by mutation: (seconds, test), the quickest first.
Reached = dict[str, list[tuple[float, str]]]


class Session:
    """The pytest plugin: instead of running the tests once, it makes the experiment."""

    def __init__(self, names: list[str], jobs: int, folder: Path) -> None:
        self.names, self.jobs, self.folder = tuple(names), jobs, folder
        self.results: list[dict[str, Any]] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("some tests cannot even be collected")
        self.items = {item.nodeid: item for item in session.items if item.path.name not in LEFT_OUT}
        found = [c for c in dict.fromkeys(primitives()) if NO_GRADIENT.get(c.__name__) != BASE]
        self.classes = {f"{c.__module__}.{c.__name__}": c for c in found}
        reached = self.survey()
        wanted = [name for name in self.classes if name.rpartition(".")[2].startswith(self.names or ("",))]
        running: dict[int, str] = {}
        for name in wanted:
            if not self.result_of(name).exists():
                if len(running) == self.jobs:
                    self.finish(running)
                running[self.start(name, reached.get(name, {}))] = name
        while running:
            self.finish(running)
        self.results = [
            json.loads(self.result_of(name).read_text()) for name in wanted if self.result_of(name).exists()
        ]
        return True

    def survey(self) -> dict[str, Reached]:
        """For every primitive and mutation the tests in which it changes a gradient."""
        file = self.folder / "survey.json"
        if file.exists():
            return dict(json.loads(file.read_text()))
        reached: dict[str, Reached] = collections.defaultdict(lambda: collections.defaultdict(list))
        for number, (test, item) in enumerate(self.items.items()):
            with contextlib.ExitStack() as stack:
                watched = {name: stack.enter_context(Watched(cls)) for name, cls in self.classes.items()}
                started = time.process_time()
                if not passes(item):
                    continue
                seconds = time.process_time() - started
            for name, each in watched.items():
                for mutation in each.would_change:
                    reached[name][mutation].append((seconds, test))
            if number % 500 == 0:
                print(f"survey: {number} of {len(self.items)} tests", flush=True)
        for by_mutation in reached.values():
            for tests in by_mutation.values():
                tests.sort()
        file.write_text(json.dumps(reached))
        return reached

    def result_of(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def start(self, name: str, reached: Reached) -> int:
        """Examine a primitive in a new process; returns its number."""
        pid = os.fork()
        if pid:
            return pid
        try:
            result = {"name": name, "caught": [], "missed": []}
            for mutation, planted, tests in self.experiments(name, reached):
                test = self.notice(planted, tests)
                if test is None:
                    result["missed"].append(mutation)
                else:
                    result["caught"].append((mutation, test))
            self.result_of(name).write_text(json.dumps(result))
            print(summary(result), flush=True)
        except BaseException as error:
            print(f"{name}: {type(error).__name__}: {error}", flush=True)
        finally:
            os._exit(0)

    def experiments(self, name: str, reached: Reached) -> Iterator[tuple[str, Any, list[str]]]:
        """(what is wrong, to be entered, the tests that may notice) for everything to plant into one primitive."""
        cls, any_of_them = self.classes[name], set()
        for mutation, wrong in MUTATIONS.items():
            tests = [(seconds, test) for seconds, test in reached.get(mutation, ()) if test in self.items]
            any_of_them.update(tests)
            if tests:
                yield mutation, Planted(cls, wrong), [test for _, test in tests]
        if any_of_them:
            for method in ("backward", "pull"):
                for formula, wrong_method in wrong_formulas(cls, method):
                    yield formula, Replaced(cls, wrong_method, method), [test for _, test in sorted(any_of_them)]

    def notice(self, planted: Any, tests: list[str]) -> str | None:
        """The first test that fails with the mutation and passes without it."""
        started = time.process_time()
        for test in tests:
            with planted:
                failed = not passes(self.items[test])
            if failed and passes(self.items[test]):
                return test
            if time.process_time() - started > SECONDS_PER_MUTATION:
                return None
        return None

    @staticmethod
    def finish(running: dict[int, str]) -> None:
        running.pop(os.wait()[0], None)


def summary(result: dict[str, Any]) -> str:
    """One line, or some more if the tests missed something."""
    caught, missed = len(result["caught"]), result["missed"]
    if not caught + len(missed):
        why = NO_GRADIENT.get(result["name"].rpartition(".")[2], "NO TEST DIFFERENTIATES IT")
        return f"{result['name']}: {why}"
    lines = [f"{result['name']}: {caught} of {caught + len(missed)}"]
    for mutation in missed:
        explained = f". {MUTATIONS[mutation].__doc__}" if mutation in MUTATIONS else ""
        lines.append(f"    MISSED: {mutation}{explained}")
    return "\n".join(lines)


SECONDS_PER_MUTATION = 60.0  # of computing: who has not noticed by then is not looking
SECONDS_PER_TEST = 100.0  # of computing: a mutation may well send a test into an endless loop


def passes(item: pytest.Item) -> bool:
    """Run a test once more, in silence."""
    silence = io.StringIO()
    signal.setitimer(signal.ITIMER_PROF, SECONDS_PER_TEST)
    try:
        with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
            return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def out_of_time(number: int, frame: Any) -> None:
    raise TimeoutError(f"more than {SECONDS_PER_TEST} seconds of computing")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only primitives whose name starts with one of these")
    parser.add_argument("--tests", nargs="+", default=list(TESTS), help="the files that have to notice")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--results", type=Path, help="a folder to keep the survey and each primitive's result in")
    options = parser.parse_args()
    signal.signal(signal.SIGPROF, out_of_time)
    quick = [hypothesis.Phase.explicit, hypothesis.Phase.generate]  # a failure need not be made small
    hypothesis.settings.register_profile("mutations", database=None, deadline=None, phases=quick)
    hypothesis.settings.load_profile("mutations")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.results or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        session = Session(options.names, options.jobs, folder)
        settings = ["--import-mode=importlib", "--override-ini=addopts=", "-q", "-s", "-pno:cacheprovider", "-Wignore"]
        pytest.main([*settings, *options.tests], plugins=[session])
    return report(session.results)


def report(results: list[dict[str, Any]]) -> int:
    """Print the totals; 0 if every mutation was caught."""
    caught = sum(len(result["caught"]) for result in results)
    missed = [f"{result['name'].rpartition('.')[2]} {mutation}" for result in results for mutation in result["missed"]]
    without = [result["name"].rpartition(".")[2] for result in results if not result["caught"] and not result["missed"]]
    unreached = [name for name in without if name not in NO_GRADIENT]
    print(f"caught {caught} of {caught + len(missed)} planted derivatives in {len(results) - len(without)} primitives")
    print("missed:", ", ".join(missed) or "none")
    print("differentiated by no test:", ", ".join(unreached) or "none")
    return 0 if caught and not missed and not unreached else 1


if __name__ == "__main__":
    sys.exit(main())
