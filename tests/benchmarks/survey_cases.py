"""The cases of :mod:`tests.benchmarks.survey`: name, inputs, and the op as a function of (library, *inputs).

Sizes are those of a hidden layer: half a million elements, or a batch of small images. Inputs that are floating get
gradients; ops that have none are in :func:`without_gradients`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["Survey", "with_gradients", "without_gradients"]

Survey = tuple[str, list[np.ndarray], Callable[..., Any]]

RNG = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def integers(limit: int, *shape: int) -> np.ndarray:
    return RNG.integers(0, limit, shape)


X = normal(512, 1024)
POSITIVE = np.abs(X) + np.float32(0.1)
NEAR_ONE = (31 / 32 + RNG.permutation(2**19).reshape(512, 1024) * 2.0**-23).astype(np.float32)  # all different
IMAGES = normal(16, 16, 32, 32)
SQUARE = normal(64, 64)
DEFINITE = SQUARE @ SQUARE.T + 64 * np.eye(64, dtype=np.float32)

UNARY = [
    "exp",
    "log1p",
    "sqrt",
    "sin",
    "tanh",
    "sigmoid",
    "erf",
    "abs",
    "square",
    "reciprocal",
    "rsqrt",
    "lgamma",
    "digamma",
    "expm1",
    "atan",
    "neg",
]
ACTIVATIONS = [
    "relu",
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
    "softplus",
    "hardswish",
    "hardtanh",
    "mish",
    "selu",
    "logsigmoid",
    "relu6",
    "softsign",
    "celu",
]
BINARY = ["add", "sub", "mul", "div", "maximum", "minimum", "atan2", "fmod"]
REDUCTIONS = ["sum", "mean", "prod", "std", "amax", "amin", "logsumexp", "max", "median", "cumsum", "cumprod", "sort"]
LOSSES = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy_with_logits", "kl_div"]
DECOMPOSITIONS: dict[str, Callable[..., Any]] = {
    "inv": lambda lib, a: lib.linalg.inv(a),
    "cholesky": lambda lib, a: lib.linalg.cholesky(a),
    "slogdet": lambda lib, a: lib.linalg.slogdet(a)[1],
    "solve": lambda lib, a: lib.linalg.solve(a, a * a),
    "svdvals": lambda lib, a: lib.linalg.svdvals(a),
    "eigvalsh": lambda lib, a: lib.linalg.eigvalsh(a),
    "qr": lambda lib, a: lib.linalg.qr(a)[1],
    "matrix_exp": lambda lib, a: lib.linalg.matrix_exp(a * 0.01),
}


def with_gradients() -> Iterator[Survey]:
    """Forward and backward."""
    for op in UNARY:
        yield op, [POSITIVE], lambda lib, x, op=op: getattr(lib, op)(x)
    for op in ACTIVATIONS:
        yield f"F.{op}", [X], lambda lib, x, op=op: getattr(lib.nn.functional, op)(x)
    for op in BINARY:
        yield op, [X, X[::-1] + np.float32(0.01)], lambda lib, a, b, op=op: getattr(lib, op)(a, b)
    for op in REDUCTIONS:
        for dim in (0, 1):
            yield f"{op} dim{dim}", [NEAR_ONE], lambda lib, x, op=op, dim=dim: _values(getattr(lib, op)(x, dim))
    for op in LOSSES:
        yield f"F.{op}", [X, np.clip(POSITIVE, 0, 1)], lambda lib, a, b, op=op: getattr(lib.nn.functional, op)(a, b)
    for op, function in DECOMPOSITIONS.items():
        yield f"linalg {op}", [DEFINITE], function
    yield from _moving()
    yield from _layers()


def _values(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


def _moving() -> Iterator[Survey]:
    """Ops that pick elements or move them about."""
    rows, picks = integers(512, 800), integers(1024, 512, 100)
    yield "topk", [X], lambda lib, x: lib.topk(x, 5, 1)[0]
    yield "x.T contiguous", [X], lambda lib, x: x.t().contiguous()
    yield "permute contiguous", [IMAGES], lambda lib, x: x.permute(0, 2, 3, 1).contiguous()
    yield "cat", [X, X], lambda lib, a, b: lib.cat([a, b], 1)
    yield "stack", [X, X], lambda lib, a, b: lib.stack([a, b])
    yield "roll", [X], lambda lib, x: lib.roll(x, 3, 1)
    yield "flip", [X], lambda lib, x: lib.flip(x, [1])
    yield "repeat", [SQUARE], lambda lib, x: x.repeat(4, 8)
    yield "repeat_interleave", [normal(256, 256)], lambda lib, x: x.repeat_interleave(2, 0)
    yield "tril", [X], lambda lib, x: lib.tril(x)
    yield "where", [X], lambda lib, x: lib.where(x > 0, x, 0.0)
    yield "masked_fill", [X], lambda lib, x: x.masked_fill(x > 0, 0.0)
    yield "x[mask]", [X], lambda lib, x: x[x > 0]
    yield "x[rows]", [X, rows], lambda lib, x, index: x[index]
    yield "gather", [X, picks], lambda lib, x, index: lib.gather(x, 1, index)
    yield "index_add", [normal(800, 1024), rows], lambda lib, x, i: lib.zeros(512, 1024).index_add(0, i, x)
    yield "index_select", [X, rows], lambda lib, x, index: x.index_select(1, index)


def _layers() -> Iterator[Survey]:
    """Functions of ``nn.functional`` that are more than one formula."""
    table, words, classes = normal(5000, 128), integers(5000, 64, 32), integers(1024, 512)
    grid = np.clip(normal(8, 32, 32, 2), -1, 1)
    texts = integers(20, 16, 10) + 1
    layers: dict[str, tuple[list[np.ndarray], Callable[..., Any]]] = {
        "pad": ([IMAGES], lambda F, x: F.pad(x, (1, 1, 1, 1))),
        "pad reflect": ([IMAGES], lambda F, x: F.pad(x, (1, 1, 1, 1), mode="reflect")),
        "unfold": ([IMAGES], lambda F, x: F.unfold(x, 3, padding=1)),
        "interpolate nearest": ([IMAGES], lambda F, x: F.interpolate(x, scale_factor=2)),
        "interpolate bilinear": ([IMAGES], lambda F, x: F.interpolate(x, scale_factor=2, mode="bilinear")),
        "grid_sample": ([normal(8, 8, 32, 32), grid], lambda F, x, g: F.grid_sample(x, g, align_corners=False)),
        "pixel_shuffle": ([IMAGES], lambda F, x: F.pixel_shuffle(x, 2)),
        "max_pool2d": ([IMAGES], lambda F, x: F.max_pool2d(x, 2)),
        "avg_pool2d": ([IMAGES], lambda F, x: F.avg_pool2d(x, 2)),
        "adaptive_avg_pool2d": ([IMAGES], lambda F, x: F.adaptive_avg_pool2d(x, 7)),
        "embedding": ([table, words], lambda F, w, i: F.embedding(i, w)),
        "embedding_bag": ([table, words], lambda F, w, i: F.embedding_bag(i, w)),
        "softmax": ([X], lambda F, x: F.softmax(x, -1)),
        "log_softmax": ([X], lambda F, x: F.log_softmax(x, -1)),
        "cross_entropy": ([X, classes], lambda F, x, y: F.cross_entropy(x, y)),
        "ctc_loss": (
            [normal(50, 16, 21), texts, np.full(16, 50), np.full(16, 10)],
            lambda F, x, *rest: F.ctc_loss(F.log_softmax(x, -1), *rest),
        ),
        "layer_norm": ([X], lambda F, x: F.layer_norm(x, (1024,))),
        "group_norm": ([IMAGES], lambda F, x: F.group_norm(x, 8)),
        "batch_norm": ([IMAGES], lambda F, x: F.batch_norm(x, None, None, training=True)),
        "normalize": ([X], lambda F, x: F.normalize(x, dim=1)),
        "linear": ([normal(128, 512), normal(512, 512), normal(512)], lambda F, x, w, b: F.linear(x, w, b)),
        "conv2d": ([IMAGES, normal(32, 16, 3, 3)], lambda F, x, w: F.conv2d(x, w, padding=1)),
        "attention": ([normal(16, 4, 64, 32)] * 3, lambda F, q, k, v: F.scaled_dot_product_attention(q, k, v)),
    }
    for name, (inputs, function) in layers.items():
        yield name, inputs, lambda lib, *given, function=function: function(lib.nn.functional, *given)


def without_gradients() -> Iterator[Survey]:
    """New tensors, random ones (the same in both, as the seed is), searching and counting, and tensors as Python data."""
    numbers = integers(1024, 512, 100)
    yield "randn", [], lambda lib: lib.randn(512, 1024)
    yield "rand", [], lambda lib: lib.rand(512, 1024)
    yield "randint", [], lambda lib: lib.randint(0, 10, (512, 1024))
    yield "randperm", [], lambda lib: lib.randperm(60_000)
    yield "bernoulli", [], lambda lib: lib.bernoulli(lib.full((512, 1024), 0.3))
    yield "multinomial", [], lambda lib: lib.multinomial(lib.ones(64, 1000), 10, replacement=True)
    yield "exponential_", [], lambda lib: lib.empty(64, 1000).exponential_()
    yield "arange", [], lambda lib: lib.arange(500_000)
    yield "linspace", [], lambda lib: lib.linspace(0, 1, 500_000)
    yield "eye", [], lambda lib: lib.eye(512)
    yield "argmax", [X], lambda lib, x: x.argmax(1)
    yield "unique", [numbers], lambda lib, i: lib.unique(i)
    yield "bincount", [numbers.reshape(-1)], lambda lib, i: lib.bincount(i)
    yield "one_hot", [numbers], lambda lib, i: lib.nn.functional.one_hot(i, 1024)
    yield "searchsorted", [POSITIVE * 300], lambda lib, x: lib.searchsorted(lib.arange(1000.0), x)
    yield "histc", [X], lambda lib, x: lib.histc(x, 100)
    yield "quantile", [X], lambda lib, x: lib.quantile(x, 0.5, dim=1)
    yield "item of each", [X[0]], lambda lib, x: sum(value.item() for value in x)
    yield "rows", [X], lambda lib, x: sum(float(row[0]) for row in x)
    yield "tolist", [X[:64]], lambda lib, x: x.tolist()[-1]
    yield "tensor(list)", [], lambda lib: lib.tensor([[1.0, 2.0, 3.0]] * 1000)
