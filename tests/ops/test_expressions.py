"""One-line expressions beside PyTorch: the value with its dtype, shape and strides, or the class of the error."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch

EXPRESSIONS = [
    # strides, of empty tensors and of dimensions of size 1
    *[f"{x}.stride()" for x in (
        "T.empty(0, 3)", "T.empty(2, 0, 3)", "T.empty(0)", "x[:0]", "x[:, 4:]", "x[[]]", "x[None]", "x[:, None]", "x[..., None]",
        "x.t()[:, None]", "T.tensor(1.)[None, None]", "T.ones(3).expand(1, 3)", "T.ones(1, 3).expand(5, 3)", "x[:, [0, 2]]",
        "x[..., [0, 2]]", "c[:, [0, 1], [1, 0]]", "c[[0, 1], :, [1, 0]]", "c[:, [True, False, True]]")],
    *[f"T.{make}.stride()" for make in (
        "empty(1, 2, 3, 4, memory_format=T.channels_last)", "zeros_like(images, memory_format=T.contiguous_format)",
        "ones_like(images)", "full_like(c[None], 1.0, memory_format=T.channels_last)", "empty_like(images, memory_format=T.preserve_format)",
        "rand_like(images)")],
    "T.empty(2, 3, memory_format=T.channels_last)", "T.empty(2, 3, memory_format=T.preserve_format)",
    # indices
    "x[0.0:2.0]", "x[1:2:'a']", "x.__delitem__(0)", "x[..., ...]", "x[..., 0, ...]", "x[T.tensor([0, 1], dtype=T.int8)]",
    "i.__setitem__([0, 1], T.tensor([1.5, 2.5]))", "x.__setitem__([0, 1], T.tensor(1))", "x.__setitem__(x > 1, T.tensor(7))",
    "T.where(x > 1, 1)", "T.where(x > 1, x)",
    # tensors among numbers and arrays
    "T.tensor([T.tensor([1]), T.tensor([2])])", "T.tensor([T.tensor([[1.5]]), 2])", "T.tensor([[1], T.tensor([2])])",
    "T.tensor([T.tensor([1, 2])])", "T.tensor([T.tensor([1., 2])])", "T.tensor([T.tensor([1., 2])], dtype=T.int64)",
    "i == np.array([1, 0])", "np.array([1, 0]) == i", "np.array([1., 3]) / (i + 1)", "i / np.array([2, 4])",
    # operators, conversions and types
    "i.__rmatmul__(2) is NotImplemented", "2 @ i", "reversed(i)", "T.tensor(2).__reversed__()", "+T.tensor([True])", "i.__div__(2)", "x.clone().__idiv__(2)", "i.__idiv__(2)",
    "T.tensor([1]).__nonzero__()", "T.tensor([1.5]).__long__()", "T.range(3, 0)", "T.range(0, 1, 0)", "T.promote_types(1, 2)",
    "T.can_cast(1, 2)", "T.finfo('float32')", "T.finfo(T.half) == T.finfo(T.half)", "T.iinfo(T.int8) == T.iinfo(T.int16)",
    "str(T.half.to_complex())", "str(T.bfloat16.to_complex())", "T.int32.to_complex()",
    # the old Variable
    *[f"(lambda v: (v.requires_grad, v.is_leaf, v.data_ptr() == g.data_ptr(), type(v) is T.Tensor))(T.autograd.Variable({x}))"
      for x in ("x", "g", "g * 2", "g, True", "g * 2, requires_grad=True", "", "5", "data=i", "i, True", "x, False, True")],
    "[isinstance(v, T.autograd.Variable) for v in (x, T.nn.Parameter(x), 5)]",
    # storages
    "T.FloatStorage([1, 2]).tolist()", "T.FloatStorage(3).size()", "str(T.DoubleStorage([1]).dtype)", "T.UntypedStorage([1, 300]).tolist()",
    "T.TypedStorage([1, 2], dtype=T.int16).tolist()", "str(T.TypedStorage([1]).dtype)",
    "[isinstance(x.storage(), s) for s in (T.FloatStorage, T.LongStorage, T.TypedStorage)]", "x.storage_type() is T.FloatStorage",
    "T.tensor(T.FloatStorage([1, 2]))", "T.tensor(T.FloatStorage([1]), dtype=T.int64)", "T.tensor(T.UntypedStorage([1, 2, 3, 4]), dtype=T.int16)",
    "T.FloatTensor(T.FloatStorage([1, 2]))", "T.tensor([]).set_(T.FloatStorage([1, 2, 3]), 1, (2,))", "T.tensor([]).set_(T.DoubleStorage([1]))",
    *[f"(lambda s: (str(s.dtype), s.tolist(), s.type()))(T.FloatStorage([0, 1.5]).{kind}())" for kind in
      ("double", "float", "half", "long", "int", "short", "char", "byte", "bool", "cpu")],
    "T.FloatStorage([1]).resize_(0)", "T.UntypedStorage([1, 2]).resize_(1).tolist()",
    "(lambda t, s: (s.fill_(3), t.tolist())[1])(*copy.deepcopy([x, x.storage()]))",
    # comparisons for tests, and the numbers they compare
    *[f"T.testing.assert_close({pair})" for pair in (
        "T.eye(2).to_sparse(), T.eye(2).to_sparse()", "T.eye(2).to_sparse(), 2 * T.eye(2).to_sparse()", "T.eye(2), T.eye(2).to_sparse()",
        "T.eye(2), T.eye(2).to_sparse(), check_layout=False", "x, T.ones(3, 4, device='meta')", "x, np.ones((3, 4), np.float32)",
        "x, T.nn.Parameter(x)", "x, T.nn.Parameter(x), allow_subclasses=False")],
    *[f"T.testing.make_tensor(2, {options}).stride()" for options in (
        "dtype=T.float32", "dtype=T.float32, device='cpu', low=5, high=1", "dtype=T.int64, device='cpu', requires_grad=True",
        "dtype=T.float32, device='cpu', noncontiguous=True, memory_format=T.channels_last", "3, 4, 5, dtype=T.float32, device='cpu'",
        "3, 4, 5, dtype=T.float32, device='cpu', memory_format=T.channels_last")],
    "x.fill_(T.ones(2))", "x.fill_(T.tensor(2))",
    # checks
    *[f"T._check{name}(False)" for name in ("", "_value", "_index", "_type", "_not_implemented")], "T._check_value(True)",
    "T._check_is_size(-1)", "T._check_is_size(3, max=2)", "T._check_is_size(2)", "T._check_tensor_all(True)",
    "T._check_tensor_all(T.tensor([True, False]))", "T._check_tensor_all(T.tensor([True]))", "T._check_tensor_all(T.ones(1))",
    "T._check(False, lambda: 'why')", "T._check_with(KeyError, False, lambda: 'why')", "T._check(False, 'text')",
]  # fmt: skip


def _outcome(T: Any, expression: str) -> Any:
    names = {
        "T": T, "np": np, "copy": copy, "x": T.arange(12.0).view(3, 4), "g": T.ones(2, requires_grad=True), "i": T.tensor([1, 2]), "c": T.arange(12.0).view(2, 3, 2),
        "images": T.ones(2, 3, 4, 5).contiguous(memory_format=T.channels_last),
    }  # fmt: skip
    try:
        value = eval(expression, names)
    except Exception as error:
        return RuntimeError if isinstance(error, NotImplementedError) and "_check" not in expression else type(error)
    if isinstance(value, T.Tensor):
        return str(value.dtype), tuple(value.shape), value.stride(), value.tolist()
    return value


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_same_as_pytorch(expression: str) -> None:
    assert _outcome(tinytorch, expression) == _outcome(torch, expression)
