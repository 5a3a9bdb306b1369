"""What a program asks of a GPU, a compiler or several processes: nothing changes, or a clear error."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch


def test_compile_and_jit_return_what_they_are_given():
    layer = tinytorch.nn.Linear(2, 2)
    assert tinytorch.compile(layer, mode="reduce-overhead") is layer
    assert tinytorch.jit.script(layer) is layer and tinytorch.jit.trace(layer, tinytorch.ones(1, 2)) is layer

    @tinytorch.compile(fullgraph=True)
    def double(x: Any) -> Any:
        return 2 * x

    @tinytorch.jit.script
    def triple(x: Any) -> Any:
        return 3 * x

    assert double(2) + triple(2) == 10 and not tinytorch.compiler.is_compiling()
    with pytest.raises(RuntimeError, match="state_dict"):
        tinytorch.jit.save(layer, "x")
    with pytest.raises(RuntimeError, match="state_dict"):
        tinytorch.jit.load("x")


def test_data_parallel_is_the_module():
    torch.manual_seed(0)
    tinytorch.manual_seed(0)
    theirs, ours = torch.nn.DataParallel(torch.nn.Linear(2, 3)), tinytorch.nn.DataParallel(tinytorch.nn.Linear(2, 3))
    assert str(ours) == str(theirs) and list(ours.state_dict()) == list(theirs.state_dict())
    np.testing.assert_allclose(
        ours(tinytorch.ones(1, 2)).detach().numpy(), theirs(torch.ones(1, 2)).detach().numpy(), 1e-6
    )
    with pytest.raises(RuntimeError, match="CPU only"):
        tinytorch.nn.DataParallel(ours.module, device_ids=[0, 1])
    with pytest.raises(RuntimeError, match="one process"):
        tinytorch.nn.parallel.DistributedDataParallel(ours.module)


def test_autocast_for_a_gpu_is_off_and_on_the_cpu_an_error():
    with pytest.warns(UserWarning, match="CUDA is not available"), tinytorch.autocast("cuda"):
        assert (tinytorch.ones(2, 2) @ tinytorch.ones(2, 2)).dtype is tinytorch.float32
    with tinytorch.autocast(device_type="cpu", enabled=False):
        pass
    with pytest.raises(NotImplementedError, match="enabled=False"):
        tinytorch.amp.autocast("cpu", dtype=tinytorch.float16)


def scaled_training(T: Any, scaler: Any) -> list[Any]:
    T.manual_seed(0)
    layer = T.nn.Linear(2, 1)
    optimizer = T.optim.SGD(layer.parameters(), lr=0.1)
    found: list[Any] = []
    for step in range(6):
        optimizer.zero_grad()
        loss = layer(T.ones(3, 2)).square().mean()
        scaler.scale(loss).backward()
        if step == 2:
            layer.weight.grad[0, 0] = float("inf")
        if step == 3:
            scaler.unscale_(optimizer)
            T.nn.utils.clip_grad_norm_(layer.parameters(), 0.1)
        scaler.step(optimizer)
        scaler.update()
        found += [loss.item(), scaler.get_scale()]
    return [*found, *(value for key, value in sorted(scaler.state_dict().items()))]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_grad_scaler(device):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"init_scale": 8.0, "growth_interval": 2}
        theirs = scaled_training(torch, torch.amp.GradScaler(device, **options))
        ours = scaled_training(tinytorch, tinytorch.amp.GradScaler(device, **options))
        old = scaled_training(tinytorch, tinytorch.cuda.amp.GradScaler())
    assert ours == pytest.approx(theirs, rel=1e-5, nan_ok=True)
    assert len(old) == 12
    scaler = tinytorch.amp.GradScaler("cpu")
    with pytest.raises(AssertionError, match="inf checks"):
        scaler.update()


@pytest.mark.filterwarnings("ignore")
def test_anomaly_detection_names_the_op():
    for T in (torch, tinytorch):
        x = T.zeros(2, requires_grad=True)
        with pytest.raises(RuntimeError, match="LogBackward0' returned nan"), T.autograd.detect_anomaly():
            (x.log() * x).sum().backward()
        x.grad = None
        (x.sqrt() * 0).sum().backward()
        assert bool(x.grad.isnan().all())


def test_what_cannot_be_says_so():
    with pytest.raises(ImportError, match="tensorboardX"):
        importlib.import_module("tinytorch.utils.tensorboard")
    with pytest.raises(AttributeError, match="state_dict"):
        tinytorch.hub  # noqa: B018
