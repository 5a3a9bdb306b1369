"""A training step of a CNN as an interactive page: open its blocks, search, and go through backward one op at a time.

    python examples/graph_page.py                       # writes cnn.html; open it in a browser
    python examples/graph_page.py --out FILE.html

The page is one file and loads nothing. Click a block to open it, press b and then n to step through the backward pass,
and ? for the other keys.
"""

import argparse
from pathlib import Path

from cnn_example import CNNExample

import tinytorch as torch
import tinytorch.nn.functional as F
from tinytorch import viz


def training_step():
    """One step, watched: the graph with times and gradients."""
    torch.manual_seed(0)
    model, images, labels = CNNExample(), torch.randn(16, 1, 28, 28), torch.randint(0, 10, (16,))
    with viz.watch() as watched:
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
    return watched.graph(model)


def main():
    parser = argparse.ArgumentParser(description="Write a CNN's graph as an interactive page.")
    parser.add_argument("--out", type=Path, default=Path("cnn.html"))
    args = parser.parse_args()
    path = training_step().save(args.out)
    page = path.read_text(encoding="utf-8")
    for block in ("block1", "block2", "conv1", "conv2", "conv3"):
        assert f"{block}: Sequential" in page
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB; open it in a browser")


if __name__ == "__main__":
    main()
