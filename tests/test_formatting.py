"""The printed text of a tensor equals PyTorch's, character for character."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

import tinytorch
from tinytorch import formatting
from tinytorch.formatting import PRINT_OPTIONS, format_scalar, format_tensor

FLOATS = [np.float16, np.float32, np.float64]
INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8]
SHAPES = [(), (1,), (5,), (37,), (1001,), (3, 4), (2, 30), (40, 50), (0,), (0, 3), (2, 0, 1), (2, 3, 4),
          (12, 10, 11), (1, 1, 1), (2, 1, 3, 2), (7, 8, 9, 7), (1, 2000), (2000, 1), (7, 200, 6)]  # fmt: skip


@pytest.fixture(autouse=True)
def _restore_options():
    saved = torch._tensor_str.get_printoptions()
    yield
    torch.set_printoptions(profile="default")
    formatting.set_printoptions(profile="default")
    assert torch._tensor_str.get_printoptions() == saved


def set_both(**options):
    torch.set_printoptions(**options)
    formatting.set_printoptions(**options)


def check(array: np.ndarray, **keywords) -> None:
    expected = repr(torch.from_numpy(np.ascontiguousarray(array)).reshape(array.shape))
    assert format_tensor(array, default_dtype=np.dtype(np.float32), **keywords) == expected


def random_floats(rng: np.random.Generator, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Values of one random character: whole, rounded, spread out, with zeros, with non-finite values."""
    values = rng.standard_normal(shape) * 10.0 ** rng.integers(-8, 13)
    kind = rng.integers(6)
    if kind == 0:
        values = np.round(values)
    elif kind == 1:
        values = values * 10.0 ** rng.integers(-4, 4, size=shape)
    elif kind == 2:
        values = rng.integers(-20, 20, size=shape) * 10.0 ** rng.integers(-2, 5)
    elif kind == 3:
        values = rng.choice([0.0, -0.0, 1.0, -1.0, 0.5, 1000.0, 1001.0, 1e8, 1.1e8, 1e-4, 9e-5], size=shape)
    values = np.asarray(values, dtype=np.float64)
    if rng.random() < 0.4:
        special = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], size=shape)
        values = np.where(rng.random(shape) < rng.choice([0.05, 0.5, 1.0]), special, values)
    with np.errstate(over="ignore"):
        return values.astype(dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_random_floats(shape, dtype):
    rng = np.random.default_rng([len(shape), sum(shape), FLOATS.index(dtype)])
    for _ in range(8):
        check(random_floats(rng, shape, dtype))


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_random_integers(shape, dtype):
    rng = np.random.default_rng([len(shape), sum(shape), INTEGERS.index(dtype)])
    info = np.iinfo(dtype)
    for low, high in [(info.min, info.max), (max(info.min, -9), 9), (0, 1), (max(info.min, -100), 100)]:
        check(rng.integers(low, high, size=shape, dtype=dtype, endpoint=True))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_random_bools(shape):
    rng = np.random.default_rng(3)
    check(np.asarray(rng.random(shape) < 0.5))
    check(np.ones(shape, dtype=bool))


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("shape", [(), (1,), (9,), (3, 4), (1001,), (0, 2)], ids=str)
def test_complex(shape, dtype):
    rng = np.random.default_rng(4)
    for _ in range(10):
        array = np.empty(shape, dtype=dtype)  # filled by parts: inf * 1j would make nan
        array.real, array.imag = random_floats(rng, shape, np.float32), random_floats(rng, shape, np.float32)
        check(array)


@pytest.mark.parametrize(
    "values",
    [
        [0.0, -0.0], [np.nan], [np.inf, 0.0], [np.nan, 1.0], [np.nan, 1.5], [1000.0, 1.0], [1001.0, 1.0],
        [1e8], [1e8 + 8], [1e-4], [9.9e-5], [1.5e-4, 0.1], [1e38, 1e-38], [-0.0], [0.5], [2.0**24, 1.0],
        [1e-45],
    ],
    ids=str,
)  # fmt: skip
def test_edges_of_the_notation(values):
    for dtype in (np.float32, np.float64):
        check(np.array(values, dtype=dtype))
        check(np.array(values[0], dtype=dtype))


def test_extreme_ratio_of_float64_does_not_warn():
    check(np.array([1e308, 1e-308]))


def test_not_contiguous():
    base = np.arange(24, dtype=np.float32).reshape(4, 6) / 7
    for view in (base.T, base[::2, ::-1], np.broadcast_to(base[0], (3, 6))):
        check(view)


@pytest.mark.parametrize(
    "options",
    [
        {"precision": 2}, {"precision": 0}, {"precision": 10}, {"threshold": 5}, {"threshold": 0},
        {"threshold": float("inf")}, {"edgeitems": 1}, {"edgeitems": 0}, {"edgeitems": 0, "threshold": 4},
        {"edgeitems": 2, "threshold": 10}, {"linewidth": 30}, {"linewidth": 1}, {"linewidth": 200},
        {"profile": "short"}, {"profile": "full"}, {"profile": "full", "precision": 1}, {"sci_mode": True},
        {"sci_mode": False}, {"sci_mode": True, "precision": 8, "linewidth": 50},
        {"edgeitems": 1, "threshold": 3},
    ],
    ids=str,
)  # fmt: skip
def test_printoptions(options):
    rng = np.random.default_rng(5)
    set_both(**options)
    assert formatting.get_printoptions() == torch._tensor_str.get_printoptions()
    for shape in [(), (3,), (11,), (1100,), (3, 5), (0, 2), (8, 9), (3, 3, 7), (2, 9, 2, 9)]:
        for dtype in FLOATS:
            check(random_floats(rng, shape, dtype))
        check(rng.integers(-50, 50, size=shape))
        check(np.asarray(rng.random(shape) < 0.5))
        check((rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64))


def test_printoptions_are_kept_between_calls_except_sci_mode():
    for options in (
        {"precision": 2},
        {"linewidth": 40},
        {"sci_mode": True},
        {"edgeitems": 1},
        {"profile": "unknown"},
    ):
        set_both(**options)
        assert formatting.get_printoptions() == torch._tensor_str.get_printoptions()


def test_printoptions_context_restores_after_an_error():
    before = formatting.get_printoptions()
    with pytest.raises(KeyError), formatting.printoptions(precision=1, sci_mode=True):
        assert (PRINT_OPTIONS.precision, PRINT_OPTIONS.sci_mode) == (1, True)
        raise KeyError
    with pytest.raises(TypeError), formatting.printoptions(digits=3):
        raise AssertionError("not reached")
    assert formatting.get_printoptions() == before


@pytest.mark.parametrize("shape", [(), (2,), (7,), (8,), (9,), (2, 3), (0,), (0, 4), (2000,)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_suffixes(shape, dtype):
    leaf = torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(1), requires_grad=True)
    array = leaf.detach().numpy()
    assert format_tensor(array, requires_grad=True) == repr(leaf)
    result = leaf + 1
    text = format_tensor(result.detach().numpy(), requires_grad=True, grad_fn_name="AddBackward0")
    assert text == repr(result)
    parameter = torch.nn.Parameter(leaf.detach().clone())
    assert format_tensor(array, requires_grad=True, is_parameter=True) == repr(parameter)
    frozen = torch.nn.Parameter(leaf.detach().clone(), requires_grad=False)
    assert format_tensor(array, requires_grad=False, is_parameter=True) == repr(frozen)


@pytest.mark.parametrize("default", [torch.float64, torch.float32, torch.float16])
def test_default_dtype(default):
    saved = torch.get_default_dtype()
    torch.set_default_dtype(default)
    try:
        name = str(default).removeprefix("torch.")
        for dtype in (
            np.float16,
            np.float32,
            np.float64,
            np.int32,
            np.int64,
            np.bool_,
            np.complex64,
            np.complex128,
        ):
            for array in (
                np.ones((2, 2), dtype=dtype),
                np.ones((0, 2), dtype=dtype),
                np.ones((), dtype=dtype),
            ):
                assert format_tensor(array, default_dtype=np.dtype(name)) == repr(torch.from_numpy(array))
    finally:
        torch.set_default_dtype(saved)


def test_prefix_sets_the_indent():
    class MyTensor(torch.Tensor):
        pass

    array = np.arange(60, dtype=np.float32).reshape(3, 20)
    expected = repr(torch.from_numpy(array).as_subclass(MyTensor))
    assert format_tensor(array, prefix="MyTensor(") == expected


@pytest.mark.parametrize("value", [2.5, -0.0, float("nan"), 3, True, 1e10, 1 + 2j])
@pytest.mark.parametrize("spec", ["", ".3f", "8.2e", "d", ">10", "x"])
def test_format_scalar(value, spec):
    array = np.array(value)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    try:
        expected = format(torch.from_numpy(array), spec)
    except ValueError as error:
        with pytest.raises(ValueError, match=re.escape(str(error))):
            format_scalar(array, spec)
    else:
        assert format_scalar(array, spec) == expected


def test_format_scalar_refuses_dimensions():
    with pytest.raises(TypeError, match=r"0-d array, got shape \(1,\)"):
        format_scalar(np.ones(1), ".2f")


def test_tensors_print_through_this_file():
    rng = np.random.default_rng(6)
    for shape in ((), (3,), (40, 30), (0, 2)):
        array = random_floats(rng, shape, np.float32)
        for requires_grad in (False, True):
            texts = []
            for module in (tinytorch, torch):
                leaf = module.from_numpy(array.copy()).requires_grad_(requires_grad)
                texts.append((repr(leaf), str(leaf), repr(leaf * 2), f"{leaf}"))
            assert texts[0] == texts[1]
