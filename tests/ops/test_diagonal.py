"""diagonal: compared with PyTorch."""

from __future__ import annotations

import numpy as np

from tests.compare import compare_errors
from tests.ops.cases import Case, real, truth, whole
from tests.ops.run_cases import over, run

CASES = [
    *[Case(f"diagonal {o} {d}", lambda T, x, o=o, d=d: (T.diagonal(x, o, *d), x.diagonal(o, *d)), real(3, 4, 3))
      for o in (0, 1, -1, 5) for d in ((0, 1), (0, 2), (-1, 0))],
    Case("diagonal is a view", lambda T, x: ((y := x * 1).diagonal().mul_(2), y)[1], real(3, 3)),
    *[Case(f"diag_embed {o} {d}", lambda T, x, o=o, d=d: T.diag_embed(x, o, *d), real(2, 3)) for o in (0, 2, -1) for d in ((-2, -1), (0, 2), (2, 1))],
    *[Case(f"diag {k}", lambda T, x, v, k=k: (T.diag(x, k), v.diag(k)), real(3, 4), real(3)) for k in (0, 1, -2)],
    Case("diagflat", lambda T, x: (T.diagflat(x), x.diagflat(-1)), real(2, 2)),
    Case("trace", lambda T, x: (T.trace(x), x.trace()), real(3, 4)),
    Case("trace ints", lambda T, x: x.trace(), whole(3, 3, kind="int32")),
    *[Case(f"tril triu {k}", lambda T, x, k=k: (T.tril(x, k), T.triu(x, k), x.tril(k), x.triu(diagonal=k)), real(2, 3, 4)) for k in (0, 1, -1, 9)],
    Case("tril bools", lambda T, x, i: (x.tril(), i.triu()), truth(3, 3), whole(3, 3)),
    Case("tril_ triu_", lambda T, x: ((x * 1).tril_(), (x * 1).triu_(1)), real(3, 3)),
    Case("indices", lambda T, x: (T.tril_indices(3, 4), T.triu_indices(3, 4, 1), T.tril_indices(4, 2, -1, dtype=T.int32),
                                  x[T.triu_indices(3, 3)[0], T.triu_indices(3, 3)[1]]), real(3, 3)),
    Case("block_diag", lambda T, a, b, c: T.block_diag(a, b, c), real(2, 3), real(2), real()),
    Case("empty", lambda T, x: (x.diagonal(), x.trace(), x.tril(), x[0].diag()), real(1, 0)),
]  # fmt: skip


@over(CASES)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    run(case, dtype, layout)


def test_errors() -> None:
    v, x = np.ones(3), np.ones((2, 2, 2))
    compare_errors(lambda T, v: T.diagonal(v), v)
    compare_errors(lambda T, x: T.diagonal(x, 0, 1, 1), x, match="identical")
    compare_errors(lambda T, x: T.diag(x), x)
    compare_errors(lambda T, x: T.trace(x), x)
    compare_errors(lambda T, v: T.tril(v), v)
    compare_errors(lambda T, x: T.block_diag(x), x)
    compare_errors(lambda T, x: T.tril_indices(-1, 2), x)
    compare_errors(lambda T, v: T.diag_embed(v, 0, 1, 1), v)
