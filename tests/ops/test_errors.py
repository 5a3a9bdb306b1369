"""Misuse raises the error type that PyTorch raises, and says which sizes, dimensions or dtypes do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare_errors

M34, M43, V3, V4, S = np.ones((3, 4)), np.ones((4, 3)), np.ones(3), np.ones(4), np.array(1.0)
T234, EMPTY = np.ones((2, 3, 4)), np.ones((0, 3))
INTS, LONGS, BOOLS, BYTES = np.ones(3, np.int32), np.arange(3), np.ones(3, bool), np.ones(3, np.uint8)
F32 = np.ones((3, 4), np.float32)

#: (expression as text, inputs x, y, z, what tinytorch's message must contain)
BAD: list[tuple[str, tuple[Any, ...], str]] = [
    # broadcasting
    *[(f"x {sign} y", (M34, V3), "The size of tensor a (4) must match the size of tensor b (3) at non-singleton dimension 1")
      for sign in ("+", "-", "*", "/", "//", "%", "**", "<", "==")],
    ("T.maximum(x, y)", (M34, V3), "(4) must match the size of tensor b (3) at non-singleton dimension 1"),
    ("T.where(x > 0, x, y)", (M34, V3), "must match"),
    ("T.broadcast_shapes((2, 3), (4,))", (), ""),
    ("T.broadcast_to(x, (2, 3))", (M34,), "(3)"),
    ("x.expand(2, 3, 5)", (M34,), "The expanded size of the tensor (5) must match the existing size (4) at non-singleton dimension 2"),
    ("x.expand(4)", (M34,), "must be greater or equal to the number of dimensions in the tensor (2)"),
    ("x.expand(-1, 3, 4)", (M34,), "isn't allowed in a leading, non-existing dimension 0"),
    # signatures
    ("T.var(x, dim=True)", (V3,), ""), ("x.var(dim=True)", (V3,), ""), ("T.std(x, unbiased=True, keepdim=True)", (V3,), ""), ("x.var(1, True, correction=0)", (M34,), ""), ("T.std(x, 0, None)", (V3,), ""),
    ("x.median(keepdim=True)", (V3,), "dim"), ("T.linalg.cholesky(A=x)", (M34,), ""), ("x[2**64]", (V3,), ""), ("x[[0.5, float('nan')]]", (V3,), "int64"), ("x[[1j]]", (V3,), ""),
    # operands
    ("x + 'a'", (V3,), ""), ("x + None", (V3,), ""), ("x + [1]", (V3,), ""), ("None * x", (V3,), ""), ("x @ 2", (V3,), ""),
    ("T.add(x, 'a')", (V3,), ""), ("T.mul(x, None)", (V3,), ""), ("T.maximum(x, 1)", (V3,), "must be Tensor, not int"),
    *[(f"T.Tensor.__{name}__({args})", (V3,), "") for name in ("radd", "rmul", "rand", "ror", "rxor", "rdiv") for args in ("2, x", "2, 3")],
    ("T.nn.functional.kl_div(x, y)", (V3, BOOLS), "bool"), ("T.nn.functional.group_norm(x, 0)", (M34,), ""),
    ("T.nn.functional.cross_entropy(x, y)", (T234, np.ones((2, 4), np.uint8)), "Byte"), ("x[:0].index_copy(0, y, T.ones(3))", (V3.astype(np.float32), LONGS), ""),
    ("T.native_group_norm(x, None, None, 2, 3, 5, 1, 0.5)", (T234,), "N * C * HxW"), ("x[:0].index_put((y,), T.ones(1, 5))", (V3.astype(np.float32), LONGS), ""),
    # reductions without a dimension, or with a bool for it
    *[(f"x.{name}(keepdim={value})", (V3,), "keepdim") for name in ("sum", "mean", "prod", "max", "min") for value in (True, False)],
    ("T.arange(0, 2**63, dtype=T.int64)", (), ""), ("T.arange(-2**63, 1)", (), ""), ("T.arange(1.5, 1, dtype=T.int64)", (), "sign"), ("x.clamp(0, 1e300)", (np.ones(2, np.float32),), "float"),
    ("T.where(x > 0, x, 1e300)", (np.ones(2, np.float32),), "float"), ("T.addmm(x, x, x, beta=1e300)", (np.ones((2, 2), np.float32),), "float"), ("T.index_reduce(x, 0, T.tensor([0]), x, 'amin')", (V3,), ""),
    ("x.prod(None)", (V3,), ""), ("x.std(True, True)", (V3,), "bool"), ("x.var(True, correction=1)", (V3,), "bool"),
    ("T.linalg.vector_norm(x, dtype=T.float16)", (V3,), "without narrowing"), ("T.linalg.vector_norm(x, dtype=T.complex128)", (V3,), "dtype"),
    ("T.copysign(x, 1j)", (V3,), "complex"),
    # arithmetic
    ("x - y", (BOOLS, BOOLS), "Subtraction, the `-` operator, with two bool tensors is not supported"),
    ("x - True", (V3,), "bool"), ("True - x", (LONGS,), "bool"), ("-x", (BOOLS,), "bool tensor is not supported"),
    ("T.neg(x)", (BOOLS,), "bool"),
    ("x // 0", (INTS,), "ZeroDivisionError"), ("x % 0", (INTS,), "ZeroDivisionError"), ("T.fmod(x, 0)", (INTS,), "ZeroDivisionError"),
    ("T.div(x, 0, rounding_mode='trunc')", (INTS,), "ZeroDivisionError"),
    ("T.div(x, 2, rounding_mode='up')", (V3,), "'up'"),
    ("x ** -1", (INTS,), "Integers to negative integer powers are not allowed"),
    ("T.add(x, y, alpha=1.5)", (INTS, INTS), "alpha must not be a floating point number"),
    ("(x // 2).backward(y)", (V3, V3), "derivative for aten::floor_divide is not implemented"),
    ("x & y", (V3, V3), "not implemented for"), ("~x", (V3,), "only implemented on integer and Boolean"), ("x | 1.5", (INTS,), ""),
    ("T.bitwise_xor(x, y)", (V3, V3), "not implemented for"),
    ("T.relu(x)", (BOOLS,), "Boolean inputs not supported for relu"),
    ("T.clamp(x)", (V3,), "At least one of 'min' or 'max' must not be None"),
    ("T.masked_fill(x, y, 1)", (V3, LONGS), "boolean masks"), ("x.masked_fill(x > 0, y)", (V3, V3), "0-dimensional value tensor"),
    ("T.where(x, x, x)", (V3,), "boolean tensor"),
    ("T.isclose(x, y)", (V3, INTS), "same dtype"), ("T.allclose(x, y)", (V3, INTS), "same dtype"),
    ("T.allclose(x, y)", (M34, V3), ""),
    ("T.logical_and(x, y)", (M34, V3), "must match"),
    *[(f"T.{name}(2, x)", (LONGS,), "must be Tensor, not int") for name in ("eq", "lt", "fmod", "rsub", "fmax", "gcd", "ldexp", "isclose", "clamp_min")],
    *[(f"T.{name}(2, 3)", (), "") for name in ("pow", "float_power", "remainder", "bitwise_and", "ge")],
    ("T.isclose(x, x, rtol=-1)", (V3,), "rtol must be greater than or equal to zero, but got -1"),
    ("T.full((2,), 300, dtype=T.uint8)", (), "value cannot be converted to type uint8_t without overflow"),
    ("T.full((2,), 1e39, dtype=T.float32)", (), "value cannot be converted to type float without overflow"),
    ("T.masked_fill(x, x > 0, 1j)", (V3,), "without overflow"), ("x.fill_(2**40)", (INTS,), "without overflow"),
    ("T.arange(0, float('inf'))", (), "unsupported range: 0 -> inf"), ("T.linspace(0, 3, 1.0)", (), "argument 'steps' (position 3) must be int, not float"),
    ("T.cov(x, fweights=y)", (V3, V3), "integral dtype"), ("T.cov(x, fweights=y)", (V3, M34), "one or fewer dimensions"),
    ("T.renorm(x, 1, 0, 1)", (S,), "at least 2 dimensions"), ("T.roll(x, 0, 0)", (S,), "no dimensions"),
    ("T.narrow(x, 0, y, 1)", (V3, LONGS), "0-dim integral"), ("T.hsplit(x, 'a')", (M34,), ""), ("T.dstack([])", (), "non-empty"),
    ("x.sum_to_size(4)", (V3,), "is not expandable to size"), ("x.resize_(2)", (V3,), "cannot resize variables that require grad"),
    *[(f"T.{name}", (BOOLS,), "not implemented for 'Bool'") for name in ("floor(x)", "round(x)", "fmod(x, 2 > 1)", "div(x, x, rounding_mode='trunc')",
      "kthvalue(x, 1)", "median(x)", "bitwise_left_shift(x, x)", "gcd(x, x)", "nn.functional.leaky_relu(x)")],
    ("T.argmax(x)", (BOOLS,), "does not support bool"), ("T.frac(x)", (LONGS,), "not implemented for 'Long'"),
    # dims
    *[(f"T.{name}(x, {dim})", (M34,), "Dimension out of range (expected to be in range of [-2, 1], but got")
      for name in ("sum", "mean", "prod", "var", "amax", "argmax", "max", "min", "all", "softmax", "cumsum", "logsumexp", "unbind")
      for dim in (2, -3)],
    ("T.sum(x, (0, 0))", (M34,), "dim 0 appears multiple times in the list of dims"),
    ("T.mean(x, (0, -2))", (M34,), "dim 0 appears multiple times"),
    ("T.sum(x, 1)", (S,), "[-1, 0], but got 1"), ("x.sum('a')", (V3,), ""), ("x.sum(1.5)", (V3,), ""),
    ("T.mean(x)", (LONGS,), "Got: Long"), ("T.var(x)", (LONGS,), ""), ("T.std(x)", (INTS,), ""),
    ("T.max(x)", (EMPTY,), "numel() == 0"), ("T.max(x, 0)", (EMPTY,), ""), ("T.argmax(x)", (EMPTY,), "numel() == 0"),
    ("T.argmin(x, 0)", (EMPTY,), ""), ("T.amax(x, 0)", (EMPTY,), ""), ("T.amin(x)", (EMPTY,), ""), ("T.min(x)", (EMPTY,), ""),
    ("T.softmax(x, 0)", (LONGS,), "not implemented for 'Long'"), ("T.log_softmax(x, 0)", (BOOLS,), "not implemented for 'Bool'"),
    # shapes
    ("x.reshape(5, 2)", (M34,), "shape '[5, 2]' is invalid for input of size 12"),
    ("x.view(5, -1)", (M34,), "shape '[5, -1]' is invalid for input of size 12"),
    ("x.reshape(-1, -1)", (M34,), "only one dimension can be inferred"), ("x.reshape(-2, 6)", (M34,), "invalid shape dimension -2"),
    ("x.reshape(-1, 0)", (EMPTY,), "ambiguous"), ("x.reshape(2.0, 6)", (M34,), "must be"), ("x.reshape('a')", (M34,), ""),
    ("x.t().view(12)", (M34,), "Use .reshape(...) instead"), ("x[:, 1:].view(-1)", (M34,), "Use .reshape(...) instead"),
    ("x.permute(0)", (M34,), "input.dim() = 2 is not equal to len(dims) = 1"),
    ("x.permute(0, 0)", (M34,), "duplicate dims are not allowed"), ("x.permute(0, 2)", (M34,), "but got 2"),
    ("x.transpose(0, 2)", (M34,), "but got 2"), ("x.t()", (T234,), "t() expects a tensor with <= 2 dimensions, but self is 3D"),
    ("x.mT", (V3,), ""), ("x.movedim(0, 5)", (M34,), "but got 5"), ("x.movedim((0, 1), (0,))", (M34,), ""),
    ("x.squeeze(2)", (M34,), "but got 2"), ("x.unsqueeze(3)", (M34,), "[-3, 2], but got 3"), ("x.flatten(1, 0)", (M34,), "start_dim cannot come after end_dim"),
    ("x.unflatten(1, (3, 3))", (M34,), "[3, 3]"), ("x.flip(2)", (M34,), "but got 2"), ("x.flip(0, 0)", (M34,), "appears multiple times"),
    ("x.repeat(2)", (M34,), "can not be smaller than number of dimensions"), ("x.repeat(-1, 2)", (M34,), "negative dimension"),
    ("T.cat([x, y])", (M34, M43), "Sizes of tensors must match except in dimension 0. Expected size 4 but got size 3 for tensor number 1 in the list."),
    ("T.cat([x, y])", (M34, V3), "Tensors must have same number of dimensions: got 2 and 1"), ("T.cat([])", (), "non-empty"),
    ("T.cat([x, y])", (S, S), "zero-dimensional tensor (at position 0) cannot be concatenated"), ("T.cat(x)", (V3,), "must be tuple of Tensors, not Tensor"),
    ("T.cat([x, 1])", (V3,), "expected Tensor as element 1 in argument 0, but got int"), ("T.cat([x, y], 2)", (M34, M34), "but got 2"),
    ("T.stack([x, y])", (M34, M43), "stack expects each tensor to be equal size, but got [3, 4] at entry 0 and [4, 3] at entry 1"),
    ("T.stack([])", (), "non-empty"), ("T.stack([x, x], 3)", (M34,), "but got 3"),
    ("x.split([1, 1])", (M34,), "sum exactly to 3"), ("x.split(-1)", (M34,), "non-negative"), ("x.split(2, 3)", (M34,), "but got 3"), ("x.split(1)", (S,), ""),
    ("x.chunk(0)", (M34,), "greater than 0, got: 0"), ("x.unbind()", (S,), ""), ("x.narrow(0, 2, 2)", (M34,), "exceeds dimension size (3)"),
    ("x.narrow(0, 5, 1)", (M34,), "but got 5"), ("x.narrow(0, 0, -1)", (M34,), "non-negative"), ("x.narrow(0, 0, 1)", (S,), "0-dim"), ("x.select(1, 4)", (M34,), "4"),
    ("x.select(0, 0)", (S,), "0-dim"), ("x.unflatten(0, ())", (M34,), "non-empty"),
    ("len(x)", (S,), ""), ("list(x)", (S,), ""), ("a, b = x", (V3,), ""), ("bool(x)", (V3,), "more than one value"), ("bool(x)", (EMPTY,), ""), ("float(x)", (V3,), ""),
    ("x.item()", (V3,), "3 elements"), ("range(x)", (S,), ""), ("[1, 2][x]", (S,), ""), ("if_(x > 0)", (V3,), ""),
    # indexing
    ("x[3]", (M34,), "3 is out of bounds for dimension 0 with size 3"), ("x[-4]", (M34,), "out of bounds"), ("x[0, 4]", (M34,), "dimension 1 with size 4"),
    ("x[0, 0, 0]", (M34,), "too many indices for tensor of dimension 2"), ("x[0]", (S,), "0-dim tensor"), ("x[:]", (S,), ""),
    ("x[::-1]", (V3,), "step must be greater than zero"), ("x[::0]", (V3,), ""), ("x[1.5]", (V3,), "float"), ("x['a']", (V3,), ""), ("x[{}]", (V3,), ""),
    ("x[y]", (M34, V3), "tensors used as indices must be long, int, byte or bool tensors"), ("x[[0, 3]]", (M34,), "3 is out of bounds for dimension 0 with size 3"),
    ("x[y, y]", (M34, np.array([0, 9])), "9"), ("x[y]", (M34, BOOLS[:2]), "mask"), ("x[[0, 1], [0, 1, 2]]", (M34,), "shape mismatch"),
    ("x[x > 0, 0]", (M34,), "too many indices"), ("x[:, 1, y]", (M34, LONGS), "too many indices"),
    ("T.gather(x, 0, y)", (M34, V3), "int64"), ("T.gather(x, 0, y)", (M34, LONGS), "same number of dimensions"),
    ("T.gather(x, 0, y)", (M34, np.full((1, 1), 7)), "index 7 is out of bounds for dimension 0 with size 3"), ("T.gather(x, 0, y)", (M34, np.zeros((1, 9), int)), "dimension 1"),
    ("T.index_select(x, 0, y)", (M34, np.zeros((1, 1), int)), "vector"), ("T.index_select(x, 0, y)", (M34, V3), "int64"), ("T.index_select(x, 0, y)", (M34, np.array([3])), "out of range"),
    ("T.take_along_dim(x, y, 0)", (M34, V3), ""), ("hash({}[x])", (V3,), ""),
    ("y = x.clone(); y[0] = z", (M34, M34, M34), ""), ("y = x.clone(); y[:, 0] = z", (M34, M34, V4), ""), ("y = x.clone(); y[[0, 1]] = z", (M34, M34, V3), ""),
    ("y = x.clone(); y[5] = 1", (M34,), "out of bounds"), ("y = x.clone(); y[0] = 'a'", (M34,), ""), ("y = x.clone(); y[x > 0] = z", (M34, M34, V4), ""), ("y = x.clone(); y[0] = [1, 2, 3, 4]", (M34,), ""),
    # products
    ("x @ y", (M34, M34), "mat1 and mat2 shapes cannot be multiplied (3x4 and 3x4)"), ("x @ y", (M34, V3), "4"), ("x @ y", (V3, M43), "(1x3 and 4x3)"), ("x @ y", (V3, V4), "3"),
    ("x @ y", (T234, M34), "(6x4 and 3x4)"), ("x @ y", (T234, T234), "4"), ("x @ y", (np.ones((2, 3, 4)), np.ones((3, 4, 5))), "2"), ("x @ y", (S, V3), "at least 1D"),
    ("x @ y", (M34, F32.T.copy()), "double != float"), ("x @ y", (M34, np.ones((4, 3), int)), ""), ("T.mm(x, y)", (V3, M34), ""), ("T.bmm(x, y)", (M34, M43), ""),
    ("T.bmm(x, y)", (T234, np.ones((3, 4, 5))), "2"), ("T.mv(x, y)", (M34, V3), ""), ("T.mv(x, y)", (M34, M43), ""), ("T.dot(x, y)", (M34, V3), "1D tensors expected"), ("T.dot(x, y)", (V3, V4), "3"),
    ("T.dot(x, y)", (V3, LONGS), ""), ("T.outer(x, y)", (M34, V3), ""), ("T.addmm(x, y, z)", (np.ones(2), M34, M43), ""), ("T.matmul(x, 2)", (V3,), "must be Tensor, not int"),
    # creation
    ("T.tensor([[1, 2], [3]])", (), "expected sequence of"), ("T.tensor('a')", (), ""), ("T.tensor([1, 'a'])", (), ""), ("T.tensor([None])", (), ""), ("T.tensor(None)", (), ""), ("T.tensor({})", (), ""),
    ("T.tensor([1], requires_grad=True)", (), "floating point"), ("T.zeros(2, dtype='float32')", (), ""), ("T.zeros(-1)", (), "negative dimension -1"), ("T.zeros(1.5)", (), ""), ("T.zeros('a')", (), ""),
    ("T.arange(1, 0)", (), "inconsistent with step sign"), ("T.arange(0, 1, 0)", (), "step must be nonzero"), ("T.arange()", (), ""), ("T.linspace(0, 1, -1)", (), "non-negative"), ("T.eye(-1)", (), "got -1"),
    ("T.from_numpy([1])", (), "expected np.ndarray (got list)"), ("T.from_numpy(np.array(['a']))", (), ""), ("T.from_numpy(np.ones(3)[::-1])", (), "negative"), ("T.tensor(2**70)", (), ""),
    ("T.full((2,))", (), ""), ("T.set_default_dtype(T.int64)", (), ""), ("T.finfo(T.int64)", (), ""), ("T.iinfo(T.float32)", (), ""), ("x.to('nowhere')", (V3,), ""), ("x.to(T.float32, bad=1)", (V3,), ""),
    ("T.ones(2, device='meta2')", (), ""), ("x.view(T.float32, 2)", (V3,), ""),
    # unknown arguments
    ("T.sum(x, bad=1)", (V3,), "bad"), ("T.exp()", (), ""), ("T.exp(1.0)", (), ""), ("x.exp(1)", (V3,), ""), ("T.relu(2)", (), ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "inputs", "match"), BAD, ids=[f"{text} {[np.shape(i) for i in inputs]}" for text, inputs, _ in BAD]
)
def test_same_error_type(text: str, inputs: tuple[Any, ...], match: str) -> None:
    code = compile(text, "<case>", "exec")

    def function(T: Any, *tensors: Any) -> None:
        exec(code, {"T": T, "np": np, "if_": bool, **dict(zip("xyz", tensors, strict=False))})

    compare_errors(function, *inputs, match=match)


#: Calls for which PyTorch's text is worth having word for word.
SAME_TEXT = (
    ("x + y", (M34, V3)), ("x.expand(2, 3, 5)", (M34,)), ("x.reshape(5, 2)", (M34,)), ("x.view(5, -1)", (M34,)), ("x @ y", (M34, M34)),
    ("x.sum(2)", (M34,)), ("x.sum((0, 0))", (M34,)), ("T.cat([x, y])", (M34, M43)), ("T.cat([x, y])", (M34, V3)), ("T.stack([x, y])", (M34, M43)),
    ("x - y", (BOOLS, BOOLS)), ("-x", (BOOLS,)), ("x ** -1", (INTS,)), ("x[0, 0, 0]", (M34,)), ("x.unsqueeze(3)", (M34,)),
    ("bool(x)", (V3,)), ("x.t().view(12)", (M34,)), ("x.unflatten(1, (3, 3))", (M34,)), ("x.permute(0, 0)", (M34,)), ("T.dot(x, y)", (M34, V3)), ("T.dot(x, y)", (V3, V4)),
    ("x.backward()", (V3,)), ("(x > 0).sum().backward()", (V3,)), ("T.arange(0, 1, 0)", ()), ("T.arange(1, 0)", ()), ("x.narrow(0, 2, 2)", (M34,)),
    ("x.split([1, 1])", (M34,)), ("x.chunk(0)", (M34,)), ("T.clamp(x)", (V3,)), ("T.gather(x, 0, y)", (M34, np.full((1, 1), 7))), ("x.numpy()", (V3,)), ("x.item()", (V3,)),
)  # fmt: skip


@pytest.mark.parametrize(("text", "inputs"), SAME_TEXT, ids=[text for text, _ in SAME_TEXT])
def test_same_error_text(text: str, inputs: tuple[Any, ...]) -> None:
    messages = []
    for library in (torch, tinytorch):
        tensors = [library.from_numpy(a.copy()) for a in inputs]
        tensors = [t.requires_grad_() if t.is_floating_point() else t for t in tensors]
        with pytest.raises(Exception) as caught:
            exec(text, {"T": library, **dict(zip("xyz", tensors, strict=False))})
        messages.append(str(caught.value))
    assert messages[1] == messages[0]


PRODUCTS = """
o(2, 2) @ o(2, 2, dtype=d) ; o(2) @ o(2, dtype=d) ; o(2, 2) @ o(2, dtype=d) ; o(3, 2, 2) @ o(3, 2, 2, dtype=d) ; o(2) @ o(2, 2, dtype=d)
o(3, 2, 2) @ o(2, 2, dtype=d) ; F.linear(o(2, 2, dtype=d), o(2, 2), o(2)) ; F.linear(o(2, dtype=d), o(2, 2)) ; T.mv(o(2, 2), o(2, dtype=d))
F.cross_entropy(o(2, 2), o(2, dtype=d)) ; F.nll_loss(o(2, 2), o(2, dtype=d))
"""


@pytest.mark.parametrize("text", [text.strip() for line in PRODUCTS.strip().splitlines() for text in line.split(" ; ")])
@pytest.mark.parametrize("dtype", ["float64", "int32", "int16", "float16", "bfloat16", "complex64"])
def test_dtypes_that_do_not_go_together_are_named_as_by_pytorch(text, dtype):
    words = []
    for T in (tinytorch, torch):
        with pytest.raises(RuntimeError) as caught:
            eval(text, {"T": T, "F": T.nn.functional, "o": T.ones, "d": getattr(T, dtype)})
        words.append(str(caught.value).splitlines()[0])
    assert words[0] == words[1]
