"""LU, LDL, Householder products, low-rank decompositions, tensor equations: compared with PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare_errors
from tests.ops.cases import Case, real, values
from tests.ops.run_cases import over, run

#: Forward only, as in PyTorch: test_forward_only. Compared without compare(): test_low_rank, test_zero_norm_has_no_gradient.
COMPARED = ("QRReflections", "LDLFactor", "svd_lowrank", "pca_lowrank", "CountNonzero")
LOOSE = {"float32": (2e-3, 2e-3), "float64": (1e-8, 1e-9)}
INF = float("inf")


def solid(T: Any, x: Any) -> Any:
    return x + 3 * T.eye(x.shape[-1], dtype=x.dtype)


def positive(T: Any, x: Any) -> Any:
    return x @ x.mT + T.eye(x.shape[-1], dtype=x.dtype)


def triangle(T: Any, x: Any) -> Any:
    return T.tril(solid(T, x))


CASES = [
    *[Case(f"lu {s}", lambda T, x: (*T.linalg.lu(x), *T.linalg.lu_factor(x), *T.linalg.lu_factor_ex(x), *T.lu_unpack(*x.lu())), real(*s), tolerance=LOOSE)
      for s in ((3, 3), (4, 2), (2, 4), (2, 3, 3))],
    Case("lu of zeros", lambda T, x: (*T.linalg.lu_factor_ex(x * 0), *T.linalg.lu_factor_ex(x[:, :0]), *T.lu(x[:0], get_infos=True)), real(3, 3), gradient=False),
    Case("lu panels", lambda T, x: T.linalg.lu(x), real(70, 80), gradient=False, tolerance={"float32": (1e-2, 1e-2), "float64": (1e-8, 1e-8)}),
    *[Case(f"lu_solve {left} {adjoint}", lambda T, x, b, o={"left": left, "adjoint": adjoint}: T.linalg.lu_solve(*T.linalg.lu_factor(x), b, **o),
           real(2, 3, 3), real(1, 3, 3), tolerance=LOOSE) for left in (True, False) for adjoint in (True, False)],
    Case("lu_solve old", lambda T, x, b: (T.lu_solve(b, *x.lu()), b.lu_solve(*x.lu())), real(3, 3), real(3, 2), tolerance=LOOSE),
    Case("triangular_solve", lambda T, x, b: (*T.triangular_solve(b, solid(T, x)), *b.triangular_solve(solid(T, x), upper=False, transpose=True)),
         real(2, 3, 3), real(3, 2), tolerance=LOOSE),
    Case("triangular_solve unit", lambda T, x, b: T.triangular_solve(b, x, True, True, True), real(3, 3), real(3, 2), tolerance=LOOSE),
    Case("solve_triangular singular", lambda T, x, b: (T.linalg.solve_triangular(x, b, upper=True), T.linalg.solve_triangular(x.mT, b, upper=False)),
         values([[2.0, 1.0], [0.0, 0.0]]), values([[1.0], [3.0]]), gradient=False),
    Case("ex", lambda T, x, b: (*T.linalg.inv_ex(solid(T, x)), *T.linalg.solve_ex(solid(T, x), b), *T.linalg.solve_ex(solid(T, x), b[:, 0]),
                                *T.linalg.cholesky_ex(positive(T, x)), *T.linalg.cholesky_ex(positive(T, x), upper=True)), real(3, 3), real(3, 2), tolerance=LOOSE),
    Case("ex of bad ones", lambda T, x: (T.linalg.inv_ex(x * T.zeros(3, 3, dtype=x.dtype)).info, T.linalg.solve_ex(x * 0, x).info, T.linalg.cholesky_ex(-positive(T, x)).info,
                                         T.linalg.inv_ex(x * T.tensor([0.0, 1.0], dtype=x.dtype)[:, None, None])[0][1]), real(2, 3, 3), gradient=False, tolerance=LOOSE),
    *[Case(f"householder_product {s}", lambda T, x, t: (T.linalg.householder_product(x, t), T.orgqr(x, t), x.orgqr(t)), real(*s), real(*s[:-2], 2), tolerance=LOOSE)
      for s in ((3, 3), (4, 2), (2, 3, 3))],
    *[Case(f"ormqr {left} {turned}", lambda T, x, t, c, a=(left, turned): (T.ormqr(x, t, c, *a), x.ormqr(t, c, *a)), real(3, 2), real(2), real(3, 3), tolerance=LOOSE)
      for left in (True, False) for turned in (True, False)],
    Case("geqrf", lambda T, x: (*T.geqrf(x), *x.geqrf()), real(2, 4, 3), gradient=False, tolerance=LOOSE),
    *[Case(f"ldl {s}", lambda T, x: (*T.linalg.ldl_factor(x + x.mT), *T.linalg.ldl_factor_ex(x + x.mT, hermitian=True)), real(*s), gradient=False, tolerance=LOOSE)
      for s in ((1, 1), (4, 4), (3, 5, 5), (9, 9))],
    Case("ldl_solve", lambda T, x, b: T.linalg.ldl_solve(*T.linalg.ldl_factor((x + x.mT).detach()), b), real(2, 5, 5), real(5, 2), gradient=False, tolerance=LOOSE),
    Case("ldl zeros", lambda T, x: (*T.linalg.ldl_factor_ex(x * 0), *T.linalg.ldl_factor_ex(x)), values([[0.0, 1.0], [1.0, 0.0]]), gradient=False),
    Case("tensorinv", lambda T, x: T.linalg.tensorinv(x.reshape(2, 3, 6)), real(6, 6), tolerance=LOOSE),
    Case("tensorsolve", lambda T, x, b: (T.linalg.tensorsolve(x, b), T.linalg.tensorsolve(x, b, dims=(0, 2))), real(2, 3, 6), real(2, 3), tolerance=LOOSE, second=False),
    Case("pinv more", lambda T, x: (T.linalg.pinv(x, 0.5), T.linalg.pinv(x, atol=0.1), T.linalg.pinv(x, rtol=T.tensor(0.2, dtype=x.dtype)),
                                    T.linalg.pinv(positive(T, x[..., :3]), hermitian=True), T.linalg.pinv(x[:0]),
                                    T.linalg.pinv(x[0], rtol=T.tensor([[0.1], [0.5]], dtype=x.dtype))), real(2, 3, 4), second=False, tolerance=LOOSE),
    Case("matrix_rank more", lambda T, x: (T.linalg.matrix_rank(positive(T, x[..., :3]), hermitian=True), T.linalg.matrix_rank(x, tol=1.0), T.linalg.matrix_rank(x[:0]),
                                           T.linalg.matrix_rank(x, rtol=0.5), T.linalg.matrix_rank(x, atol=T.tensor([0.5, 9.0]))), real(2, 3, 4), gradient=False),
    *[Case(f"lstsq {d}", lambda T, a, b, d=d: (T.linalg.lstsq(a, b, driver=d)[:2], T.linalg.lstsq(a, b, driver=d)[2:]), real(2, 5, 2), real(2, 5, 3), tolerance=LOOSE, second=False)
      for d in (None, "gels", "gelsd", "gelss")],
    Case("cond more", lambda T, x: (T.linalg.cond(x * 0, 1), T.linalg.cond(x, INF), T.linalg.cond(x[:0])), real(2, 3, 3), gradient=False, tolerance=LOOSE),
    Case("vander", lambda T, x: (T.linalg.vander(x), T.linalg.vander(x, N=2), T.linalg.vander(x[0, 0], N=3)), real(2, 3)),
    Case("matrix_exp sizes", lambda T, x: (T.matrix_exp(x * 5), T.matrix_exp(T.stack([x, x * 9, x * 1e-3])), T.matrix_exp(x[:0, :0])), real(3, 3, low=-1.0, high=1.0), tolerance=LOOSE),
    Case("integer weights", lambda T, x: (T.addmm(x.int(), x.int(), x.int(), beta=1.7, alpha=2.9), T.addbmm(x.int(), x[None].int(), x[None].int(), alpha=0.5),
                                          T.addmv(x[0].int(), x.int(), x[0].int(), beta=-0.5), T.addr(x > 0, x[0] > 0, x[1] > 0, beta=3, alpha=2)), real(3, 3), gradient=False),
    Case("tensordot of ones", lambda T, x, y: T.tensordot(x, y, dims=([0, 1], [2, 0])), real(1, 1, 2), real(2, 1, 2)),
    *[Case(f"norm at zero {p}", lambda T, x, p=p: (T.linalg.vector_norm(x * 0, p), T.linalg.vector_norm(x, p, 1), T.norm(x * 0, p, 0)), real(2, 3), tolerance=LOOSE, second=p in (0.5, 1, 2))
      for p in (0.5, 1, 1.5, 2, 3)],
    Case("norm in half", lambda T, x: (T.linalg.vector_norm(x.half() * 100, 3), T.linalg.vector_norm(x.half() * 100)), real(9), gradient=False),
    Case("lobpcg", lambda T, x: (T.lobpcg(positive(T, x), 2, tol=1e-5)[0], T.lobpcg(positive(T, x), 1, largest=False, tol=1e-5)[0]), real(7, 7), gradient=False, tolerance={"float32": (1e-2, 1e-2), "float64": (1e-4, 1e-4)}),
]  # fmt: skip


@over(CASES)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    run(case, dtype, layout)


def test_zero_norm_has_no_gradient() -> None:
    for T in (torch, tinytorch):
        x = T.tensor([1.0, 0.0, 2.0], requires_grad=True)
        y = T.linalg.vector_norm(x, 0)
        assert y.item() == 2
        assert T.autograd.grad(y, x, allow_unused=True) == (None,)


@pytest.mark.parametrize("shape", [(9, 6), (6, 9), (2, 8, 5)])
def test_low_rank(shape: tuple[int, ...]) -> None:
    """Random projections with PyTorch's random numbers: the same factors up to signs."""
    data = np.random.default_rng(0).standard_normal(shape)
    for call in (
        lambda T, x: T.svd_lowrank(x, q=3),
        lambda T, x: T.svd_lowrank(x, q=2, niter=1, M=x.mean(-2, keepdim=True)),
        lambda T, x: T.pca_lowrank(x),
        lambda T, x: T.pca_lowrank(x, q=2, center=False),
    ):
        results = []
        for T, x in ((torch, torch.from_numpy(data)), (tinytorch, tinytorch.from_numpy(data))):
            T.manual_seed(3)
            u, s, v = call(T, x)
            results.append([s.numpy(), (u * s.unsqueeze(-2) @ v.mT).numpy()])
        for theirs, ours in zip(*results, strict=True):
            np.testing.assert_allclose(ours, theirs, 1e-7, 1e-9)


def test_low_rank_gradient() -> None:
    data = np.random.default_rng(1).standard_normal((6, 4))
    gradients = []
    for T, x in ((torch, torch.from_numpy(data)), (tinytorch, tinytorch.from_numpy(data.copy()))):
        x.requires_grad_()
        T.manual_seed(3)
        T.svd_lowrank(x, q=2)[1].sum().backward()
        gradients.append(x.grad.numpy())
    np.testing.assert_allclose(gradients[1], gradients[0], 1e-6, 1e-8)


def test_lobpcg_with_two_matrices() -> None:
    x = tinytorch.from_numpy(np.random.default_rng(0).standard_normal((2, 9, 9)))
    a, b = positive(tinytorch, x)
    values_, vectors = tinytorch.lobpcg(a, k=2, B=b)
    np.testing.assert_allclose((a @ vectors).numpy(), (b @ vectors * values_).numpy(), 1e-8, 1e-8)
    np.testing.assert_allclose((vectors.mT @ b @ vectors).numpy(), np.eye(2), 1e-8, 1e-8)
    assert values_[0] > values_[1]


def test_forward_only() -> None:
    x = tinytorch.randn(3, 3, requires_grad=True)
    with pytest.raises(NotImplementedError, match=r"linalg\.qr"):
        tinytorch.geqrf(x)[0].sum().backward()
    with pytest.raises(NotImplementedError, match=r"lu_factor"):
        tinytorch.linalg.ldl_factor(x)[0].sum().backward()
    with pytest.raises(NotImplementedError, match=r"linalg\.solve"):
        tinytorch.linalg.ldl_solve(x, tinytorch.tensor([1, 2, 3], dtype=tinytorch.int32), x)


def test_errors() -> None:
    x, v, z = np.ones((2, 3)), np.ones(3), np.zeros((3, 3))
    compare_errors(lambda T, z: T.linalg.lu_factor(z), z, match="zero")
    compare_errors(lambda T, z: T.linalg.lu(z, pivot=False), z)
    compare_errors(lambda T, v: T.linalg.lu(v), v)
    compare_errors(lambda T, z: T.lu_unpack(z, T.tensor([1, 2, 3])), z)
    compare_errors(lambda T, z: T.linalg.lu_solve(z, T.tensor([1, 2, 3]), z), z)
    compare_errors(lambda T, z: T.linalg.lu_solve(z, T.tensor([1, 2], dtype=T.int32), z), z)
    for name, inputs in (("inv_ex", 1), ("cholesky_ex", 1), ("solve_ex", 2), ("ldl_factor_ex", 1)):
        with pytest.raises(tinytorch.linalg.LinAlgError):
            getattr(tinytorch.linalg, name)(*[tinytorch.zeros(3, 3)] * inputs, check_errors=True)
    compare_errors(lambda T, x: T.linalg.ldl_factor(x), x)
    compare_errors(lambda T, x, v: T.linalg.householder_product(x, v), x, v)
    compare_errors(lambda T, z, x: T.linalg.householder_product(z, x), z, x)
    for T in (torch, tinytorch):  # without reflections it is 1, and has no gradient
        a, tau = T.ones(3, 2, requires_grad=True), T.ones(0, requires_grad=True)
        q = T.linalg.householder_product(a, tau)
        assert q.requires_grad and q.tolist() == [[1, 0], [0, 1], [0, 0]]
        assert T.autograd.grad(q.sum(), (a, tau), allow_unused=True) == (None, None)
    compare_errors(lambda T, z, v, x: T.ormqr(z, v, x), z, v, x)
    compare_errors(lambda T, x: T.linalg.tensorinv(x), x)
    compare_errors(lambda T, x: T.linalg.tensorinv(x, 0), x)
    compare_errors(lambda T, x, v: T.linalg.tensorsolve(x, v), x, v)
    compare_errors(lambda T, x: T.linalg.lstsq(x, x, driver="best"), x)
    compare_errors(lambda T, x: T.linalg.vander(x, N=1), x)
    compare_errors(lambda T, x: T.pca_lowrank(x, q=9), x)
    compare_errors(lambda T, x: T.pca_lowrank(x, niter=-1), x)
    compare_errors(lambda T, z: T.lobpcg(z, 2), z)
    compare_errors(lambda T, v, z: T.triangular_solve(v, z), v, z)
    compare_errors(lambda T, v, z: T.cholesky_solve(v, z), v, z)


@pytest.mark.parametrize("size", [(3, 4), (600, 500)])  # the second is cut over the threads
def test_a_matrix_times_a_vector_to_the_second_derivative(size) -> None:
    rng = np.random.default_rng(0)
    arrays = rng.standard_normal(size), rng.standard_normal(size[1]), rng.standard_normal(size[0])
    results = []
    for T in (torch, tinytorch):
        a, v, weights = (T.tensor(array).requires_grad_() for array in arrays)
        first = T.autograd.grad((a @ v) @ weights.tanh(), (a, v, weights), create_graph=True)
        second = T.autograd.grad(sum((g**2).sum() for g in first), (a, v, weights))
        results.append([g.detach().numpy() for g in (*first, *second)])
    for ours, theirs in zip(results[1], results[0], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["svd", "pinv", "svdvals", "matrix_rank", "cond", "eigvals"])
@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_not_finite(name: str, number: float) -> None:
    """An error or nan (0 for a rank), and in any case an end: LAPACK's iterations need not come to one."""
    x = tinytorch.eye(3)
    x[0, 0] = number
    try:
        result = getattr(tinytorch.linalg, name)(x)
    except tinytorch.linalg.LinAlgError as error:
        assert "non-finite" in str(error)
    else:
        assert result.isnan().all() or (name == "matrix_rank" and result == 0)


@pytest.mark.parametrize("upper", [False, True])
def test_triangles_so_large_that_they_are_solved_by_halves(upper):
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((2, 1, 121, 121)) + 20 * np.eye(121)
    right = rng.standard_normal((3, 121, 4))

    def program(T):
        a, b = T.tensor(matrix, requires_grad=True), T.tensor(right, requires_grad=True)
        x = T.linalg.solve_triangular(a, b, upper=upper)
        return [x, *T.autograd.grad((x**2).sum(), [a, b])]

    for mine, theirs in zip(program(tinytorch), program(torch), strict=True):
        np.testing.assert_allclose(mine.detach(), theirs.detach(), 1e-9, 1e-12)
