"""Cases: sums, means, extremes, variance, truth, softmax."""

from __future__ import annotations

from tests.ops.cases import Case, fixed, positive, real, same, truth, values, whole

INF, NAN = float("inf"), float("nan")
TIES = values([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [0.0, NAN, 1.0]])
DIMS = (0, 1, -1, (0, 2), (-1, 0), [1], (0, 1, 2), None)
FEW = ("rows",)


def _over_dims(names: str, *, several: bool = True, second: bool = True) -> list[Case]:
    """Each reduction over every choice of dimensions, with and without keepdim."""
    cases = []
    for name in names.split():
        for dim in DIMS:
            if (not several and not isinstance(dim, int)) or (name == "logsumexp" and dim is None):
                continue
            for keepdim in (False, True):
                cases.append(
                    Case(
                        f"{name}(dim={dim},keepdim={keepdim})",
                        lambda T, x, n=name, d=dim, k=keepdim: getattr(T, n)(x, dim=d, keepdim=k),
                        real(2, 3, 4),
                        second=second,
                    )
                )
    return cases


CASES = [
    *_over_dims("sum mean var std logsumexp var_mean std_mean"),
    *_over_dims("prod max min argmax argmin", several=False),
    *[Case(f"{n}(dim={d},keepdim={k})", lambda T, x, n=n, d=d, k=k: getattr(T, n)(x, d, k), real(2, 3, 4))
      for n in ("amax", "amin", "all", "any") for d in (0, -1, (0, 2), (0, 1, 2)) for k in (False, True)],
    Case("all and any of no dimensions", lambda T, x: (T.all(x, dim=()), x.any(dim=[]), T.any(x, (), keepdim=True), x.sum(dim=())), whole(2, 3), layouts=FEW),
    *same("sum mean prod var std max min amax amin argmax argmin all any var_mean std_mean", real(2, 3, 4)),
    *same("sum mean prod max min amax amin argmax argmin all any", real()),
    *same("var std var_mean", real(2)),
    *same("sum prod all any max min amax amin argmax argmin", whole(3, 4), layouts=FEW),
    *same("sum prod all any max min argmax", whole(3, 4, kind="int32"), layouts=FEW),
    *same("sum prod all any max min argmax", whole(3, 4, kind="uint8", low=0), layouts=FEW),
    *same("sum prod all any max min amax", truth(3, 4), layouts=FEW),
    *same("sum mean prod all any", real(0)),
    *same("sum mean prod all any", real(2, 0, 3)),
    *same("max min amax amin argmax argmin", TIES),
    *same("sum mean max min var argmax argmin",
          values(1.0, NAN, INF, -INF), second=False),
    Case("sum empty dim", lambda T, x: (T.sum(x, 1), T.sum(x, 0), T.mean(x, 1), x.sum((0, 1)), x.prod(1)), real(2, 0)),
    Case("max over other than empty dim", lambda T, x: (*T.max(x, 1), x.amax(1), x.argmax(1)), real(0, 3)),
    Case("sum dim ()", lambda T, x: (T.sum(x, ()), T.mean(x, ()), T.amax(x, ())), real(2, 3)),
    Case("sum dtype", lambda T, x: (x.sum(dtype=T.float64), x.mean(0, dtype=T.float64), x.prod(0, dtype=T.float64)), real(2, 3)),
    Case("sum int dtype", lambda T, x: (x.sum(dtype=T.int32), x.sum(0, dtype=T.float32), x.mean(dtype=T.float64)), whole(2, 3),
         layouts=FEW),
    Case("axis keepdims", lambda T, x: (T.sum(x, axis=0, keepdims=True), x.mean(axis=(0, 1)), x.max(axis=1, keepdims=True).values),
         real(2, 3, 4)),
    Case("named results", lambda T, x: (x.max(1).values, x.max(dim=1).indices, x.min(-1)[0], x.min(-1)[1]), real(2, 3, 4)),
    Case("0-d with dim", lambda T, x: (x.sum(0), x.mean(-1), x.prod(0), x.amax(0), *x.max(0), x.argmax(0), x.cumsum(0)), real()),
    Case("var variants", lambda T, x: (
        x.var(False), x.var(1, False), x.var(dim=(0, 2), unbiased=True), x.var(1, correction=0), x.var(correction=2),
        x.std(False), x.std(1, False, True), x.std(correction=0), T.var(x, 0, keepdim=True, correction=1)), real(2, 3, 4)),
    Case("var_mean variants", lambda T, x: (*T.var_mean(x, 1, False), *T.std_mean(x, (0, 1), correction=0, keepdim=True)), real(2, 3, 4)),
    Case("var of one", lambda T, x: (x.var(0), x.std(0)), real(1, 3), second=False),
    Case("var of one correction 0", lambda T, x: x.var(0, correction=0), real(1, 3)),
    Case("std of constants", lambda T, x: x.std(1), values([[1.0, 1.0], [1.0, 2.0]]), second=False),
    Case("max ties by dim", lambda T, x: (*x.max(1), *x.min(0), x.amax(1), x.amin((0, 1)), x.argmax(1), x.argmin(0)), TIES),
    Case("max of bools", lambda T, x: (*x.max(1), x.amax(1)), truth(3, 4), layouts=FEW),
    Case("argmax of flat", lambda T, x: (x.argmax(), x.argmin(), T.argmax(x, keepdim=True)), real(3, 4)),
    Case("prod with zeros", lambda T, x: (x.prod(), x.prod(1)), values([[1.0, 0.0, 3.0], [0.0, 2.0, 0.0], [1.0, 2.0, 3.0]])),
    Case("prod of one", lambda T, x: (x.prod(), x.prod(1), x.prod(1, keepdim=True)), real(3, 1)),
    Case("prod long", lambda T, x: x.prod(), positive(11)),
    Case("all any ints", lambda T, x: (x.all(0), x.any(1), (x > 0).all(1), T.all(x), T.any(x, dim=(0, 1))), whole(3, 4), layouts=FEW),
    Case("logsumexp large", lambda T, x: (T.logsumexp(x, 0), x.logsumexp((0,), True)), values(1e3, 1e3 + 1, -1e3, -INF), second=False),
    Case("logsumexp all -inf", lambda T, x: T.logsumexp(x, 0), values(-INF, -INF), gradient=False),
    Case("logsumexp 0-d", lambda T, x: (T.logsumexp(x, 0), x.logsumexp((0,), True), T.logsumexp(x * float("inf"), 0).detach()), real()),
    Case("logsumexp ints", lambda T, x: T.logsumexp(x, 0), whole(3), layouts=FEW),
    Case("cumsum", lambda T, x: (T.cumsum(x, 0), x.cumsum(-1), x.cumsum(dim=1)), real(2, 3, 4)),
    Case("cumsum ints", lambda T, x: (T.cumsum(x, 0), x.cumsum(1, dtype=T.float32)), whole(2, 3), layouts=FEW),
    Case("cumsum bool", lambda T, x: T.cumsum(x, 0), truth(4), layouts=FEW),
    Case("cumsum empty", lambda T, x: T.cumsum(x, 0), real(0, 3)),
    *[Case(f"{n}(dim={d})", lambda T, x, n=n, d=d: getattr(T, n)(x, dim=d), real(2, 3, 4))
      for n in ("softmax", "log_softmax") for d in (0, 1, -1)],
    *[Case(f"{n} 0-d and empty", lambda T, x, y, n=n: (getattr(T, n)(x, 0), getattr(T, n)(y, 1)), real(), real(0, 3))
      for n in ("softmax", "log_softmax")],
    Case("softmax extremes", lambda T, x: (x.softmax(1), x.log_softmax(1)), values([[1e4, 0.0, -1e4], [0.0, -INF, 1.0]]), second=False),
    Case("softmax dtype", lambda T, x: (T.softmax(x, 0, dtype=T.float64), x.log_softmax(0, dtype=T.float64)), fixed("float32", [1.0, 2.0])),
    Case("softmax of ints with dtype", lambda T, x: T.softmax(x, 0, dtype=T.float32), whole(3), layouts=FEW),
    Case("float16 sums", lambda T, x: (x.sum(), x.mean(), x.amax()), fixed("float16", [1.5, 2.5, 0.25]), second=False),
    Case("int8 mean of sum", lambda T, x: (x.sum(), x.float().mean()), whole(50, kind="int8", low=100, high=120), layouts=FEW),
    Case("methods", lambda T, x: (
        x.sum(), x.mean(1), x.prod(0), x.var(), x.std(0), x.max(), x.min(), x.amax(0), x.amin(), x.argmax(0), x.all(), x.any(1),
        x.sum([0, 1]), x.sum(0, True), x.mean(0, keepdim=True), x.softmax(0), x.log_softmax(-1)), real(3, 4)),
]  # fmt: skip
