"""More cases of :mod:`tests.benchmarks.survey`: small tensors, changes in place, indexing, layers, losses.

Small ones are (64, 256), a batch of hidden states: there the time goes into what an op does around its arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.benchmarks.survey_cases import ACTIVATIONS, POSITIVE, Survey, X, integers, normal

__all__ = ["more_with_gradients", "more_without_gradients"]

Function = Callable[..., Any]

SMALL = normal(64, 256)
SMALL_POSITIVE = np.abs(SMALL) + np.float32(0.1)
BATCH = normal(32, 64, 128)  # sequences

UNARY = ["exp", "log", "sqrt", "sin", "tanh", "sigmoid", "abs", "reciprocal", "rsqrt"]
FORMULAS: dict[str, Function] = {
    "clamp": lambda lib, x: x.clamp(-0.5, 0.5),
    "pow 2": lambda lib, x: x**2,
    "pow 3": lambda lib, x: x**3,
    "pow 1.5": lambda lib, x: (x.abs() + 0.1) ** 1.5,
    "softmax": lambda lib, x: lib.softmax(x, -1),
    "log_softmax": lambda lib, x: lib.log_softmax(x, -1),
    "softmax dim0": lambda lib, x: lib.softmax(x, 0),
    "var": lambda lib, x: x.var(1),
    "var all": lambda lib, x: x.var(),
    "std": lambda lib, x: x.std(0),
    "sum": lambda lib, x: x.sum(),
    "sum dim": lambda lib, x: x.sum(1),
    "mean": lambda lib, x: x.mean(),
    "mean dim": lambda lib, x: x.mean(0, keepdim=True),
    "max": lambda lib, x: x.max(),
    "max dim": lambda lib, x: x.max(1)[0],
    "norm": lambda lib, x: x.norm(),
    "norm dim": lambda lib, x: x.norm(dim=1),
    "logsumexp": lambda lib, x: x.logsumexp(1),
    "cumsum": lambda lib, x: x.cumsum(1),
    "topk": lambda lib, x: x.topk(5, 1)[0],
    "sort": lambda lib, x: x.sort(1)[0],
    "masked_fill": lambda lib, x: x.masked_fill(x > 0, -1.0),
    "where": lambda lib, x: lib.where(x > 0, x, x * 0.1),
    "add number": lambda lib, x: x + 1.0,
    "mul number": lambda lib, x: 2.0 * x,
    "dropout": lambda lib, x: lib.nn.functional.dropout(x, 0.0),
    "cat": lambda lib, x: lib.cat([x, x], 1),
    "stack": lambda lib, x: lib.stack([x, x], 1),
    "chunk": lambda lib, x: x.chunk(4, 1)[2],
    "split": lambda lib, x: x.split(64, 1)[1],
    "view": lambda lib, x: x.view(-1, 64),
    "reshape": lambda lib, x: x.t().reshape(-1),
    "transpose": lambda lib, x: x.transpose(0, 1),
    "permute": lambda lib, x: x.permute(1, 0).contiguous(),
    "unsqueeze": lambda lib, x: x.unsqueeze(1),
    "flatten": lambda lib, x: x.flatten(),
    "expand": lambda lib, x: x.unsqueeze(0).expand(4, -1, -1),
    "x[i]": lambda lib, x: x[3],
    "x[i:j]": lambda lib, x: x[3:50],
    "x[:, j]": lambda lib, x: x[:, 3],
    "x[:, None]": lambda lib, x: x[:, None],
    "x[..., ::2]": lambda lib, x: x[..., ::2],
    "x[mask]": lambda lib, x: x[x > 0],
    "tril": lambda lib, x: x.tril(),
    "outer product": lambda lib, x: x[:, :, None] * x[:, None, :64],
    "detach clone": lambda lib, x: x.clone(),
    "to float64": lambda lib, x: x.double(),
    "layer_norm": lambda lib, x: lib.nn.functional.layer_norm(x, (x.shape[-1],)),
    "rms_norm": lambda lib, x: lib.nn.functional.rms_norm(x, (x.shape[-1],)),
    "batch_norm": lambda lib, x: lib.nn.functional.batch_norm(x, None, None, training=True),
    "glu": lambda lib, x: lib.nn.functional.glu(x),
    "normalize": lambda lib, x: lib.nn.functional.normalize(x, dim=-1),
}
BINARY: dict[str, Function] = {
    "add": lambda lib, a, b: a + b,
    "mul": lambda lib, a, b: a * b,
    "sub": lambda lib, a, b: a - b,
    "div": lambda lib, a, b: a / (b.abs() + 1),
    "matmul": lambda lib, a, b: a @ b.t(),
    "maximum": lambda lib, a, b: lib.maximum(a, b),
    "addcmul": lambda lib, a, b: lib.addcmul(a, a, b, value=0.5),
    "lerp": lambda lib, a, b: lib.lerp(a, b, 0.3),
    "einsum": lambda lib, a, b: lib.einsum("ij,kj->ik", a, b),
    "cosine_similarity": lambda lib, a, b: lib.nn.functional.cosine_similarity(a, b),
    "mse_loss": lambda lib, a, b: lib.nn.functional.mse_loss(a, b),
    "l1_loss": lambda lib, a, b: lib.nn.functional.l1_loss(a, b),
    "huber_loss": lambda lib, a, b: lib.nn.functional.huber_loss(a, b),
    "bce": lambda lib, a, b: lib.nn.functional.binary_cross_entropy(lib.sigmoid(a), lib.sigmoid(b)),
    "bce_with_logits": lambda lib, a, b: lib.nn.functional.binary_cross_entropy_with_logits(a, lib.sigmoid(b)),
    "kl_div": lambda lib, a, b: lib.nn.functional.kl_div(
        lib.log_softmax(a, 1), lib.softmax(b, 1), reduction="batchmean"
    ),
}
INDEXED: dict[str, tuple[list[np.ndarray], Function]] = {
    "cross_entropy": ([SMALL, integers(256, 64)], lambda lib, x, y: lib.nn.functional.cross_entropy(x, y)),
    "nll_loss": ([SMALL, integers(256, 64)], lambda lib, x, y: lib.nn.functional.nll_loss(x, y)),
    "cross_entropy 10": ([normal(64, 10), integers(10, 64)], lambda lib, x, y: lib.nn.functional.cross_entropy(x, y)),
    "embedding": ([normal(1000, 64), integers(1000, 64)], lambda lib, w, i: lib.nn.functional.embedding(i, w)),
    "gather": ([SMALL, integers(256, 64, 1)], lambda lib, x, i: x.gather(1, i)),
    "scatter_add": ([SMALL, integers(64, 64, 256)], lambda lib, x, i: lib.zeros(64, 256).scatter_add(0, i, x)),
    "scatter": ([SMALL, integers(64, 64, 256)], lambda lib, x, i: lib.zeros(64, 256).scatter(1, i % 32, x * 0 + 1)),
    "index_select": ([SMALL, integers(64, 40)], lambda lib, x, i: x.index_select(0, i)),
    "x[rows]": ([SMALL, integers(64, 40)], lambda lib, x, i: x[i]),
    "x[:, cols]": ([SMALL, integers(64, 40)], lambda lib, x, i: x[:, i]),
    "x[range, y]": ([SMALL, integers(256, 64)], lambda lib, x, y: x[lib.arange(64), y]),
    "linear": ([SMALL, normal(128, 256), normal(128)], lambda lib, x, w, b: lib.nn.functional.linear(x, w, b)),
    "bias": ([SMALL, normal(256)], lambda lib, x, b: x + b),
    "layer_norm affine": (
        [SMALL, normal(256), normal(256)],
        lambda lib, x, w, b: lib.nn.functional.layer_norm(x, (256,), w, b),
    ),
    "batch_norm affine": (
        [SMALL, normal(256), normal(256)],
        lambda lib, x, w, b: lib.nn.functional.batch_norm(x, None, None, w, b, training=True),
    ),
    "batch_norm eval": (
        [SMALL, np.zeros(256, np.int64), np.ones(256, np.int64)],
        lambda lib, x, m, v: lib.nn.functional.batch_norm(x, m.float(), v.float()),
    ),
    "bmm": ([normal(16, 32, 32), normal(16, 32, 32)], lambda lib, a, b: a @ b),
    "prelu": ([SMALL, np.full(1, 0.25, np.float32)], lambda lib, x, w: lib.nn.functional.prelu(x, w)),
}


def more_with_gradients() -> Iterator[Survey]:
    """Forward and backward."""
    for op in UNARY:
        yield f"small {op}", [SMALL_POSITIVE], lambda lib, x, op=op: getattr(lib, op)(x)
    for op in ACTIVATIONS:
        yield f"small F.{op}", [SMALL], lambda lib, x, op=op: getattr(lib.nn.functional, op)(x)
    for name, function in FORMULAS.items():
        yield f"small {name}", [SMALL], function
    for name, function in BINARY.items():
        yield f"small {name}", [SMALL, SMALL[::-1].copy()], function
    for name, (inputs, function) in INDEXED.items():
        yield f"small {name}", inputs, function
    for name in LARGE:
        yield name, [X], FORMULAS[name]
    for name in ("addcmul", "lerp", "bce", "einsum", "cosine_similarity"):
        yield name, [X, POSITIVE], BINARY[name]
    yield from _layers()


LARGE = ["clamp", "pow 2", "pow 3", "pow 1.5", "softmax dim0", "var", "var all", "sum", "mean", "max", "norm",
         "norm dim", "rms_norm", "batch_norm", "glu", "x[i:j]", "x[:, j]", "x[..., ::2]", "chunk", "permute",
         "detach clone", "to float64", "outer product"]  # fmt: skip


def _layers() -> Iterator[Survey]:
    images, sequence = normal(8, 16, 32, 32), normal(16, 32, 128)
    layers: dict[str, tuple[list[np.ndarray], Function]] = {
        "conv1d": ([sequence, normal(32, 32, 3)], lambda F, x, w: F.conv1d(x, w, padding=1)),
        "conv_transpose2d": (
            [normal(8, 16, 16, 16), normal(16, 8, 4, 4)],
            lambda F, x, w: F.conv_transpose2d(x, w, stride=2, padding=1),
        ),
        "max_pool1d": ([sequence], lambda F, x: F.max_pool1d(x, 2)),
        "instance_norm": ([images], lambda F, x: F.instance_norm(x)),
        "fold": ([normal(8, 144, 1024)], lambda F, x: F.fold(x, (32, 32), 3, padding=1)),
        "interpolate bicubic": ([normal(4, 8, 16, 16)], lambda F, x: F.interpolate(x, scale_factor=2, mode="bicubic")),
        "interpolate linear": ([sequence], lambda F, x: F.interpolate(x, scale_factor=2, mode="linear")),
        "pad circular": ([images], lambda F, x: F.pad(x, (1, 1, 1, 1), mode="circular")),
        "pad replicate": ([images], lambda F, x: F.pad(x, (1, 1, 1, 1), mode="replicate")),
        "layer_norm 3d": ([BATCH], lambda F, x: F.layer_norm(x, (128,))),
        "softmax 4d": ([normal(8, 4, 64, 64)], lambda F, x: F.softmax(x, -1)),
        "gelu 3d": ([BATCH], lambda F, x: F.gelu(x)),
        "attention causal": (
            [normal(8, 4, 64, 32)] * 3,
            lambda F, q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        ),
        "cross_entropy 2d": ([normal(8, 10, 32, 32), integers(10, 8, 32, 32)], lambda F, x, y: F.cross_entropy(x, y)),
        "triplet_margin_loss": ([X, X[::-1].copy(), POSITIVE], lambda F, a, b, c: F.triplet_margin_loss(a, b, c)),
        "bilinear": (
            [normal(32, 16), normal(32, 16), normal(16, 16, 16)],
            lambda F, a, b, w: F.bilinear(a, b, w),
        ),
        "avg_pool2d 3": ([images], lambda F, x: F.avg_pool2d(x, 3, 2, 1)),
        "max_pool2d 3": ([images], lambda F, x: F.max_pool2d(x, 3, 2, 1)),
        "local_response_norm": ([images], lambda F, x: F.local_response_norm(x, 5)),
    }
    for name, (inputs, function) in layers.items():
        yield name, inputs, lambda lib, *given, function=function: function(lib.nn.functional, *given)
    yield "bmm", [normal(32, 64, 64), normal(32, 64, 64)], lambda lib, a, b: lib.bmm(a, b)
    yield "matmul", [normal(256, 256), normal(256, 256)], lambda lib, a, b: a @ b
    yield "einsum bij", [normal(16, 64, 32), normal(16, 64, 32)], lambda lib, a, b: lib.einsum("bid,bjd->bij", a, b)
    yield "scatter_add", [X, integers(512, 512, 1024)], lambda lib, x, i: lib.zeros(512, 1024).scatter_add(0, i, x)
    yield "cdist", [normal(128, 64), normal(100, 64)], lambda lib, a, b: lib.cdist(a, b)
    for name in ("RNNCell", "LSTMCell", "GRUCell"):
        yield f"small {name}", [normal(32, 64)], _recurrent(name, 64, 64)
    for name in ("RNN", "LSTM", "GRU"):
        yield name, [normal(20, 16, 32)], _recurrent(name, 32, 64)


def _recurrent(name: str, inputs: int, hidden: int) -> Function:
    made: dict[Any, Any] = {}

    def function(lib: Any, x: Any) -> Any:
        if lib not in made:
            lib.manual_seed(0)
            made[lib] = getattr(lib.nn, name)(inputs, hidden)
        result = made[lib](x)
        return result[0] if isinstance(result, tuple) else result

    return function


def _in_place(op: str, *arguments: Any) -> Function:
    return lambda lib, x: getattr(x, op)(*arguments)


def more_without_gradients() -> Iterator[Survey]:
    """Changes in place, new tensors, single elements, comparisons."""
    for size, x in (("small ", SMALL), ("", X)):
        half = x.copy()
        yield f"{size}add_", [half], _in_place("add_", 0.0)
        yield f"{size}mul_", [half], _in_place("mul_", 1.0)
        yield f"{size}zero_", [half.copy()], _in_place("zero_")
        yield f"{size}fill_", [half.copy()], _in_place("fill_", 1.5)
        yield f"{size}clamp_", [half.copy()], _in_place("clamp_", -1, 1)
        yield f"{size}relu_", [half.copy()], _in_place("relu_")
        yield f"{size}copy_", [half, half], lambda lib, a, b: a.copy_(b)
        yield f"{size}x[:, j] =", [half.copy()], _assign_column
        yield f"{size}x[mask] =", [half.copy()], _assign_mask
        yield f"{size}addcmul_", [half, half], lambda lib, a, b: a.addcmul_(b, b, value=0.0)
        yield f"{size}x > 0", [x], lambda lib, x: x > 0
        yield f"{size}(x > 0).sum()", [x], lambda lib, x: (x > 0).sum()
        yield f"{size}x == y", [x, x], lambda lib, a, b: (a == b).all()
        yield f"{size}isnan any", [x], lambda lib, x: x.isnan().any()
        yield f"{size}argmax dim", [x], lambda lib, x: x.argmax(1)
        yield f"{size}argmax", [x], lambda lib, x: x.argmax()
        yield f"{size}argsort", [x], lambda lib, x: x.argsort(1)
        yield f"{size}nonzero", [x], lambda lib, x: (x > 0).nonzero()
        yield f"{size}allclose", [x, x], lambda lib, a, b: float(lib.allclose(a, b))
        yield f"{size}accuracy", [x, integers(256, len(x))], lambda lib, x, y: (x.argmax(1) == y).float().mean().item()
    for size in ((64, 256), (512, 1024)):
        name = "small " if size[0] == 64 else ""
        yield f"{name}zeros", [], lambda lib, size=size: lib.zeros(size)
        yield f"{name}ones", [], lambda lib, size=size: lib.ones(*size)
        yield f"{name}full", [], lambda lib, size=size: lib.full(size, 2.5)
        yield f"{name}dropout train", [], lambda lib, size=size: lib.nn.functional.dropout(lib.ones(size), 0.5)
    yield "small randn", [], lambda lib: lib.randn(64, 256)
    yield "small rand", [], lambda lib: lib.rand(64, 256)
    yield "small randint", [], lambda lib: lib.randint(0, 10, (64,))
    yield "small randperm", [], lambda lib: lib.randperm(1000)
    yield "tiny randn", [], lambda lib: lib.randn(4)
    yield "uniform_", [], lambda lib: lib.empty(512, 1024).uniform_(-1, 1)
    yield "normal_", [], lambda lib: lib.empty(512, 1024).normal_(0, 0.02)
    yield "small arange", [], lambda lib: lib.arange(100)
    yield "small linspace", [], lambda lib: lib.linspace(0, 1, 100)
    yield "small eye", [], lambda lib: lib.eye(64)
    yield "small tensor(list)", [], lambda lib: lib.tensor([1.0, 2.0, 3.0])
    yield "small tensor(number)", [], lambda lib: lib.tensor(1.0)
    yield "small zeros_like", [SMALL], lambda lib, x: lib.zeros_like(x)
    yield "small tensor(array)", [], lambda lib: lib.tensor(SMALL)
    yield "small from_numpy", [], lambda lib: lib.from_numpy(SMALL)
    yield "small numpy()", [SMALL], lambda lib, x: lib.from_numpy(x.numpy())
    yield "small one_hot", [integers(10, 64)], lambda lib, i: lib.nn.functional.one_hot(i, 10)
    yield "small multinomial", [SMALL_POSITIVE], lambda lib, x: lib.multinomial(x, 1)
    yield "one item", [SMALL[:1, 0]], lambda lib, x: x.item()
    yield "x[i, j].item()", [SMALL], lambda lib, x: x[3, 4].item()
    yield "float(x)", [SMALL[:1, 0]], lambda lib, x: float(x)
    yield "for rows", [SMALL], lambda lib, x: list(x)[-1]
    yield "unbind", [SMALL], lambda lib, x: x.unbind(0)[3]
    yield "shape", [SMALL], lambda lib, x: x.shape[0] + x.size(1) + len(x) + x.dim() + x.numel()
    yield "small isfinite", [SMALL], lambda lib, x: lib.isfinite(x).all()
    yield "small unique", [integers(10, 640)], lambda lib, x: lib.unique(x)
    yield "small bincount", [integers(10, 640)], lambda lib, x: lib.bincount(x)
    yield "small meshgrid", [SMALL[0], SMALL[1]], lambda lib, a, b: lib.meshgrid(a, b, indexing="ij")[0]
    yield "no_grad step", [X, X], _step


def _assign_column(lib: Any, x: Any) -> Any:
    x[:, 3] = 1.0
    return x


def _assign_mask(lib: Any, x: Any) -> Any:
    x[x > 5.0] = 0.0
    return x


def _step(lib: Any, p: Any, g: Any) -> Any:
    with lib.no_grad():
        p -= 0.0 * g
    return p
