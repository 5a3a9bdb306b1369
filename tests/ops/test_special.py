"""``tinytorch.special``: compared with PyTorch, and with identities where PyTorch itself is not exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare, compare_errors
from tests.ops.cases import Case, fixed, positive, real, same, truth, values, whole
from tests.ops.run_cases import run
from tinytorch.kernels import bessel, modified_bessel

INF, NAN = float("inf"), float("nan")
FEW = ("rows",)
DIFFERENTIABLE = "i0e i1 i1e ndtr entr erfcx log_ndtr"
CONSTANT = [
    "airy_ai",
    "modified_bessel_i0",
    "modified_bessel_i1",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "spherical_bessel_j0",
]
BESSEL = ["bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1"]
FAMILIES = [
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
]
EDGES = values(0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 30.0, -30.0, 1e-8)
#: At infinity PyTorch's Bessel functions are nan; tinytorch's are the limits (test_at_infinity).
FINITE = values(0.0, -0.0, 1.0, -1.0, NAN, 30.0, -30.0, 1e-8)
LOOSE = {"float32": (1e-4, 1e-5), "float64": (1e-9, 1e-10)}


def special(names: str, *samples: Any, **options: Any) -> list[Case]:
    """One case ``T.special.name(*samples)`` for each of the names."""
    return [
        Case(name, lambda T, *x, name=name: getattr(T.special, name)(*x), *samples, **options) for name in names.split()
    ]


CASES = [
    *special(DIFFERENTIABLE, positive(3, 4), tolerance=LOOSE),
    *special("i0e i1 i1e ndtr log_ndtr erfcx", real(3, 4), tolerance=LOOSE),
    *special("i0e i1e ndtr entr erfcx log_ndtr ndtri", EDGES, gradient=False, tolerance=LOOSE),
    *special("i1", FINITE, gradient=False, tolerance=LOOSE),
    *special(DIFFERENTIABLE, whole(4, low=0), layouts=FEW),
    *special("ndtri", real(3, 4, low=0.05, high=0.95), tolerance=LOOSE),
    *special("ndtri", values(1e-300, 1e-20, 1e-5, 1 - 1e-9, 0.5, 0.25), gradient=False),
    *special("log_ndtr ndtr erfcx", values(-20.0, -6.0, -1.0, 8.0, 20.0), gradient=False, tolerance=LOOSE),
    *special("i0e i1 i1e ndtr entr", truth(3), layouts=FEW),
    *special(" ".join(CONSTANT), FINITE, tolerance=LOOSE),
    *special(" ".join(CONSTANT), positive(3, 4), tolerance=LOOSE),
    *special(" ".join(CONSTANT + BESSEL), real(2, 0)),
    *special(" ".join(BESSEL), FINITE, tolerance=LOOSE),
    *same("i0", real(3, 4, low=-9, high=9)),
    *same("i0", FINITE, gradient=False, tolerance=LOOSE),
    Case("i1 at 0", lambda T, x: T.special.i1(x) + T.special.i1e(x), values(0.0, 1.0), second=False),
    Case("xlog1py", lambda T, a, b: (T.special.xlog1py(a, b), T.special.xlog1py(a, 2.0), T.special.xlog1py(3, b)),
         real(3, 4), positive(4)),
    Case("xlog1py at 0", lambda T, a, b: T.special.xlog1py(a, b), values(0.0, 0.0, 0.0), values(-1.0, NAN, 2.0), gradient=False),
    Case("zeta", lambda T, s, q: T.special.zeta(s.detach(), q), real(3, 4, low=1.2, high=9), positive(4), tolerance=LOOSE),
    Case("zeta edges", lambda T, s, q: (T.special.zeta(s, q), T.special.zeta(s, 1), T.special.zeta(2, q)),
         values(1.0, 0.5, 2.0, 2.0, 3.0, 2.5, NAN), values(1.0, 1.0, 0.0, -1.0, -2.5, -1.5, 1.0), gradient=False),
    Case("igamma", lambda T, a, x: (T.igamma(a.detach(), x), a.detach().igammac(x), T.special.gammainc(a.detach(), x)),
         positive(3, 4), positive(4), tolerance=LOOSE),
    Case("igamma large", lambda T, a, x: (T.igamma(a, x), T.igammac(a, x)), values(40.0, 40.0, 40.0, 200.0, 1e4, 7.0, 0.01),
         values(10.0, 41.0, 90.0, 190.0, 10050.0, 60.0, 0.1), gradient=False, tolerance=LOOSE),
    Case("igamma edges", lambda T, a, x: (T.igamma(a, x), T.igammac(a, x)),
         values(0.0, 0.0, 1.0, 1.0, INF, INF, -1.0, NAN, 1.0), values(0.0, 1.0, 0.0, INF, 1.0, INF, 1.0, 1.0, -1.0),
         gradient=False),
    Case("multigammaln", lambda T, x: T.special.multigammaln(x, 2), positive(3) ,tolerance=LOOSE),
    *[Case(f"{name} {n}", lambda T, x, n=n, name=name: getattr(T.special, name)(x, n), real(5), tolerance=LOOSE, layouts=FEW)
      for name in FAMILIES for n in (-1, 0, 1, 2, 9)],
    *[Case(name, lambda T, x, n, name=name: (getattr(T.special, name)(x, n), getattr(T.special, name)(0.5, n)), real(3, 4),
           whole(4, low=0), tolerance=LOOSE, layouts=FEW) for name in FAMILIES],
    Case("names of other ops", lambda T, x: (
        T.special.digamma(x), T.special.psi(x), T.special.gammaln(x), T.special.erf(x), T.special.erfc(x), T.special.expit(x),
        T.special.exp2(x), T.special.expm1(x), T.special.log1p(x), T.special.logit(x / 3), T.special.polygamma(1, x),
        T.special.round(x), T.special.sinc(x), T.special.softmax(x, 0), T.special.log_softmax(x, 0), T.special.logsumexp(x, 0),
        T.special.xlogy(x, x), T.special.erfinv(x / 3)), positive(3), second=False, tolerance=LOOSE),
    Case("in place", lambda T, x, a: (
        (x * 1).i0_(), (x * 1).mvlgamma_(1), (x * 1).polygamma_(1), a.detach().clone().igamma_(x.detach()),
        a.detach().clone().igammac_(x.detach())), positive(3), positive(3), tolerance=LOOSE),
    Case("float16", lambda T, x: (T.i0(x), T.special.i1e(x), T.special.ndtr(x)), fixed("float16", [0.5, 1.5]), gradient=False),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{i}: {case.name}" for i, case in enumerate(CASES)])
def test_same_as_pytorch(case: Case) -> None:
    for dtype, layout in case.variants():
        run(case, dtype, layout)


def test_bessel() -> None:
    """PyTorch's J and Y are off by up to 8e-7 for x between 4 and 9."""
    x = np.concatenate([np.linspace(0.05, 60.0, 301), np.linspace(100.0, 1e4, 11)])
    for name in BESSEL:
        compare(lambda T, x, name=name: getattr(T.special, name)(x), x, tolerance={"float64": (1e-9, 1e-6)})


def test_at_infinity() -> None:
    ends = tinytorch.tensor([INF, -INF])
    limits = {
        "i1": [INF, -INF], "airy_ai": [0, 0], "bessel_j0": [0, 0], "bessel_j1": [0, 0], "bessel_y0": [0, NAN],
        "bessel_y1": [0, NAN], "modified_bessel_i0": [INF, INF], "modified_bessel_i1": [INF, -INF],
        "modified_bessel_k0": [0, NAN], "spherical_bessel_j0": [0, 0],
    }  # fmt: skip
    for name, limit in limits.items():
        np.testing.assert_array_equal(getattr(tinytorch.special, name)(ends).numpy(), limit, err_msg=name)


def test_wronskians() -> None:
    """J₁Y₀ - J₀Y₁ = 2/(πx) and I₀K₁ + I₁K₀ = 1/x, to rounding, for all x."""
    x = np.concatenate([np.geomspace(1e-6, 2.0, 50), np.linspace(2.0, 60.0, 400), np.geomspace(60.0, 1e5, 50)])
    wronskian = bessel.j1(x) * bessel.y0(x) - bessel.j0(x) * bessel.y1(x)
    np.testing.assert_allclose(wronskian, 2 / (np.pi * x), rtol=2e-14)
    m = modified_bessel
    np.testing.assert_allclose(m.i0e(x) * m.k1e(x) + m.i1e(x) * m.k0e(x), 1 / x, rtol=4e-15)


def test_every_name_of_pytorch() -> None:
    assert set(tinytorch.special.__all__) == set(torch.special.__all__)
    assert all(callable(getattr(tinytorch.special, name)) for name in torch.special.__all__)


def test_errors() -> None:
    x, i, h = np.ones(3), np.arange(3), np.ones(3, np.float16)
    compare_errors(lambda T, x: T.igamma(x, x).sum().backward(), x, match="derivative for 'igamma: input'")
    compare_errors(lambda T, x: T.igammac(x, x).sum().backward(), x, match="derivative for 'igammac: input'")
    compare_errors(lambda T, x: T.special.zeta(x, x).sum().backward(), x, match="derivative for 'zeta'")
    compare_errors(lambda T, i: T.igamma(i, i), i, match="not implemented for 'Long'")
    compare_errors(lambda T, x: T.igamma(x, 1.0), x)
    compare_errors(lambda T, h: T.special.ndtri(h), h, match="\"ndtri_cpu\" not implemented for 'Half'")
    compare_errors(lambda T, h: T.special.airy_ai(h), h, match="not implemented for 'Half'")
    compare_errors(lambda T, h: T.special.zeta(h, h), h)
    compare_errors(lambda T, h: T.special.hermite_polynomial_h(h, 1), h)
    compare_errors(lambda T, i: i.clone().i0_(), i)
    compare_errors(lambda T, x: T.special.i1(2.0), x)
    compare_errors(lambda T, x: T.special.bessel_j0(x).backward(), x)
