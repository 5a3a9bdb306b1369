"""The change of memory order against NumPy's plain copy."""

import numpy as np
import pytest

from tinytorch.kernels.layout import contiguous_batch_last, is_chwn, row_major_copy, to_chwn


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
@pytest.mark.parametrize("n", [0, 1, 2, 7, 8, 9, 33, 64, 513])
@pytest.mark.parametrize("image", [(3, 5, 7), (4, 32, 32), (1, 1, 4096), (20, 28, 28)])
def test_batch_last_copies_every_number(n, image, dtype):
    x = np.arange(n * np.prod(image)).astype(dtype).reshape(n, *image)
    for given in (x, x[:, ::-1], x[: n // 2]):
        got = contiguous_batch_last(given)
        assert got.flags.c_contiguous and got.dtype == dtype
        np.testing.assert_array_equal(got, given.transpose(1, 2, 3, 0))


def test_batch_last_is_a_view_where_it_can_be():
    x = np.random.default_rng(0).standard_normal((16, 4, 16, 16))
    there = to_chwn(x)
    assert is_chwn(there) and to_chwn(there) is not x
    assert np.shares_memory(contiguous_batch_last(there), there)
    np.testing.assert_array_equal(there, x)


@pytest.mark.parametrize("shape", [(3, 4), (100, 100), (512, 64), (64, 512), (4, 5000), (5000, 4), (0, 7)])
@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_, np.complex128])
def test_row_major_copies(shape, dtype):
    x = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    for view in (x, x.T, x[::2], x.T[:, ::2]):
        copy = row_major_copy(view)
        assert copy.flags.c_contiguous and not np.shares_memory(copy, x)
        np.testing.assert_array_equal(copy, view)
