"""NumPy's names for arguments (``axis``, ``keepdims``, ``x``...) in functions and methods, wherever PyTorch takes them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import tinytorch
from tests.compare import equal_tensors, flatten

CALLS = """
T.stack([a, a], axis=1)| T.unsqueeze(a, axis=1)| T.squeeze(a, axis=0)| T.sort(a, axis=1)| T.argsort(a, axis=1)| T.topk(a, 1, axis=1)
T.chunk(a, 2, axis=1)| T.gather(a, axis=1, index=i)| T.index_select(a, axis=1, index=T.tensor([1]))
T.unbind(a, axis=1)| T.logsumexp(a, axis=1, keepdims=True)| T.softmax(a, axis=1)| T.cat([a, a], axis=1)
T.repeat_interleave(a, 2, axis=1)| T.diff(a, axis=1)| T.quantile(a, 0.5, axis=1)| T.tensor_split(a, 2, axis=1)
T.cosine_similarity(a, a, axis=1)| T.count_nonzero(a, axis=1)| T.take_along_dim(a, i, axis=1)| T.mode(a, axis=1)
T.index_add(a, axis=0, index=T.tensor([0]), source=a[:1])| T.cumsum(a, axis=1)| T.aminmax(a, axis=1)
a.softmax(axis=1)| a.unsqueeze(axis=1)| a.cumsum(axis=1)| a.sort(axis=1)| a.topk(1, axis=1)| a.sum(axis=1, keepdims=True)
a.max(axis=1)| a.std(axis=1)| a.log_softmax(axis=1)| a.chunk(2, axis=1)| a.median(axis=1)
a.squeeze(axis=0)| a.select(axis=1, index=0)| a.repeat_interleave(2, axis=1)| a.gather(axis=1, index=i)| a.clone().unsqueeze_(axis=0)
T.fft.fft(x=a, axis=1)| T.cumsum(a=a, axis=0)| T.maximum(x1=a, x2=-a)| T.special.hermite_polynomial_h(x=a, n=2)| T.linalg.eigvalsh(input=s)
T.linalg.cholesky(input=s)| T.linalg.pinv(x=a)| T.linalg.vector_norm(input=a)| T.linalg.cond(input=s)| T.linalg.tensorinv(input=s, ind=1)
T.linalg.lstsq(input=s, b=s).solution| T.linalg.tensorsolve(input=s, other=s[0])| T.linalg.solve_triangular(input=s, B=s, upper=True)
a.clone().scatter_(axis=1, index=i, value=5.0)| a.kthvalue(1, axis=1)| a.unbind(axis=1)| a.amax(axis=1, keepdims=True)
"""  # fmt: skip


@pytest.mark.parametrize("call", [part.strip() for line in CALLS.strip().splitlines() for part in line.split("|")])
def test_axis(call):
    results = []
    for T in (torch, tinytorch):
        names: dict[str, Any] = {
            "T": T,
            "a": T.tensor([[1.0, 3.0, 2.0], [0.0, -1.0, 5.0]]),
            "i": T.tensor([[0, 2, 1], [1, 1, 0]]),
            "s": T.tensor([[2.0, 0.5], [0.5, 1.0]]),
        }
        results.append(flatten(eval(call, names)))
    assert len(results[0]) == len(results[1])
    for expected, got in zip(*results, strict=True):
        equal_tensors(call, got, expected)
