"""One training step each of thirty small networks, as tutorials and papers have them: python -m tests.benchmarks.programs

Nothing here was chosen because it is fast. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import statistics
import warnings

from tests.benchmarks import programs_images, programs_numbers, programs_sequences
from tests.benchmarks.measure import Case, arguments, heading, measure, row, use_threads


def main() -> None:
    options = arguments(__doc__, blocks=5).parse_args()
    warnings.simplefilter("ignore")
    steps = {**programs_images.STEPS, **programs_sequences.STEPS, **programs_numbers.STEPS}
    for threads in options.threads:
        use_threads(threads)
        print(heading(threads, "PyTorch", "tinytorch", "ratio (quartiles)", ""))
        ratios = []
        for name, make in steps.items():
            if any(text in name for text in options.only):
                case = Case(name, make, tolerance=0.02)
                found = measure(case, options.blocks)
                ratios.append(found.ratio)
                print(row(case, found), flush=True)
        print(f"\ngeometric mean of {len(ratios)}: {statistics.geometric_mean(ratios):.2f}, worst {max(ratios):.2f}")


if __name__ == "__main__":
    main()
