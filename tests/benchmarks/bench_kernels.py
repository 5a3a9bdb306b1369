"""Time the kernels beside PyTorch: python tests/benchmarks/bench_kernels.py [--threads 1 2] [--only TEXT] [--repeats 15]

Every line is one kernel call with the shapes of the notebook's CNN, batch 64, float32, timed in turn with PyTorch's
(ours, theirs, ours, theirs, ...; medians), so that a slow moment of the machine hits both. The last column is
ours / theirs: below 1 is faster. "all" adds up one training step's calls. Run it on a quiet machine; it asserts nothing.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F

from tinytorch.kernels import (
    channel_sums,
    conv,
    conv_small,
    elementwise,
    masks,
    memory,
    norm,
    norm_small,
    pool,
    products,
    threads,
)
from tinytorch.kernels.layout import to_chwn

CONVOLUTIONS = [  # (channels in, out, size, kernel, padding, times in the network)
    (1, 20, 28, 3, 1, 1),
    (20, 20, 28, 3, 1, 2),
    (20, 40, 14, 3, 1, 1),
    (40, 40, 14, 3, 1, 2),
    (40, 60, 7, 3, 0, 1),
    (60, 40, 5, 1, 0, 1),
    (40, 20, 5, 1, 0, 1),
]
OTHER_CONVOLUTIONS = [  # of other networks: the same, then batch, stride, groups
    (3, 32, 32, 5, 2, 0, 32, 1, 1),
    (3, 64, 112, 7, 3, 0, 4, 2, 1),
    (64, 64, 28, 3, 1, 0, 16, 1, 64),
    (32, 32, 112, 3, 1, 0, 2, 2, 32),
    (96, 96, 28, 7, 3, 0, 4, 1, 96),
    (128, 128, 28, 3, 1, 0, 16, 1, 32),
    (72, 72, 16, 3, 1, 0, 8, 1, 72),
    (120, 120, 8, 5, 2, 0, 8, 1, 120),
    (240, 240, 8, 3, 1, 0, 8, 2, 240),
]
NORMS = [(20, 28, 3), (40, 14, 3), (60, 5, 1), (40, 5, 1), (20, 5, 1)]  # (channels, size, times)
BATCH = 64
POOLS = [(BATCH, 20, 28, 2, 1), (BATCH, 40, 14, 2, 1), (BATCH, 20, 28, 3, 0), (4, 64, 56, 3, 0)]
"""(batch, channels, size, kernel, times)"""
Case = tuple[str, int, Callable[[], object], Callable[[], object]]  # name, times in a step, ours, theirs


def numbers(*shape: int) -> tuple[np.ndarray, torch.Tensor]:
    t = torch.randn(*shape)
    return (to_chwn(t.numpy()) if len(shape) == 4 else t.numpy()), t


def convolution(
    c: int, o: int, size: int, k: int, p: int, times: int, n: int = BATCH, stride: int = 1, groups: int = 1
) -> Iterator[Case]:
    aten = torch.ops.aten
    (x, xt), (w, wt), (b, bt) = numbers(n, c, size, size), numbers(o, c // groups, k, k), numbers(o)
    w = np.ascontiguousarray(w)
    steps, pads = (stride, stride), (p, p)
    g, gt = numbers(*F.conv2d(xt, wt, None, stride, p, 1, groups).shape)
    name = f"{c}->{o} {k}x{k} at {size}" + f", stride {stride}" * (stride > 1) + f", {groups} groups" * (groups > 1)

    def theirs(which: list[bool]) -> object:
        return aten.convolution_backward(gt, xt, wt, [0], steps, pads, [1, 1], False, [0, 0], groups, which)

    yield (
        f"conv {name}",
        times,
        lambda: conv.conv2d(x, w, b, steps, pads, (1, 1), groups),
        lambda: F.conv2d(xt, wt, bt, stride, p, 1, groups),
    )
    if c > 1:  # the first layer's input needs no gradient
        yield (
            f"conv input grad {name}",
            times,
            lambda: conv.conv2d_input(g, w, x.shape, steps, pads, (1, 1), groups),
            lambda: theirs([True, False, False]),
        )
    yield (
        f"conv weight grad {name}",
        times,
        lambda: (
            conv.conv2d_weight(x, g, w.shape, steps, pads, (1, 1), groups),
            channel_sums.sum_per_channel(g),
        ),
        lambda: theirs([False, True, True]),
    )


def small_cases() -> Iterator[Case]:
    for n, c, o, size in (
        (1, 1, 2, 6),
        (1, 16, 16, 8),
        (8, 4, 8, 10),
        (4, 512, 512, 4),
        (16, 512, 512, 4),
        (8, 256, 256, 8),
    ):
        (x, xt), (w, wt), (b, bt) = numbers(n, c, size, size), numbers(o, c, 3, 3), numbers(o)
        g, gt = numbers(n, o, size, size)
        x, w, g = (np.ascontiguousarray(a) for a in (x, w, g))
        how = ((1, 1), (1, 1), (1, 1), 1)

        def small(x=x, w=w, b=b, g=g, how=how) -> object:
            y = conv_small.convolve(x, w, b, x.shape[2:], *how)
            return y, conv_small.input_gradient(g, w, x.shape, *how), conv_small.weight_gradient(x, g, w.shape, *how)

        def large(x=x, w=w, b=b, g=g, how=how) -> object:
            y = conv.conv2d(x, w, b, *how)
            return y, conv.conv2d_input(g, w, x.shape, *how), conv.conv2d_weight(x, g, w.shape, *how)

        def theirs(xt=xt, wt=wt, bt=bt, gt=gt) -> object:
            y = F.conv2d(xt, wt, bt, 1, 1)
            how = ([0], [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [True, True, False])
            return y, torch.ops.aten.convolution_backward(gt, xt, wt, *how)

        name = f"small conv {c}->{o} at {size}, {n} images"
        yield name, 0, small, theirs
        yield f"{name}, by the kernels for large ones", 0, large, theirs


def small_norm_cases() -> Iterator[Case]:
    for n, c in ((4, 4), (64, 16), (64, 64)):
        (x, xt), (w, wt), (b, bt), (g, gt) = numbers(n, c), numbers(c), numbers(c), numbers(n, c)

        def both(kernels, x=x, w=w, b=b, g=g) -> object:
            y, mean, _, invstd = kernels.normalize(x, w, b, 1e-5, (0,))
            return y, kernels.gradients(g, x, mean, invstd, w, (True, True, True), (0,), (0,))

        def matrix(x=x, w=w, b=b, g=g) -> object:
            y, mean, _, invstd = norm.batch_norm_train(x, w, b, 1e-5)
            return y, norm.batch_norm_backward(g, x, mean, invstd, w)

        def theirs(xt=xt, wt=wt, bt=bt, gt=gt) -> object:
            y, mean, invstd = torch.native_batch_norm(xt, wt, bt, None, None, True, 0.1, 1e-5)
            how = (None, None, mean, invstd, True, 1e-5, [True, True, True])
            return y, torch.ops.aten.native_batch_norm_backward(gt, xt, wt, *how)

        yield f"small norm {n}x{c}", 0, functools.partial(both, norm_small), theirs
        yield f"small norm {n}x{c}, in single precision", 0, matrix, theirs


def normalization(c: int, size: int, times: int) -> Iterator[Case]:
    aten = torch.ops.aten
    (x, xt), (w, wt), (b, bt), (g, gt) = (
        numbers(BATCH, c, size, size),
        numbers(c),
        numbers(c),
        numbers(BATCH, c, size, size),
    )
    rm, rv = torch.zeros(c), torch.ones(c)
    _, mean, _, invstd = norm.batch_norm_train(x, w, b, 1e-5)
    y, yt = elementwise.relu(x), torch.relu(xt)
    mt, it = torch.from_numpy(mean), torch.from_numpy(invstd)
    yield (
        f"norm {c} at {size}",
        times,
        lambda: norm.batch_norm_train(x, w, b, 1e-5),
        lambda: F.batch_norm(xt, rm, rv, wt, bt, True),
    )
    yield (
        f"norm grad {c} at {size}",
        times,
        lambda: norm.batch_norm_backward(g, x, mean, invstd, w),
        lambda: aten.native_batch_norm_backward(gt, xt, wt, rm, rv, mt, it, True, 1e-5, [True] * 3),
    )
    yield f"relu {c} at {size}", times, lambda: elementwise.relu(x), lambda: torch.relu(xt)
    yield (
        f"relu grad {c} at {size}",
        times,
        lambda: elementwise.relu_backward(g, y),
        lambda: aten.threshold_backward(gt, yt, 0),
    )


def pooling(n: int, c: int, size: int, kernel: int, times: int) -> Iterator[Case]:
    padding = kernel // 3
    how = ((kernel, kernel), (2, 2), (padding, padding), (1, 1))
    x, xt = numbers(n, c, size, size)
    y, index = F.max_pool2d(xt, kernel, 2, padding, return_indices=True)
    out = tuple(y.shape[2:])
    _, winner = pool.max_pool(x, *how, out)
    g, gt = numbers(n, c, *out)
    name = f"{kernel}x{kernel}, {n}x{c} at {size}"
    yield (
        f"max pool {name}",
        times,
        lambda: pool.max_pool(x, *how, out),
        lambda: F.max_pool2d(xt, kernel, 2, padding, return_indices=True),
    )
    yield (
        f"max pool grad {name}",
        times,
        lambda: pool.max_pool_scatter(g, winner, x.shape, *how),
        lambda: torch.ops.aten.max_pool2d_with_indices_backward(gt, xt, *how, False, index),
    )


def mask_cases() -> Iterator[Case]:
    x, xt = numbers(1 << 20)
    m, out = x > 0, np.empty_like(x)
    mt = torch.from_numpy(m)
    zero = np.float32(0)
    yield "masks.keep", 0, lambda: masks.keep(x, m, out=out), lambda: torch.where(mt, xt, 0.0)
    yield "masks: np.where instead", 0, lambda: np.where(m, x, zero), lambda: torch.where(mt, xt, 0.0)


def memory_cases() -> Iterator[Case]:
    """Ten arrays of 4 MB, as the activations of a step: made, filled and freed."""
    shape, dtype = (1 << 20,), np.dtype(np.float32)

    def fill(make: Callable[..., np.ndarray]) -> None:
        arrays = [make(shape, dtype) for _ in range(10)]
        for a in arrays:
            a.fill(1)

    def theirs() -> None:
        for t in [torch.empty(shape) for _ in range(10)]:
            t.fill_(1.0)

    yield "memory.empty", 0, lambda: fill(memory.empty), theirs
    yield "memory: np.empty instead", 0, lambda: fill(np.empty), theirs


def order_cases() -> Iterator[Case]:
    """From N,C,H,W to C,H,W,N, beside PyTorch's own copy to its channels_last."""
    for shape in ((4, 64, 56, 56), (16, 64, 28, 28), (32, 32, 32, 32), (64, 20, 28, 28), (64, 32, 32, 32)):
        xt = torch.randn(*shape)
        x, view = xt.numpy(), xt.numpy().transpose(1, 2, 3, 0)

        def theirs(xt: torch.Tensor = xt) -> object:
            return xt.contiguous(memory_format=torch.channels_last)

        yield f"order {shape}", 0, lambda x=x: to_chwn(x), theirs
        yield f"order {shape}, plain copy", 0, lambda view=view: np.ascontiguousarray(view), theirs


def product_cases() -> Iterator[Case]:
    """The matrix products of convolutions, weights by columns and gradient by columns: in pieces, and in one."""
    for m, k, n in ((20, 180, 1792), (40, 360, 896), (64, 576, 448), (32, 75, 1024), (64, 64, 448)):
        a, b, c, y, g = (
            memory.aligned(shape, np.dtype(np.float32)) for shape in ((m, k), (k, n), (m, n), (m, n), (m, k))
        )
        for matrix in (a, b, c):
            matrix[...] = np.random.default_rng(0).standard_normal(matrix.shape)
        at, bt, ct = map(torch.from_numpy, (a, b, c))
        forward, backward = functools.partial(torch.matmul, at, bt), functools.partial(torch.matmul, ct, bt.T)
        name = f"product {m}x{k} by {k}x{n}"
        yield name, 0, functools.partial(products.multiply, a, b, y), forward
        yield f"{name}: np.matmul", 0, functools.partial(np.matmul, a, b, out=y), forward
        yield f"{name}, gradient", 0, functools.partial(products.multiply_transposed, c, b, g), backward
        yield f"{name}, gradient: np.matmul", 0, functools.partial(np.matmul, c, b.T, out=g), backward


def all_cases() -> Iterator[Case]:
    for args in (*CONVOLUTIONS, *OTHER_CONVOLUTIONS):
        yield from convolution(*args)
    for args in NORMS:
        yield from normalization(*args)
    for args in POOLS:
        yield from pooling(*args)
    yield from small_cases()
    yield from small_norm_cases()
    yield from mask_cases()
    yield from memory_cases()
    yield from order_cases()
    yield from product_cases()


def median_pair(ours: Callable[[], object], theirs: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Milliseconds of both, timed in turn; each sample is long enough to be told from the clock's noise."""
    ours(), theirs()
    samples: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for fn, into in zip((ours, theirs), samples, strict=True):
            start = time.perf_counter()
            fn()
            fn()
            into.append((time.perf_counter() - start) * 500)
    return statistics.median(samples[0]), statistics.median(samples[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--repeats", type=int, default=15)
    args = parser.parse_args()
    for n in args.threads:
        threads.set_num_threads(n)
        torch.set_num_threads(n)
        print(f"\n{n} thread{'s' * (n > 1)}{'':30} ours ms  PyTorch ms  ratio")
        total = [0.0, 0.0]
        for name, times, ours, theirs in all_cases():
            if args.only not in name:
                continue
            a, b = median_pair(ours, theirs, args.repeats)
            total[0] += times * a
            total[1] += times * b
            print(f"{name:38} {a:8.3f} {b:11.3f} {a / b:6.2f}")
        print(f"{'all':38} {total[0]:8.3f} {total[1]:11.3f} {total[0] / max(total[1], 1e-9):6.2f}")


if __name__ == "__main__":
    main()
