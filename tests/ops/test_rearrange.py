"""rearrange, stacking, shape_in_place: compared with PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional

import tinytorch
from tests.compare import compare_errors
from tests.ops.cases import Case, fixed, real, truth
from tests.ops.run_cases import over, run

COMPARED = ("one_hot",)  # by test_one_hot

CASES = [
    *[Case(f"roll {s} {d}", lambda T, x, s=s, d=d: (T.roll(x, s, d), x.roll(s, d)), real(3, 4))
      for s, d in ((1, 0), (-1, 1), (5, -1), ((1, 2), (0, 1)), (2, None), (0, 0), ((1, 1), (0, 0)))],
    *[Case(f"rot90 {k} {d}", lambda T, x, k=k, d=d: (T.rot90(x, k, d), x.rot90(k, d)), real(2, 3, 4)) for k in (0, 1, 2, 3, -1) for d in ((0, 1), (2, 0))],
    Case("flips", lambda T, x: (T.fliplr(x), x.flipud(), T.flipud(x[0])), real(3, 4)),
    Case("repeat_interleave", lambda T, x, n: (T.repeat_interleave(x, 2), x.repeat_interleave(3, 0), x.repeat_interleave(n, 1), x.repeat_interleave(n, dim=-1)),
         real(2, 3), fixed("int64", [0, 2, 1])),
    Case("repeat_interleave of counts", lambda T, n, b: (T.repeat_interleave(n), b.repeat_interleave(2)), fixed("int64", [0, 2, 1]), truth(3)),
    *[Case(f"unfold {a}", lambda T, x, a=a: x.unfold(*a), real(3, 7)) for a in ((1, 3, 1), (1, 3, 2), (1, 2, 3), (0, 2, 1), (-1, 7, 1), (1, 1, 4))],
    Case("unfold twice", lambda T, x: x.unfold(1, 2, 1).unfold(2, 3, 2), real(2, 4, 6)),
    Case("unfold 0-d", lambda T, x: x.unfold(0, 1, 1), real()),
    Case("as_strided", lambda T, x: (T.as_strided(x, (2, 2), (1, 2)), x.as_strided((3, 3), (2, 1), 1), x[1].as_strided((2,), (1,)), x[1].as_strided((2,), (3,), 0)),
         real(3, 4), layouts=("rows",)),
    Case("tensor_split", lambda T, x, i: (T.tensor_split(x, 3), x.tensor_split(5, 1), x.tensor_split([1, 3], 1), x.tensor_split((2, 9), 0), T.tensor_split(x, i, dim=1)),
         real(4, 5), fixed("int64", [1, 2])),
    Case("h v d split", lambda T, x, y: (T.hsplit(x, 2), x.vsplit([1]), x.dsplit(2), T.hsplit(y, 2), x.split_with_sizes([1, 1]), T.dsplit(x, [1, 3])), real(2, 4, 4), real(4)),
    Case("stacks", lambda T, x, y, v: (T.dstack((x, y)), T.column_stack((v, x)), T.row_stack((x, y)), T.dstack([v, v]), T.column_stack([v, v])), real(3, 2), real(3, 2), real(3)),
    Case("atleast", lambda T, a, b, c: (T.atleast_1d(a), T.atleast_2d(a), T.atleast_3d(a), T.atleast_1d(a, b), T.atleast_2d([b, c]), T.atleast_3d(b, c)), real(), real(3), real(2, 3)),
    Case("meshgrid", lambda T, a, b, c: (T.meshgrid(a, b, indexing="ij"), T.meshgrid(a, b, indexing="xy"), T.meshgrid([a, b, c], indexing="xy")), real(2), real(3), real()),
    Case("cartesian_prod", lambda T, a, b: (T.cartesian_prod(a, b), T.cartesian_prod(a), T.cartesian_prod(a, b, a)), real(2), real(3)),
    Case("combinations", lambda T, a: (T.combinations(a), T.combinations(a, 3), T.combinations(a, 2, True), T.combinations(a, r=0), T.combinations(a, 5)), real(4)),
    Case("resize_", lambda T, x: (x.detach().clone().resize_(2, 2), x.detach().clone().resize_((6,)), x.detach().clone().resize_as_(x[0])), real(2, 3), layouts=("rows",)),
    Case("in place", lambda T, x: ((x * 1).t_(), (x * 1).transpose_(0, 1), (x * 1).unsqueeze_(1), (x * 1).unsqueeze_(0).squeeze_(), (x * 1).swapaxes_(0, 1)), real(2, 3)),
    Case("in place then used", lambda T, x: (y := x * 1, v := y.view(-1), y.t_(), y.mul_(2), v * y.sum())[1:], real(2, 3), layouts=("rows",)),
    Case("view in place", lambda T, x: (y := x * 1, v := y[:, 1:], v.t_(), v.mul_(3), y * 2)[1:], real(2, 3)),
]  # fmt: skip


@over(CASES)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    run(case, dtype, layout)


def test_one_hot() -> None:
    for classes, count in (([0, 2, 1], -1), ([[1, 0], [3, 3]], 5), ([], 3), (1, -1)):
        ours = tinytorch.nn.functional.one_hot(tinytorch.tensor(classes, dtype=tinytorch.int64), count)
        theirs = torch.nn.functional.one_hot(torch.tensor(classes, dtype=torch.int64), count)
        assert (
            ours.tolist() == theirs.tolist()
            and str(ours.dtype) == str(theirs.dtype)
            and ours.shape == tuple(theirs.shape)
        )


def _one_hot(T: Any, *args: Any) -> Any:
    return T.nn.functional.one_hot(*args)


def test_errors() -> None:
    x, v, i = np.ones((2, 3)), np.ones(3), np.arange(3)
    compare_errors(lambda T, x: T.roll(x, 1, 5), x)
    compare_errors(lambda T, x: T.roll(x, (1, 2), 0), x)
    compare_errors(lambda T, x: T.roll(x, (1, 2)), x)
    compare_errors(lambda T, v: T.rot90(v), v)
    compare_errors(lambda T, x: T.rot90(x, 1, (0, 0)), x)
    compare_errors(lambda T, x: T.rot90(x, 1, [0]), x)
    compare_errors(lambda T, v: T.fliplr(v), v)
    compare_errors(lambda T, x, i: T.repeat_interleave(x, i, dim=0), x, i)
    compare_errors(lambda T, x: T.repeat_interleave(x, -1), x)
    compare_errors(lambda T, x, v: x.repeat_interleave(v, 1), x, v)
    compare_errors(lambda T, x: T.tensor_split(x, 0), x)
    compare_errors(lambda T, v: T.hsplit(v, 2), v)
    compare_errors(lambda T, v: T.vsplit(v, 1), v)
    compare_errors(lambda T, x: T.dsplit(x, 1), x)
    compare_errors(lambda T, x: x.unfold(1, 5, 1), x)
    compare_errors(lambda T, x: x.unfold(1, 2, 0), x)
    compare_errors(lambda T, x: x.unfold(1, -1, 1), x)
    compare_errors(lambda T, x, v: T.meshgrid(x, v, indexing="ij"), x, v)
    compare_errors(lambda T, v, i: T.meshgrid(v, i, indexing="ij"), v, i)
    compare_errors(lambda T, v: T.meshgrid(v, v, indexing="k"), v)
    compare_errors(lambda T, x: T.cartesian_prod(x), x)
    compare_errors(lambda T, x: T.combinations(x), x)
    compare_errors(lambda T, v: T.combinations(v, -1), v)
    compare_errors(lambda T, i: _one_hot(T, i, 2), i)
    compare_errors(lambda T, i: _one_hot(T, -i), i)
    compare_errors(lambda T, v: _one_hot(T, v), v)
    compare_errors(lambda T, i: _one_hot(T, i[:0]), i)
    compare_errors(lambda T, x: T.as_strided(x, (10,), (1,)), x)
    compare_errors(lambda T, x: T.as_strided(x, (2,), (1, 1)), x)
    compare_errors(lambda T, x: T.as_strided(x, (2,), (-1,)), x)
    compare_errors(lambda T, x: x.t_(), x, match="leaf")
    compare_errors(lambda T, x: (x * 1).transpose_(0, 5), x)
