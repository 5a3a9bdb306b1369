"""Matrix products in pieces equal those in one."""

import numpy as np
import pytest

from tinytorch.kernels import loops, memory, products, threads


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
@pytest.mark.parametrize(
    "m, k, n",
    [(40, 360, 900), (64, 576, 448), (7, 3, 5), (20, 180, 1792), (61, 576, 300), (64, 2500, 64), (1, 1, 1), (3, 0, 4)],
)
def test_multiply(m, k, n, dtype, in_place, monkeypatch):
    monkeypatch.setattr(products, "_reads_in_place", lambda: in_place)
    rng = np.random.default_rng(0)
    a, b = rng.integers(-4, 5, (2, 1, m, k)).astype(dtype), rng.integers(-4, 5, (2, 3, k, n)).astype(dtype)
    out = np.full((2, 3, m, n + 2), 7, dtype)
    products.multiply(a, b, out[..., :n])
    np.testing.assert_array_equal(out[..., :n], a @ b)
    assert (out[..., n:] == 7).all()


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize(
    "m, k, n",
    [
        (64, 224, 64), (180, 896, 20), (40, 200, 60), (61, 300, 64), (256, 2048, 64), (5, 4, 3), (40, 9, 40), (3, 0, 4),
        (25, 1600, 175), (6, 3600, 150), (37, 500, 61), (9, 20000, 9),
    ],
)  # fmt: skip
def test_multiply_transposed(m, k, n, in_place, monkeypatch):
    monkeypatch.setattr(products, "_reads_in_place", lambda: in_place)
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-4, 5, (3, size, k + 1)).astype(np.float32)[..., :k] for size in (m, n))
    out = np.empty((3, m, n), np.float32)
    products.multiply_transposed(a, b, out)
    np.testing.assert_array_equal(out, a @ b.swapaxes(1, 2))


@pytest.mark.parametrize(
    "a, b",
    [
        ((700, 300), (300, 200)), ((200, 300), (300, 700)), ((40, 64, 100), (40, 100, 90)), ((3, 400, 200), (1, 200, 300)),
        ((2, 3, 100, 200), (2, 3, 200, 300)), ((1, 2000), (2000, 5001)), ((3, 4), (4, 2)), ((5000,), (5000,)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.int64])
def test_matmul_on_several_threads(a, b, dtype):
    before = threads.get_num_threads()
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-4, 5, shape).astype(dtype) for shape in (a, b))
    try:
        for count in (1, 3):
            threads.set_num_threads(count)
            y = products.matmul(a, b)
            assert y.dtype == dtype
            np.testing.assert_array_equal(y, a @ b)
            if a.ndim == 2:
                np.testing.assert_array_equal(products.matmul(a, np.asfortranarray(b)), y)
                back = products.matmul(b.T, a.T, out=np.empty((b.shape[1], len(a)), dtype))
                np.testing.assert_array_equal(back, y.T)
    finally:
        threads.set_num_threads(before)


@pytest.fixture(params=[True, False])
def fast(request, monkeypatch):
    """Both kinds of last-level caches; pieces that were chosen for the other kind are forgotten."""
    monkeypatch.setattr(products, "last_level_is_fast", lambda: request.param)
    cached = (products._pieces, products._pieces_transposed)
    for function in cached:
        function.cache_clear()
    yield request.param
    for function in cached:
        function.cache_clear()


def test_pieces_are_small_enough(fast):
    cut = set()
    for m, k, n in (
        (20, 180, 1792),
        (40, 360, 900),
        (64, 576, 448),
        (512, 900, 100),
        (512, 2000, 2000),
        (8, 900, 4096),
    ):
        rows, columns = products._pieces(m, k, n)
        assert m % rows == 0 and (rows * k * columns <= products.MOST or (rows, columns) == (m, n))
        cut |= {m} if (rows, columns) != (m, n) else set()
    assert cut == {8, 20, 40, 64, 512}
    for m, k, n in ((64, 224, 64), (180, 896, 20), (96, 900, 512), (500, 900, 500), (37, 500, 61), (6, 3600, 150)):
        rows, columns = products._pieces_transposed(m, k, n)
        assert rows <= m and columns <= n
        assert rows * columns <= 1024 if (min(m, n) if fast else m) <= 128 else (rows, columns) == (m, n)


@pytest.mark.usefixtures("fast")
def test_the_bits_do_not_depend_on_where_matrices_lie():
    rng = np.random.default_rng(0)
    for m, k, n in ((40, 360, 192), (64, 288, 448), (20, 384, 200), (128, 512, 256)):
        values = [rng.standard_normal(shape).astype(np.float32) for shape in ((m, k), (k, n), (n, k))]
        found = []
        for shift in (0, 1, 5):
            a, b, c = (memory.aligned((v.size + 16,), v.dtype)[shift : shift + v.size].reshape(v.shape) for v in values)
            for matrix, v in zip((a, b, c), values, strict=True):
                matrix[...] = v
            results = [np.empty((m, n), np.float32) for _ in range(4)]
            products.multiply(a, b, results[0])
            products.multiply_transposed(a, c, results[1])
            products.matmul(a, b, out=results[2])
            products.matmul(a, c.T, out=results[3])
            for result, right in zip(results, (b, c.T, b, c.T), strict=True):
                np.testing.assert_allclose(result, a.astype(np.float64) @ right, rtol=1e-4, atol=1e-3)
            found.append([result.tobytes() for result in results])
        assert found[0] == found[1] == found[2]


def test_unbuffered_leaves_numpy_as_it_was():
    before, errors = np.getbufsize(), np.geterr()
    with loops.unbuffered():
        assert np.getbufsize() == 16
        a = np.arange(24.0).reshape(4, 6)[:, :5]
        np.testing.assert_array_equal(np.add(a, a), 2 * a)
        assert np.isnan(np.subtract(np.inf, np.inf))
    assert np.getbufsize() == before and np.geterr() == errors
