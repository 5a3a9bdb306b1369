"""Single ops through the public functions, forward and backward together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tests.benchmarks.measure import Case

__all__ = ["cases"]

#: name: (batch, channels in, out, size, kernel, stride, padding, groups), and the ratio aimed at
CONVOLUTIONS = {
    "notebook 1->20, 3x3 at 28": ((64, 1, 20, 28, 3, 1, 1, 1), 1.0),
    "notebook 20->20, 3x3 at 28": ((64, 20, 20, 28, 3, 1, 1, 1), 1.0),
    "notebook 20->40, 3x3 at 14": ((64, 20, 40, 14, 3, 1, 1, 1), 1.0),
    "notebook 40->40, 3x3 at 14": ((64, 40, 40, 14, 3, 1, 1, 1), 1.0),
    "notebook 40->60, 3x3 at 7": ((64, 40, 60, 7, 3, 1, 0, 1), 1.0),
    "notebook 60->40, 1x1 at 5": ((64, 60, 40, 5, 1, 1, 0, 1), 1.0),
    "64->64, 3x3 at 56": ((8, 64, 64, 56, 3, 1, 1, 1), 1.5),
    "64->64, 3x3 at 28": ((16, 64, 64, 28, 3, 1, 1, 1), 1.5),
    "64->128, 3x3 at 56, stride 2": ((8, 64, 128, 56, 3, 2, 1, 1), 1.5),
    "256->64, 1x1 at 28": ((16, 256, 64, 28, 1, 1, 0, 1), 1.5),
    "3->32, 5x5 at 32": ((32, 3, 32, 32, 5, 1, 2, 1), 1.5),
    "depthwise 64, 3x3 at 28": ((16, 64, 64, 28, 3, 1, 1, 64), 1.5),
    "depthwise 32, 3x3 at 112, stride 2, batch 2": ((2, 32, 32, 112, 3, 2, 1, 32), 1.5),
    "depthwise 96, 7x7 at 28, batch 4": ((4, 96, 96, 28, 7, 1, 3, 96), 1.5),
    "128 in 32 groups, 3x3 at 28": ((16, 128, 128, 28, 3, 1, 1, 32), 1.5),
    "3->64, 7x7 at 112, stride 2, batch 4": ((4, 3, 64, 112, 7, 2, 3, 1), 1.5),
    "512->512, 3x3 at 4, batch 4": ((4, 512, 512, 4, 3, 1, 1, 1), 1.5),
    "256->512, 4x4 at 4, batch 64": ((64, 256, 512, 4, 4, 1, 0, 1), 1.5),
    "64->64, 3x3 at 28, batch 1": ((1, 64, 64, 28, 3, 1, 1, 1), 1.5),
}


def forward_backward(
    make_inputs: Callable[[], list[np.ndarray]], function: Callable[..., Any], *constants: np.ndarray
) -> Any:
    """A case's ``make``: call ``function(library, *inputs, *constants)`` and send a fixed random gradient back."""

    def make(library: Any) -> Callable[[], Any]:
        inputs = [library.tensor(array).requires_grad_() for array in make_inputs()]
        fixed = [library.tensor(array) for array in constants]
        grad: Any = None

        def run() -> Any:
            nonlocal grad
            y = function(library, *inputs, *fixed)
            if grad is None:
                grad = library.tensor(np.random.default_rng(1).standard_normal(tuple(y.shape)).astype(np.float32))
            return library.autograd.grad(y, inputs, grad)

        return run

    return make


def normal(*shapes: tuple[int, ...]) -> Callable[[], list[np.ndarray]]:
    def make() -> list[np.ndarray]:
        rng = np.random.default_rng(0)
        return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]

    return make


def convolution(n: int, c: int, o: int, size: int, k: int, stride: int, padding: int, groups: int) -> Any:
    def function(library: Any, x: Any, w: Any, b: Any) -> Any:
        return library.nn.functional.conv2d(x, w, b, stride, padding, 1, groups)

    return forward_backward(normal((n, c, size, size), (o, c // groups, k, k), (o,)), function)


def dropout(library: Any, x: Any) -> Any:
    library.manual_seed(0)  # so that both drop the same
    return library.nn.functional.dropout(x, 0.1)


def cases(threads: int) -> Iterator[Case]:
    """Every case of this file."""
    for name, (shape, target) in CONVOLUTIONS.items():
        yield Case(f"conv2d {name}", convolution(*shape), target)
    yield Case(
        "conv1d 64->64, 3 at 256",
        forward_backward(
            normal((16, 64, 256), (64, 64, 3), (64,)), lambda lib, x, w, b: lib.nn.functional.conv1d(x, w, b, padding=1)
        ),
        1.5,
    )
    yield Case(
        "conv1d depthwise 144, 31 at 300",
        forward_backward(
            normal((8, 144, 300), (144, 1, 31), (144,)),
            lambda lib, x, w, b: lib.nn.functional.conv1d(x, w, b, padding=15, groups=144),
        ),
        1.5,
    )
    yield Case(
        "conv2d 1->50, 3x100 at 40x100, whole width",
        forward_backward(
            normal((32, 1, 40, 100), (50, 1, 3, 100), (50,)), lambda lib, x, w, b: lib.nn.functional.conv2d(x, w, b)
        ),
        1.5,
    )
    yield Case(
        "conv_transpose2d 64->32, 4x4 at 14, stride 2",
        forward_backward(
            normal((16, 64, 14, 14), (64, 32, 4, 4), (32,)),
            lambda lib, x, w, b: lib.nn.functional.conv_transpose2d(x, w, b, 2, 1),
        ),
        1.5,
    )
    grid = np.random.default_rng(2).uniform(-1, 1, (8, 28, 28, 2)).astype(np.float32)
    yield Case(
        "grid_sample, 8x16x28x28",
        forward_backward(
            lambda: [*normal((8, 16, 28, 28))(), grid],
            lambda lib, x, g: lib.nn.functional.grid_sample(x, g, align_corners=False),
        ),
        1.5,
    )
    image = normal((64, 20, 28, 28))
    for name, function in (
        ("max_pool2d(2)", lambda lib, x: lib.nn.functional.max_pool2d(x, 2)),
        ("max_pool2d(3, 2, 1)", lambda lib, x: lib.nn.functional.max_pool2d(x, 3, 2, 1)),
        ("avg_pool2d(2)", lambda lib, x: lib.nn.functional.avg_pool2d(x, 2)),
        ("relu", lambda lib, x: lib.relu(x)),
        ("leaky_relu", lambda lib, x: lib.nn.functional.leaky_relu(x, 0.2)),
        ("relu6", lambda lib, x: lib.nn.functional.relu6(x)),
        ("hardswish", lambda lib, x: lib.nn.functional.hardswish(x)),
        ("silu", lambda lib, x: lib.nn.functional.silu(x)),
    ):
        yield Case(f"{name}, 64x20x28x28", forward_backward(image, function), 1.5)
    for shape in ((64, 20, 28, 28), (64, 256)):

        def batch_norm(lib: Any, x: Any, w: Any, b: Any) -> Any:
            return lib.nn.functional.batch_norm(x, None, None, w, b, training=True)

        name = "x".join(map(str, shape))
        yield Case(f"batch_norm, {name}", forward_backward(normal(shape, shape[1:2], shape[1:2]), batch_norm), 1.5)
    yield Case(
        "layer_norm, 1024x512",
        forward_backward(
            normal((1024, 512), (512,), (512,)), lambda lib, x, w, b: lib.nn.functional.layer_norm(x, (512,), w, b)
        ),
    )
    matrix = normal((1024, 512))
    for name, function in (
        ("softmax, 1024x512", lambda lib, x: lib.softmax(x, -1)),
        ("log_softmax, 1024x512", lambda lib, x: lib.log_softmax(x, -1)),
        ("gelu, 1024x512", lambda lib, x: lib.nn.functional.gelu(x)),
        ("sigmoid, 1024x512", lambda lib, x: lib.sigmoid(x)),
        ("silu, 1024x512", lambda lib, x: lib.nn.functional.silu(x)),
        ("dropout, 1024x512", dropout),
        ("tanh, 1024x512", lambda lib, x: lib.tanh(x)),
        ("exp, 1024x512", lambda lib, x: lib.exp(x)),
        ("sum over dim 0, 1024x512", lambda lib, x: x.sum(0)),
        ("sum over dim 1, 1024x512", lambda lib, x: x.sum(1)),
        ("sum, 1024x512", lambda lib, x: x.sum()),
        ("cumsum over dim 1, 1024x512", lambda lib, x: x.cumsum(1)),
        ("cat of two halves, 1024x512", lambda lib, x: lib.cat([x[:512], x[512:]], 1)),
    ):
        yield Case(name, forward_backward(matrix, function))
    yield Case("mean over dims 2 and 3, 64x20x28x28", forward_backward(image, lambda lib, x: x.mean((2, 3))))
    rng = np.random.default_rng(2)
    classes, columns = rng.integers(0, 512, 1024), rng.integers(0, 512, (1024, 64))
    for name, function, index in (
        ("cross_entropy", lambda lib, x, t: lib.nn.functional.cross_entropy(x, t), classes),
        ("index rows", lambda lib, x, i: x[i], classes),
        ("gather 64 of 512", lambda lib, x, i: lib.gather(x, 1, i), columns),
    ):
        yield Case(f"{name}, 1024x512", forward_backward(matrix, function, index))
    yield Case(
        "embedding, 1024 of 5000, 128 wide",
        forward_backward(
            normal((5000, 128)), lambda lib, w, i: lib.nn.functional.embedding(i, w), rng.integers(0, 5000, 1024)
        ),
    )
    yield Case(
        "attention, 16x4x64x32, causal",
        forward_backward(
            normal(*[(16, 4, 64, 32)] * 3),
            lambda lib, q, k, v: lib.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True),
        ),
    )
    yield Case("add, broadcast row, 1024x512", forward_backward(normal((1024, 512), (512,)), lambda lib, a, b: a + b))
    yield Case("mul, 1024x512", forward_backward(normal((1024, 512), (1024, 512)), lambda lib, a, b: a * b))
    for n in (64, 512, 1024):
        yield Case(f"matmul, {n}x{n}", forward_backward(normal((n, n), (n, n)), lambda lib, a, b: a @ b))
    yield Case(
        "bmm, 64 of 64x32 by 32x64",
        forward_backward(normal((64, 64, 32), (64, 32, 64)), lambda lib, a, b: lib.bmm(a, b)),
    )
