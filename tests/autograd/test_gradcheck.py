"""The judge is judged: right derivatives pass, each kind of wrong one fails."""

import pytest

import tinytorch
from tinytorch.autograd import Function, GradcheckError, gradcheck, gradgradcheck


def wrong(make_gradient):
    """x³ with whatever derivative ``make_gradient(grad, x)`` claims."""

    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            return make_gradient(grad, *ctx.saved_tensors)

    return Cube.apply


def x():
    return tinytorch.tensor([0.5, -1.5, 2.0], dtype=tinytorch.float64, requires_grad=True)


def test_right_derivatives_pass():
    right = wrong(lambda grad, x: grad * 3 * x**2)
    assert gradcheck(right, x()) and gradgradcheck(right, x())
    assert gradcheck(right, x(), fast_mode=True)
    assert gradcheck(lambda a, b: (a * b, a.sum()), (x(), x()))


@pytest.mark.parametrize(
    "gradient",
    [
        lambda grad, x: -grad * 3 * x**2,
        lambda grad, x: grad * 6 * x**2,
        lambda grad, x: grad * 3 * x,
        lambda grad, x: grad * 0,
        lambda grad, x: grad.flip(0) * 3 * x**2,
    ],
    ids=["sign", "factor", "power", "zero", "permuted"],
)
def test_wrong_derivatives_fail(gradient):
    with pytest.raises(GradcheckError, match="output 0 with respect to input 0"):
        gradcheck(wrong(gradient), x())
    assert gradcheck(wrong(gradient), x(), raise_exception=False) is False


def test_a_right_gradient_with_a_wrong_second_derivative_fails_gradgradcheck():
    detached = wrong(lambda grad, x: grad * 3 * x.detach() ** 2)
    assert gradcheck(detached, x())
    with pytest.raises(GradcheckError):
        gradgradcheck(detached, x())


def test_inputs_that_cannot_be_checked():
    with pytest.raises(ValueError, match="require gradient"):
        gradcheck(tinytorch.exp, x().detach())
    with pytest.raises(RuntimeError, match="overlapping"):
        gradcheck(tinytorch.exp, x().detach()[:1].expand(3).requires_grad_())


Z = tinytorch.randn(2, 3, dtype=tinytorch.complex128, generator=tinytorch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "function",
    [
        lambda z: z * z.exp(),
        lambda z: z.conj() * z.real,
        lambda z: z.abs(),
        lambda z: tinytorch.angle(z) + z.imag,
        lambda z: tinytorch.view_as_real(z),
        lambda z: tinytorch.fft.fft(z),
        lambda z: tinytorch.fft.irfft(z, 5),
        lambda z: tinytorch.linalg.svdvals(z),
        lambda z: z @ z.mH,
    ],
)
def test_complex_inputs(function) -> None:
    z = Z.clone().requires_grad_()
    assert gradcheck(function, z)
    assert gradgradcheck(function, z)
    assert gradcheck(function, z, fast_mode=True)


def test_a_forgotten_conjugate_is_found() -> None:
    class Square(tinytorch.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z * z

        @staticmethod
        def backward(ctx, grad):
            (z,) = ctx.saved_tensors
            return grad * 2 * z  # of z's conjugate, it should be

    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradcheck(Square.apply, Z.clone().requires_grad_())


def test_inputs_that_the_function_closes_over_move():
    x = tinytorch.randn(3, 4, dtype=tinytorch.float64)
    layer = tinytorch.nn.Linear(4, 2).double()
    assert gradcheck(lambda *parameters: layer(x), tuple(layer.parameters()))
    assert gradcheck(lambda w: layer(x), (layer.weight,), fast_mode=True)


def test_a_result_cut_off_from_its_input():
    x = tinytorch.randn(3, dtype=tinytorch.float64, requires_grad=True)
    with pytest.raises(GradcheckError, match="expected to be zero"):
        gradcheck(lambda x: x.detach() * 2, x)
    assert gradcheck(lambda x: tinytorch.ones(2), x)
    with pytest.warns(UserWarning, match="not a double precision"):
        gradcheck(lambda x: x * 2, tinytorch.ones(2, requires_grad=True), eps=1e-2, atol=1e-1)
