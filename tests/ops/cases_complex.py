"""Cases: complex numbers. Their parts, and the ordinary ops on them, whose gradients the engine conjugates."""

from __future__ import annotations

from typing import Any

from tests.ops.cases import Case, complex_, complex_values, fixed, positive, real, same, truth, values, whole

FEW = ("rows",)
HOLOMORPHIC = (
    "exp expm1 log log2 log10 log1p sqrt rsqrt reciprocal square sin cos tan tanh sigmoid sinh cosh asin acos atan asinh acosh "
    "atanh neg"
)
LOOSE = {"complex64": (2e-4, 2e-5), "complex128": (1e-8, 1e-9)}
Z = complex_(3, 4)


def _positive(T: Any, a: Any) -> Any:
    return a @ a.mH + T.eye(3, dtype=a.dtype)


CASES = [
    # parts
    *same("conj conj_physical resolve_conj resolve_neg real imag angle abs sgn view_as_real adjoint", Z),
    *same("conj real imag angle abs sgn view_as_real", complex_(), layouts=FEW),
    *same("conj conj_physical resolve_conj resolve_neg real angle sgn adjoint", real(3, 4), layouts=FEW),
    *same("angle sgn", whole(4), layouts=FEW),
    Case("angle special", lambda T, x: T.angle(x), values(0.0, -0.0, 1.0, -2.0, float("nan"))),
    Case("parts at 0", lambda T, z: (T.angle(z), T.abs(z) * z.real, T.sgn(z)), complex_values(0, 1j, -1, 2 - 1j), second=False),
    Case("is_conj", lambda T, z: (T.is_conj(z), z.is_conj(), T.is_neg(z), z.is_neg(), T.is_complex(z)), Z, layouts=FEW),
    Case("properties", lambda T, z: (z.real * z.imag, z.H, z.mH, z.T, z.mT, z.adjoint(), z.conj() * z), Z),
    Case("methods", lambda T, z: (z.conj_physical(), z.resolve_conj(), z.resolve_neg(), z.angle(), z.sgn()), Z, layouts=FEW),
    Case("complex", lambda T, a, b: T.complex(a, b), real(3, 4), real(4)),
    Case("polar", lambda T, a, b: T.polar(a, b), positive(3, 4), real(4)),
    Case("view_as_complex", lambda T, x: T.view_as_complex(x), real(3, 4, 2), layouts=FEW),
    Case("there and back", lambda T, z: T.view_as_complex(T.view_as_real(z) * 2.0), Z),
    # ordinary ops
    *same(HOLOMORPHIC, Z, layouts=FEW, tolerance=LOOSE),
    Case("arithmetic", lambda T, a, b: (a + b, a - b, a * b, a / b), Z, complex_(4, low=1.0)),
    Case("with real tensors", lambda T, z, x: (z + x, z * x, x / z, x - z, z**x), complex_(3, 4, low=0.5), real(4), tolerance=LOOSE),
    Case("with numbers", lambda T, z, x: (z * 2, z * 1j, x * 2j, x + 1j, 1 / z, z**2, z ** (1 + 1j), 2.0**z), complex_(3, low=0.5), real(3)),
    Case("pow", lambda T, a, b: a**b, complex_(3, 4), complex_(4), tolerance=LOOSE),
    Case("to", lambda T, x: x.to(T.complex64) * 1j, real(3, 4), second=False),
    Case("sums", lambda T, z: (z.sum(), z.mean(0), z.sum(1, True), z.cumsum(0), z.prod(1), z.cumprod(0)), Z, tolerance=LOOSE),
    Case("spread", lambda T, z: (z.var(0), z.std(), T.var_mean(z, 1)[0], T.std_mean(z, 0)[1]), Z),
    Case("norms", lambda T, z: (z.norm(), T.linalg.vector_norm(z, 3, 0), T.linalg.vector_norm(z, 1), T.dist(z, z * 2)), Z),
    Case("log sums", lambda T, z: (T.logsumexp(z, 0), T.logcumsumexp(z, 1)), Z, tolerance=LOOSE),
    Case("logaddexp", lambda T, a, b: T.logaddexp(a, b), Z, complex_(4), tolerance=LOOSE),
    Case("products", lambda T, a, b: (a @ b, T.einsum("ij,jk->ik", a, b), T.tensordot(a, b, 1)), Z, complex_(4, 2)),
    Case("vdot", lambda T, a, b: (T.vdot(a, b), T.dot(a, b), T.linalg.vecdot(a, b), T.outer(a, b)), complex_(4), complex_(4)),
    Case("cov", lambda T, z: (T.cov(z), T.corrcoef(z)), Z, layouts=FEW, second=False),
    Case("shapes", lambda T, z: (z.reshape(4, 3), z.t(), z[1:, ::2], z.expand(2, 3, 4), T.cat([z, z * 1j]), z.flip(0)), Z),
    Case("choice", lambda T, z, m: (T.where(m, z, z * 1j), z.masked_fill(m, 1 + 2j), z[m]), Z, truth(3, 4), layouts=FEW),
    Case("conv", lambda T, x, w, b: T.nn.functional.conv2d(x, w, b), complex_(2, 3, 5, 5), complex_(2, 3, 3, 3), complex_(2), layouts=FEW),
    Case("rms_norm", lambda T, z, w: T.nn.functional.rms_norm(z, (4,), w), Z, complex_(4), layouts=FEW),
    Case("float_power", lambda T, z: T.float_power(z, 2), complex_(3), layouts=FEW, second=False),
    Case("comparisons", lambda T, z: (z == z, z != 1j, T.isreal(z), T.isfinite(z), T.isclose(z, z + 1e-9)), Z, layouts=FEW),
    Case("integers", lambda T, n, z: (n * z, n * 1j), whole(4), complex_(4), layouts=FEW),
    # linear algebra; what is compared does not depend on the arbitrary phases
    Case("det", lambda T, a: (T.linalg.det(a), T.linalg.inv(a), T.linalg.slogdet(a), T.logdet(a)), complex_(2, 3, 3), tolerance=LOOSE),
    Case("solve", lambda T, a, b: (T.linalg.solve(a, b), T.linalg.solve_triangular(a, b, upper=True)), complex_(3, 3), complex_(3, 2), tolerance=LOOSE),
    Case("cholesky", lambda T, a: (T.linalg.cholesky(_positive(T, a)), T.linalg.cholesky(_positive(T, a), upper=True)), complex_(3, 3),
         tolerance=LOOSE),
    Case("qr", lambda T, a: T.linalg.qr(a), complex_(4, 3), layouts=FEW, tolerance=LOOSE),
    Case("qr wide", lambda T, a: T.linalg.qr(a), complex_(3, 5), layouts=FEW, tolerance=LOOSE),
    Case("svd", lambda T, a: [(u[..., :3] * s.exp().unsqueeze(-2)) @ v for u, s, v in [T.linalg.svd(a, full_matrices=False)]], complex_(4, 3),
         layouts=FEW, tolerance=LOOSE),
    Case("svd alone", lambda T, a: (T.linalg.svd(a)[0].abs(), T.linalg.svdvals(a), T.linalg.svd(a)[2].abs()), complex_(3, 3), layouts=FEW,
         tolerance=LOOSE),
    Case("svd wide", lambda T, a: [(u * s.sin().unsqueeze(-2)) @ v for u, s, v in [T.linalg.svd(a, False)]], complex_(2, 4), layouts=FEW,
         tolerance=LOOSE),
    Case("eigh", lambda T, a: [(v * w.exp()) @ v.mH for w, v in [T.linalg.eigh(a + a.mH)]], complex_(3, 3), layouts=FEW, tolerance=LOOSE),
    Case("eigvalsh", lambda T, a: T.linalg.eigvalsh(a + a.mH, UPLO="U"), complex_(3, 3), layouts=FEW, tolerance=LOOSE),
    Case("eig", lambda T, a: [((v * w.exp()) @ T.linalg.inv(v), v.abs().square().sum(1)) for w, v in [T.linalg.eig(a)]], complex_(3, 3),
         layouts=FEW, tolerance=LOOSE),
    Case("eig of real", lambda T, a: [(v * w.exp()) @ T.linalg.inv(v) for w, v in [T.linalg.eig(a)]], real(3, 3), layouts=FEW, tolerance=LOOSE),
    Case("eigvals", lambda T, a: [w.abs().sum() + (w * w).sum().abs() for w in [T.linalg.eigvals(a)]], real(4, 4), layouts=FEW, tolerance=LOOSE),
    Case("bool of complex", lambda T, z: (z.to(T.bool), T.any(z), T.all(z)), fixed("complex64", [0, 1j, 1]), layouts=FEW),
]  # fmt: skip
