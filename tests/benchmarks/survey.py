"""Some 370 single ops beside PyTorch, the slowest first: python -m tests.benchmarks.survey [--only TEXT ...] [--skip TEXT ...]

Where to look for what is slow, rather than figures to quote: three blocks of some milliseconds each. Both libraries must
compute the same before either is timed. At the end the geometric mean of the ratios (tinytorch's time over PyTorch's).
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.benchmarks.measure import Case, measure, row, use_threads
from tests.benchmarks.survey_cases import Survey, with_gradients, without_gradients
from tests.benchmarks.survey_more import more_with_gradients, more_without_gradients

__all__ = ["cases"]

BLOCK = 0.01  # seconds


def cases() -> Iterator[Case]:
    """All cases, with and without gradients."""
    for survey in itertools.chain(with_gradients(), more_with_gradients()):
        yield Case(survey[0], _backward(survey), tolerance=5e-3)
    for survey in itertools.chain(without_gradients(), more_without_gradients()):
        yield Case(survey[0], _forward(survey), tolerance=5e-3)


def _forward(survey: Survey) -> Callable[[Any], Callable[[], Any]]:
    _, arrays, function = survey

    def make(library: Any) -> Callable[[], Any]:
        library.manual_seed(0)
        inputs = [library.tensor(array) for array in arrays]
        return lambda: function(library, *inputs)

    return make


def _backward(survey: Survey) -> Callable[[Any], Callable[[], Any]]:
    """The op and its gradients for all inputs that are floating, from a fixed random one."""
    _, arrays, function = survey

    def make(library: Any) -> Callable[[], Any]:
        inputs = [library.tensor(array).requires_grad_(array.dtype.kind == "f") for array in arrays]
        wanted = [tensor for tensor in inputs if tensor.requires_grad]
        shape = tuple(function(library, *inputs).shape)
        grad = library.tensor(np.random.default_rng(1).standard_normal(shape).astype(np.float32))

        def run() -> Any:
            result = function(library, *inputs)
            return [result, *library.autograd.grad(result, wanted, grad)]

        return run

    return make


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[""], help="cases whose name contains one of these")
    parser.add_argument("--skip", nargs="*", default=[], help="and none of these")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--blocks", type=int, default=3, help="blocks timed of each library")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    use_threads(options.threads)
    named = [case for case in cases() if any(text in case.name for text in options.only)]
    chosen = [case for case in named if not any(text in case.name for text in options.skip)]
    found = []
    for case in chosen:
        try:
            found.append((measure(case, options.blocks, BLOCK), case))
        except AssertionError as error:
            print(f"{case.name} is not timed: {' '.join(str(error).split()[:16])} ...")
    found.sort(key=lambda pair: -pair[0].ratio)
    print("| op | PyTorch | tinytorch | ratio (quartiles) | |\n|---|---|---|---|---|")
    for measured, case in found:
        print(row(case, measured))
    ratios = [measured.ratio for measured, _ in found]
    mean, above = np.exp(np.mean(np.log(ratios))), sum(ratio > 2 for ratio in ratios)
    print(f"\n{len(ratios)} ops: geometric mean {mean:.2f}, median {statistics.median(ratios):.2f}, {above} above 2")


if __name__ == "__main__":
    main()
