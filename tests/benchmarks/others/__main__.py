"""JAX, tinygrad and HIPS autograd beside PyTorch: python -m tests.benchmarks.others [--only TEXT ...] [--blocks 7]

Every framework that is installed gets a column: its time over PyTorch's, measured in turn with PyTorch's, from the same weights
and with the same results. Steps of JAX and tinygrad are compiled as a whole (jax.jit, TinyJit) before they are timed. None
of them is needed for anything else; run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import importlib
import importlib.util
import os
import shutil
import statistics
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import threadpoolctl
import torch

import tinytorch
from tests.benchmarks import overhead, training
from tests.benchmarks.measure import Case, Measured, measure, use_threads

__all__ = ["FRAMEWORKS", "Framework", "main"]

PAUSE = 0.15  # seconds before each block: threads of NumPy's BLAS wait that long, at full speed, for work
WARM = 4  # TinyJit runs, records, and replays from the third call


@dataclasses.dataclass(frozen=True)
class Framework:
    """A column: ``file`` of this folder has the benchmarks as functions of arrays."""

    name: str
    package: str
    file: str
    compiler: str | None = None  # a program that it calls

    def missing(self) -> str | None:
        """What to do before it can be measured."""
        if importlib.util.find_spec(self.package) is None:
            return f"{self.name} is not installed: pip install {self.package}"
        if self.compiler and shutil.which(self.compiler) is None:
            return f"{self.name} needs the program {self.compiler}, which is not on the path"
        return None

    def load(self) -> Any:
        return importlib.import_module(f"tests.benchmarks.others.{self.file}")


FRAMEWORKS = (
    Framework("JAX", "jax", "with_jax"),
    Framework("tinygrad", "tinygrad", "with_tinygrad", os.environ.get("CC", "clang")),
    Framework("HIPS autograd", "autograd", "with_autograd"),
)


@dataclasses.dataclass(frozen=True)
class Row:
    """A benchmark: in PyTorch and tinytorch, by library; in the others a function of that name, of those arrays."""

    name: str
    libraries: Callable[[Any], Callable[[], Any]]
    function: str
    arrays: Callable[[], tuple[Any, ...]]
    tolerance: float = 2e-3
    compiled: bool = False  # a row of those that compile alone: as above for tinytorch

    def case(self) -> Case:
        def make(library: Any) -> Callable[[], Any]:
            if library in (torch, tinytorch):
                return self.libraries(library)
            return getattr(library, self.function)(*self.arrays())

        return Case(self.name, make, tolerance=self.tolerance)

    def has(self, library: Any) -> bool:
        return not self.compiled if library is tinytorch else hasattr(library, self.function)


def weights(model: Any) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in model.state_dict().items()}


def cnn_arrays() -> tuple[dict[str, np.ndarray], np.ndarray]:
    torch.manual_seed(0)
    return weights(training.cnn_example(torch)), training.images(torch, 64).numpy()


def mlp_arrays() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    images = training.images(torch, 128).numpy().reshape(128, 784)
    return weights(training.mlp(torch)), images, training.labels(torch, 128).numpy()


def tiny_arrays() -> tuple[np.ndarray, ...]:
    return tuple(value.detach().numpy() for value in overhead.four_numbers(torch))


def rows() -> Iterator[Row]:
    yield Row(
        "the CNN, training step, batch 64",
        lambda library: training.cnn_step(library, 64),
        "cnn_step",
        lambda: (*cnn_arrays(), training.labels(torch, 64).numpy()),
        tolerance=2e-2,
    )
    yield Row(
        "the CNN, inference, batch 64",
        lambda library: training.cnn_inference(library, 64),
        "cnn_inference",
        cnn_arrays,
    )
    yield Row("MLP 784-512-256-10, training step, batch 128", training.mlp_step, "mlp_step", mlp_arrays)
    tiny = "1,000 ops on four numbers, forward and backward"
    yield Row(tiny, overhead.tiny_ops_backward, "tiny_ops", tiny_arrays)
    yield Row(f"{tiny}, compiled", overhead.tiny_ops_backward, "tiny_ops_compiled", tiny_arrays, compiled=True)


def compare(row: Row, libraries: list[Any], threads: int, blocks: int) -> str:
    """One line of the table."""
    found: list[Measured | None] = []
    for library in libraries:
        gc.collect()
        gc.freeze()  # or the garbage collector, while one works, goes through what the others have made
        use_threads(threads)  # which holds NumPy's BLAS to one thread, for tinytorch has threads of its own
        with threadpoolctl.threadpool_limits(1 if library is tinytorch else threads, user_api="blas"):
            measured = (
                measure(row.case(), blocks, library=library, warm=WARM, pause=PAUSE) if row.has(library) else None
            )
        found.append(measured)
    theirs = [measured.theirs for measured in found if measured]
    middle = f"{statistics.median(theirs):.3g} ms" if theirs else ""
    return f"| {row.name} | {middle} | {' | '.join(map(cell, found))} |"


def cell(found: Measured | None) -> str:
    if found is None:
        return ""
    ratio, low, high = (_number(value) for value in (found.ratio, found.low, found.high))
    return f"{ratio} ({low} to {high})" + ("" if found.quiet else " *")


def _number(ratio: float) -> str:
    return f"{ratio:.{0 if ratio >= 9.95 else 2 if ratio >= 0.095 else 3}f}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[""], help="rows whose name contains one of these")
    parser.add_argument("--blocks", type=int, default=7, help="blocks timed of each framework")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="where there is a choice")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    # read when the frameworks are imported: one CPU device, and so many threads
    os.environ.update(JAX_PLATFORMS="cpu", DEV="CPU", NPROC=f"{options.threads}", NUM_CPU_THREADS=f"{options.threads}")
    there = [framework for framework in FRAMEWORKS if framework.missing() is None]
    names = ["tinytorch", *(framework.name for framework in there)]
    print(f"Time over PyTorch {torch.__version__}'s, {options.threads} threads, float32: medians (quartiles)\n")
    print(f"| | PyTorch | {' | '.join(names)} |\n|---|---|{'---|' * len(names)}", flush=True)
    libraries = [tinytorch, *(framework.load() for framework in there)]
    for row in rows():
        if any(text in row.name for text in options.only):
            print(compare(row, libraries, options.threads, options.blocks), flush=True)
    print("\n*: a wide spread, or other programs were running: do not quote")
    print(*filter(None, (framework.missing() for framework in FRAMEWORKS)), sep="\n")


if __name__ == "__main__":
    main()
