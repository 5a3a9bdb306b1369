"""histogram and histogramdd compared with PyTorch."""

from __future__ import annotations

import numpy as np

from tests.compare import compare, compare_errors

RNG = np.random.default_rng(0)
X, POINTS = RNG.standard_normal((4, 5)), RNG.standard_normal((6, 4, 2))
WEIGHTS, POINT_WEIGHTS = RNG.uniform(0, 1, (4, 5)), RNG.uniform(0, 1, (6, 4))


def test_histogram() -> None:
    for dtype in (np.float64, np.float32):
        x, w = X.astype(dtype), WEIGHTS.astype(dtype)
        edges = np.array([-1.0, -0.5, 0.25, 2.0], dtype)
        compare(
            lambda T, x, w, e: (
                T.histogram(x, 5), T.histogram(x, bins=3, range=(-1, 1)), x.histogram(e), T.histogram(x, e, weight=w),
                T.histogram(x, 4, density=True), T.histogram(x, e, weight=w, density=True),
            ),
            x, w, edges, gradient=False, tolerance={"float32": (1e-5, 1e-6)},
        )  # fmt: skip
    compare(lambda T, x: T.histogram(x, 3), np.array([0.0, 1.0, 2.0, 3.0, 3.0]), gradient=False)  # on the edges
    compare(lambda T, x: T.histogram(x, 3), np.array([2.0, 2.0]), gradient=False)
    compare(lambda T, x: T.histogram(x, 3), np.array([]), gradient=False)


def test_histogramdd() -> None:
    compare(
        lambda T, x, w: (
            T.histogramdd(x, 3), T.histogramdd(x, [2, 4]), T.histogramdd(x, [2, 3], range=[-1.0, 1.0, 0.0, 2.0]),
            T.histogramdd(x, [2, 3], weight=w, density=True),
        ),
        POINTS, POINT_WEIGHTS, gradient=False,
    )  # fmt: skip
    a, b = np.array([-1.0, 0.0, 2.0]), np.array([-2.0, -1.0, 0.0, 1.0])
    compare(lambda T, x, a, b: T.histogramdd(x, [a, b]), POINTS, a, b, gradient=False)


def test_errors() -> None:
    e, f = np.array([0.0, 1.0]), np.array([0.0, 1.0], np.float32)
    compare_errors(lambda T, x: T.histogram(x, 0), X, match="bins must be > 0")
    compare_errors(lambda T, x: T.histogram(x, 2.5), X)
    compare_errors(lambda T, x: T.histogram(x, 3, range=(2, 1)), X, match="min should not exceed max")
    compare_errors(lambda T, x: T.histogram(x, 3, range=(2,)), X, match="range should have 2 elements")
    compare_errors(lambda T, x, e: T.histogram(x, e, range=(0, 1)), X, e)
    compare_errors(lambda T, x, e: T.histogram(x, e[None]), X, e, match="one dimension")
    compare_errors(lambda T, x, f: T.histogram(x, f), X, f, match="same dtype")
    compare_errors(lambda T, x: T.histogram(x, 3, weight=x[:2]), X, match="same shape")
    compare_errors(lambda T, x: T.histogram(x, 3, weight=x.float()), X, match="same dtype")
    compare_errors(lambda T, x: T.histogram(x / 0, 3), X, match="not finite")
    compare_errors(lambda T, x: T.histogram(x.long(), 3), X)
    compare_errors(lambda T, x: T.histogramdd(x, [2, 3, 4]), POINTS, match="size of bins")
    compare_errors(lambda T, x: T.histogramdd(x[0, 0], 3), POINTS, match="at least 2 dimensions")
    compare_errors(lambda T, x: T.histogramdd(x, 3, range=[0.0, 1.0]), POINTS, match="4 elements")
    compare_errors(lambda T, x: T.histogramdd(x, 3, weight=x), POINTS, match="excluding its innermost")
