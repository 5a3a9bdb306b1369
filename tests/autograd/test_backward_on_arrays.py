"""Backwards marked ``backward_on_arrays`` give, on bare arrays, what they give on Tensors."""

import numpy as np
import pytest

import tinytorch
from tinytorch import ops
from tinytorch.autograd.half import InSingle
from tinytorch.autograd.primitive import Primitive

CALLS = {
    "Add": lambda x, y: x + y,
    "Sub": lambda x, y: x - y,
    "Mul": lambda x, y: x * y,
    "Div": lambda x, y: x / y,
    "Neg": lambda x, y: -x,
    **{
        name.capitalize(): (lambda x, y, f=getattr(ops, name): f(x))
        for name in (
            "reciprocal",
            "exp",
            "exp2",
            "expm1",
            "log",
            "log2",
            "log10",
            "log1p",
            "sqrt",
            "rsqrt",
            "tan",
            "tanh",
            "sigmoid",
            "relu",
        )
    },
}
PRODUCTS = {
    "Dot": lambda x, w, b: x.reshape(-1) @ w.sum().expand(x.numel()),
    "Linear": lambda x, w, b: ops.linear(x, w, b),
    "MatMul": lambda x, w, b: x @ w[: x.shape[-1]],
}


def all_subclasses(cls):
    return {s for c in cls.__subclasses__() for s in {c} | all_subclasses(c)}


def marked():
    return sorted(
        c.__name__
        for c in all_subclasses(Primitive)
        if c.backward_on_arrays
        and c.__module__.startswith("tinytorch")
        and all(issubclass(s, InSingle) for s in c.__subclasses__() if "op_type" not in vars(s))
    )


@pytest.mark.parametrize("name", [name for name in marked() if name in CALLS])
@pytest.mark.parametrize("dtype", [tinytorch.float32, tinytorch.float64])
@pytest.mark.parametrize("shapes", [((3, 4), (3, 4)), ((3, 4), (4,)), ((), (2,)), ((2,), ()), ((), ()), ((0, 3), (3,))])
def test_the_same_gradient_either_way(name, dtype, shapes):
    x, y = (tinytorch.rand(shape, dtype=dtype) + 0.5 for shape in shapes)
    x, y = x.requires_grad_(), y.requires_grad_()
    result = CALLS[name](x, y)
    weights = tinytorch.randn(result.shape, dtype=dtype)
    inputs = [
        t
        for t in (x, y)
        if result.grad_fn.next_functions
        and any(f and getattr(f, "variable", None) is t for f, _ in result.grad_fn.next_functions)
    ]
    check_both_ways(result, inputs, weights)


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("dtype", [tinytorch.float32, tinytorch.float64])
@pytest.mark.parametrize("shape", [(3, 4), (1, 4), (0, 4), (2, 3, 4), (2, 1, 4)])
def test_the_same_gradient_of_products(name, dtype, shape):
    x, w, b = (tinytorch.rand(size, dtype=dtype, requires_grad=True) for size in (shape, (5, 4), (5,)))
    result = PRODUCTS[name](x, w, b)
    check_both_ways(result, [x, w, b] if name == "Linear" else [x, w], tinytorch.randn(result.shape, dtype=dtype))


def check_both_ways(result, inputs, weights):
    fast = tinytorch.autograd.grad(result, inputs, weights, retain_graph=True)
    clear = tinytorch.autograd.grad(result, inputs, weights, create_graph=True)
    for a, b in zip(fast, clear, strict=True):
        assert a.dtype == b.dtype == weights.dtype and a.shape == b.shape
        np.testing.assert_array_equal(a.numpy(), b.detach().numpy())


def test_every_marked_op_is_tried():
    assert set(marked()) == {*CALLS, *PRODUCTS}
