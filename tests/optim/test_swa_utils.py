"""Averaged models and the SWA schedule beside PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.optim.swa_utils

import tinytorch
from tests.compare import equal_tensors

AVERAGES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "mean": lambda swa: {},
    "mean with buffers": lambda swa: {"use_buffers": True},
    "mean of lists": lambda swa: {"multi_avg_fn": swa.get_swa_multi_avg_fn()},
    "mean of one": lambda swa: {"avg_fn": swa.get_swa_avg_fn()},
    "ema": lambda swa: {"multi_avg_fn": swa.get_ema_multi_avg_fn(0.9), "use_buffers": True},
    "ema of one": lambda swa: {"avg_fn": swa.get_ema_avg_fn(0.9)},
    "own": lambda swa: {"avg_fn": lambda average, new, count: 0.1 * average + 0.9 * new},
}


@pytest.mark.parametrize("name", AVERAGES)
@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_training_with_averages(name, strategy):
    def program(T: Any) -> list[Any]:
        T.manual_seed(0)
        swa = T.optim.swa_utils
        model = T.nn.Sequential(T.nn.Linear(3, 4), T.nn.BatchNorm1d(4), T.nn.Linear(4, 1))
        optimizer = T.optim.SGD(model.parameters(), lr=0.1)
        average = swa.AveragedModel(model, **AVERAGES[name](swa))
        scheduler = swa.SWALR(optimizer, swa_lr=0.02, anneal_epochs=3, anneal_strategy=strategy)
        x, rates = T.randn(12, 3), []
        for _ in range(5):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
            average.update_parameters(model)
            scheduler.step()
            rates += scheduler.get_last_lr()
        swa.update_bn([(x[:6],), (x[6:],)], average)
        average.eval()
        return [list(average.state_dict()), rates, average(x), *average.state_dict().values()]

    (keys, rates, *tensors), (our_keys, our_rates, *ours) = program(torch), program(tinytorch)
    assert our_keys == keys and our_rates == pytest.approx(rates)
    for got, expected in zip(ours, tensors, strict=True):
        equal_tensors(name, got, expected, {"float32": (1e-4, 1e-5)})


def test_errors():
    swa = tinytorch.optim.swa_utils
    optimizer = tinytorch.optim.SGD([tinytorch.nn.Parameter(tinytorch.ones(1))], lr=0.1)
    with pytest.raises(ValueError, match="decay"):
        swa.get_ema_avg_fn(1.5)
    with pytest.raises(ValueError, match="anneal_strategy"):
        swa.SWALR(optimizer, 0.1, anneal_strategy="square")
    with pytest.raises(ValueError, match="anneal_epochs"):
        swa.SWALR(optimizer, 0.1, anneal_epochs=-1)
    with pytest.raises(AssertionError):
        swa.AveragedModel(tinytorch.nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max)
