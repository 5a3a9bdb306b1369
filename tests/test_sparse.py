"""Sparse tensors by coordinates, beside PyTorch's: values, text, gradients and refusals."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch

EXPRESSIONS = """
s ; q ; v ; h ; s.to_dense() ; q.to_dense() ; h.to_dense() ; s.coalesce() ; q.coalesce() ; q.coalesce().indices() ; h.coalesce()
q.coalesce().values() ; s.t() ; s.T.to_dense() ; s.transpose(0, 1).coalesce() ; (s + q).coalesce() ; s + s ; (s - q).to_dense()
s * 2 ; 3 * s ; s / 2 ; -s ; s * d ; (s * q).to_dense() ; d + s ; s @ m ; T.mm(s, m) ; T.spmm(s, m) ; T.matmul(s, m) ; s.mm(m)
T.sparse.mm(s, m) ; T.sparse.mm(q, m) ; m.t() @ q.t() ; s @ m[:, 0] ; T.mv(s, m[:, 0]) ; (s @ s.t()).to_dense() ; T.sparse.sum(q)
T.sparse.sum(q, 0) ; T.sparse.sum(q, dim=1).to_dense() ; T.sparse.sum(q, [0, 1]) ; s.sum() ; T.sparse.addmm(d, s, c, beta=2, alpha=3)
T.eye(3).to_sparse() ; d.to_sparse().coalesce() ; T.ones(2, 2, 3).to_sparse(1) ; s.shape ; s.size(1) ; s.dim() ; s.dtype ; len(s)
s.is_sparse ; d.is_sparse ; s.layout ; s._nnz() ; s.is_coalesced() ; h.sparse_dim() ; h.dense_dim() ; s.requires_grad ; v.requires_grad
s.double() ; s.to(T.float64).dtype ; s.detach().coalesce() ; s.clone() ; T.sparse_coo_tensor((2, 3)) ; T.sparse_coo_tensor([[0, 3]], [1, 2])
T.sparse.FloatTensor(i, T.ones(3), T.Size([2, 3])) ; s.numel() ; isinstance(s, T.Tensor) ; T.sparse_coo_tensor(i, [1., 2., 3.], dtype=T.float64)
s.coalesce().requires_grad_() ; T.sparse.softmax(q, 1) ; T.sparse.softmax(q, dim=0, dtype=T.float64) ; T.sparse.log_softmax(q, -1)
q.norm() ; q.norm(1) ; s.sub(q).to_dense() ; T.addmm(T.ones(2, 4), s, m, alpha=2) ; T.mm(m.t(), s.t()) ; s.half().to_dense()
q.neg() ; q.abs() ; q.sign() ; (q - q - q).coalesce().relu() ; v.sqrt().to_dense() ; q.square() ; q.sin() ; q.tanh() ; q.expm1() ; q.log1p() ; q.floor()
q.ceil() ; q.round() ; q.pow(2) ; q ** 3 ; abs(q) ; q[1].to_dense() ; h[2].to_dense() ; q[-1, 2] ; v.select(1, 0).to_dense() ; h.select(1, 1)
q.index_select(0, T.tensor([1, 0, 1])).coalesce() ; q.index_select(1, T.tensor([2, 2])).coalesce() ; h.index_select(1, T.tensor([1])).to_dense()
copy.deepcopy(q) ; copy.deepcopy([s, s])[1] ; pickle.loads(pickle.dumps(q)) ; T.sparse_coo_tensor(size=(2, 3)) ; q.index_select(0, T.tensor([0])[:0])
T.sparse.softmax(h, 1) ; T.sparse.log_softmax(h, 0) ; T.sparse.softmax(v, 1).to_dense()
"""
REFUSED = """
q[2] ; q[0, 0, 0] ; q.select(5, 0) ; q.index_select(0, T.tensor([2])) ; s + d ; s.indices() ; s.values() ; T.sparse_coo_tensor([[0, -1]], [1., 2.]) ; T.sparse_coo_tensor([0, 1], [1., 2.]) ; s + s.t() ; s @ d
T.sparse_coo_tensor([[0, 1]], [1., 2., 3.]) ; T.sparse_coo_tensor([[0, 1]], [1., 2.], (2, 2)) ; s @ s
"""


def _names(library: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    i = library.tensor([[0, 1, 1], [2, 0, 2]])
    values = library.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    coo = library.sparse_coo_tensor
    return {
        "T": library, "copy": copy, "pickle": pickle, "i": i, "s": coo(i, library.tensor([3.0, 4.0, 5.0]), (2, 3)), "d": library.ones(2, 3) * 2,
        "q": coo([[1, 0, 1, 1], [2, 1, 2, 0]], [1.0, 2.0, 3.0, 4.0], (2, 3)), "c": library.ones(3, 3),
        "m": library.from_numpy(rng.standard_normal((3, 4)).astype(np.float32)).requires_grad_(),
        "v": coo([[0, 1, 0, 1], [1, 0, 1, 0]], values, (2, 2)), "h": coo([[0, 2, 0]], library.ones(3, 2), (3, 2)),
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("line", EXPRESSIONS.strip().splitlines())
def test_the_same_text(line: str) -> None:
    for expression in line.split(" ; "):
        mine, theirs = (repr(eval(expression, _names(library))) for library in (tinytorch, torch))
        assert (expression, mine.split("grad_fn")[0]) == (expression, theirs.split("grad_fn")[0])


@pytest.mark.parametrize("line", REFUSED.strip().splitlines())
def test_refusals(line: str) -> None:
    for expression in line.split(" ; "):
        for library in (torch, tinytorch):
            with pytest.raises((RuntimeError, IndexError)):
                eval(expression, _names(library))
    sparse = _names(tinytorch)["s"]
    for ask in (lambda: sparse.exp(), lambda: tinytorch.relu(sparse), lambda: sparse.numpy(), lambda: sparse[0:1]):
        with pytest.raises(NotImplementedError, match="to_dense"):
            ask()


def test_gradients() -> None:
    results = []
    for library in (torch, tinytorch):
        values = library.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
        dense = library.arange(6.0).reshape(3, 2).requires_grad_()
        a = library.sparse_coo_tensor([[1, 0, 1, 1], [2, 1, 2, 0]], values, (2, 3))
        product = library.sparse.mm(a, dense)
        (product**2).sum().backward()
        found = [values.grad.tolist(), dense.grad.tolist(), product.grad_fn.name()]
        for through in (
            lambda a: a.to_dense()[1],
            lambda a: a.coalesce().values() ** 2,
            lambda a, T=library: T.addmm(T.ones(2, 3), a, T.ones(3, 3)) ** 2,
            lambda a, T=library: T.mm(T.ones(2, 2), a) ** 2,
            lambda a: (a * 3).t() @ a.to_dense(),
            lambda a, T=library: T.sparse.softmax(a, 1).to_dense() * T.arange(6.0).reshape(2, 3),
        ):
            values.grad = None
            through(library.sparse_coo_tensor([[1, 0, 1, 1], [2, 1, 2, 0]], values, (2, 3))).sum().backward()
            found.append(values.grad.tolist())
        leaf = library.sparse_coo_tensor([[0, 1], [1, 0]], [1.0, 2.0], requires_grad=True)
        library.sparse.mm(leaf, library.ones(2, 1)).sum().backward()
        results.append([*found, leaf.grad.to_dense().tolist(), leaf.is_leaf])
    theirs, mine = results
    assert mine == theirs


def test_programs_reach_the_library_by_way_of_its_sparse_module():
    assert tinytorch.sparse.torch.eye(3).index_select(0, tinytorch.tensor([2])).tolist() == [[0, 0, 1]]
