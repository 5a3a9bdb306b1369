"""The training step of CNNExample beside PyTorch's, in one run.

    python tests/benchmarks/bench_train_step.py

Both libraries start from the same weights and get the same batches (64 random images); the losses are compared before anything is
timed. A step is zero_grad, forward, cross_entropy, backward, Adam. Steps are timed in short blocks, the two libraries in turn,
with a pause between them, because PyTorch's threads spin for a while after their work; the table shows medians, the quartiles, and
the median of the ratios of neighbouring blocks. Run it on a machine that does nothing else.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

import tinytorch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))


def cnn_example(library):
    """The notebook's model under either library: the example's own class, with the library's ``nn``."""
    import cnn_example

    source = Path(cnn_example.__file__).read_text()
    if library is torch:
        source = source.replace("import tinytorch as torch", "import torch").replace(
            "import tinytorch.nn as nn", "import torch.nn as nn"
        )
    namespace = {"__name__": "cnn_example_copy"}
    exec(compile(source, cnn_example.__file__, "exec"), namespace)
    return namespace["CNNExample"]()


class Contestant:
    """One library with its model, optimizer and batch."""

    def __init__(self, library, images, labels, weights):
        self.library = library
        self.model = cnn_example(library)
        self.model.load_state_dict({name: library.tensor(value) for name, value in weights.items()})
        self.optimizer = library.optim.Adam(self.model.parameters(), lr=1e-3)
        self.images, self.labels = library.tensor(images), library.tensor(labels)

    def step(self):
        self.optimizer.zero_grad()
        loss = self.library.nn.functional.cross_entropy(self.model(self.images), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss

    def block(self, steps):
        """Seconds per step, over a few steps."""
        start = time.perf_counter()
        for _ in range(steps):
            self.step()
        return (time.perf_counter() - start) / steps


def measure(threads, batch, blocks, steps):
    torch.set_num_threads(threads)
    tinytorch.set_num_threads(threads)
    source = np.random.default_rng(0)
    images = source.standard_normal((batch, 1, 28, 28)).astype(np.float32)
    labels = source.integers(0, 10, batch)
    weights = {name: value.numpy() for name, value in cnn_example(torch).state_dict().items()}
    theirs, ours = (Contestant(library, images, labels, weights) for library in (torch, tinytorch))
    for _ in range(3):  # warm up, and see that both compute the same
        np.testing.assert_allclose(ours.step().item(), theirs.step().item(), rtol=2e-3)
    times = {"torch": [], "tinytorch": []}
    for _ in range(blocks):
        for name, contestant in (("torch", theirs), ("tinytorch", ours)):
            time.sleep(0.05)
            times[name].append(contestant.block(steps))
    ratios = [ours / theirs for ours, theirs in zip(times["tinytorch"], times["torch"], strict=True)]
    row = [f"{threads} threads, batch {batch}"]
    for values in (times["torch"], times["tinytorch"]):
        row.append("{1:7.1f} ms ({0:.1f}..{2:.1f})".format(*(1000 * q for q in statistics.quantiles(values, n=4))))
    low, middle, high = statistics.quantiles(ratios, n=4)
    row.append(f"{middle:5.2f} ({low:.2f}..{high:.2f})")
    print(" | ".join(row), flush=True)
    if high - low > 0.15 * middle:
        print("   the spread is wide: this machine was not quiet, do not quote these figures")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, nargs="*", default=[64])
    parser.add_argument("--threads", type=int, nargs="*", default=[2, 1])
    parser.add_argument("--blocks", type=int, default=15)
    parser.add_argument("--steps", type=int, default=4)
    args = parser.parse_args()
    print(f"torch {torch.__version__}, tinytorch, NumPy {np.__version__}; median (quartiles) per training step")
    print("case | torch | tinytorch | tinytorch / torch")
    for threads in args.threads:
        for batch in args.batch:
            measure(threads, batch, args.blocks, args.steps)


if __name__ == "__main__":
    main()
