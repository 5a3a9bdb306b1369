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
    with pytest.raises(RuntimeError, match="state_dict"):
        tinytorch.hub.load("pytorch/vision", "resnet18", pretrained=True)


def test_weights_are_loaded_from_an_address(tmp_path, monkeypatch):
    state = tinytorch.nn.Linear(2, 3).state_dict()
    tinytorch.save(state, tmp_path / "linear-0123.pth")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    url = (tmp_path / "linear-0123.pth").as_uri()
    loaded = tinytorch.hub.load_state_dict_from_url(url, progress=False)
    assert list(loaded) == ["weight", "bias"] and loaded["weight"].tolist() == state["weight"].tolist()
    (tmp_path / "linear-0123.pth").unlink()  # the second time it comes from the cache
    assert list(tinytorch.utils.model_zoo.load_url(url, progress=False)) == ["weight", "bias"]
    with pytest.raises(RuntimeError, match="hash"):
        tinytorch.save(state, tmp_path / "wrong-00000000.pth")
        tinytorch.hub.load_state_dict_from_url(
            (tmp_path / "wrong-00000000.pth").as_uri(), progress=False, check_hash=True
        )


def in_place_results(T: Any) -> list[Any]:
    x = T.linspace(0.1, 0.9, 5)
    simple = ["abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "deg2rad", "erf", "erfc", "exp", "exp2", "expm1", "floor", "frac", "i0", "log", "log10", "log1p", "log2", "logit", "neg", "rad2deg", "reciprocal", "relu", "round", "rsqrt", "sigmoid", "sin", "sinc", "sinh", "sqrt", "square", "tan", "tanh", "trunc", "zero", "nan_to_num", "negative", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "detach", "fix", "conj_physical"]  # fmt: skip
    found = []
    for name in simple:
        y = x.clone() + (1 if "cosh" in name else 0)
        assert getattr(T, name + "_")(y) is y
        found += [name, *y.tolist()]
    found += T.clamp_(x.clone(), 0.2, max=0.5).tolist() + T.clip_(x.clone(), min=0.3).tolist()
    found += (
        T.clamp_min_(x.clone(), 0.4).tolist() + T.clamp_max_(x.clone(), 0.4).tolist() + T.fill_(x.clone(), 2).tolist()
    )
    found += (
        T.addmv_(x[:2].clone(), T.ones(2, 3), T.ones(3), beta=2, alpha=0.5).tolist() + T.xlogy_(x.clone(), x).tolist()
    )
    found += T.gcd_(T.tensor([4, 6]), T.tensor([6, 9])).tolist() + T.lcm_(T.tensor([4, 6]), T.tensor([6, 9])).tolist()
    found += (
        T.ldexp_(x.clone(), T.tensor(2)).tolist() + T.index_put_(x.clone(), (T.tensor([1]),), T.tensor([5.0])).tolist()
    )
    return found


def test_ops_in_place_as_functions():
    for ours, theirs in zip(in_place_results(tinytorch), in_place_results(torch), strict=True):
        assert ours == (theirs if isinstance(theirs, str) else pytest.approx(theirs, rel=1e-5, nan_ok=True))
    assert all(hasattr(torch, name) for name in importlib.import_module("tinytorch.in_place_functions").__all__)


def test_futures():
    for T in (torch, tinytorch):
        importlib.import_module(f"{T.__name__}.futures")
        first, second = T.futures.Future(), T.futures.Future()
        doubled = first.then(lambda future: 2 * future.value())
        both = T.futures.collect_all([first, second])
        first.set_result(3)
        assert doubled.wait() == 6 and not both.done()
        second.set_result(4)
        assert [future.value() for future in both.wait()] == T.futures.wait_all([first, second]) == [3, 4]
        failed = T.futures.Future()
        failed.set_exception(ValueError("no"))
        with pytest.raises(ValueError, match="no"):
            failed.wait()
        with pytest.raises(RuntimeError):
            first.set_result(1)


def test_nothing_is_traced():
    assert tinytorch.fx.wrap(max) is max
    with pytest.raises(NotImplementedError, match="viz"):
        tinytorch.fx.symbolic_trace(tinytorch.nn.Linear(1, 1))
    assert tinytorch.cuda.random.manual_seed(0) is None
