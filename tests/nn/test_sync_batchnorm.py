"""SyncBatchNorm in one process is batch normalization, in PyTorch as here."""

from typing import Any

import pytest
import torch

import tinytorch
from tests.compare import equal_tensors


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (2, 3, 4, 4), (2, 3, 2, 2, 2)])
def test_same_as_pytorch(shape):
    def program(T: Any) -> list[Any]:
        T.manual_seed(0)
        layer = T.nn.SyncBatchNorm(3, momentum=0.3)
        x = T.randn(*shape, requires_grad=True)
        out = layer(x)
        (out * T.arange(float(out.numel())).reshape(out.shape)).sum().backward()
        layer.eval()
        return [str(layer), out, x.grad, layer(x), layer.running_mean]

    (name, *theirs), (our_name, *ours) = program(torch), program(tinytorch)
    assert our_name == name
    for expected, got in zip(theirs, ours, strict=True):
        equal_tensors("result", got, expected, {"float32": (1e-4, 2e-4)})


def test_conversion():
    net = tinytorch.nn.Sequential(tinytorch.nn.Linear(2, 3), tinytorch.nn.BatchNorm1d(3))
    weight = net[1].weight
    converted = tinytorch.nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert type(converted[1]).__name__ == "SyncBatchNorm" and converted[1].weight is weight
    with pytest.raises(ValueError, match="at least 2D"):
        tinytorch.nn.SyncBatchNorm(3)(tinytorch.ones(3))
