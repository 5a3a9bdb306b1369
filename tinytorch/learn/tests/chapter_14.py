"""Checks of chapter 14: pooling."""

import numpy as np

from tinytorch.kernels.windows import pool_output_size
from tinytorch.learn import quiz
from tinytorch.learn.checking import check_answers, check_gradient, leaf, numbers
from tinytorch.nn import functional as F


def test_pool_output_size() -> None:
    for size, kernel, stride, padding, dilation in (
        (5, 2, 2, 0, 1),
        (28, 2, 2, 0, 1),
        (7, 3, 2, 1, 1),
        (9, 2, 1, 0, 3),
    ):
        places = range(-padding, size + padding - dilation * (kernel - 1), stride)
        found = pool_output_size(size, kernel, stride, padding, dilation, False)
        assert found == len(places), (
            f"size {size}, kernel {kernel}, stride {stride}, padding {padding}, dilation {dilation}: "
            f"windows start at {list(places)}, so there are {len(places)}, not {found}"
        )
    found = pool_output_size(5, 2, 2, 0, 1, True)
    assert found == 3, f"ceil_mode: windows start at 0, 2 and 4, and the last hangs over; that is 3, not {found}"
    found = pool_output_size(5, 2, 4, 1, 1, True)
    assert found == 2, f"ceil_mode: windows start at -1 and 3 (7 would be outside the image); that is 2, not {found}"


def test_max_pool_backward() -> None:
    x = np.random.default_rng(0).permutation(32.0 * np.arange(1, 33)).reshape(1, 2, 4, 4) / 300
    check_gradient(lambda a: F.max_pool2d(a, 2), x)
    check_gradient(lambda a: F.max_pool2d(a, 3, stride=1), x)


def test_avg_pool_backward() -> None:
    check_gradient(lambda a: F.avg_pool2d(a, 2), numbers(1, 2, 4, 4))
    check_gradient(lambda a: F.avg_pool2d(a, 3, stride=1, padding=1), numbers(1, 1, 4, 4))


def test_quiz_ties() -> None:
    x = leaf([[[2.0, 2.0, 1.0, 0.0]]])
    y = F.max_pool1d(x, 4)
    y.backward(leaf([[[5.0]]]).detach(), retain_graph=True)
    assert x.grad is not None
    check_answers(quiz.ties(), {"x": x.grad.reshape(4).tolist()}, y)
