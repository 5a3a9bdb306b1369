"""All benchmarks, one table: python -m tests.benchmarks [--threads 2 1] [--only TEXT ...] [--blocks 11]

Run it on a machine that does nothing else. Ratios are tinytorch's time over PyTorch's: below 1 is faster than PyTorch.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator

import numpy as np
import torch

from tests.benchmarks import layers, overhead, processes, training
from tests.benchmarks.measure import Case, arguments, heading, measure, row, use_threads


def all_cases(threads: int) -> Iterator[Case]:
    for module in (training, layers, overhead):
        yield from module.cases(threads)


def main() -> None:
    parser = arguments(__doc__, blocks=11)
    parser.add_argument("--no-processes", action="store_true", help="leave out import time, memory and growth")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"PyTorch {torch.__version__}, NumPy {np.__version__}, {os.cpu_count()} cores; float32, medians")
    for threads in options.threads:
        use_threads(threads)
        print(heading(threads, "PyTorch", "tinytorch", "ratio (quartiles)", "target"), flush=True)
        for case in all_cases(threads):
            if any(text in case.name for text in options.only):
                print(row(case, measure(case, options.blocks)), flush=True)
    if not options.no_processes and options.only == [""]:
        print("", *processes.table(), sep="\n")
    print("\nJAX, tinygrad and HIPS autograd beside PyTorch, where installed: python -m tests.benchmarks.others")


if __name__ == "__main__":
    main()
