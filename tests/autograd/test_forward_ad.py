"""Dual numbers beside PyTorch's, whose every op carries tangents along."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch

EXPRESSIONS = """
x * y ; x ** 2 + y ; x @ y ; x.sin().exp() ; (x / y.exp()).tanh() ; x.softmax(1) ; x.log_softmax(0) ; x.relu() * 2
x.sum(0) ; x.mean() ; x.prod(1) ; x.max(1)[0] ; x.cumsum(0) ; x.t() ; x[1:] ; x.reshape(-1)[::2] ; T.cat([x, y, x], 1)
T.stack([x, c]) ; T.where(x > 0, x, y) ; x.abs().sqrt() ; x.clamp(-0.5, 0.5) ; T.linalg.inv(x) ; x.norm() ; x.std(0)
F.layer_norm(x, (3,)) ; F.gelu(x) ; F.linear(x, y, y[0]) ; F.conv1d(x[None], y[:, :, None]) ; F.mse_loss(x, y) ; c * 3
F.cross_entropy(x, T.tensor([0, 2, 1])) ; x.clone().mul_(y) ; x.expand(2, 3, 3) ; T.einsum("ij,kj->ik", x, y) ; x.detach() * c
"""


def _run(library: Any, expression: str) -> Any:
    rng = np.random.default_rng(0)
    x, y, tx, ty, c = (library.from_numpy(rng.standard_normal((3, 3))) for _ in range(5))
    fw = importlib.import_module(f"{library.__name__}.autograd.forward_ad")
    with fw.dual_level():
        names = {"T": library, "F": library.nn.functional, "x": fw.make_dual(x, tx), "y": fw.make_dual(y, ty), "c": c}
        primal, tangent = fw.unpack_dual(eval(expression, names))
    assert not primal.requires_grad
    return primal.numpy(), None if tangent is None else tangent.numpy()


@pytest.mark.parametrize("line", EXPRESSIONS.strip().splitlines())
def test_tangents(line: str) -> None:
    for expression in line.split(" ; "):
        expected, got = _run(torch, expression), _run(tinytorch, expression)
        np.testing.assert_allclose(got[0], expected[0], rtol=1e-9, atol=1e-12, err_msg=expression)
        assert (got[1] is None) == (expected[1] is None), expression
        if expected[1] is not None:
            np.testing.assert_allclose(got[1], expected[1], rtol=1e-9, atol=1e-12, err_msg=expression)


def test_tangents_of_complex_numbers() -> None:
    for expression in ("x * y", "x @ y", "x.exp()", "x.abs()", "(x / y).real", "x.conj() * y", "x.sum(0)"):
        results = []
        for library in (torch, tinytorch):
            rng = np.random.default_rng(0)
            x, y, t = (
                library.from_numpy(rng.standard_normal((3, 3)) + 1j * rng.standard_normal((3, 3))) for _ in range(3)
            )
            fw = importlib.import_module(f"{library.__name__}.autograd.forward_ad")
            with fw.dual_level():
                x = fw.make_dual(x, t)
                results.append(fw.unpack_dual(eval(expression, {"x": x, "y": y})).tangent.resolve_conj().numpy())
        np.testing.assert_allclose(results[1], results[0], rtol=1e-9, err_msg=expression)


def test_modules_levels_and_errors() -> None:
    for library in (torch, tinytorch):
        fw = importlib.import_module(f"{library.__name__}.autograd.forward_ad")
        ones = library.ones(2)
        with pytest.raises(RuntimeError, match="no level exists"):
            fw.make_dual(ones, ones)
        assert fw.unpack_dual(ones)[1] is None
        with fw.dual_level() as level:
            assert level == 0
            tangent = library.tensor([1.0, 3.0])
            dual = fw.make_dual(ones, tangent)
            assert fw.unpack_dual(dual).tangent is tangent and fw.unpack_dual(ones).tangent is None
            layer = library.nn.Linear(2, 2)
            with library.no_grad():
                layer.weight.copy_(library.tensor([[1.0, 2.0], [3.0, 4.0]]))
            primal, moved = fw.unpack_dual(layer(dual))
            assert moved.tolist() == [7.0, 15.0] and primal.requires_grad  # for the weights' sake
            output = layer(dual).sum()
            with pytest.raises(ValueError, match="Expected primal to be floating point"):
                fw.make_dual(library.arange(2), ones)
            with pytest.raises(RuntimeError):
                fw.make_dual(ones, library.ones(3))
            with pytest.raises(RuntimeError, match="Nested"):
                fw.enter_dual_level()
        assert fw.unpack_dual(output).tangent is None
        with pytest.raises(RuntimeError):
            fw.exit_dual_level()
        fw.enter_dual_level()
        fw.exit_dual_level(level=0)


def test_a_function_that_knows_only_its_jvp() -> None:
    for library in (torch, tinytorch):
        fw = importlib.import_module(f"{library.__name__}.autograd.forward_ad")

        class Scaled(library.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any, factor: Any) -> Any:
                ctx.factor = factor
                return x * factor

            @staticmethod
            def jvp(ctx: Any, x_t: Any, factor_t: Any) -> Any:
                assert factor_t is None
                return x_t * ctx.factor

        x = library.tensor([1.0, 2.0], requires_grad=True)
        with fw.dual_level():
            moved = Scaled.apply(fw.make_dual(x, library.tensor([1.0, 10.0])), 3)
            assert fw.unpack_dual(moved).tangent.tolist() == [3.0, 30.0]
            assert fw.unpack_dual(moved**2).tangent.tolist() == [18.0, 360.0]


def test_gradcheck_looks_at_tangents() -> None:
    for library in (torch, tinytorch):

        class Exp(library.autograd.Function):
            wrong = 1

            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.result = x.exp()
                return ctx.result.clone(), ctx.result * 2

            @classmethod
            def jvp(cls, ctx: Any, x_t: Any) -> Any:
                return x_t * ctx.result, x_t * ctx.result * 2 * cls.wrong

        class Both(Exp):
            @staticmethod
            def backward(ctx: Any, g: Any, h: Any) -> Any:
                return (g + 2 * h) * ctx.result

        class Wrong(Both):
            wrong = 3

        check, forward = library.autograd.gradcheck, {"check_forward_ad": True, "check_undefined_grad": False}
        x = library.randn(2, 2, dtype=library.float64, requires_grad=True)
        assert check(Exp.apply, x, check_backward_ad=False, **forward)
        assert check(Both.apply, x, **forward) and check(Wrong.apply, x)
        with pytest.raises(RuntimeError):
            check(Wrong.apply, x, **forward)
        assert not check(Wrong.apply, x, raise_exception=False, **forward)
        with pytest.raises(AssertionError):
            check(Both.apply, x, check_backward_ad=False)
        with pytest.raises(TypeError):
            check(Both.apply, x, check_sideways=True)


def test_forward_over_reverse() -> None:
    for library in (torch, tinytorch):
        fw = importlib.import_module(f"{library.__name__}.autograd.forward_ad")
        x = library.tensor([1.0, 2.0], requires_grad=True)
        with fw.dual_level():
            dual = fw.make_dual(x, library.tensor([1.0, 0.5]))
            (g,) = library.autograd.grad((dual**3).sum(), dual, create_graph=True)
            assert fw.unpack_dual(g).tangent.tolist() == [6.0, 6.0]
            (moved,) = library.autograd.grad(fw.unpack_dual(dual**3).tangent.sum(), x)
            assert moved.tolist() == [6.0, 6.0]
