"""Custom autograd.Function, written once and run under both libraries."""

import numpy as np
import pytest
import torch

import tinytorch

BOTH = pytest.mark.parametrize("T", [torch, tinytorch], ids=["torch", "tinytorch"])


def run(T, make, *shapes, second=True):
    """Values, gradients and second derivatives of a Function."""
    source = np.random.default_rng(0)
    inputs = [T.tensor(source.standard_normal(shape), requires_grad=True) for shape in shapes]
    y = make(T).apply(*inputs)
    cotangent = T.tensor(source.standard_normal(tuple(y.shape)), requires_grad=True)
    grads = T.autograd.grad(y, inputs, cotangent, create_graph=second)
    results = [y, *grads]
    if second:
        results += T.autograd.grad(sum((g * g).sum() for g in grads), [*inputs, cotangent], allow_unused=True)
    return [r if r is None else r.detach().numpy() for r in results], y


def both(make, *shapes, second=True):
    expected, y_torch = run(torch, make, *shapes, second=second)
    got, y_tiny = run(tinytorch, make, *shapes, second=second)
    for e, g in zip(expected, got, strict=True):
        assert (e is None) == (g is None)
        if e is not None:
            np.testing.assert_allclose(g, e, rtol=1e-12)
    assert y_tiny.grad_fn.name() == y_torch.grad_fn.name()


def test_saved_input():
    def make(T):
        class MyReLU(T.autograd.Function):
            @staticmethod
            def forward(ctx, input):
                ctx.save_for_backward(input)
                return input.clamp(min=0)

            @staticmethod
            def backward(ctx, grad_output):
                (input,) = ctx.saved_tensors
                grad_input = grad_output.clone()
                grad_input[input < 0] = 0
                return grad_input

        return MyReLU

    both(make, (4, 5))


def test_saved_output_and_needs_input_grad():
    def make(T):
        class ExpTimes(T.autograd.Function):
            @staticmethod
            def forward(ctx, x, w):
                y = x.exp()
                ctx.save_for_backward(x, w)
                ctx.scale = 2.0
                return y * w * ctx.scale

            @staticmethod
            def backward(ctx, grad):
                x, w = ctx.saved_tensors
                assert ctx.needs_input_grad == (True, True)
                return grad * x.exp() * w * ctx.scale, (grad * x.exp() * ctx.scale)

        return ExpTimes

    both(make, (3, 4), (3, 4))


def test_setup_context():
    def make(T):
        class Mul(T.autograd.Function):
            @staticmethod
            def forward(a, b):
                return a * b

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.save_for_backward(*inputs)

            @staticmethod
            def backward(ctx, grad):
                a, b = ctx.saved_tensors
                return grad * b, grad * a

        return Mul

    both(make, (3,), (3,))


@BOTH
def test_several_outputs_one_of_them_an_index(T):
    class SortIt(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            values, index = x.max(dim=0)
            ctx.mark_non_differentiable(index)
            ctx.save_for_backward(index)
            ctx.size = x.shape[0]
            return values, index

        @staticmethod
        def backward(ctx, grad_values, grad_index):
            (index,) = ctx.saved_tensors
            grad = T.zeros(ctx.size, dtype=T.float64)
            grad[index] = grad_values
            return grad

    x = T.tensor([1.0, 5.0, 2.0], dtype=T.float64, requires_grad=True)
    values, index = SortIt.apply(x)
    assert not index.requires_grad
    (values * 3).backward()
    assert x.grad.tolist() == [0, 3, 0]


@BOTH
def test_unused_output_arrives_as_zeros_or_none(T):
    seen = []

    def make(materialize):
        class Two(T.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads(materialize)
                return x * 2, x * 3

            @staticmethod
            def backward(ctx, a, b):
                seen.append(b)
                return a * 2

        return Two

    for materialize in (True, False):
        x = T.ones(2, requires_grad=True)
        make(materialize).apply(x)[0].sum().backward()
    assert seen[0].tolist() == [0, 0] and seen[1] is None


@BOTH
def test_non_tensor_arguments(T):
    class Scale(T.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor, name):
            ctx.factor = factor
            return x * factor

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.factor, None, None

    x = T.ones(2, requires_grad=True)
    Scale.apply(x, 3.0, "three").sum().backward()
    assert x.grad.tolist() == [3, 3]


@BOTH
def test_wrong_gradients_raise(T):
    class Wrong(T.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, grad):
            return Wrong.gradients(grad)

    x = T.ones(2, requires_grad=True)
    for gradients, error in (
        (lambda grad: grad, "incorrect number of gradients"),
        (lambda grad: (1.0, grad), "expected Variable or None"),
    ):
        Wrong.gradients = staticmethod(gradients)
        with pytest.raises(RuntimeError, match=error):
            Wrong.apply(x, x * 1).sum().backward()


@BOTH
def test_once_differentiable(T):
    from importlib import import_module

    once = import_module(f"{T.__name__}.autograd.function").once_differentiable

    class Square(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 2 * x

    x = T.ones(2, requires_grad=True)
    cotangent = T.ones(2, requires_grad=True)
    (g,) = T.autograd.grad(Square.apply(x), x, cotangent, create_graph=True)
    assert g.tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.sum().backward()


def changed_views(T):
    """What a custom op that works in place does to views and to what they are views of."""

    class Scale(T.autograd.Function):
        @staticmethod
        def forward(ctx, x, k):
            ctx.mark_dirty(x)
            ctx.k = k
            return x.mul_(k)

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.k, None

    found = []
    x = T.arange(4.0).requires_grad_()
    y = x * 1
    part, square = y[1:3], y.view(2, 2)
    found.append(Scale.apply(part, 3) is part)
    (y * T.arange(1.0, 5.0)).sum().backward(retain_graph=True)
    (square**2).sum().backward()
    found += [x.grad.tolist(), part._version]
    y = x.clone().view(2, 2)
    z = (Scale.apply(y[0], 2) ** 3).sum() + (y**2).sum()
    (gradient,) = T.autograd.grad(z, x, create_graph=True)
    (second,) = T.autograd.grad(gradient.sum(), x)
    found += [gradient.tolist(), second.tolist()]
    y = x * 1
    y.retain_grad()
    (Scale.apply(y, 2) * 3).sum().backward()
    found.append(y.grad.tolist())
    with pytest.raises(RuntimeError, match="view of a leaf"):
        Scale.apply(x[:2], 2)
    return found


def test_mark_dirty_of_views():
    assert changed_views(tinytorch) == changed_views(torch)


VIEWS = {
    "an input as it is": (lambda x: x, lambda g: g * 10),
    "a view of the input": (lambda x: x.view(4), lambda g: g.view(2, 2) * 10),
    "a view of another": (lambda x: (x * 2).t(), lambda g: g.t() * 2),
    "several": (lambda x: (x.t(), x + 1), lambda a, b: a.t() + b),
    "no view": (lambda x: x * 3, lambda g: g * 3),
}


def views_from_inside(T, forward, backward):
    """What may be done to views that a custom op returns, and to what they are views of."""
    kept = forward, backward

    class Custom(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return kept[0](x)

        @staticmethod
        def backward(ctx, *grads):
            return kept[1](*grads)

    x, found = T.arange(4.0).reshape(2, 2).requires_grad_(), []
    for change in (lambda y, z: z.mul_(3), lambda y, z: y.mul_(3), lambda y, z: z.view(-1)):
        x.grad, y = None, x * 1
        results = Custom.apply(y)
        z = results[0] if isinstance(results, tuple) else results
        try:
            change(y, z)
            (z.sum() + y.sum()).backward()
            found.append([z._is_view(), z.tolist(), x.grad.tolist()])
        except RuntimeError:
            found.append("RuntimeError")
    return found


@pytest.mark.parametrize("name", VIEWS)
def test_views_from_inside(name):
    assert views_from_inside(tinytorch, *VIEWS[name]) == views_from_inside(torch, *VIEWS[name])


@BOTH
def test_mark_dirty(T):
    class AddOne(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.add_(1)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 5

    x = T.ones(2, requires_grad=True)
    y = x * 2
    z = AddOne.apply(y)
    z.sum().backward()
    assert z is y and x.grad.tolist() == [10, 10] and y.tolist() == [3, 3]


@BOTH
def test_missing_forward_and_backward_say_so(T):
    class Nothing(T.autograd.Function):
        pass

    class OnlyForward(T.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    with pytest.raises(NotImplementedError, match="forward"):
        Nothing.apply(T.ones(1, requires_grad=True))
    with pytest.raises(NotImplementedError, match="backward"):
        OnlyForward.apply(T.ones(1, requires_grad=True)).sum().backward()


def test_functions_that_may_work_in_place():
    for T in (torch, tinytorch):

        class Double(T.autograd.function.InplaceFunction):
            @classmethod
            def forward(cls, ctx, x, inplace=False):
                ctx.inplace = inplace
                if inplace:
                    ctx.mark_dirty(x)
                return x.mul_(2) if inplace else x * 2

            @staticmethod
            def backward(ctx, grad):
                return grad * 2, None

        x = T.ones(2, requires_grad=True)
        copy = x.clone()
        assert Double.apply(copy, True) is copy and Double.apply(x) is not x
        (copy.sum() + Double.apply(x).sum()).backward()
        assert x.grad.tolist() == [4, 4] and copy.tolist() == [2, 2]
