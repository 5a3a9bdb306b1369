"""The ways in which PyTorch lets an op be called: names of arguments, and orders from its early days."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare, compare_errors

CALLS = """
a.view(size=(4, 1)) ; a.view(dtype=T.int32) ; a.reshape(shape=(4,)) ; a.expand(size=(3, 2, 2)) ; a.permute(dims=(1, 0))
a.expand((3, 2, 2), implicit=False) ; a.repeat(repeats=(2, 1)) ; a.clone().resize_(size=(2, 1)) ; a.mm(mat2=a)
b.bmm(mat2=b) ; a.mv(vec=v) ; v.dot(tensor=v) ; v.outer(vec2=v) ; a.gather(0, i, sparse_grad=False)
a.tensor_split(sections=2) ; a.tensor_split(indices=(1,)) ; T.tensor_split(a, sections=2) ; T.hsplit(a, sections=2)
T.vsplit(a, indices=(1,)) ; b.dsplit(sections=2) ; a.swapaxes(axis0=0, axis1=1) ; T.swapaxes(a, axis0=0, axis1=1)
a.clone().swapaxes_(axis0=0, axis1=1) ; T.layer_norm(a, (2,), v, v, 1e-5, True) ; T.group_norm(a, 2, cudnn_enabled=False)
T.layer_norm(a, (2,), cudnn_enable=False) ; T.hann_window(4, pin_memory=False) ; T.fft.fftfreq(4, pin_memory=False)
T.tril_indices(3, 3, layout=T.strided, pin_memory=False) ; T.triu_indices(3, 3, 1, layout=T.strided)
T.slogdet(input=a) ; T.linalg.inv(A=a) ; T.linalg.det(A=a) ; T.det(input=a) ; T.cholesky_inverse(input=a)
T.cholesky_solve(input=a, input2=a) ; T.triangular_solve(input=a, A=a) ; T.nn.functional.one_hot(input=i)
T.norm_except_dim(a, 2, 0) ; T.norm_except_dim(b, 2, -1) ; T.norm_except_dim(b, 1, 1) ; T.linalg.norm(a, axis=0) ; T.linalg.vector_norm(a, axis=0, keepdims=True)
T.add(a, 2, a) ; T.sub(a, 2, a) ; a.add(2, a) ; a.clone().sub_(2, a) ; T.addcmul(a, 2, a, a) ; T.addcdiv(a, 2, a, a)
a.addcmul(2, a, a) ; a.clone().addcdiv_(2, a, a) ; T.addmm(2, a, 3, a, a) ; T.addmm(2, a, a, a) ; a.addmm(2, 3, a, a)
a.addmm(2, a, a) ; a.clone().addmm_(2, 3, a, a) ; T.baddbmm(2, b, 3, b, b) ; b.baddbmm(2, 3, b, b)
b.clone().baddbmm_(2, 3, b, b) ; T.addmv(2, v, 3, a, v) ; v.addmv(2, 3, a, v) ; T.addr(2, a, 3, v, v)
a.addr(2, 3, v, v) ; T.addbmm(2, a, 3, b, b) ; a.addbmm(2, 3, b, b) ; a.new(2, 3, device='cpu') * 0 ; a.clone().copy_(other=a)
T.mul(3, 2.5) ; T.sub(3, 2) ; T.div(3, 2) ; T.add(3, 2j)
"""
#: Results that have none.
NO_GRADIENT = ("view(dtype", "new(", "one_hot", "resize_", "cholesky", "window", "freq", "indices(", "(3, 2")


@pytest.mark.parametrize("call", [c.strip() for line in CALLS.strip().splitlines() for c in line.split(" ; ")])
@pytest.mark.filterwarnings("ignore")
def test_calls(call: str) -> None:
    def function(T: Any, a: Any, b: Any, v: Any, i: Any) -> Any:
        return eval(call, {"T": T, "a": a, "b": b, "v": v, "i": i})

    inputs = (
        np.array([[0.5, 0.25], [0.75, 0.5]]),
        np.full((2, 2, 2), 0.5),
        np.array([0.25, 1.5]),
        np.array([[0, 1], [1, 0]]),
    )
    compare(function, *inputs, gradient=not any(name in call for name in NO_GRADIENT))


@pytest.mark.parametrize(
    "call", ["a.addmm(1, 2, 3, a, a)", "T.addmm(a, a, a, a)", "T.addcmul(a, 1, 2, a, a)", "T.hsplit(a)",
             "T.hsplit(a, 1, sections=1)", "T.dropout(a)", "T.tensor_split(a, pieces=2)"]
)  # fmt: skip
def test_wrong_calls(call: str) -> None:
    compare_errors(lambda T, a: eval(call, {"T": T, "a": a}), np.eye(2))


def test_results_with_names() -> None:
    for library in (torch, tinytorch):
        a = library.tensor([[2.0, 1.0], [1.0, 3.0]])
        found = [library.linalg.eigh(a), library.slogdet(a), a.max(0), library.linalg.lu(a), a.sort()]
        names = [type(result).__name__ for result in found]
        assert names == ["linalg_eigh", "slogdet", "max", "linalg_lu", "sort"]
        assert all(repr(r).startswith(f"torch.return_types.{n}(\n") for r, n in zip(found, names, strict=True))
        assert isinstance(found[2], library.return_types.max) and found[2].n_fields == 2
        assert (pickle.loads(pickle.dumps(found[4])).values == found[4][0]).all()
    with pytest.raises(TypeError, match="2 parts, values, indices, but got 1"):
        tinytorch.return_types.max(1)
