"""scatter and scatter_reduce: compared with PyTorch. Where an index may occur twice, only where PyTorch defines the result."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare_errors
from tests.ops.cases import Case, fixed, real, truth, values, whole
from tests.ops.run_cases import over, run

FEW = ("rows",)
ONCE = fixed("int64", [[2, 0, 1], [0, 1, 2]])  # along dimension 0 of a (3, 3)
TWICE = fixed("int64", [[2, 0, 1], [2, 1, 1]])
AT = fixed("int64", [2, 0])
AT_TWICE = fixed("int64", [2, 0, 2])
ZEROS = values([[0.0, 2.0, 3.0], [4.0, 0.0, 0.5], [1.0, 0.0, 2.0]])
SOME_ZEROS = values([[2.0, 0.0, 3.0], [0.0, 4.0, 5.0]])

CASES = [
    Case("scatter", lambda T, x, i, s: (T.scatter(x, 0, i, s), x.scatter(0, i, s), x.scatter(0, i, 3.0), T.scatter(x, 0, i, value=2)),
         real(3, 3), ONCE, real(2, 3)),
    Case("scatter part", lambda T, x, i, s: T.scatter(x, 1, i, s), real(3, 4), fixed("int64", [[3, 0], [1, 2]]), real(4, 3), gradient=False),
    Case("scatter ints", lambda T, x, i: (x.scatter(0, i, 7), x.scatter(0, i, i)), whole(3, 3), ONCE),
    Case("scatter reduce", lambda T, x, i, s: (x.scatter(0, i, s, reduce="add"), x.scatter(0, i, 1.5, reduce="multiply")),
         real(3, 3), TWICE, real(2, 3), gradient=False),
    Case("scatter 0-d", lambda T, x, i, s: x.scatter(0, i, s), real(), fixed("int64", 0), real()),
    Case("scatter empty", lambda T, x, i, s: x.scatter(0, i, s), real(3, 3), fixed("int64", np.zeros((0, 3))), real(0, 3), layouts=FEW),
    Case("scatter_add", lambda T, x, i, s: (T.scatter_add(x, 0, i, s), x.scatter_add(0, i, s)), real(3, 3), TWICE, real(2, 3)),
    Case("scatter_add of one number", lambda T, x, i, s: (
        T.scatter_add(x, 0, i, s), T.scatter_reduce(x, 0, i, s, "sum")), real(), whole(low=0, high=1), real()),
    Case("scatter_add 3", lambda T, x, i, s: T.scatter_add(x, -1, i, s), real(2, 2, 3), whole(2, 2, 4, low=0, high=3), real(2, 2, 4)),
    Case("scatter in place", lambda T, x, i, s: (
        (x * 1).scatter_(0, i, s), (x * 1).scatter_(0, i, 2.0), (x * 1).scatter_add_(0, i, s)), real(3, 3), ONCE, real(2, 3)),
    *[Case(f"scatter_reduce {r} {inc}", lambda T, x, i, s, r=r, inc=inc: T.scatter_reduce(x, 0, i, s, r, include_self=inc),
           real(3, 3), TWICE, real(2, 3))
      for r in ("sum", "mean", "prod", "amax", "amin") for inc in (True, False)],
    *[Case(f"scatter_reduce ints {r} {inc}", lambda T, x, i, s, r=r, inc=inc: x.scatter_reduce(0, i, s, r, include_self=inc),
           whole(3, 3), TWICE, whole(2, 3))
      for r in ("sum", "mean", "prod", "amax", "amin") for inc in (True, False)],
    *[Case(f"scatter_reduce ties {r}", lambda T, x, i, s, r=r: x.scatter_reduce(0, i, s, r),
           values([[1.0, 2.0, 1.0], [2.0, 2.0, 2.0], [0.0, 0.0, 0.0]]), TWICE, values([[0.0, 1.0, 2.0], [0.0, 2.0, 2.0]]))
      for r in ("amax", "amin")],
    Case("scatter_reduce prod zeros", lambda T, x, i, s: x.scatter_reduce(0, i, s, "prod"), ZEROS, TWICE, SOME_ZEROS, second=False),
    Case("scatter_reduce_", lambda T, x, i, s: (x * 1).scatter_reduce_(0, i, s, "sum"), real(3, 3), TWICE, real(2, 3)),
    Case("index_add", lambda T, x, i, s: (T.index_add(x, 0, i, s), x.index_add(0, i, s, alpha=2), (x * 1).index_add_(0, i, s)),
         real(3, 4), AT_TWICE, real(3, 4)),
    Case("index_add dim 1", lambda T, x, i, s: T.index_add(x, -1, i, s), real(2, 3), AT_TWICE, real(2, 3)),
    Case("index_add ints", lambda T, x, i, s: x.index_add(0, i, s), whole(3, 2), AT_TWICE, whole(3, 2)),
    Case("index_copy", lambda T, x, i, s: (T.index_copy(x, 0, i, s), x.index_copy(0, i, s), (x * 1).index_copy_(0, i, s)),
         real(3, 4), AT, real(2, 4)),
    Case("index_fill", lambda T, x, i, v: (T.index_fill(x, 0, i, 2), x.index_fill(1, i, v), (x * 1).index_fill_(0, i, 0.5)),
         real(3, 4), AT, real()),
    Case("index_put", lambda T, x, i, v: (T.index_put(x, (i,), v), x.index_put((i, i), v[0, 0]), (x * 1).index_put_([i], v)),
         real(3, 4), AT, real(2, 4)),
    Case("index_put accumulate", lambda T, x, i, v: (x.index_put((i,), v, True), (x * 1).index_put_((i,), v, accumulate=True)),
         real(3, 4), AT_TWICE, real(3, 4)),
    Case("masked_select", lambda T, x, m: (T.masked_select(x, m), x.masked_select(m), x[:1].masked_select(m)), real(3, 4), truth(3, 4)),
    Case("masked_select broadcast", lambda T, x, m: x.masked_select(m), real(3, 1), truth(4)),
    Case("masked_scatter", lambda T, x, m, s: (T.masked_scatter(x, m, s), (x * 1).masked_scatter_(m, s)), real(3, 4), truth(4), real(4, 5)),
    Case("take", lambda T, x, i: (T.take(x, i), x.take(i[0])), real(3, 4), fixed("int64", [[0, -1], [5, 5]])),
    Case("put", lambda T, x, i, s: (T.put(x, i, s), x.put(i, s, True), (x * 1).put_(i, s)), real(3, 4), fixed("int64", [[0, -1], [5, 6]]), real(4)),
    Case("0-d", lambda T, x, i, s: (x.index_add(0, i, s), x.index_fill(0, i, 2.0), x.take(i)), real(), fixed("int64", [0]), real()),
]  # fmt: skip


@over(CASES)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    run(case, dtype, layout)


@pytest.mark.parametrize("place", [-1, 3])
def test_out_of_range(place: int) -> None:
    x, i = np.ones((3, 3)), np.full((1, 3), place)
    for name in ("scatter", "scatter_add"):
        compare_errors(lambda T, x, i, n=name: getattr(x, n)(0, i, x), x, i, match="out of bounds")
    compare_errors(lambda T, x, i: x.scatter_reduce(0, i, x, "sum"), x, i)
    for name in ("index_add", "index_copy"):
        compare_errors(lambda T, x, i, n=name: getattr(x, n)(0, i[0], x), x, i)
    compare_errors(lambda T, x, i: x.index_fill(0, i[0] - 3, 1.0), x, i) if place < 0 else None
    compare_errors(lambda T, x, i: x.take(i * 10), x, i)
    compare_errors(lambda T, x, i: x.put(i * 10, x[0]), x, i)


def test_errors() -> None:
    x, i, m = np.ones((2, 3)), np.zeros((2, 3), int), np.ones((2, 3), bool)
    compare_errors(lambda T, x, i: x.scatter(0, i, x.float()), x, i, match="Expected self.dtype to be equal")
    compare_errors(lambda T, x, i: x.scatter(0, i[0], x), x, i)
    compare_errors(lambda T, x, i: x.scatter(0, i.float(), x), x, i)
    compare_errors(lambda T, x, i: x.scatter(0, i, x[:1]), x, i, match="no larger")
    compare_errors(lambda T, x, i: x[:, :1].scatter(0, i, x), x, i, match="no larger")
    compare_errors(lambda T, x, i: x.scatter_reduce(0, i, x, "maximum"), x, i, match="reduce argument must be")
    compare_errors(lambda T, x, i: x.scatter(0, i, 2.0, reduce="mean"), x, i)
    compare_errors(lambda T, x, i: x.index_add(0, i[0], x), x, i)
    compare_errors(lambda T, x, i: x.index_add(0, i[0][:2], x.float()), x, i)
    compare_errors(lambda T, x, i: x.index_add(0, i, x), x, i)
    compare_errors(lambda T, x, i: x.index_copy(0, i[0], x), x, i)
    compare_errors(lambda T, x, i: x.index_fill(0, i, 1.0), x, i)
    compare_errors(lambda T, x, i: x.index_fill(0, i[0], x), x, i)
    compare_errors(lambda T, x, i: x.masked_select(i), x, i)
    compare_errors(lambda T, x, m: x.masked_scatter(m, x[0]), x, m)
    compare_errors(lambda T, x, m: x.masked_scatter(m, x.float()), x, m)
    compare_errors(lambda T, x: x.take(x), x)
    compare_errors(lambda T, x, i: x.put(i, x[0]), x, i)
    compare_errors(lambda T, x, i: x.scatter_(0, i, x), x, i, match="leaf")


def test_part_of_the_source_receives_a_gradient() -> None:
    """PyTorch refuses a source larger than the index in backward; here the unused part gets 0."""
    import tinytorch

    x, source = tinytorch.zeros(3, 4), tinytorch.ones(4, 3, requires_grad=True)
    x.scatter(1, tinytorch.tensor([[3, 0], [1, 2]]), source).sum().backward()
    expected = np.zeros((4, 3))
    expected[:2, :2] = 1
    assert source.grad is not None
    np.testing.assert_array_equal(source.grad.numpy(), expected)


@pytest.mark.parametrize("dim, width", [(0, 3), (0, 40), (1, 3), (2, 3)])
def test_an_index_that_is_expanded_means_whole_rows(dim, width):
    """What graph networks write, ``rows[:, None].expand_as(x)``: quicker than, and the same as, its copy."""
    shape = [4, 5, width]
    rng = np.random.default_rng(dim)
    rows = rng.integers(0, shape[dim], 30)
    many = [*shape[:dim], 30, *shape[dim + 1 :]]

    def program(T, copied):
        x = T.tensor(rng_x, requires_grad=True)
        src = T.tensor(rng_src, requires_grad=True)
        index = T.tensor(rows).reshape([-1 if d == dim else 1 for d in range(3)]).expand(many)
        index = index.contiguous() if copied else index
        results = [x.gather(dim, index), x.scatter_add(dim, index, src), T.zeros(shape).scatter_add_(dim, index, src)]
        for reduce in ("sum", "mean", "prod", "amax", "amin"):
            for include_self in (True, False):
                results.append(x.scatter_reduce(dim, index, src, reduce, include_self=include_self))
        loss = sum((y**2 * (1 + number)).sum() for number, y in enumerate(results))
        return [*results, *T.autograd.grad(loss, [x, src])]

    rng_x = (rng.integers(1, 4, shape) / 2 + 0.25).astype(np.float32)
    rng_src = (rng.integers(1, 4, many) / 2).astype(np.float32)
    expected = program(torch, True)
    for copied in (True, False):
        for number, (mine, theirs) in enumerate(zip(program(tinytorch, copied), expected, strict=True)):
            np.testing.assert_allclose(mine.detach(), theirs.detach(), 2e-4, 1e-4, err_msg=f"{number}, {copied}")


def test_an_expanded_index_is_checked_like_any_other():
    index = tinytorch.tensor([0, 3])[:, None].expand(2, 4)
    with pytest.raises(RuntimeError, match="index 3 is out of bounds for dimension 0 with size 3"):
        tinytorch.zeros(3, 4).scatter_add(0, index, tinytorch.ones(2, 4))
    with pytest.raises(RuntimeError, match="index 3 is out of bounds"):
        tinytorch.zeros(3, 4).gather(0, index)
