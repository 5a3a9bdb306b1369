"""Whole training steps and inference: the notebook's CNN, an MLP, a MobileNet, a small GPT, an LSTM."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.benchmarks.measure import Case

__all__ = ["cases", "cnn_step"]

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))


def cnn_example(library: Any) -> Any:
    """The notebook's model under either library: the example's own class, with the library's ``nn``."""
    import cnn_example

    source = Path(cnn_example.__file__).read_text(encoding="utf-8")
    if library is torch:
        source = source.replace("import tinytorch", "import torch").replace("torch as torch", "torch")
    namespace = {"__name__": "cnn_example_copy"}
    exec(compile(source, cnn_example.__file__, "exec"), namespace)
    return namespace["CNNExample"]()


def images(library: Any, batch: int) -> Any:
    return library.tensor(np.random.default_rng(0).standard_normal((batch, 1, 28, 28)).astype(np.float32))


def labels(library: Any, *shape: int, classes: int = 10) -> Any:
    return library.tensor(np.random.default_rng(1).integers(0, classes, shape))


def training_step(library: Any, model: Any, optimizer: Any, inputs: Any, targets: Any) -> Callable[[], Any]:
    """zero_grad, forward, cross entropy, backward, step; returns the loss."""

    def step() -> float:
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = library.nn.functional.cross_entropy(outputs.reshape(-1, outputs.shape[-1]), targets.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def cnn_step(library: Any, batch: int) -> Callable[[], Any]:
    library.manual_seed(0)
    model = cnn_example(library)
    optimizer = library.optim.Adam(model.parameters(), lr=1e-3)
    return training_step(library, model, optimizer, images(library, batch), labels(library, batch))


def cnn_inference(library: Any, batch: int) -> Callable[[], Any]:
    library.manual_seed(0)
    model, inputs = cnn_example(library).eval(), images(library, batch)

    def infer() -> Any:
        with library.no_grad():
            return model(inputs)

    return infer


def mlp(library: Any) -> Any:
    library.manual_seed(0)
    nn = library.nn
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


def mlp_step(library: Any) -> Callable[[], Any]:
    model = mlp(library)
    optimizer = library.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return training_step(library, model, optimizer, images(library, 128).reshape(128, 784), labels(library, 128))


def mobilenet_step(library: Any) -> Callable[[], Any]:
    """Inverted residuals as in MobileNet v3: 1x1, depthwise and 1x1 convolutions, batch norm; batch 8, 64x64 pixels."""
    nn = library.nn

    def convolution(
        c: int, out: int, size: int, stride: int = 1, groups: int = 1, act: type | None = nn.Hardswish
    ) -> Any:
        conv = nn.Conv2d(c, out, size, stride, size // 2, groups=groups, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(out), *([act()] if act else []))

    class Residual(nn.Module):
        def __init__(self, c: int, out: int, expand: int, size: int, stride: int, act: type) -> None:
            super().__init__()
            wide = c * expand
            self.shortcut = stride == 1 and c == out
            self.body = nn.Sequential(
                convolution(c, wide, 1, act=act),
                convolution(wide, wide, size, stride, wide, act),
                convolution(wide, out, 1, act=None),
            )

        def forward(self, x: Any) -> Any:
            return x + self.body(x) if self.shortcut else self.body(x)

    library.manual_seed(0)
    layers = [
        (16, 24, 4, 3, 2, nn.ReLU),
        (24, 24, 3, 3, 1, nn.ReLU),
        (24, 40, 3, 5, 2, nn.SiLU),
        (40, 40, 3, 5, 1, nn.SiLU),
    ]
    layers += [(40, 80, 6, 3, 2, nn.Hardswish), (80, 80, 3, 3, 1, nn.Hardswish), (80, 96, 3, 5, 1, nn.Hardswish)]
    model = nn.Sequential(
        convolution(3, 16, 3, 2), *[Residual(*layer) for layer in layers], convolution(96, 256, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10),
    )  # fmt: skip
    optimizer = library.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    inputs = library.tensor(np.random.default_rng(0).standard_normal((8, 3, 64, 64)).astype(np.float32))
    return training_step(library, model, optimizer, inputs, labels(library, 8))


def gpt_step(library: Any) -> Callable[[], Any]:
    """4 layers, 128 wide, 4 heads, context 64, batch 16, 96 characters; AdamW."""
    nn, width, context, heads, letters = library.nn, 128, 64, 4, 96

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x: Any) -> Any:
            b, t, c = x.shape
            q, k, v = self.qkv(self.ln_1(x)).split(c, dim=2)
            q, k, v = (y.view(b, t, heads, c // heads).transpose(1, 2) for y in (q, k, v))
            y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.proj(y.transpose(1, 2).reshape(b, t, c))
            return x + self.mlp(self.ln_2(x))

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.places = nn.Embedding(letters, width), nn.Embedding(context, width)
            self.blocks = nn.Sequential(*[Block() for _ in range(4)])
            self.ln, self.head = nn.LayerNorm(width), nn.Linear(width, letters, bias=False)

        def forward(self, ids: Any) -> Any:
            x = self.tokens(ids) + self.places(library.arange(ids.shape[1]))
            return self.head(self.ln(self.blocks(x)))

    library.manual_seed(0)
    model = GPT()
    optimizer = library.optim.AdamW(model.parameters(), lr=3e-4)
    ids = labels(library, 16, context + 1, classes=letters)
    return training_step(library, model, optimizer, ids[:, :-1], ids[:, 1:])


def lstm_step(library: Any) -> Callable[[], Any]:
    """A character model: embedding 64, one LSTM layer of 128, 64 steps, batch 32."""
    nn = library.nn

    class CharLSTM(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.lstm = nn.Embedding(96, 64), nn.LSTM(64, 128, batch_first=True)
            self.head = nn.Linear(128, 96)

        def forward(self, ids: Any) -> Any:
            return self.head(self.lstm(self.embedding(ids))[0])

    library.manual_seed(0)
    model = CharLSTM()
    optimizer = library.optim.Adam(model.parameters(), lr=1e-3)
    ids = labels(library, 32, 65, classes=96)
    return training_step(library, model, optimizer, ids[:, :-1], ids[:, 1:])


def cases(threads: int) -> Iterator[Case]:
    """Every case of this file, with the ratio that is aimed at with so many threads."""
    step_target = 0.9 if threads > 1 else 0.8
    for batch, target in ((64, step_target), (16, 1.0), (256, 1.0)):
        yield Case(f"CNN training step, batch {batch}", lambda lib, n=batch: cnn_step(lib, n), target, 2e-2)
    for batch, target in ((1, 2.0), (64, 1.0), (512, 1.0)):
        yield Case(f"CNN inference, batch {batch}", lambda lib, n=batch: cnn_inference(lib, n), target)
    yield Case("MLP 784-512-256-10 training step, batch 128", mlp_step, 1.1)
    yield Case("MobileNet-like training step, batch 8 of 3x64x64", mobilenet_step, 1.5, 5e-2)
    yield Case("GPT training step (4 layers, 128 wide, 64 tokens, batch 16)", gpt_step, 1.5)
    yield Case("LSTM training step (128 wide, 64 steps, batch 32)", lstm_step, 2.0)
