"""Constructors of PyTorch's early days, and the other names that old scripts use."""

import pickle
import sys

import numpy as np
import pytest
import torch

import tinytorch

CALLS = """
FloatTensor([1, 2]) | FloatTensor(2, 3) | LongTensor([1.7, 2]) | LongTensor(3) | LongTensor((True, False))
LongTensor([T.tensor(1), T.tensor(2)]) | FloatTensor(np.arange(3)) | ByteTensor([1, 255]) | BoolTensor([1, 0])
HalfTensor([1]) | IntTensor([1]) | ShortTensor([1]) | CharTensor([-1]) | DoubleTensor([1, 2])
Tensor() | Tensor([]) | Tensor([1, 2]) | Tensor((2, 3)) | Tensor(range(3)) | Tensor(T.Size([2, 3])) | Tensor(np.eye(2))
zeros(2).new([1, 2]) | zeros(2).new(2, 3) | zeros(2).new() | tensor([1]).new([1.5, 2]) | zeros(2).new(T.Size([1, 2]))
tensor([1.5]).type(T.LongTensor) | tensor([1.5]).type("torch.IntTensor") | tensor([1.5]).type()
"""
ERRORS = """
Tensor(1.5) | Tensor("a") | Tensor([[1, 2], [3]]) | LongTensor(T.tensor([1.5])) | cuda.FloatTensor(2)
FloatTensor(1.5) | tensor([1.0]).type("torch.Nothing")
"""


def split(calls):
    return [call.strip() for line in calls.strip().splitlines() for call in line.split(" | ")]


def evaluate(library, call):
    return eval(f"T.{call}", {"T": library, "np": np})


@pytest.mark.parametrize("call", split(CALLS))
def test_constructors(call):
    got, expected = evaluate(tinytorch, call), evaluate(torch, call)
    if isinstance(expected, torch.Tensor):
        assert (got.shape, repr(got.dtype)) == (expected.shape, repr(expected.dtype))
        if not call.endswith(("(2, 3)", "Tensor(3)", "Size([2, 3]))", "Size([1, 2]))")):  # else uninitialized
            assert repr(got) == repr(expected)
    else:
        assert got == expected


@pytest.mark.parametrize("call", split(ERRORS))
def test_errors(call):
    with pytest.raises((TypeError, ValueError)) as expected:
        evaluate(torch, call)
    with pytest.raises(expected.type):
        evaluate(tinytorch, call)


def test_typed_names_answer_isinstance():
    x = tinytorch.zeros(2)
    assert isinstance(x, tinytorch.FloatTensor) and not isinstance(x, tinytorch.LongTensor)
    assert isinstance(tinytorch.nn.Parameter(x), (tinytorch.LongTensor, tinytorch.FloatTensor))
    assert not isinstance(x, tinytorch.cuda.FloatTensor) and not isinstance(2.0, tinytorch.FloatTensor)
    assert repr(tinytorch.cuda.FloatTensor) == repr(torch.cuda.FloatTensor)
    assert tinytorch.LongTensor.dtype is tinytorch.int64

    def annotated(x: tinytorch.FloatTensor | None) -> tinytorch.LongTensor: ...


def test_the_default_tensor_type():
    try:
        tinytorch.set_default_tensor_type("torch.DoubleTensor")
        assert tinytorch.Tensor([1]).dtype is tinytorch.float64
    finally:
        tinytorch.set_default_tensor_type(tinytorch.FloatTensor)
    assert tinytorch.ones(1).dtype is tinytorch.float32


def test_bfloat16_without_its_package_can_be_named_and_used_only_with_one_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    monkeypatch.delattr(tinytorch.bfloat16, "numpy", raising=False)
    assert repr(tinytorch.finfo(tinytorch.bfloat16)) == repr(torch.finfo(torch.bfloat16))
    assert tinytorch.bfloat16.itemsize == 2 and pickle.loads(pickle.dumps(tinytorch.bfloat16)) is tinytorch.bfloat16
    x = tinytorch.ones(2)
    assert x.dtype != tinytorch.bfloat16
    for use in (
        x.bfloat16,
        lambda: x.to(tinytorch.bfloat16),
        lambda: tinytorch.zeros(2, dtype=tinytorch.bfloat16),
        lambda: tinytorch.nn.Linear(2, 2, dtype=tinytorch.bfloat16),
        lambda: tinytorch.set_default_dtype(tinytorch.bfloat16),
    ):
        with pytest.raises(ImportError, match=r"pip install tinytorch\[bfloat16\]"):
            use()


def test_memory_of_views():
    x, y = tinytorch.zeros(4, 5), torch.zeros(4, 5)
    for view in (lambda t: t[1], lambda t: t[:, 2:], lambda t: t.t()[3:]):
        assert view(x).storage_offset() == view(y).storage_offset()
    assert x.view(-1).data_ptr() == x.data_ptr() != x.clone().data_ptr()
    assert x.layout is tinytorch.strided and repr(x.layout) == repr(y.layout)
    assert (x.get_device(), x.is_pinned(), x.is_sparse, x.is_cpu) == (-1, False, False, True)
    assert pickle.loads(pickle.dumps(tinytorch.channels_last)) is tinytorch.channels_last


def test_a_subclass_of_tensor():
    class Marked(tinytorch.Tensor):
        pass

    marked = Marked([1.0, 2.0])
    assert type(marked) is Marked and marked.sum().item() == 3
    leaf = tinytorch.ones(2, requires_grad=True)
    (leaf * 2).as_subclass(Marked).sum().backward()
    assert leaf.grad.tolist() == [2, 2]


@pytest.mark.filterwarnings("ignore")
def test_the_factor_in_front_as_old_optimizers_write_it():
    for name, operands in (("add", 1), ("sub", 1), ("addcmul", 2), ("addcdiv", 2)):
        for suffix in ("", "_"):
            results = []
            for library in (torch, tinytorch):
                x, *others = (library.arange(3.0) + i for i in range(1, operands + 2))
                results.append([getattr(x, name + suffix)(-0.5, *others).tolist(), x.tolist()])
                with pytest.raises(TypeError):
                    getattr(x, name + suffix)(1, *others, 2)
            assert results[0] == results[1], name + suffix


@pytest.mark.filterwarnings("ignore")
def test_the_factors_in_front_as_old_distances_write_it():
    results = []
    for T in (torch, tinytorch):
        a, b, c = T.arange(4.0).reshape(2, 2), T.eye(2) + 1, T.ones(2, 2)
        found = [a.addmm(2, 3, b, c), a.addmm(2, b, c), a.clone().addmm_(1, -2, b, c), a.clone().addmm_(0.5, b, c)]
        results.append([tensor.tolist() for tensor in found])
    assert results[0] == results[1]
