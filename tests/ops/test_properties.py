"""Random shapes and indices: broadcasting, reductions, reshapes, views and indexing as PyTorch does them, errors included."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tinytorch
from tests.compare import compare
from tinytorch.ops.indexing import add_at

FAST = settings(max_examples=60, deadline=None, derandomize=True)
SIZES = st.lists(st.integers(0, 4), max_size=4).map(tuple)
SOLID = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def _array(shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(np.random.default_rng(len(shape)).standard_normal(shape))


def _same(function: Any, *arrays: np.ndarray) -> None:
    """Both libraries raise an error of one type, or all comparisons hold."""
    errors = []
    for T in (torch, tinytorch):
        try:
            function(T, *[T.from_numpy(a.copy()) for a in arrays])
            errors.append(None)
        except Exception as error:
            errors.append(error)
    assert type(errors[0]) is type(errors[1]), errors
    if errors[0] is None:
        compare(function, *arrays)


@FAST
@given(SIZES, SIZES)
def test_broadcasting(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    _same(lambda T, x, y: x * y + y, _array(a), _array(b))


@FAST
@given(SOLID, SIZES)
def test_broadcasting_with_ones(shape: tuple[int, ...], ones: tuple[int, ...]) -> None:
    """A shape against itself with some dimensions 1 and some leading ones missing: always fits."""
    other = tuple(1 if i < len(ones) and ones[i] % 2 else n for i, n in enumerate(shape))[len(ones) // 2 :]
    _same(lambda T, x, y: x * y, _array(shape), _array(other))
    _same(lambda T, x, y: T.where(x > 0, x, y), _array(other), _array(shape))


@FAST
@given(SIZES, SIZES)
def test_expand(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    _same(lambda T, x: x.expand(b), _array(a))
    _same(lambda T, x: x.expand((*b, *a)) * 2, _array(a))


@FAST
@given(SIZES, st.lists(st.integers(-1, 6), max_size=4).map(tuple))
def test_reshape(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    _same(lambda T, x: x.reshape(b), _array(a))


@FAST
@given(SOLID, st.randoms(use_true_random=False))
def test_reshape_of_permuted(shape: tuple[int, ...], random: Any) -> None:
    order = random.sample(range(len(shape)), len(shape))
    _same(
        lambda T, x: (x.permute(order).reshape(-1), x.permute(order).reshape(shape), x.permute(order).flatten(1)),
        _array(shape),
    )


@FAST
@given(SIZES, st.lists(st.integers(-5, 4), max_size=3).map(tuple), st.booleans())
def test_reductions(shape: tuple[int, ...], dims: tuple[int, ...], keepdim: bool) -> None:
    _same(lambda T, x: x.sum(dims, keepdim), _array(shape))
    _same(lambda T, x: x.mean(dims, keepdim=keepdim), _array(shape))
    if 0 not in shape:
        _same(lambda T, x: x.amax(dims, keepdim), _array(shape))


PARTS = st.one_of(
    st.integers(-5, 4),
    st.builds(slice, st.none() | st.integers(-5, 5), st.none() | st.integers(-5, 5), st.none() | st.integers(1, 3)),
    st.none(),
    st.sampled_from([True, False]),
    st.lists(st.integers(-1, 0), min_size=1, max_size=3),  # in range for every size
)


@settings(FAST, max_examples=120)
@given(SOLID, st.lists(PARTS, max_size=4), st.none() | st.integers(0, 3))
def test_indexing(shape: tuple[int, ...], parts: list[Any], ellipsis_at: int | None) -> None:
    if ellipsis_at is not None:
        parts.insert(ellipsis_at, Ellipsis)
    index = tuple(parts)
    _same(lambda T, x: x[index], _array(shape))
    _same(lambda T, x: _assigned(x, index), _array(shape))


def _assigned(x: Any, index: Any) -> Any:
    y = x * 1
    y[index] = 2
    return y * x


@FAST
@given(SOLID, st.data())
def test_index_tensors_of_the_first_dimensions_add_up(shape: tuple[int, ...], data: Any) -> None:
    """The fast path by flat positions against NumPy's general one."""
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    count, picked = data.draw(st.integers(1, len(shape))), data.draw(SIZES)
    index = tuple(rng.integers(-size, size, picked) for size in shape[:count])
    values = rng.standard_normal(picked + shape[count:])
    expected = np.zeros(shape)
    np.add.at(expected, index, values)
    np.testing.assert_allclose(add_at(shape, index, values), expected, 1e-12, 1e-12)


@FAST
@given(SIZES, SIZES)
def test_matmul(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    _same(lambda T, x, y: x @ y, _array(a), _array(b))


@FAST
@given(SOLID, st.integers(1, 5), st.integers(-4, 3))
def test_cutting_and_joining(shape: tuple[int, ...], size: int, dim: int) -> None:
    _same(lambda T, x: (x.split(size, dim), x.chunk(size, dim), T.cat(x.split(size, dim)[::-1], dim)), _array(shape))
    _same(lambda T, x: T.stack(x.unbind(dim), dim), _array(shape))
    _same(lambda T, x: (x.squeeze(dim), x.unsqueeze(dim), x.flip(dim), x.cumsum(dim), x.softmax(dim)), _array(shape))
