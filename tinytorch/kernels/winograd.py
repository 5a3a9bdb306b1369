"""Winograd's convolution: 16 multiplications where nine taps and four outputs would take 36.

(After: `winograd_tiles`. Next: `conv`, which calls this for 3x3 kernels of stride 1 with enough channels.)

Two neighbouring outputs of a kernel (w0, w1, w2) share inputs, and that saves two multiplications out of six:

    y0 = d0 w0 + d1 w1 + d2 w2 = m0 + m1 + m2        m0 = (d0 - d2) w0      m1 = (d1 + d2) (w0 + w1 + w2) / 2
    y1 = d1 w0 + d2 w1 + d3 w2 = m1 - m2 - m3        m3 = (d1 - d3) w2      m2 = (d2 - d1) (w0 - w1 + w2) / 2

In matrices y = Aᵀ [(G w) ⊙ (Bᵀ d)]. Applied to rows and columns, a *tile* of 4x4 inputs gives 2x2 outputs:

    Y = Aᵀ [U ⊙ V] A        U = G w Gᵀ (4x4, from the kernel)        V = Bᵀ d B (4x4, from the tile)

U ⊙ V is summed over the input channels, so each of the 16 places is a matrix product U (O, C) @ V (C, tiles), with
2.25 times fewer multiplications than the direct way. What is paid for it are additions: V and Y are made by passes of
NumPy over blocks that fit the cache, about 1.5 ns for a number read and as much for a number written. `pays` weighs
that up. (Winograd 1980; Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural Networks".)

*The gradient for the weight* is the adjoint: U's gradient is the same V times A gy Aᵀ, and gw = Gᵀ (gradient of U) G.
*The gradient for the input* is a convolution with the flipped kernel (`conv`), so it comes here as well.

*Precision.* G has only halves, Bᵀ and Aᵀ only 1 and -1: the error is that of the direct way, and whole numbers stay
exact. Output i of a tile is made only of the three m that read what lies under its own kernel. So zeros reach the same
outputs as they should; but ∞ - ∞ and 0 · ∞ turn to nan. Where a result is not finite, `correlate` and
`correlate_weight` say so, and the caller takes the direct way.

Measured with ``python -m tests.benchmarks --only "64->64, 3x3"`` on a quiet two-core AVX-512 machine, forward and both
gradients of 64 to 64 channels: at 28x28, batch 16, 33 ms on one thread without this file, 25 with it (PyTorch 27); on
two threads 17.8 and 15.1 (13.7); at 56x56, batch 8, 64 and 46 on one (54), 34 and 28 on two (28.5). The root of the
mean squared error at 28x28 is 2.1e-7 to 2.7e-7 of the size of the results in float32, that of the direct way 1.2e-7 to
4.1e-7.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tinytorch.kernels.cache import last_level_is_fast
from tinytorch.kernels.layout import Array, Pair, scratch
from tinytorch.kernels.loops import unbuffered
from tinytorch.kernels.products import multiply, multiply_transposed
from tinytorch.kernels.threads import run_blocks
from tinytorch.kernels.winograd_tiles import A_T, LONG_ROW, Block, blocks, gradient_tiles, input_tiles, output_tiles

FEW = {True: 24, False: 31}
"""With fewer multiplications to an addition, the passes take most of the time, and they are short. One thread still
gains a tenth, but two get in each other's way at Python's lock, and lose more. By `cache.last_level_is_fast`: where it
is not, passes cost more, and direct products less."""
LARGE = 24_000_000
"""Pairs of channels times pixels, from which on the passes are long enough for two threads on a slow cache."""
G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])


def one_tile(d: Array, w: Array) -> Array:
    """The formula, for one tile (4, 4) and one kernel (3, 3): its four outputs (2, 2).

    >>> d, w = np.arange(16.0).reshape(4, 4), np.eye(3)
    >>> one_tile(d, w)
    array([[15., 18.],
           [27., 30.]])
    """
    b_t = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
    product: Array = A_T @ ((G @ w @ G.T) * (b_t @ d @ b_t.T)) @ A_T.T
    return product


def pays(
    channels: int, out_channels: int, out: Pair, n: int, addition: float = 1.8, pair: float = 25, least: int = LARGE
) -> bool:
    """Whether the additions cost less than the multiplications that they save: nanoseconds, as measured.

    One thread does 108 multiplications and additions of matrix products in a nanosecond. `addition` is what the passes
    over one channel cost for an output pixel; `pair` what transforming the kernel of a pair of channels costs.
    `least` is how many pairs times pixels there must be where the last-level cache is slow.
    """
    pairs, pixels = channels * out_channels, n * out[0] * out[1]
    tiles_wide = (out[1] + 1) // 2
    in_tiles = 4 * n * ((out[0] + 1) // 2) * tiles_wide
    if tiles_wide * n < LONG_ROW:
        in_tiles += in_tiles // max(1, tiles_wide)  # rows that are joined have one tile more, for nothing
    direct = (18 * pairs / 108 + 0.6 * channels) * pixels
    if pairs < FEW[last_level_is_fast()] * (channels + out_channels):
        return False
    if pairs * pixels < least and not last_level_is_fast():
        return False
    return in_tiles * (8 * pairs / 108 + addition * (channels + out_channels)) + pair * pairs < direct


def weight_pays(channels: int, out_channels: int, out: Pair, n: int) -> bool:
    """The same for `correlate_weight`: no results to store for each pixel, but sums for each pair."""
    return pays(channels, out_channels, out, n, addition=1.2, pair=30, least=2 * LARGE)


def correlate(x: Array, weight: Array, bias: Array | None, y: Array, start: Pair) -> bool:
    """y[o,h,w,n] = bias[o] + sum over c,i,j of weight[o,c,i,j] * x[c, h + i + start, w + j + start, n].

    x (C, H, W, N), weight (O, C, 3, 3) and y (O, H', W', N), the first and last contiguous. False if some value is not
    finite; y is of no use then.
    """
    out_channels, channels = weight.shape[:2]
    with unbuffered():
        u = (_both_sides(x.dtype) @ weight.reshape(-1, 9).T).reshape(16, 1, out_channels, channels)
    finite = []

    def convolve(block: Block) -> None:
        with (
            unbuffered(),
            input_tiles(x, block, start) as v,
            scratch((16, v.shape[1], out_channels, block.columns), x.dtype) as m,
        ):
            multiply(u, v, m[..., : v.shape[3]])
            m[..., v.shape[3] :] = 0
            if bias is not None:  # Aᵀ has a 1 in column 1 of both rows: what is added there reaches all four outputs
                m[5] += bias[:, None]
            finite.append(output_tiles(m, y, block))

    run_blocks(convolve, blocks(channels, y, x.itemsize), _microseconds(channels, y))
    return all(finite)


def correlate_weight(x: Array, grad: Array, start: Pair) -> Array | None:
    """gw[o,c,i,j] = sum over h,w,n of grad[o,h,w,n] * x[c, h + i + start, w + j + start, n]; None if not finite."""
    channels, out_channels = len(x), len(grad)
    pieces = blocks(channels, grad, x.itemsize)
    # as in `conv2d_weight`, the order of summation must not depend on the number of threads
    lanes = min(len(pieces), 16 if channels * out_channels < 1 << 13 else 4)
    sums = np.zeros((lanes, 16, channels, out_channels), x.dtype)

    def add_lane(lane: int) -> None:
        for block in pieces[lane::lanes]:
            with (
                unbuffered(),
                input_tiles(x, block, start) as v,
                gradient_tiles(grad, block) as z,
                scratch((16, v.shape[1], channels, out_channels), x.dtype) as products,
            ):
                multiply_transposed(v, z[..., : v.shape[3]], products)
                for row in range(v.shape[1]):
                    sums[lane] += products[:, row]

    run_blocks(add_lane, range(lanes), _microseconds(channels, grad))
    with np.errstate(all="ignore"):
        gw = (_both_sides(x.dtype) * _signs(x.dtype)).T @ sums.sum(axis=0).reshape(16, -1)
    if not np.isfinite(gw).all():
        return None
    return np.ascontiguousarray(gw.reshape(3, 3, channels, out_channels).transpose(3, 2, 0, 1))


def _microseconds(channels: int, y: Array) -> float:
    """What `run_blocks` should count all blocks for: 0.4 of the time that they take on one thread.

    A block makes some forty calls, after each of which it may have to wait for Python's lock. Below a millisecond, two
    threads are slower than one.
    """
    out_channels = len(y)
    nanoseconds = channels * out_channels * 8 / 90 + (channels + out_channels) * 1.4
    return 0.4 * nanoseconds * (y.size / out_channels) / 1000


@lru_cache(maxsize=8)
def _both_sides(dtype: np.dtype) -> Array:
    """G ⊗ G (16, 9): G w Gᵀ as one product with the nine taps."""
    return np.kron(G, G).astype(dtype)


def _signs(dtype: np.dtype) -> Array:
    """(16, 1): -1 for row 3 and for column 3, where `gradient_tiles` leaves it to the end."""
    row = np.array([1, 1, 1, -1], dtype)
    return np.outer(row, row).reshape(16, 1)
