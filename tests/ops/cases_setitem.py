"""Cases: assignment to elements, as a new value of a clone, with the gradients of old and new values."""

from __future__ import annotations

from typing import Any

from tests.ops.cases import Case, fixed, real, truth, whole
from tests.ops.cases_indexing import ADVANCED, BASIC, index_of

FEW = ("rows",)
#: With a repeated index the last one written wins in NumPy; PyTorch leaves it open.
UNIQUE = [
    text for text in (*BASIC, *ADVANCED) if text not in ("t([0, 0, 0])", "t([[0, 2], [1, 1]])", "[[0, 2], [1, 1]]")
]


def _assign(T: Any, x: Any, index: Any, value: Any) -> Any:
    y = x.clone()
    y[index] = value
    return y * y


def _assign_tensor(T: Any, x: Any, text: str) -> Any:
    index = index_of(text, T)
    return _assign(T, x, index, x[index].detach().cos() * x.sum())


def _add(T: Any, x: Any, index: Any, value: Any) -> Any:
    y = x.clone()
    y[index] += value
    return y * y


CASES = [
    *[Case(f"x[{text}] = number", lambda T, x, s=text: _assign(T, x, index_of(s, T), 3), real(3, 4, 5), layouts=FEW)
      for text in UNIQUE if "uint8" not in text],
    *[Case(f"x[{text}] = tensor", lambda T, x, s=text: _assign_tensor(T, x, s), real(3, 4, 5), layouts=("rows", "columns"))
      for text in UNIQUE if "uint8" not in text],
    *[Case(f"x[{text}] += number", lambda T, x, s=text: _add(T, x, index_of(s, T), 1.5), real(3, 4, 5), layouts=FEW)
      for text in ("0", ":, 1", "..., ::2", "t([0, 2])", "t([0, 2]), :, t([1, 3])", "t([True, False, True])")],
    Case("x[0] = y", lambda T, x, y: _assign(T, x, 0, y), real(3, 4), real(4)),
    Case("x[1:] = broadcast y", lambda T, x, y: _assign(T, x, slice(1, None), y), real(3, 4), real(4)),
    Case("x[1:] = 0-d y", lambda T, x, y: _assign(T, x, slice(1, None), y), real(3, 4), real()),
    Case("x[0] = y with leading 1", lambda T, x, y: _assign(T, x, 0, y), real(3, 4), real(1, 1, 4)),
    Case("x[i] = y with leading 1", lambda T, x, y: _assign(T, x, [0, 2], y), real(3, 4), real(1, 2, 4)),
    Case("x[i] = broadcast y", lambda T, x, y: _assign(T, x, [0, 2], y), real(3, 4), real(4)),
    Case("x[mask] = y", lambda T, x, y: _assign(T, x, x > 0, y), real(3, 4), real()),
    Case("x[mask] = vector", lambda T, x, y: _assign(T, x, T.tensor([[True, False, True, True]] * 3), y), real(3, 4), real(9)),
    Case("x[mask] = 0", lambda T, x: _assign(T, x, x < 0, 0), real(3, 4)),
    Case("x[rows mask] = y", lambda T, x, m, y: _assign(T, x, m, y), real(3, 4), truth(3), real(4)),
    Case("0-d", lambda T, x, y: (_assign(T, x, (), y), _assign(T, x, ..., 2), _assign(T, x, x > -9, 3)), real(), real()),
    Case("x[:] = y", lambda T, x, y: _assign(T, x, slice(None), y), real(3, 4), real(3, 4)),
    Case("dtype of the value", lambda T, x, y: _assign(T, x, 0, y), fixed("float32", [1.0, 2.0]), fixed("float64", 3.0)),
    Case("int values", lambda T, x: (_assign(T, x, 0, 2.7), _assign(T, x, T.tensor([0, 1]), True)), whole(3), layouts=FEW),
    Case("float into ints", lambda T, x, y: _assign(T, x, 0, y), whole(3), fixed("float64", 2.7), gradient=False, layouts=FEW),
    Case("bool values", lambda T, x: _assign_bool(x), truth(4), layouts=FEW),
    Case("x[i] = x[j]", lambda T, x: _assign(T, x, 0, x[1]), real(3, 4)),
    Case("swap", lambda T, x: _swap(x), real(3, 4)),
    Case("index_put", lambda T, x, y: T.index_put(x, (T.tensor([0, 2]),), y) * 2, real(3, 4), real(4)),
    Case("index_put two", lambda T, x, y: x.index_put((T.tensor([0, 2]), T.tensor([1, 1])), y), real(3, 4), real(2)),
    Case("index_put accumulate", lambda T, x, y: T.index_put(x, (T.tensor([0, 2, 0]),), y, accumulate=True) ** 2, real(3, 4), real(3, 4)),
    Case("index_put accumulate broadcast", lambda T, x, y: x.index_put((T.tensor([0, 2, 0]),), y, True), real(3, 4), real(4)),
    Case("index_put_", lambda T, x, y: (x * 1).index_put_((T.tensor([2, 0]),), y), real(3, 4), real(4)),
    Case("loop of writes", lambda T, x: _loop(T, x), real(4, 3)),
]  # fmt: skip


def _assign_bool(x: Any) -> Any:
    y = x.clone()
    y[1] = True
    y[2:] = False
    return y


def _swap(x: Any) -> Any:
    y = x * 1
    y[0], y[1] = y[1].clone(), y[0].clone()
    return y * y


def _loop(T: Any, x: Any) -> Any:
    y = T.zeros_like(x)
    for i in range(4):
        y[i] = x[i] * (y[i - 1] + i + 1)
    return y
