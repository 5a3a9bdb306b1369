"""What a program asks of a GPU, a compiler or several processes: nothing changes, or a clear error."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tinytorch.distributed.algorithms.join import Join
from tinytorch.distributed.tensor import DTensor


def test_compile_and_jit_return_what_they_are_given():
    layer = tinytorch.nn.Linear(2, 2)
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


def test_a_compiled_module_wraps_the_module():
    layer = tinytorch.nn.Sequential(tinytorch.nn.Linear(2, 3), tinytorch.nn.Dropout(0.5))
    model = tinytorch.compile(layer, mode="reduce-overhead")
    model.eval().note = "kept by the module"
    assert layer.note == model.note and not layer.training and not model.training and model._orig_mod is layer
    assert model(tinytorch.ones(1, 2)).tolist() == layer(tinytorch.ones(1, 2)).tolist()
    assert list(model.state_dict()) == ["_orig_mod.0.weight", "_orig_mod.0.bias"]
    assert str(model) == (
        "OptimizedModule(\n  (_orig_mod): Sequential(\n    (0): Linear(in_features=2, out_features=3, bias=True)\n"
        "    (1): Dropout(p=0.5, inplace=False)\n  )\n)"
    )
    tinytorch._dynamo.config.suppress_errors = True
    tinytorch._dynamo.reset()
    assert isinstance(model, tinytorch._dynamo.eval_frame.OptimizedModule) and not tinytorch._dynamo.is_compiling()
    tinytorch._inductor.config.fallback_random = True
    assert tinytorch._dynamo.optimize("eager")(len) is len
    assert "NumPy" in tinytorch.__config__.show() and "threads" in tinytorch.__config__.parallel_info()


def test_data_parallel_is_the_module():
    torch.manual_seed(0)
    tinytorch.manual_seed(0)
    theirs, ours = torch.nn.DataParallel(torch.nn.Linear(2, 3)), tinytorch.nn.DataParallel(tinytorch.nn.Linear(2, 3))
    assert str(ours) == str(theirs) and list(ours.state_dict()) == list(theirs.state_dict())
    np.testing.assert_allclose(
        ours(tinytorch.ones(1, 2)).detach().numpy(), theirs(torch.ones(1, 2)).detach().numpy(), 1e-6
    )
    assert tinytorch.nn.DataParallel(ours.module, device_ids=[0, 1]).device_ids == []


def alone(T: Any, path: str) -> list[Any]:
    """A training step in a group of one process, and every collective function."""
    dist = T.distributed
    dist.init_process_group("gloo", init_method=f"file://{path}", rank=0, world_size=1)
    try:
        T.manual_seed(0)
        model = T.nn.parallel.DistributedDataParallel(T.nn.Linear(2, 3))
        with model.no_sync():
            model(T.ones(1, 2)).sum().backward()
        t, u, objects = T.arange(4.0), T.zeros(4), [None]
        dist.all_reduce(t), dist.broadcast(t, src=0), dist.reduce(t, dst=0), dist.barrier()
        dist.all_gather([u], t)
        found = [u.tolist(), dist.get_rank(), dist.get_world_size(), dist.get_backend(), dist.is_initialized()]
        parts, whole = [T.zeros(4)], T.zeros(4)
        dist.gather(t, parts), dist.scatter(u, parts), dist.all_gather_into_tensor(whole, t)
        dist.all_gather_object(objects, {"a": 1}), dist.broadcast_object_list(objects)
        found += [objects, parts[0].tolist(), whole.tolist(), dist.all_reduce(t, async_op=True).wait()]
        dist.reduce_scatter(u, [t * 2]), dist.all_to_all_single(whole, t + 1)
        found += [u.tolist(), whole.tolist(), dist.new_group([0]).size(), list(model.state_dict())]
        found += [list(T.utils.data.DistributedSampler(range(5))), model.module.weight.grad.tolist()]
        for wrong in (
            lambda: dist.send(t, 0),
            lambda: dist.init_process_group("gloo", init_method="env://", rank=0, world_size=1),
            lambda: T.nn.parallel.DistributedDataParallel(T.nn.ReLU()),
        ):
            with pytest.raises((ValueError, RuntimeError)) as error:
                wrong()
            found.append((error.type, str(error.value)[:40]))
    finally:
        dist.destroy_process_group()
    assert not dist.is_initialized()
    with pytest.raises(ValueError, match="not been initialized"):
        dist.get_rank()
    with pytest.raises(ValueError, match="not been initialized"):
        T.nn.parallel.DistributedDataParallel(T.nn.Linear(2, 3))
    return found


def test_a_group_of_one_process(tmp_path):
    assert not tinytorch.distributed.is_available()
    assert alone(tinytorch, str(tmp_path / "ours")) == alone(torch, str(tmp_path / "theirs"))
    dist = tinytorch.distributed
    with Join([tinytorch.nn.Linear(2, 3)]):
        assert not isinstance(tinytorch.ones(1), DTensor)
    with pytest.raises(ValueError, match="joinable"):
        Join([])
    with pytest.raises(NotImplementedError, match="one piece"):
        DTensor([1.0])
    with pytest.raises(RuntimeError, match="process 1 of 2"):
        dist.init_process_group("gloo", rank=1, world_size=2)
    with pytest.raises(RuntimeError, match="NCCL"):
        dist.init_process_group("nccl", rank=0, world_size=1)
    with pytest.raises(ValueError, match="RANK expected"):
        dist.init_process_group("gloo")


def test_autocast_changes_nothing_and_says_so():
    with pytest.warns(UserWarning, match="CUDA is not available"), tinytorch.autocast("cuda"):
        assert (tinytorch.ones(2, 2) @ tinytorch.ones(2, 2)).dtype is tinytorch.float32
    with tinytorch.autocast(device_type="cpu", enabled=False):
        pass
    for autocast in (tinytorch.amp.autocast("cpu", dtype=tinytorch.float16), tinytorch.cpu.amp.autocast()):
        assert (autocast(tinytorch.mm)(tinytorch.ones(2, 2), tinytorch.ones(2, 2))).dtype is tinytorch.float32
    with pytest.warns(UserWarning, match="computed in float32"):
        tinytorch.autocast("cpu")
    with pytest.warns(UserWarning, match="target dtype is not supported"):
        tinytorch.autocast("cpu", dtype=tinytorch.float64)
    assert importlib.import_module("tinytorch.cuda.amp.autocast_mode").autocast is tinytorch.cuda.amp.autocast
    assert importlib.import_module("tinytorch.cuda.amp.grad_scaler").GradScaler is tinytorch.cuda.amp.GradScaler
    assert issubclass(tinytorch.autograd.profiler.profile, tinytorch.profiler.profile)
    assert tinytorch.amp.is_autocast_available("cpu") and not tinytorch.amp.is_autocast_available("cuda")


def scaled_training(T: Any, scaler: Any) -> list[Any]:
    T.manual_seed(0)
    layer = T.nn.Linear(2, 1)
    optimizer = T.optim.SGD(layer.parameters(), lr=0.1)
    found: list[Any] = []
    for step in range(6):
        if step == 5:
            scaler.set_growth_factor(3.0)
            scaler.set_backoff_factor(0.25)
            scaler.set_growth_interval(1)
            found += [scaler.get_growth_factor(), scaler.get_backoff_factor(), scaler.get_growth_interval()]
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
    return [*found, scaler.is_enabled(), *(value for key, value in sorted(scaler.state_dict().items()))]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_grad_scaler(device):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"init_scale": 8.0, "growth_interval": 2}
        theirs = scaled_training(torch, torch.amp.GradScaler(device, **options))
        ours = scaled_training(tinytorch, tinytorch.amp.GradScaler(device, **options))
        old = scaled_training(tinytorch, tinytorch.cuda.amp.GradScaler())
    assert ours == pytest.approx(theirs, rel=1e-5, nan_ok=True)
    assert len(old) == 16
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
        assert isinstance(first, T.Future)
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
