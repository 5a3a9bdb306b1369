"""``out=``: where the result goes, beside PyTorch."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch

BOTH = [torch, tinytorch]


def both(expression: Any) -> None:
    """The expression gives the same in both libraries: values, or the error's type and first words."""
    outcomes = []
    for T in BOTH:
        try:
            outcomes.append(np.asarray(expression(T).detach()).tolist())
        except Exception as error:
            outcomes.append((type(error), str(error)[:60]))
    assert outcomes[0] == outcomes[1]


def returned(T: Any, name: str, out: Any, *args: Any, **kwargs: Any) -> Any:
    result = getattr(T, name)(*args, out=out, **kwargs)
    assert result is out
    return out


@pytest.mark.parametrize("name", ["exp", "neg", "abs", "cumsum", "sum", "argmax", "sort", "isposinf", "cat", "tril"])
def test_result_is_the_tensor_given(name: str) -> None:
    x, out = tinytorch.ones(3, 3), tinytorch.empty(0)
    function = getattr(tinytorch, name)
    if name == "sort":
        pair = (out, tinytorch.empty(0, dtype=tinytorch.int64))
        values, indices = function(x, out=pair)
        assert values is pair[0] and indices is pair[1]
    elif name == "cat":
        assert function([x, x], out=out) is out
    elif name in ("cumsum",):
        assert function(x, 0, out=out) is out
    else:
        out = tinytorch.empty(0, dtype=function(x).dtype)
        assert function(x, out=out) is out
        assert (out == function(x)).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda T, x, i, out: T.gather(x, 0, i, out=out),
        lambda T, x, i, out: T.index_select(x, 0, i, out=out),
        lambda T, x, i, out: T.take(x, i, out=out),
        lambda T, x, i, out: T.masked_select(x, x > 2, out=out),
        lambda T, x, i, out: T.kthvalue(x, 2, out=(out, T.empty((), dtype=T.int64)))[0],
    ],
)  # fmt: skip
def test_picked_elements_go_elsewhere(call: Any) -> None:
    """Into memory that no input shows, of the same dtype."""

    def told(T: Any, choose: Any) -> Any:
        x = T.arange(6.0)
        try:
            return call(T, x, T.tensor([0, 1, 5]), choose(T, x)).tolist()
        except RuntimeError:
            return "refused"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert told(tinytorch, lambda T, x: T.empty(0)) == told(torch, lambda T, x: T.empty(0)) != "refused"
        for choose in (
            lambda T, x: x,
            lambda T, x: x[2:5],
            lambda T, x: T.empty(0, dtype=T.int64),
            lambda T, x: T.empty(3, dtype=T.float64),
        ):
            assert told(tinytorch, choose) == told(torch, choose) == "refused"


def test_casting_follows_pytorch() -> None:
    both(lambda T: returned(T, "add", T.zeros(2, dtype=T.float64), T.ones(2), 1))
    both(lambda T: returned(T, "add", T.zeros(2, dtype=T.int64), T.ones(2), 1))
    both(lambda T: returned(T, "eq", T.zeros(2), T.ones(2), 1))
    both(lambda T: returned(T, "sin", T.zeros(2, dtype=T.int32), T.ones(2)))
    both(lambda T: returned(T, "sum", T.zeros((), dtype=T.float64), T.ones(2, dtype=T.int64), 0))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "float64", "complex64"])
@pytest.mark.parametrize(
    "call",
    [
        lambda T, x, out: T.mm(x, x, out=out),
        lambda T, x, out: T.neg(x, out=out),
        lambda T, x, out: T.matmul(x, x, out=out),
        lambda T, x, out: T.softmax(x, 0, out=out),
        lambda T, x, out: T.linalg.vector_norm(x, out=out),
        lambda T, x, out: T.amax(x, 0, out=out),
        lambda T, x, out: T.max(x, out=out),
        lambda T, x, out: T.max(x, 0, out=(out, T.empty(2, dtype=T.int64)))[0],
        lambda T, x, out: T.max(x, 0, out=(T.empty(2), out))[1],
        lambda T, x, out: T.maximum(x, x, out=out),
        lambda T, x, out: T.abs(x, out=out),
        lambda T, x, out: T.abs(x + 0j, out=out),
        lambda T, x, out: T.all(x, 0, out=out),
        lambda T, x, out: T.fft.irfft(x, out=out),
        lambda T, x, out: T.cat([x, x], out=out),
        lambda T, x, out: T.eye(2, out=out),
    ],
)  # fmt: skip
def test_dtypes_of_out(call: Any, dtype: str) -> None:
    """Which dtypes ``out`` may have: of the result's category or above, exactly the result's, or others."""
    told = []
    for T in BOTH:
        try:
            told.append(call(T, T.ones(2, 2), T.empty(0, dtype=getattr(T, dtype))).dtype)
        except Exception as error:
            told.append(type(error))
    assert str(told[0]) == str(told[1])


def test_dtype_comes_from_out_where_none_is_asked_for() -> None:
    both(lambda T: returned(T, "arange", T.zeros(3, dtype=T.float64), 3))
    both(lambda T: returned(T, "ones", T.zeros(3, dtype=T.int64), 3))
    T = tinytorch
    T.manual_seed(0)
    drawn = T.randn(4, out=T.empty(4, dtype=T.float64))
    T.manual_seed(0)
    assert (drawn == T.randn(4, dtype=T.float64)).all()


def test_resizing_warns_unless_out_was_empty() -> None:
    x = tinytorch.ones(2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tinytorch.exp(x, out=tinytorch.empty(0)).shape == (2, 3)
        assert tinytorch.exp(x, out=tinytorch.ones(2, 3)).shape == (2, 3)
    with pytest.warns(UserWarning, match="An output with one or more elements was resized"):
        assert tinytorch.exp(x, out=tinytorch.ones(5)).shape == (2, 3)


def test_memory_layout_of_out_stays() -> None:
    out = tinytorch.empty(3, 2).t()
    tinytorch.add(tinytorch.ones(2, 3), 1, out=out)
    assert out.stride() == (1, 2) and (out == 2).all()


def test_nothing_is_recorded() -> None:
    both(lambda T: T.exp(T.ones(2, requires_grad=True), out=T.empty(2)))
    both(lambda T: T.exp(T.ones(2), out=T.empty(2, requires_grad=True)))
    both(lambda T: T.cumsum(T.ones(2, requires_grad=True), 0, out=T.empty(2)))
    with tinytorch.no_grad():
        assert not tinytorch.exp(tinytorch.ones(2, requires_grad=True), out=tinytorch.empty(2)).requires_grad


def test_version_counts() -> None:
    w = tinytorch.ones(2, requires_grad=True)
    x = tinytorch.ones(2)
    product = w * x
    tinytorch.exp(x, out=x)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        product.sum().backward()


def test_overlap() -> None:
    def shifted(T: Any) -> Any:
        x = T.arange(6.0)
        return T.exp(x[1:], out=x[:-1])

    both(shifted)
    both(lambda T: T.exp(T.ones(3), out=T.ones(1).expand(3)))

    def itself(T: Any) -> Any:
        x = T.arange(6.0)
        return T.add(x, x, out=x)

    both(itself)


@pytest.mark.parametrize("name", ["cat", "stack", "hstack", "vstack", "dstack", "column_stack"])
def test_joined_apart(name: str) -> None:
    both(lambda T: (x := T.ones(2, 2, 2), getattr(T, name)([x], out=x))[1])
    both(lambda T: (x := T.ones(1, 2, 2, 2), getattr(T, name)([x[0]], out=x))[1])
    both(lambda T: (x := T.empty(0), getattr(T, name)([x], out=x))[1])


@pytest.mark.parametrize("name", ["gather", "take", "take_along_dim", "index_select", "kthvalue"])
def test_apart(name: str) -> None:
    """These refuse even their own input."""

    def itself(T: Any) -> Any:
        x, i = T.arange(3).reshape(3, 1), T.zeros(3, 1, dtype=T.int64)
        args = {
            "gather": (x, 1, i), "take": (x, i), "take_along_dim": (x, i, 1), "index_select": (x, 0, i[:, 0]),
            "kthvalue": (x, 1, 1, True),
        }[name]  # fmt: skip
        return getattr(T, name)(*args, out=(x, i) if name == "kthvalue" else x)

    both(itself)
    with pytest.raises(RuntimeError, match="single memory location"):
        itself(tinytorch)


def test_wrong_out() -> None:
    x = tinytorch.ones(3)
    for out in (3, [tinytorch.ones(3)]):
        with pytest.raises(TypeError, match="argument 'out' must be Tensor"):
            tinytorch.exp(x, out=out)
    with pytest.raises(TypeError, match="argument 'out'"):
        tinytorch.sort(x, out=x)
    with pytest.raises(TypeError, match="argument 'out'"):
        tinytorch.sort(x, out=(x,))


def test_signature_names_out() -> None:
    for name in ("add", "exp", "cumsum", "sort", "arange", "logaddexp"):
        assert "out" in inspect.signature(getattr(tinytorch, name)).parameters


def test_wrong_input_is_named() -> None:
    with pytest.raises(TypeError, match=r"cumsum\(\): argument 'input' \(position 1\) must be Tensor, not int"):
        tinytorch.cumsum(3, 0)
    with pytest.raises(TypeError, match=r"exp\(\): argument 'input' \(position 1\) must be Tensor, not float"):
        tinytorch.exp(3.0)
