"""tinytorch.linalg: compared with torch.linalg. Losses do not depend on the signs that factors leave open."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare_errors
from tests.ops.cases import Case, fixed, real, values
from tests.ops.run_cases import over, run

INF = float("inf")
LOOSE = {"float32": (2e-3, 2e-3), "float64": (1e-8, 1e-9)}


def square(*shape: int) -> Any:
    """Well-conditioned after adding 3 to the diagonal, which the cases do with :func:`solid`."""
    return real(*shape, low=-1.0, high=1.0)


def solid(T: Any, x: Any) -> Any:
    return x + 3 * T.eye(x.shape[-1], dtype=x.dtype)


def symmetric(T: Any, x: Any) -> Any:
    """Symmetric, positive definite, with eigenvalues well apart."""
    return x @ x.mT + T.diag(T.arange(1.0, x.shape[-1] + 1).to(x.dtype))


CASES = [
    Case("inv", lambda T, x: (T.linalg.inv(solid(T, x)), T.inverse(solid(T, x)), solid(T, x).inverse()), square(2, 3, 3), tolerance=LOOSE),
    Case("inv_ex", lambda T, x: T.linalg.inv_ex(solid(T, x)), square(3, 3), tolerance=LOOSE),
    Case("solve", lambda T, x, b: (T.linalg.solve(solid(T, x), b), T.linalg.solve(solid(T, x), b[..., 0])), square(2, 3, 3), square(2, 3, 2), tolerance=LOOSE),
    Case("solve vector", lambda T, x, b: T.linalg.solve(solid(T, x), b), square(3, 3), square(3), tolerance=LOOSE),
    Case("solve broadcast", lambda T, x, b: T.linalg.solve(solid(T, x), b), square(2, 1, 3, 3), square(4, 3, 2), tolerance=LOOSE),
    Case("solve left=False", lambda T, x, b: T.linalg.solve(solid(T, x), b, left=False), square(3, 3), square(2, 3), tolerance=LOOSE),
    *[Case(f"solve_triangular {o}", lambda T, x, b, o=o: T.linalg.solve_triangular(solid(T, x), b, **o), square(3, 3), square(3, 3), tolerance=LOOSE)
      for o in ({"upper": True}, {"upper": False}, {"upper": True, "left": False}, {"upper": False, "unitriangular": True})],
    Case("det", lambda T, x: (T.linalg.det(x), T.det(x), x.det()), square(2, 3, 3), tolerance=LOOSE),
    Case("det singular", lambda T, x: T.det(x), values([[1.0, 2.0], [2.0, 4.0]]), second=False, tolerance=LOOSE),
    Case("slogdet", lambda T, x: (*T.linalg.slogdet(solid(T, x)), *T.slogdet(-solid(T, x)), T.logdet(solid(T, x)), solid(T, x).logdet()), square(2, 3, 3), tolerance=LOOSE),
    Case("cholesky", lambda T, x: (T.linalg.cholesky(symmetric(T, x)), T.cholesky(symmetric(T, x), upper=True)), square(2, 3, 3), tolerance=LOOSE),
    Case("cholesky_solve", lambda T, x, b: (T.cholesky_solve(b, T.linalg.cholesky(symmetric(T, x))), T.cholesky_inverse(T.linalg.cholesky(symmetric(T, x)))),
         square(3, 3), square(3, 2), tolerance=LOOSE),
    *[Case(f"qr {s} {m}", lambda T, x, m=m: T.linalg.qr(x, m), real(*s), tolerance=LOOSE, second=len(s) == 2)
      for s in ((3, 3), (4, 3), (2, 4), (2, 4, 3)) for m in ("reduced",)],
    Case("qr complete", lambda T, x: (*T.linalg.qr(x, "complete"), *T.qr(x)), real(2, 3), tolerance=LOOSE),
    Case("qr complete tall", lambda T, x: (*T.linalg.qr(x, "complete"), *T.linalg.qr(x, "r"), *T.qr(x, some=False)), real(4, 2), tolerance=LOOSE, gradient=False),
    *[Case(f"svd {s}", lambda T, x: ((lambda u, v, w: (v, u @ w, (u * u) @ T.arange(1.0, v.shape[-1] + 1).to(x.dtype), u.abs()))(*T.linalg.svd(x, full_matrices=False))),
           real(*s), tolerance=LOOSE) for s in ((3, 3), (4, 3), (2, 4), (2, 3, 2))],
    Case("svd full", lambda T, x: (T.linalg.svd(x)[0].abs(), T.linalg.svd(x).S, T.linalg.svd(x)[2].abs()), real(4, 2), gradient=False),
    Case("svd old", lambda T, x: ((lambda u, s, v: (s, u @ v.mT))(*T.svd(x))), real(3, 2), tolerance=LOOSE),
    Case("svdvals", lambda T, x: T.linalg.svdvals(x), real(2, 4, 3), tolerance=LOOSE),
    Case("eigh", lambda T, x: ((lambda e, v: (e, v.abs(), (v * e.unsqueeze(-2).exp()) @ v.mT))(*T.linalg.eigh(symmetric(T, x)))), square(2, 3, 3), tolerance=LOOSE),
    Case("eigh triangle", lambda T, x: (T.linalg.eigh(x)[0], T.linalg.eigvalsh(x, "U")), square(3, 3), gradient=False),
    Case("eigvalsh", lambda T, x: T.linalg.eigvalsh(symmetric(T, x)), square(3, 3), tolerance=LOOSE),
    *[Case(f"pinv {s}", lambda T, x: (T.linalg.pinv(x), T.pinverse(x)), real(*s), tolerance={"float32": (1e-2, 1e-2), "float64": (1e-7, 1e-8)}, second=False)
      for s in ((3, 3), (4, 2), (2, 4), (2, 3, 2))],
    Case("lstsq", lambda T, a, b: (T.linalg.lstsq(a, b).solution, T.linalg.lstsq(a, b[:, 0]).solution), real(5, 2), real(5, 3), tolerance=LOOSE, second=False),
    Case("lstsq wide", lambda T, a, b: T.linalg.lstsq(a, b, driver="gelsd").solution, real(2, 4), real(2, 1), gradient=False, tolerance=LOOSE),
    Case("matrix_rank", lambda T, a, b: (T.linalg.matrix_rank(a), T.linalg.matrix_rank(b), T.linalg.matrix_rank(a, atol=1.5)), real(2, 3, 4), values([[1.0, 2.0], [2.0, 4.0]]), gradient=False),
    Case("cond", lambda T, x: T.linalg.cond(solid(T, x)), square(3, 3), tolerance=LOOSE),
    Case("cond by norms", lambda T, x: (T.linalg.cond(solid(T, x), 1), T.linalg.cond(solid(T, x), "fro"), T.linalg.cond(x, -2)), square(3, 3),
         gradient=False, tolerance=LOOSE),
    Case("matrix_exp", lambda T, x: (T.linalg.matrix_exp(x), T.matrix_exp(x * 3), T.matrix_exp(x * 0.01)), square(2, 3, 3), tolerance=LOOSE),
    Case("matrix_power", lambda T, x: (T.linalg.matrix_power(solid(T, x), -2), T.linalg.matrix_power(x, 3)), square(3, 3), tolerance=LOOSE),
    Case("multi_dot", lambda T, a, b, c: (T.linalg.multi_dot([a, b, c]), T.linalg.multi_dot((a[0], b, c[:, 0])), T.linalg.multi_dot([b, c])), real(2, 5), real(5, 3), real(3, 4)),
    *[Case(f"matrix_norm {o}", lambda T, x, o=o: (T.linalg.matrix_norm(x, o), T.linalg.matrix_norm(x, o, (0, 2), True), T.linalg.norm(x, o, (-1, -2))),
           real(2, 3, 4), tolerance=LOOSE) for o in ("fro", "nuc", 1, -1, 2, -2, INF, -INF)],
    *[Case(f"vector_norm {o}", lambda T, x, o=o: (T.linalg.vector_norm(x, o), T.linalg.vector_norm(x, o, 1, True), T.linalg.norm(x, o, 0)), real(3, 4), tolerance=LOOSE)
      for o in (1, 2, 3.5, INF, -INF)],
    Case("norm", lambda T, x, v: (T.linalg.norm(x), T.linalg.norm(x, 1), T.linalg.norm(v, 3), T.linalg.norm(x, dim=1), T.linalg.norm(x, "nuc"), T.norm(x, "nuc")),
         real(3, 4), real(3), tolerance=LOOSE),
    Case("others", lambda T, a, b: (T.linalg.cross(a, b), T.linalg.vecdot(a, b), T.linalg.diagonal(a), T.linalg.vander(b[0]), T.linalg.vander(b, N=2), T.linalg.matmul(a, b.mT)),
         real(4, 3), real(1, 3)),
    Case("methods", lambda T, x: (solid(T, x).inverse(), x.det(), solid(T, x).slogdet(), symmetric(T, x).cholesky(), symmetric(T, x).cholesky(upper=True),
                                  x.matrix_exp(), x.pinverse(), x.matrix_power(2), solid(T, x).qr()), square(3, 3), tolerance=LOOSE),
    *[Case(f"norms of empty matrices {shape}", lambda T, x: tuple(T.linalg.norm(x, o, keepdim=k) for o in (INF, 1, 2, "fro", "nuc") for k in (False, True)),
           fixed("float64", np.zeros(shape)), gradient=False) for shape in ((0, 0), (0, 3), (3, 0))],
    Case("empty", lambda T, x: (T.linalg.inv(x), T.linalg.det(x), T.linalg.matrix_norm(x)), fixed("float64", np.zeros((0, 0)))),
]  # fmt: skip


@over(CASES)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    run(case, dtype, layout)


def test_eig() -> None:
    x = np.random.default_rng(0).standard_normal((3, 3))
    ours, theirs = tinytorch.linalg.eig(tinytorch.from_numpy(x)), torch.linalg.eig(torch.from_numpy(x))
    assert str(ours.eigenvalues.dtype) == str(theirs.eigenvalues.dtype)
    np.testing.assert_allclose(
        np.sort_complex(ours.eigenvalues.numpy()), np.sort_complex(theirs.eigenvalues.numpy()), 1e-10
    )
    vectors, eigenvalues = ours.eigenvectors.numpy(), ours.eigenvalues.numpy()
    np.testing.assert_allclose(x @ vectors, vectors * eigenvalues, atol=1e-10)
    np.testing.assert_allclose(
        np.sort_complex(tinytorch.linalg.eigvals(tinytorch.from_numpy(x)).numpy()), np.sort_complex(eigenvalues), 1e-10
    )


@pytest.mark.parametrize("name", ["eig", "eigh", "svd"])
def test_a_loss_that_depends_on_arbitrary_phases_is_refused(name: str) -> None:
    def backward(T: Any, x: Any) -> None:
        getattr(T.linalg, name)(x)[-1].real.sum().backward()

    x = np.random.default_rng(0).standard_normal((3, 3))
    compare_errors(backward, x + 1j * x.T, match="ill-defined")


@pytest.mark.parametrize("name", ["inv", "solve", "cholesky"])
def test_impossible_systems(name: str) -> None:
    """PyTorch's LinAlgError, a RuntimeError, has a private class of its own; here it is ``linalg.LinAlgError``."""

    def call(T: Any) -> Any:
        singular = -T.ones(2, 2)
        return getattr(T.linalg, name)(singular, *([T.ones(2)] if name == "solve" else []))

    with pytest.raises(torch.linalg.LinAlgError):
        call(torch)
    with pytest.raises(tinytorch.linalg.LinAlgError):
        call(tinytorch)
    assert issubclass(tinytorch.linalg.LinAlgError, RuntimeError)


def test_errors() -> None:
    x, v, i, a = np.ones((2, 3)), np.ones(3), np.array([[1, 2], [3, 4]]), np.eye(3)
    for name in ("inv", "det", "slogdet", "cholesky", "eigh", "eigvals", "matrix_exp"):
        compare_errors(lambda T, x, n=name: getattr(T.linalg, n)(x), x)
        compare_errors(lambda T, v, n=name: getattr(T.linalg, n)(v), v)
    for name in ("inv", "det", "cholesky", "svd", "qr"):
        compare_errors(lambda T, i, n=name: getattr(T.linalg, n)(i), i)
    compare_errors(lambda T, a, x: T.linalg.solve(a, x), a, x, match="Incompatible shapes")
    compare_errors(lambda T, x: T.linalg.solve(x, x), x)
    compare_errors(lambda T, x: T.linalg.qr(x, "foo"), x)
    compare_errors(lambda T, a: T.linalg.eigh(a, "X"), a)
    compare_errors(lambda T, a: T.linalg.qr(a[:, :2], "complete").Q.sum().backward(), a)
    compare_errors(lambda T, v: T.linalg.matrix_norm(v), v)
    compare_errors(lambda T, x: T.linalg.matrix_norm(x, 3), x)
    compare_errors(lambda T, x: T.linalg.norm(x, "fro", dim=0), x)
    compare_errors(lambda T, x: T.linalg.norm(x[None], 1), x)
    compare_errors(lambda T, x: T.linalg.vector_norm(x, "fro"), x)
    compare_errors(lambda T, x: T.linalg.multi_dot([x]), x)
    compare_errors(lambda T, x: T.linalg.multi_dot([x, x]), x)
    compare_errors(lambda T, x: T.linalg.cross(x[:, :2], x[:, :2]), x)
