"""Cases: making tensors. PyTorch's dtypes, shapes and values."""

from __future__ import annotations

import numpy as np

from tests.ops.cases import Case, real, whole

FEW = ("rows",)
DATA = (
    "1", "1.5", "True", "[]", "[[]]", "[[], []]", "[1, 2]", "[1, 2.5]", "[True, False]", "[True, 2]", "[[1, 2], [3, 4]]", "(1, 2)",
    "[(1, 2), (3.0, 4)]", "range(3)", "[range(2), range(2)]", "np.arange(3)", "np.float32(2)", "np.ones((2, 2), np.float32)",
    "[np.float64(1), np.float64(2)]", "np.array(3)", "[np.ones(2), np.zeros(2)]", "T.tensor([1, 2])", "[T.tensor(1), T.tensor(2)]",
    "[T.tensor(1.5), 2]", "2**40", "-3", "1e300", "float('nan')", "np.int32(4)", "np.bool_(True)", "[np.int32(4)]", "[1, True]",
)  # fmt: skip


INF = float("inf")
CASES = [
    *[Case(f"tensor({text})", lambda T, s=text: T.tensor(eval(s, {"np": np, "T": T}))) for text in DATA],
    *[Case(f"as_tensor({text})", lambda T, s=text: (T.as_tensor(eval(s, {"np": np, "T": T})), T.asarray(eval(s, {"np": np, "T": T}))))
      for text in DATA[:8]],
    *[Case(f"tensor dtype {kind}", lambda T, k=kind: T.tensor([0, 1, 2], dtype=getattr(T, k)))
      for kind in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")],
    Case("tensor float dtype", lambda T: (T.tensor([1.7, -1.7], dtype=T.int64), T.tensor(2, dtype=T.float64), T.tensor(0.5, dtype=T.bool))),
    Case("tensor python dtype", lambda T: (T.tensor([1], dtype=float), T.tensor([1.5], dtype=int), T.tensor([2], dtype=bool))),
    *[Case(name, lambda T, n=name: (getattr(T, n)(2, 3), getattr(T, n)((2, 3)), getattr(T, n)([2]), getattr(T, n)(0, 3), getattr(T, n)(()),
      getattr(T, n)(2, dtype=T.int32), getattr(T, n)(3, dtype=T.bool), getattr(T, n)(size=(2, 1)))) for name in ("zeros", "ones")],
    Case("empty", lambda T: (T.empty(2, 3).shape, T.empty((2,), dtype=T.int64).dtype, T.empty(0, 2).shape)),
    Case("full", lambda T: (T.full((2, 3), 1.5), T.full((2,), 3), T.full((), True), T.full((2,), 1, dtype=T.float64), T.full([2], 2.5, dtype=T.int64))),
    Case("like", lambda T, x: (T.zeros_like(x), T.ones_like(x), T.full_like(x, 2.5), T.empty_like(x).shape, T.zeros_like(x, dtype=T.int64)), real(2, 3)),
    Case("like ints", lambda T, x: (T.zeros_like(x), T.ones_like(x, dtype=T.float32), T.full_like(x, 2)), whole(2, 3), layouts=FEW),
    Case("options", lambda T: (T.zeros(2, layout=T.strided, pin_memory=False), T.eye(2, device="cpu", layout=T.strided),
         T.scalar_tensor(3, device="cpu", dtype=T.int64), T.arange(3, layout=T.strided), T.linspace(0, 1, 3, layout=T.strided))),
    Case("full out of range", lambda T: (T.full((2,), -9, dtype=T.uint8), T.full((2,), INF), T.full_like(T.ones(1).byte(), -1))),
    Case("arange cut", lambda T: (T.arange(0.5, 5.7, 1.5, dtype=T.int32), T.arange(1.0, 5.000001, 2.0, dtype=T.int64))),
    Case("requires_grad", lambda T: (T.zeros(2, requires_grad=True), T.tensor([1.0], requires_grad=True), T.ones_like(T.zeros(2), requires_grad=True)),
         gradient=False),
    Case("arange", lambda T: (T.arange(5), T.arange(2, 5), T.arange(1, 10, 3), T.arange(5, 0, -2), T.arange(0), T.arange(3, 3))),
    Case("arange floats", lambda T: (T.arange(2.5), T.arange(0, 1, 0.25), T.arange(1, 0, -0.3), T.arange(0.1, 0.5, 0.1), T.arange(3.0))),
    Case("arange dtype", lambda T: (T.arange(3, dtype=T.float64), T.arange(3, dtype=T.int32), T.arange(0, 1, 0.1, dtype=T.float64), T.arange(end=3))),
    Case("linspace", lambda T: (T.linspace(0, 1, 5), T.linspace(-2, 3, 7), T.linspace(1, 0, 4), T.linspace(2, 5, 1), T.linspace(0, 1, 0))),
    Case("linspace dtype", lambda T: (T.linspace(0, 1, 11, dtype=T.float64), T.linspace(0, 10, 5, dtype=T.int64), T.linspace(0, 1, steps=100))),
    Case("logspace", lambda T: (T.logspace(0, 2, 3), T.logspace(0, 3, 4, base=2), T.logspace(-1, 1, 5, dtype=T.float64))),
    Case("eye", lambda T: (T.eye(3), T.eye(2, 3), T.eye(3, 2, dtype=T.int64), T.eye(0))),
    Case("scalar_tensor", lambda T: (T.scalar_tensor(2), T.scalar_tensor(1.5, dtype=T.float64))),
    Case("from_numpy", lambda T: (T.from_numpy(np.arange(6.0).reshape(2, 3)), T.from_numpy(np.ones(2, np.int32)), T.from_numpy(np.array(1.5)))),
    Case("from_dlpack", lambda T: T.from_dlpack(np.arange(3.0))),
    Case("new tensors", lambda T, x: (x.new_zeros(2, 3), x.new_ones((2,)), x.new_full((2,), 3), x.new_tensor([1, 2]), x.new_zeros(2, dtype=T.int64)),
         real(2, 3)),
    Case("legacy constructor", lambda T: (T.Tensor([1, 2]), T.Tensor(2, 3).shape, T.Tensor([[1, 2], [3, 4]]))),
    Case("promotion functions", lambda T: (T.promote_types(T.int32, T.float32), T.promote_types(T.uint8, T.int8), T.can_cast(T.float32, T.int64),
         T.can_cast(T.int64, T.float32), T.result_type(T.ones(2), 1), T.get_default_dtype())),
    Case("item and tolist", lambda T: (T.tensor(1.5).item(), T.tensor([2]).item(), T.tensor([[1, 2]]).tolist(), T.tensor(True).item(),
         float(T.tensor(2)), int(T.tensor(2.7)), bool(T.tensor([0.0])))),
]  # fmt: skip
