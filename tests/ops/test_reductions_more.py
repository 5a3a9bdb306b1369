"""vector_norms, cumulative, statistics: compared with PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import tinytorch
from tests.compare import compare_errors
from tests.ops.cases import Case, fixed, positive, real, truth, values, whole
from tests.ops.run_cases import over, run

INF, NAN = float("inf"), float("nan")
WITH_NAN = values([[1.0, NAN, 3.0], [2.0, 0.5, NAN], [4.0, 5.0, 6.0]])
ZEROS = values([[1.0, 0.0, 3.0, 2.0], [0.0, 2.0, 0.0, 1.0], [1.0, 2.0, 3.0, 4.0]])
LOOSE = {"float32": (1e-4, 1e-5)}

CASES = [
    *[Case(f"norm {p} {d}", lambda T, x, p=p, d=d: (T.norm(x, p, d), x.norm(p, d, True)), real(2, 3, 4))
      for p in (1, 2, 3, 0.5, 1.5, INF, -INF, -1, "fro") for d in (0, -1, (0, 2))],
    Case("norm all", lambda T, x: (T.norm(x), x.norm(), x.norm(3), x.norm(p=1), T.norm(x, p=INF)), real(2, 3)),
    Case("norm 0", lambda T, x: T.norm(x, 0, 1), values([[0.0, 1.0], [2.0, 3.0]]), gradient=False),
    *[Case(f"norm {p} of zeros", lambda T, x, p=p: T.norm(x, p, 1), values([[0.0, 0.0], [2.0, 0.0]]), second=False) for p in (1, 2, 1.5, 3, INF)],
    Case("norm dtype", lambda T, x: T.norm(x, dtype=T.float64), fixed("float32", [3.0, 4.0]), second=False),
    Case("norm empty 0-d", lambda T, x, y: (T.norm(x), x.norm(2, 0), y.norm(), y.norm(3, 0)), real(0, 3), real()),
    *[Case(f"dist {p}", lambda T, a, b, p=p: (T.dist(a, b, p), a.dist(b)), real(2, 3), real(3)) for p in (1, 2, 3, INF)],
    *[Case(f"cdist of 30 rows, {mode}", lambda T, a, b, mode=mode: T.cdist(a, b, compute_mode=mode), real(30, 3), real(2, 5, 3), second=False, tolerance={"float32": (1e-3, 1e-4)}) for mode in ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")],
    *[Case(f"cdist {p}", lambda T, a, b, p=p: T.cdist(a, b, p=p), real(4, 3), real(2, 5, 3), second=False, tolerance={"float32": (1e-3, 1e-4)}) for p in (1, 2, 3, INF)],
    Case("pdist", lambda T, a: T.pdist(a, 3.0), real(4, 3), second=False),
    Case("pdist of what differs", lambda T, a: T.pdist(a.log().round(decimals=1), 0), real(4, 3), second=False),
    Case("cumprod", lambda T, x: (T.cumprod(x, 0), x.cumprod(-1), x.cumprod(dim=1)), real(2, 3, 4), tolerance=LOOSE),
    Case("cumprod zeros", lambda T, x: T.cumprod(x, 1), ZEROS),
    Case("cumprod ints", lambda T, x, b: (T.cumprod(x, 0), x.cumprod(1, dtype=T.float32), b.cumprod(0)), whole(2, 3), truth(3)),
    Case("cumprod 0-d", lambda T, x: x.cumprod(0), real()),
    Case("cumprod_", lambda T, x: (x * 1).cumprod_(0), positive(3)),
    Case("cummax", lambda T, x: (*T.cummax(x, 0), *x.cummax(-1), *T.cummin(x, 1), *x.cummin(0)), real(3, 4)),
    Case("cummax ties and nan", lambda T, x: (*T.cummax(x, 0), *T.cummin(x, 0)), values(1.0, 1.0, 3.0, 2.0, NAN, 4.0, NAN)),
    Case("cummax ints 0-d", lambda T, x, y: (*x.cummax(1), *x.cummin(0), *y.cummax(0)), whole(3, 4), real()),
    Case("logcumsumexp", lambda T, x: (T.logcumsumexp(x, 0), x.logcumsumexp(1)), real(3, 4)),
    Case("logcumsumexp large", lambda T, x: T.logcumsumexp(x, 0), values(1000.0, 999.0, -1000.0), second=False),
    Case("log1p of large complex numbers", lambda T, x: T.log1p(T.complex(x, -x)), values(1e30, -2e38), gradient=False),
    Case("cat with vectors without elements", lambda T, x, y: T.cat([y, x, x]), real(2, 3), real(0), second=False),
    Case("pinv of a part of a matrix", lambda T, x: T.linalg.pinv(x @ x.mT, hermitian=True), real(3, 3), second=False),
    Case("diff", lambda T, x: (T.diff(x), x.diff(2), x.diff(dim=0), T.diff(x, 9), T.diff(x, n=0)), real(3, 4)),
    Case("diff ends", lambda T, x, a: T.diff(x, prepend=a, append=a), real(3, 4), real(3, 2)),
    Case("diff bools ints", lambda T, b, i: (b.diff(), i.diff()), truth(5), whole(5)),
    Case("trapezoid", lambda T, y, x: (T.trapezoid(y), T.trapezoid(y, dx=0.5, dim=0), T.trapezoid(y, x), T.trapz(y, x), T.cumulative_trapezoid(y),
                                       T.cumulative_trapezoid(y, x)), real(3, 4), real(4)),
    Case("trapezoid ints", lambda T, i: T.trapezoid(i), whole(4)),
    Case("nansum", lambda T, x: (T.nansum(x), x.nansum(1), x.nansum((0, 1)), x.nansum(0, keepdim=True)), WITH_NAN),
    Case("nanmean", lambda T, x: (T.nanmean(x), x.nanmean(1), x.nanmean(0, True)), WITH_NAN),
    Case("nansum ints", lambda T, i: (i.nansum(), T.nansum(i, 0)), whole(2, 3)),
    *[Case(f"quantile {how}", lambda T, x, h=how: (T.quantile(x, 0.3, interpolation=h), x.quantile(0.77, 1, interpolation=h),
                                                   x.quantile(0.5, dim=0, keepdim=True, interpolation=h)), real(4, 5))
      for how in ("linear", "lower", "higher", "midpoint", "nearest")],
    Case("quantile several", lambda T, x, q: (T.quantile(x, q), x.quantile(q, 0), x.quantile(q, 1, True), T.quantile(x, q, keepdim=True)),
         real(4, 5), values(0.0, 0.25, 1.0), second=False, gradient=False),
    Case("quantile nan", lambda T, x: (x.quantile(0.4, 1), x.nanquantile(0.4, 1), T.nanquantile(x, 0.6)), WITH_NAN, second=False),
    Case("quantile 0-d", lambda T, x: (x.quantile(0.4), x.quantile(0.4, 0)), real()),
    Case("aminmax", lambda T, x: (*T.aminmax(x), *x.aminmax(dim=1), *x.aminmax(dim=0, keepdim=True), T.aminmax(x).min), real(3, 4)),
    Case("cov", lambda T, x: (T.cov(x), x.cov(correction=0), x[0].cov(), T.cov(x[0, 0])), real(3, 4), layouts=("rows",)),
    Case("cov weights", lambda T, x, f, a: (T.cov(x, fweights=f), T.cov(x, aweights=a), T.cov(x, fweights=f, aweights=a)),
         real(3, 4), fixed("int64", [1, 2, 1, 3]), fixed("float64", [0.5, 1.0, 2.0, 1.5]), gradient=False),
    Case("corrcoef", lambda T, x: (T.corrcoef(x), x.corrcoef()), real(3, 4), tolerance={"float32": (1e-3, 1e-4), "float64": (1e-8, 1e-9)}),
]  # fmt: skip


@over(CASES)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    run(case, dtype, layout)


def test_errors() -> None:
    x, i, v = np.ones((2, 3)), np.arange(3), np.ones(3)
    compare_errors(lambda T, i: T.norm(i), i)
    compare_errors(lambda T, x: T.norm(x, "foo"), x)
    compare_errors(lambda T, x: T.norm(x[:0], float("inf")), x)
    compare_errors(lambda T, v: T.cdist(v, v), v)
    compare_errors(lambda T, x: T.cdist(x, x[:, :2]), x)
    compare_errors(lambda T, x: T.cdist(x, x, p=-1), x)
    compare_errors(lambda T, i: T.nanmean(i), i)
    compare_errors(lambda T, x: T.quantile(x, 1.5), x)
    compare_errors(lambda T, x: T.quantile(x, T.tensor(0.5, dtype=T.float32)), x)
    compare_errors(lambda T, i: T.quantile(i, 0.5), i)
    compare_errors(lambda T, x: T.quantile(x, 0.5, interpolation="foo"), x)
    compare_errors(lambda T, x: T.quantile(x[:0], 0.5), x)
    compare_errors(lambda T, i: T.logcumsumexp(i, 0), i)
    compare_errors(lambda T, x: T.diff(x.sum()), x)
    compare_errors(lambda T, x: T.diff(x, -1), x)
    compare_errors(lambda T, x: T.cov(x[None]), x)
    compare_errors(lambda T, x: T.aminmax(x[:0]), x)
    compare_errors(lambda T, x: x.cumprod(2), x)


def test_distances_have_second_derivatives():
    x, y = (tinytorch.randn(n, 3, dtype=tinytorch.float64, requires_grad=True) for n in (4, 30))
    assert tinytorch.autograd.gradgradcheck(lambda x, y: tinytorch.cdist(x, y), (x, y[:5].detach().requires_grad_()))
    assert tinytorch.autograd.gradgradcheck(tinytorch.pdist, (x,))
    far = tinytorch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    np.testing.assert_allclose(tinytorch.cdist(x, y).tolist(), far.tolist(), rtol=1e-9)


def test_logcumsumexp_where_gradients_are_zero() -> None:
    """Its backward takes logarithms of gradients; derivatives of gradients that are 0 count, too."""
    x = np.random.default_rng(0).standard_normal((4, 3))
    theirs = torch.func.jvp(lambda x: x.logcumsumexp(0), (torch.tensor(x),), (torch.tensor(x) + 1,))[1]
    ours = tinytorch.func.jvp(lambda x: x.logcumsumexp(0), (tinytorch.tensor(x),), (tinytorch.tensor(x) + 1,))[1]
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-9)

    def hessian(T: Any, function: Any) -> Any:
        at = T.tensor(x[0])
        aim = function(at).detach()  # the gradient is 0 there, the second derivative is not
        return T.func.hessian(lambda x: ((function(x) - aim) ** 2).sum())(at).numpy()

    def by_gradient(T: Any, function: Any) -> Any:
        at, grad = T.tensor(x[0], requires_grad=True), T.tensor([0.0, -1.0, 2.0], dtype=T.float64, requires_grad=True)
        (first,) = T.autograd.grad(function(at), at, grad, create_graph=True)
        return T.autograd.grad(first, (at, grad), T.tensor(x[1]))

    given = by_gradient(tinytorch, lambda x: x.logcumsumexp(0)), by_gradient(torch, lambda x: x.exp().cumsum(0).log())
    for ours, theirs in zip(*given, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-9)
    ours = hessian(tinytorch, lambda x: x.logcumsumexp(0))
    np.testing.assert_allclose(ours, hessian(torch, lambda x: x.exp().cumsum(0).log()), rtol=1e-9)
