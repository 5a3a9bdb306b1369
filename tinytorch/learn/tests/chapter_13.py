"""Checks of chapter 13: convolution."""

import numpy as np

from tinytorch.kernels.conv_reference import conv2d_im2col, conv2d_loop
from tinytorch.learn.checking import check_close, check_gradient, lines_run, numbers
from tinytorch.nn import functional as F


def test_conv_loop() -> None:
    image, kernel = np.arange(9.0).reshape(3, 3), np.array([[1.0, 2.0], [0.0, 3.0]])
    check_close("3x3 image, 2x2 kernel", conv2d_loop(image, kernel, 0, 1), [[14.0, 20.0], [32.0, 38.0]])
    check_close("with padding 1 and stride 2", conv2d_loop(image, kernel, 1, 2), [[0.0, 6.0], [24.0, 38.0]])
    check_close("a kernel that is one row", conv2d_loop(image, np.ones((1, 3)), 0, 1), [[3.0], [12.0], [21.0]])


def test_im2col() -> None:
    x, weight = numbers(2, 3, 5, 4), numbers(4, 3, 2, 3, seed=1)
    for padding, stride in (((0, 0), (1, 1)), ((1, 1), (1, 1)), ((1, 2), (2, 1))):
        check_close(f"padding {padding}, stride {stride}", conv2d_im2col(x, weight, padding, stride),
                    slowly(x, weight, padding, stride))  # fmt: skip
    small, large = lines_run(conv2d_im2col, x, weight), lines_run(conv2d_im2col, np.tile(x, (4, 1, 3, 3)), weight)
    assert large <= small + 5, f"for a larger batch {large} lines of Python run instead of {small}: a loop?"


def slowly(x: np.ndarray, weight: np.ndarray, padding: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
    """Convolution as its formula says."""
    padded = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    kh, kw = weight.shape[2:]
    rows = range(0, padded.shape[2] - kh + 1, stride[0])
    columns = range(0, padded.shape[3] - kw + 1, stride[1])
    patches = [[padded[:, None, :, i : i + kh, j : j + kw] * weight for j in columns] for i in rows]
    return np.stack([np.stack([patch.sum((2, 3, 4)) for patch in row], -1) for row in patches], 2)


def test_conv_backward() -> None:
    x, weight, bias = numbers(2, 2, 4, 4), numbers(3, 2, 3, 3, seed=1), numbers(3, seed=2)
    check_gradient(lambda x, w, b: F.conv2d(x, w, b), x, weight, bias, names="xwb")
    check_gradient(lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1), x, weight, bias, names="xwb")
    check_gradient(lambda x, w: F.conv2d(x, w, None, groups=2), x, numbers(2, 1, 2, 2), names="xw")
