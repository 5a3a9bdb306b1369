"""Pictures of computations: an expression, a CNN, a GPT, forward and backward together, and two sick networks.

    python examples/graph_pictures.py                   # writes examples/pictures/*.svg
    python examples/graph_pictures.py --out DIR --kind png

Each function below makes one picture and asserts what can be seen in it.
"""

import argparse
import math
from pathlib import Path

from cnn_example import CNNExample

import tinytorch as torch
import tinytorch.nn as nn
import tinytorch.nn.functional as F
from tinytorch import viz


def expression():
    """A neuron, every value with its gradient: the picture that micrograd made popular."""
    x1 = torch.tensor(2.0, requires_grad=True)
    x2 = torch.tensor(0.0, requires_grad=True)
    w1 = torch.tensor(-3.0, requires_grad=True)
    w2 = torch.tensor(1.0, requires_grad=True)
    b = torch.tensor(6.8813735870195432, requires_grad=True)
    n = x1 * w1 + x2 * w2 + b
    out = n.tanh()
    out.backward()
    digraph = viz.draw_dot(out)
    assert all(f"<B>{name}</B>" in digraph.source for name in ("x1", "x2", "w1", "w2", "b"))
    assert "grad -1.5" in digraph.source and "data 0.7071" in digraph.source
    return digraph


def cnn_blocks():
    """A CNN, one box per block; the box shows what it does to the shape and how many parameters it has."""
    model = CNNExample()
    graph = viz.trace(model, torch.randn(64, 1, 28, 28)).collapse(depth=1)
    assert graph.total("params") == 69290
    return graph


def cnn_open():
    """The same with one block open."""
    graph = cnn_blocks().expand("block1")
    assert [node.name for node in graph.ops()].count("conv2d") == 3
    return graph


def cnn_time():
    """One training step of it, coloured by the time that each layer took."""
    model, images, labels = CNNExample(), torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,))
    F.cross_entropy(model(images), labels).backward()  # the first run pays for memory that later ones reuse
    with viz.watch() as watched:
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
    return watched.graph().collapse(depth=1).color_by("time")


class SelfAttention(nn.Module):
    """Causal self-attention with several heads."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        n, t, width = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        scores = q @ k.transpose(-2, -1) / math.sqrt(width // self.heads)
        future = torch.ones(t, t).tril() == 0
        weights = scores.masked_fill(future, float("-inf")).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).reshape(n, t, width))


class Block(nn.Module):
    """A transformer block."""

    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), SelfAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    """A small GPT of four equal blocks."""

    def __init__(self, letters=65, context=32, width=64, heads=4, blocks=4):
        super().__init__()
        self.token, self.position = nn.Embedding(letters, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(blocks)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, letters, bias=False)

    def forward(self, letters):
        x = self.token(letters) + self.position(torch.arange(letters.shape[1]))
        return self.head(self.norm(self.blocks(x)))


def gpt():
    """A GPT with its four blocks drawn once."""
    model = GPT()
    graph = viz.trace(model, torch.randint(0, 65, (8, 32)))
    closed = ("SelfAttention", "Embedding")
    rolled = graph.collapse(where=lambda scope: scope.kind in closed or scope.name.endswith("mlp")).roll()
    assert any(scope.count == 4 for scope in rolled.scopes.values())
    assert rolled.total("params") == sum(p.numel() for p in model.parameters())
    return rolled


def forward_and_backward():
    """A two-layer perceptron: values flow down, gradients come back dashed, as wide as they are large."""
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    x, target = torch.randn(16, 4), torch.randint(0, 3, (16,))
    with viz.watch() as watched:
        loss = F.cross_entropy(model(x), target)
        loss.backward()
    graph = watched.graph().view("both").styled(metrics=[], parameters="boxes")
    assert all(edge.grad_norm is not None for edge in graph.edges if graph.nodes[edge.source].trainable)
    return graph


class Classifier(nn.Module):
    """Probabilities by hand, and their logarithm: the mistake that makes NaN."""

    def __init__(self):
        super().__init__()
        self.hidden, self.out = nn.Linear(8, 16), nn.Linear(16, 4)

    def forward(self, x):
        scores = self.out(F.relu(self.hidden(x)))
        probabilities = scores / scores.sum(1, keepdim=True)
        return probabilities.log()


def planted_nan():
    """Where NaN comes from, and what it poisons."""
    model = Classifier()
    graph = viz.trace(lambda x: -model(x)[:, 0].mean(), torch.randn(32, 8)).diagnose()
    assert sum("makes" in note for node in graph.ops() for note in node.notes) == 1
    return graph


def dead_relu():
    """A layer whose bias was pushed too low by one large step: no gradient passes any more."""
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))
    with torch.no_grad():
        model[2].bias -= 5
    with viz.watch(values=True) as watched:
        loss = (model(torch.randn(64, 8)) ** 2).mean()
        loss.backward()
    graph = watched.graph().diagnose().styled(metrics=[], values=False)
    assert any(note == "dead: 16 of 16 units" for node in graph.ops() for note in node.notes)
    return graph


PICTURES = (
    expression, cnn_blocks, cnn_open, cnn_time, gpt, forward_and_backward, planted_nan, dead_relu,
)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description="Draw pictures of computations.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "pictures")
    parser.add_argument("--kind", choices=("svg", "png", "pdf", "gv"), default="svg")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for make in PICTURES:
        torch.manual_seed(0)
        picture = make()
        path = args.out / f"{make.__name__}.{args.kind}"
        if isinstance(picture, viz.Graph):
            picture.save(path)
        else:
            viz.save_digraph(picture, path)
        print(f"{path}: {make.__doc__.splitlines()[0]}")


if __name__ == "__main__":
    main()
