"""einsum, tensordot and the other products: compared with PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

from tests.compare import compare_errors
from tests.ops.cases import Case, real, whole
from tests.ops.run_cases import over, run

EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ij->ji", (2, 3)), ("ji", (2, 3)), ("ij->", (2, 3)), ("ij->j", (2, 3)),
    ("ii", (3, 3)), ("ii->i", (3, 3)), ("iji->j", (3, 2, 3)), ("iii->i", (2, 2, 2)), ("i,j->ij", (2,), (3,)), ("i,i", (3,), (3,)),
    ("i,i->i", (3,), (3,)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)), ("bij,bkj->bki", (2, 3, 4), (2, 2, 4)), ("bn,anm,bm->ba", (2, 3), (2, 3, 4), (2, 4)),
    ("...ij,...jk->...ik", (2, 3, 4), (4, 2)), ("...ij,...jk", (2, 1, 3, 4), (3, 4, 2)), ("i...->...", (2, 3, 4)), ("...->", (2, 3)),
    ("b...,b...->b", (2, 3, 4), (2, 3, 4)), ("i...j,j->i...", (2, 3, 4), (4,)), ("bhid,bhjd->bhij", (2, 2, 3, 4), (2, 2, 5, 4)),
    ("Ab,bA", (2, 3), (3, 2)), (" i j , j k -> i k ", (2, 3), (3, 4)), ("ij,ij->", (2, 3), (2, 3)), ("ij,k->", (2, 3), (4,)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)), ("i,ij,j->", (2,), (2, 3), (3,)), (",ij->ij", (), (2, 3)), ("ij,ij->ij", (2, 1), (2, 3)),
    ("ij,jk->ik", (2, 1), (3, 4)), ("abcd,cd->ab", (2, 3, 2, 2), (2, 2)), ("ij,jk->ki", (0, 3), (3, 4)), ("ij,jk->ik", (2, 0), (0, 4)),
    ("iij,ji->i", (2, 2, 3), (3, 2)), ("ab...,b...->...a", (2, 3, 4), (3, 4)),
]  # fmt: skip

CASES = [
    *[Case(f"einsum {e} {shapes}", lambda T, *t, e=e: T.einsum(e, *t), *(real(*s) for s in shapes)) for e, *shapes in EQUATIONS],
    Case("einsum lists", lambda T, a, b: (T.einsum(a, [0, 1], b, [1, 2]), T.einsum(a, [0, 1], b, [1, 2], [2, 0]),
                                          T.einsum(a, [..., 1], b, [1, 30], [..., 30])), real(2, 3), real(3, 4)),
    Case("einsum operand list", lambda T, a, b: T.einsum("ij,jk", [a, b]), real(2, 3), real(3, 4)),
    Case("einsum ints", lambda T, a, b: T.einsum("ij,jk->ik", a, b), whole(2, 3), whole(3, 2)),
    *[Case(f"tensordot {d}", lambda T, a, b, d=d: T.tensordot(a, b, d), real(2, 3, 4), real(3, 4, 2)) for d in (2, 0, ([1, 2], [0, 1]), ([2, 0], [1, 2]))],
    Case("tensordot dims=", lambda T, a, b: T.tensordot(a, b, dims=1), real(2, 3), real(3, 4)),
    Case("inner", lambda T, a, b: (T.inner(a, b), a.inner(b[0])), real(2, 3), real(4, 3)),
    Case("inner 0-d", lambda T, a, b: T.inner(a, b), real(), real(4, 3)),
    Case("vectors", lambda T, a, b: (T.vdot(a, b), T.ger(a, b), a.ger(b), T.inner(a, b), a.vdot(b)), real(3), real(3)),
    Case("baddbmm", lambda T, x, a, b: (T.baddbmm(x, a, b), x.baddbmm(a, b, beta=0.5, alpha=2), (x * 1).baddbmm_(a, b)),
         real(2, 3, 5), real(2, 3, 4), real(2, 4, 5)),
    Case("baddbmm broadcast", lambda T, x, a, b: T.baddbmm(x, a, b), real(5), real(2, 3, 4), real(2, 4, 5)),
    Case("addbmm", lambda T, x, a, b: (T.addbmm(x, a, b), x.addbmm(a, b, beta=0.5, alpha=2)), real(3, 5), real(2, 3, 4), real(2, 4, 5)),
    Case("addmv", lambda T, x, a, b: (T.addmv(x, a, b), x.addmv(a, b, beta=0.5, alpha=2), (x * 1).addmv_(a, b)), real(3), real(3, 4), real(4)),
    Case("addr", lambda T, x, a, b: (T.addr(x, a, b), x.addr(a, b, beta=0.5, alpha=2)), real(3, 4), real(3), real(4)),
    Case("addmm_", lambda T, x, a, b: (x * 1).addmm_(a, b, beta=0.5), real(3, 5), real(3, 4), real(4, 5)),
    Case("kron", lambda T, a, b: (T.kron(a, b), b.kron(a)), real(2, 3), real(4), layouts=("rows", "gaps")),
    Case("kron matrices", lambda T, a, b: T.kron(a, b), real(2, 3), real(3, 2)),
    Case("cross", lambda T, a, b: (T.cross(a, b, dim=1), a.cross(b, -1), T.cross(a, b, 1)), real(4, 3), real(4, 3)),
    Case("cross broadcast", lambda T, a, b: T.cross(a, b, -1), real(4, 3), real(1, 3)),
    *[Case(f"matrix_power {n}", lambda T, a, n=n: T.matrix_power(a, n), real(2, 3, 3)) for n in (0, 1, 2, 3, 7)],
    Case("chain_matmul", lambda T, a, b, c: T.chain_matmul(a, b, c), real(2, 3), real(3, 4), real(4, 2)),
]  # fmt: skip


@over(CASES)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    run(case, dtype, layout)


@pytest.mark.parametrize(
    "equation",
    [
        "ij",
        "ijk,jk",
        "ij,jk->ikk",
        "ij,jk->im",
        "i1,jk",
        "ij,jk->i.",
        "ij,ij->i",
        "ii,ij->j",
        "ij,jk,kl",
        "ij..,jk",
        "...ijkl,ij",
    ],
)
def test_wrong_equations(equation: str) -> None:
    compare_errors(lambda T, a, b: T.einsum(equation, a, b), np.ones((2, 3)), np.ones((3, 4)), match="einsum()")


def test_errors() -> None:
    x, v = np.ones((2, 3)), np.ones(3)
    compare_errors(lambda T, x: T.einsum("ij"), x)
    compare_errors(lambda T, x: T.einsum(x, [0, 60]), x)
    compare_errors(lambda T, x: T.tensordot(x, x, 3), x)
    compare_errors(lambda T, x: T.tensordot(x, x, -1), x)
    compare_errors(lambda T, x: T.tensordot(x, x, ([0], [1])), x)
    compare_errors(lambda T, x: T.tensordot(x, x, ([0, 1], [1])), x)
    compare_errors(lambda T, x: T.inner(x, x[:, :2]), x)
    compare_errors(lambda T, x: T.vdot(x, x), x)
    compare_errors(lambda T, x: T.ger(x, x), x)
    compare_errors(lambda T, x: T.cross(x, x, dim=0), x)
    compare_errors(lambda T, x: T.matrix_power(x, 2), x)
    compare_errors(lambda T, x, v: T.addmv(v, x, v[:2]), x, v)
    compare_errors(lambda T, x: T.baddbmm(x, x[None], x[None]), x)
