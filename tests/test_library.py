"""Ops made of Python functions: results, gradients and errors as in PyTorch."""

import numpy as np
import pytest
import torch

import tinytorch


def make(T, name):
    @T.library.custom_op(f"tests::{name}", mutates_args=())
    def scaled(x: T.Tensor, n: int = 2, *, k: float = 1.0) -> tuple[T.Tensor, T.Tensor]:
        return T.from_numpy(x.detach().numpy() * np.float32(n * k)), T.from_numpy(np.sin(x.detach().numpy()))

    @scaled.register_fake
    def _(x, n=2, *, k=1.0):
        return T.empty_like(x), T.empty_like(x)

    return scaled


def gradient(T):
    def setup_context(ctx, inputs, keyword_only_inputs, output):
        ctx.save_for_backward(inputs[0])
        ctx.factor = inputs[1] * keyword_only_inputs["k"]

    def backward(ctx, first, second):
        return first * ctx.factor + second * ctx.saved_tensors[0].cos(), None

    op = make(T, "scaled")
    T.library.register_autograd(f"tests::{'scaled'}" if T is torch else op, backward, setup_context=setup_context)
    x = T.arange(3.0).requires_grad_()
    found = []
    for first, second in (op(x, k=3.0), T.ops.tests.scaled(x, 4), T.ops.tests.scaled.default(x)):
        (first.sum() * 2 + second.sum()).backward()
        found += [first.tolist(), second.tolist(), x.grad.tolist(), first.grad_fn.name()]
    assert T.library.opcheck(op, (x.detach(),))["test_schema"] == "SUCCESS"
    return found


def test_results_and_gradients():
    ours, theirs = gradient(tinytorch), gradient(torch)
    for a, b in zip(ours, theirs, strict=True):
        assert a == b if isinstance(a, str) else a == pytest.approx(b, rel=1e-6)


def test_an_op_that_changes_its_argument():
    for T in (torch, tinytorch):

        @T.library.custom_op("tests::fill", mutates_args={"out"}, device_types="cpu")
        def fill(x: T.Tensor, out: T.Tensor) -> None:
            np.sin(x.numpy(), out=out.numpy())

        x, out = T.arange(3.0), T.empty(3)
        before = out._version
        assert fill(x, out) is None
        assert out._version == before + 1
        assert out.tolist() == pytest.approx(np.sin(np.arange(3.0)).tolist())
        with pytest.raises(RuntimeError, match="non-functional"):
            fill.register_autograd(lambda ctx: None)


def test_errors():
    for T in (torch, tinytorch):
        with pytest.raises(ValueError, match="must have a type annotation"):
            T.library.custom_op("tests::bare", lambda x: x, mutates_args=())

        def same(x: T.Tensor) -> T.Tensor:
            return x

        def double(x: T.Tensor) -> T.Tensor:
            return x * 2

        with pytest.raises(RuntimeError, match="must not also be an input"):
            T.library.custom_op("tests::same", same, mutates_args=())(T.ones(2))
        op = T.library.custom_op("tests::double", double, mutates_args=())
        result = op(T.ones(2, requires_grad=True))
        with pytest.raises(RuntimeError, match=r"tests\.double\.default but no autograd formula"):
            result.sum().backward()
        with pytest.raises(RuntimeError):
            op(T.ones(2), 3)
    with pytest.raises(AssertionError, match="changed x"):

        def zero(x: tinytorch.Tensor) -> None:
            x.zero_()

        tinytorch.library.opcheck(
            tinytorch.library.custom_op("tests::zero", zero, mutates_args=()), (tinytorch.ones(2),)
        )

    def joined(parts: list[tinytorch.Tensor]) -> tinytorch.Tensor:
        return tinytorch.cat(parts)

    op = tinytorch.library.custom_op("tests::joined", joined, mutates_args=())
    assert op([tinytorch.ones(1), tinytorch.zeros(1)]).tolist() == [1, 0]
    with pytest.raises(NotImplementedError, match="receive no gradient"):
        op([tinytorch.ones(1, requires_grad=True)])
    with pytest.raises(ValueError, match="namespace"):
        tinytorch.library.custom_op("double", double, mutates_args=())
    with pytest.raises(ValueError, match="no op"):
        tinytorch.library.register_fake("tests::unknown", double)
