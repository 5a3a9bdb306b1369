"""Chapter 13. Convolution.

After: tinytorch/utils/data/dataloader.py
Next: tinytorch/kernels/conv_columns.py

Goal: convolution as a sentence, as a loop, as a matrix product; then fast.

The idea. A convolution slides a small kernel over an image. At each place it multiplies the kernel with the
patch underneath, element by element, and adds up: a dot product, large where the patch looks like the kernel.
`conv2d_loop` is that sentence in Python, for one image with one channel.

The trick. Python loops are slow, matrix products are fast. So lay every patch out as one *column* of a matrix;
the kernel, flattened, is a row; and all the dot products at once are one product row @ matrix. With many
kernels there are many rows. This is "im2col" (image to columns; Chellapilla, Puri, Simard 2006), and almost every
framework has it somewhere. `conv2d_im2col` is that. With a 3x3 kernel every pixel stands in nine columns, so the
matrix is nine times as large as the image; `conv_columns` tells what can be done about that.

Measured by ``python -m tinytorch.kernels.conv_reference`` on a two-core AVX-512 machine, one thread, for 64 images, 20
channels to 20, 28x28, 3x3::

    loop             69,271.7 ms    2.71 ms for one channel of one image, 25,600 times
    im2col               15.8 ms    4,385 times as fast as the loop
    conv.conv2d           4.9 ms    3.2 times as fast as im2col

What PyTorch does. oneDNN's kernels, in compiled code; the results agree to rounding.

Pitfalls. What deep learning calls convolution does not flip the kernel; mathematicians call it
cross-correlation. The flip returns in the gradient (`conv.conv2d_input`).

Exercises. How many multiplications does that layer take? At 100 billion a second, how long? How much of that speed does
each of the three reach? Answers: ``python -m tinytorch.learn answers 13``;
more: ``python -m tinytorch.learn start --chapter 13``.
Check: ``python -m pytest tests/kernels/test_conv.py tests/ops/test_conv.py``.

"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinytorch.kernels.layout import Array, Pair


def conv2d_loop(input_matrix: Array, kernel: Array, padding: int, stride: int) -> Array:
    """Slide `kernel` (KH, KW) over `input_matrix` (H, W), one channel of one image, by a Python loop.

    `padding` rings of zeros are put around the image; `stride` is the step of the slide. Returns
    ((H + 2 padding - KH) // stride + 1, (W + 2 padding - KW) // stride + 1).

    >>> conv2d_loop(np.arange(9.0).reshape(3, 3), np.ones((2, 2)), padding=0, stride=1)
    array([[ 8., 12.],
           [20., 24.]])
    """
    kernel_height, kernel_width = kernel.shape
    padded = np.pad(input_matrix, padding)
    h, w = padded.shape
    output_shape = ((h - kernel_height) // stride + 1, (w - kernel_width) // stride + 1)
    output_matrix = np.zeros(output_shape, np.result_type(input_matrix, kernel))

    for out_i, i in enumerate(range(0, h - kernel_height + 1, stride)):
        for out_j, j in enumerate(range(0, w - kernel_width + 1, stride)):
            # elementwise multiply and sum = dot product between kernel and image patch
            output_matrix[out_i, out_j] = np.sum(padded[i : i + kernel_height, j : j + kernel_width] * kernel)
    return output_matrix


def conv2d_im2col(x: Array, weight: Array, padding: Pair = (0, 0), stride: Pair = (1, 1)) -> Array:
    """Convolution of a batch by one matrix product: x (N, C, H, W), weight (O, C, KH, KW) -> (N, O, H', W').

    >>> x, weight = np.ones((1, 2, 3, 3)), np.ones((1, 2, 2, 2))
    >>> conv2d_im2col(x, weight)[0, 0]
    array([[8., 8.],
           [8., 8.]])
    """
    n, c = x.shape[:2]
    o, _, kh, kw = weight.shape
    padded = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    # patches[n, c, i, j] is the KH x KW patch whose corner is at (i, j): a view, nothing is copied yet
    patches = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))
    patches = patches[:, :, :: stride[0], :: stride[1]]
    out_h, out_w = patches.shape[2:4]
    # one row for every place in a patch (c, kh, kw), one column for every patch (n, h', w'): this copies
    columns = patches.transpose(1, 4, 5, 0, 2, 3).reshape(c * kh * kw, n * out_h * out_w)
    product = weight.reshape(o, c * kh * kw) @ columns
    return product.reshape(o, n, out_h, out_w).transpose(1, 0, 2, 3)


def conv2d_taps(x: Array, weight: Array, padding: Pair = (0, 0), stride: Pair = (1, 1), groups: int = 1) -> Array:
    """The same sum in another order: for each of the KH * KW taps, the whole image, shifted, times that one weight.

    With `groups`, weight (O, C // groups, KH, KW): each group of output channels sees its own input channels only.

    >>> x, weight = np.ones((1, 2, 3, 3)), np.array([1.0, 10.0]).reshape(2, 1, 1, 1)
    >>> conv2d_taps(x, weight, groups=2)[0, :, 0, 0]
    array([ 1., 10.])
    """
    n, c = x.shape[:2]
    o, _, kh, kw = weight.shape
    padded = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
    out_h, out_w = ((padded.shape[2 + i] - (kh, kw)[i]) // stride[i] + 1 for i in (0, 1))
    by_group = padded.reshape(n, groups, c // groups, *padded.shape[2:])
    y = np.zeros((n, groups, o // groups, out_h, out_w), x.dtype)
    for i in range(kh):
        for j in range(kw):
            shifted = by_group[:, :, :, i : i + out_h * stride[0] : stride[0], j : j + out_w * stride[1] : stride[1]]
            tap = weight[:, :, i, j].reshape(groups, o // groups, c // groups)
            y += np.einsum("goc,ngchw->ngohw", tap, shifted[..., :out_h, :out_w])
    return y.reshape(n, o, out_h, out_w)


def main() -> None:
    """Time the loop, one matrix product and the fast kernel on a layer of the CNN; assert that they agree."""
    import time

    from tinytorch.kernels.conv import conv2d
    from tinytorch.kernels.layout import to_chwn
    from tinytorch.kernels.threads import set_num_threads

    def milliseconds(function: Callable[[], Array], repeats: int = 9) -> tuple[float, Array]:
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            result = function()
            times.append(time.perf_counter() - start)
        return 1000 * min(times), result

    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 20, 28, 28), np.float32)
    weight = rng.standard_normal((20, 20, 3, 3), np.float32)
    set_num_threads(1)
    pairs = len(x) * weight.shape[0] * weight.shape[1]
    loop, one = milliseconds(lambda: conv2d_loop(x[0, 0], weight[0, 0], 1, 1))
    product, y = milliseconds(lambda: conv2d_im2col(x, weight, (1, 1)))
    images = to_chwn(x)
    fast, z = milliseconds(lambda: conv2d(images, weight, padding=(1, 1)))
    assert np.allclose(conv2d_im2col(x[:1, :1], weight[:1, :1], (1, 1))[0, 0], one, atol=1e-4)
    assert np.allclose(y, z, atol=1e-3)
    print(f"    loop            {loop * pairs:9,.1f} ms    {loop:.2f} ms for one channel of one image, {pairs:,} times")
    print(f"    im2col          {product:9,.1f} ms    {loop * pairs / product:,.0f} times as fast as the loop")
    print(f"    conv.conv2d     {fast:9,.1f} ms    {product / fast:.1f} times as fast as im2col")


if __name__ == "__main__":
    main()
