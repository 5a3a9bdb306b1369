"""What optimizers have in common: groups, state, saving and loading, hooks, errors - as PyTorch's."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch

import tinytorch
import tinytorch.optim
from tinytorch.optim.optimizer import (
    Optimizer,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
    required,
)

LIBRARIES = [tinytorch, torch]
OPTIMIZERS = {
    "SGD": {"lr": 0.1, "momentum": 0.9},
    "Adam": {"amsgrad": True},
    "AdamW": {},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Adagrad": {"lr_decay": 0.1},
    "Adadelta": {},
    "Adamax": {},
    "NAdam": {},
    "RAdam": {},
    "Rprop": {},
    "ASGD": {"t0": 3},
}


def params_of(library, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [
        library.tensor(rng.standard_normal(shape).astype(dtype), requires_grad=True) for shape in [(3, 2), (4,), ()]
    ]


def walk(library, optimizer, params, steps, seed=1):
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        for p in params:
            p.grad = library.tensor(rng.standard_normal(p.shape).astype(p.detach().numpy().dtype))
        optimizer.step()


def arrays(params):
    return [p.detach().numpy() for p in params]


def converted(value, library):
    """A nested state with its tensors turned into ``library``'s, through NumPy."""
    if isinstance(value, (torch.Tensor, tinytorch.Tensor)):
        return library.tensor(value.detach().numpy())
    if isinstance(value, dict):
        return {key: converted(item, library) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(converted(item, library) for item in value)
    return value


def tolerance_of(name):
    """NAdam and ASGD remember numbers in float32; loading turns them, as PyTorch does, into the parameter's float64."""
    return 1e-5 if name in ("NAdam", "ASGD") else 1e-12


def error_of(library, build):
    with pytest.raises((ValueError, TypeError, RuntimeError)) as caught:
        build(library, library.tensor([1.0, 2.0], requires_grad=True))
    return caught.type, str(caught.value).replace("tinytorch", "torch")


# ---------------------------------------------------------------------------------------- state


@pytest.mark.parametrize("target", LIBRARIES, ids=lambda library: library.__name__)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_state_travels_between_the_libraries(name, target):
    source = next(library for library in LIBRARIES if library is not target)
    expected = params_of(source)
    optimizer = getattr(source.optim, name)(expected, **OPTIMIZERS[name])
    walk(source, optimizer, expected, 7)
    state = copy.deepcopy(converted(optimizer.state_dict(), target))
    found = [target.tensor(p.detach().numpy(), requires_grad=True) for p in expected]
    resumed = getattr(target.optim, name)(found)
    resumed.load_state_dict(state)
    walk(source, optimizer, expected, 9, seed=2)
    walk(target, resumed, found, 9, seed=2)
    for tiny, reference in zip(arrays(found), arrays(expected), strict=True):
        np.testing.assert_allclose(tiny, reference, rtol=tolerance_of(name), atol=1e-14)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_resuming_pickling_and_deepcopy_go_on_the_same_way(name):
    def train(interrupt):
        params = params_of(tinytorch)
        optimizer = getattr(tinytorch.optim, name)(params, **OPTIMIZERS[name])
        walk(tinytorch, optimizer, params, 5)
        params, optimizer = interrupt(params, optimizer)
        walk(tinytorch, optimizer, params, 5, seed=2)
        return arrays(params)

    def resume(params, optimizer):
        params = copy.deepcopy(params)
        fresh = getattr(tinytorch.optim, name)(params, lr=0.77)
        fresh.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        return params, fresh

    def unpickle(params, optimizer):
        optimizer = pickle.loads(pickle.dumps(optimizer))
        return optimizer.param_groups[0]["params"], optimizer

    def deepcopied(params, optimizer):
        optimizer = copy.deepcopy(optimizer)
        return optimizer.param_groups[0]["params"], optimizer

    expected = train(lambda params, optimizer: (params, optimizer))
    for interrupt in (resume, unpickle, deepcopied):
        tolerance = tolerance_of(name) if interrupt is resume else 0
        for a, b in zip(train(interrupt), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_loading_casts_to_the_parameter_and_copies(name):
    params = params_of(tinytorch)
    optimizer = getattr(tinytorch.optim, name)(params, **OPTIMIZERS[name])
    walk(tinytorch, optimizer, params, 3)
    state = optimizer.state_dict()
    before = copy.deepcopy(state)
    others = params_of(tinytorch, dtype=np.float32)
    other = getattr(tinytorch.optim, name)(others)
    other.load_state_dict(state)
    for p in others:
        for key, value in other.state[p].items():
            assert value.dtype is tinytorch.float32, key
    walk(tinytorch, other, others, 3)
    for key, values in before["state"].items():
        for name_, value in values.items():
            np.testing.assert_array_equal(state["state"][key][name_].numpy(), value.numpy())
    assert all(p.dtype is tinytorch.float32 for p in others)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_loaded_state_follows_the_memory_order_of_the_parameter(name):
    p = tinytorch.tensor(np.random.default_rng(0).standard_normal((4, 5)), requires_grad=True)
    p.data = tinytorch.as_tensor(np.asfortranarray(p.detach().numpy()))
    optimizer = getattr(tinytorch.optim, name)([p])
    walk(tinytorch, optimizer, [p], 1)
    state = pickle.loads(pickle.dumps(optimizer.state_dict()))  # row-major now
    optimizer.load_state_dict(state)
    for value in optimizer.state[p].values():
        assert value.ndim == 0 or value._array.flags.f_contiguous


def test_state_dict_numbers_parameters_through_all_groups():
    found = []
    for library in LIBRARIES:
        a, b, c = params_of(library)
        optimizer = library.optim.SGD([{"params": [a]}, {"params": [b, c], "lr": 0.5}], lr=0.1, momentum=0.9)
        walk(library, optimizer, [a, b, c], 1)
        state = optimizer.state_dict()
        found.append((state["param_groups"], sorted(state["state"])))
    assert found[0] == found[1]
    assert found[0][0][1]["params"] == [1, 2]


def test_named_parameters():
    found = []
    for library in LIBRARIES:
        a, b, c = params_of(library)
        optimizer = library.optim.SGD([("a", a), ("b", b)], lr=0.1)
        optimizer.add_param_group({"params": [("c", c)], "lr": 0.2})
        plain = library.optim.SGD([{"params": [a, b]}, {"params": [c]}])
        state = plain.state_dict()
        optimizer.load_state_dict(state)
        found.append((optimizer.state_dict()["param_groups"], [list(g) for g in optimizer.param_groups]))
    assert found[0] == found[1]


def test_state_saved_by_adam_loads_into_adamw():
    params = params_of(tinytorch)
    adam = tinytorch.optim.Adam(params, weight_decay=0.1)
    walk(tinytorch, adam, params, 2)
    adamw = tinytorch.optim.AdamW(params)
    state = adam.state_dict()
    del state["param_groups"][0]["maximize"]  # an option that did not exist yet
    state["state"][0]["step"] = 2.0  # once saved as a number
    adamw.load_state_dict(state)
    assert adamw.param_groups[0]["decoupled_weight_decay"] is True
    assert adamw.param_groups[0]["maximize"] is False
    walk(tinytorch, adamw, params, 1)
    assert adamw.state[params[0]]["step"].item() == 3.0


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)
def test_mismatched_states_are_refused(library):
    a, b, c = params_of(library)
    optimizer = library.optim.SGD([a, b])
    with pytest.raises(ValueError, match="different number of parameter groups"):
        optimizer.load_state_dict(library.optim.SGD([{"params": [a]}, {"params": [c]}]).state_dict())
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        optimizer.load_state_dict(library.optim.SGD([a, b, c]).state_dict())


def test_step_counter_is_a_scalar_of_the_default_dtype():
    p = tinytorch.tensor([1.0], requires_grad=True)
    p.grad = tinytorch.ones(1)
    optimizer = tinytorch.optim.Adam([p])
    optimizer.step()
    step = optimizer.state[p]["step"]
    assert (step.shape, step.dtype, step.item()) == ((), tinytorch.float32, 1.0)


# ---------------------------------------------------------------------------------------- the step


def test_closure_runs_with_gradients_and_its_loss_is_returned():
    found = []
    for library in LIBRARIES:
        p = library.tensor([1.0, -2.0], requires_grad=True)
        optimizer = library.optim.SGD([p], lr=0.25)
        losses = []

        def closure(p=p, optimizer=optimizer, library=library):
            assert library.is_grad_enabled()
            optimizer.zero_grad()
            loss = (p * p * library.tensor([1.0, 3.0])).sum()
            loss.backward()
            return loss

        with library.no_grad():
            losses += [optimizer.step(closure).item() for _ in range(3)]
        found.append((losses, p.tolist(), optimizer.step()))
    assert found[0] == found[1]


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)
def test_zero_grad(library):
    p = library.tensor([1.0, 2.0], requires_grad=True)
    optimizer = library.optim.SGD([p])
    (p * p).sum().backward(**({"create_graph": True} if library is tinytorch else {}))
    grad = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is grad
    assert p.grad.tolist() == [0.0, 0.0]
    assert not p.grad.requires_grad
    optimizer.zero_grad()
    assert p.grad is None
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is None


def test_training_goes_as_in_pytorch():
    found = []
    for library in LIBRARIES:
        rng = np.random.default_rng(0)
        x, y = (library.tensor(rng.standard_normal(shape)) for shape in ((20, 3), (20, 2)))
        w, b = (library.tensor(rng.standard_normal(shape), requires_grad=True) for shape in ((3, 2), (2,)))
        optimizer = library.optim.AdamW([{"params": [w]}, {"params": [b], "weight_decay": 0.0}], lr=0.05)
        scheduler = library.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=60)
        losses = []
        for _ in range(60):
            optimizer.zero_grad()
            loss = ((x.matmul(w) + b - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())
        found.append(losses)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-10)
    assert found[0][-1] < found[0][0]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_repr_is_pytorchs(name):
    texts = []
    for library in LIBRARIES:
        a, b, c = params_of(library)
        optimizer = getattr(library.optim, name)([{"params": [a, b]}, {"params": [c], "lr": 0.5}], **OPTIMIZERS[name])
        library.optim.lr_scheduler.StepLR(optimizer, 3)
        texts.append(repr(optimizer))
    assert texts[0] == texts[1]


# ---------------------------------------------------------------------------------------- hooks


def test_a_wrapper_without_parameters_of_its_own_has_its_step_patched():
    def program(T):
        class Wrapper(T.optim.Optimizer):
            def __init__(self, inner):
                self.inner = inner
                self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks = OrderedDict(), OrderedDict()
                self._patch_step_function()

            def step(self):
                self.inner.step()

        parameter = T.nn.Parameter(T.ones(2))
        parameter.grad = T.ones(2)
        wrapper = Wrapper(T.optim.SGD([parameter], lr=0.5))
        handle = T.optim.Optimizer.register_step_post_hook(wrapper, lambda *_: parameter.data.mul_(3))
        wrapper.step()
        handle.remove()
        return parameter.tolist()

    assert program(tinytorch) == program(torch) == [1.5, 1.5]


def test_hooks_run_in_pytorchs_order():
    found = []
    for library in LIBRARIES:
        p = library.tensor([1.0], requires_grad=True)
        p.grad = library.tensor([1.0])
        optimizer = library.optim.SGD([p], lr=0.5)
        log = []
        if library is tinytorch:
            everywhere = [register_optimizer_step_pre_hook, register_optimizer_step_post_hook]
        else:
            from torch.optim.optimizer import register_optimizer_step_post_hook as post
            from torch.optim.optimizer import register_optimizer_step_pre_hook as pre

            everywhere = [pre, post]
        handles = [add(lambda o, a, k, i=i, log=log: log.append(f"all{i}")) for i, add in enumerate(everywhere)]
        handles.append(optimizer.register_step_pre_hook(lambda o, a, k, log=log: log.append(("pre", len(a), len(k)))))
        handles.append(
            optimizer.register_step_post_hook(lambda o, a, k, log=log: log.append(("post", o.param_groups[0]["lr"])))
        )
        optimizer.register_state_dict_pre_hook(lambda o, log=log: log.append("state"))
        optimizer.register_state_dict_post_hook(lambda o, s, log=log: s | {"more": 1})
        optimizer.register_state_dict_post_hook(lambda o, s, log=log: log.append(sorted(s)))
        optimizer.register_state_dict_post_hook(lambda o, s, log=log: log.append("first"), prepend=True)
        optimizer.register_load_state_dict_pre_hook(lambda o, s, log=log: log.append(sorted(s)))
        optimizer.register_load_state_dict_post_hook(lambda o, log=log: log.append("loaded"))
        optimizer.step()
        optimizer.step(lambda: 3)
        optimizer.load_state_dict(optimizer.state_dict())
        for handle in handles:
            handle.remove()
        optimizer.step()
        found.append(log)
    assert found[0] == found[1]


def test_a_hook_may_replace_the_arguments_of_step():
    p = tinytorch.tensor([1.0], requires_grad=True)
    optimizer = tinytorch.optim.SGD([p])
    handle = optimizer.register_step_pre_hook(lambda o, args, kwargs: (args, {"closure": lambda: 7}))
    assert optimizer.step() == 7
    handle.remove()
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        optimizer.step()


def test_an_optimizer_of_ones_own_has_hooks_once():
    class Sign(Optimizer):
        def __init__(self, params, lr=required):
            super().__init__(params, {"lr": lr})

        @tinytorch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.sub_(group["lr"] * p.grad.sign())

    class Louder(Sign):
        def step(self, closure=None):
            super().step(closure)
            return "done"

    p = tinytorch.tensor([1.0, 2.0], requires_grad=True)
    p.grad = tinytorch.tensor([3.0, -4.0])
    optimizer = Louder([p], lr=0.5)
    calls = []
    optimizer.register_step_post_hook(lambda *a: calls.append(a))
    assert optimizer.step() == "done"
    assert (p.tolist(), len(calls)) == ([0.5, 2.5], 1)
    with pytest.raises(ValueError, match="required optimization parameter lr"):
        Sign([p])
    with pytest.raises(NotImplementedError, match="neither step nor _update"):
        optimizer = Optimizer([p], {})
        optimizer.step()


# ---------------------------------------------------------------------------------------- errors

ERRORS = {
    "tensor": lambda t, p: t.optim.SGD(p),
    "number": lambda t, p: t.optim.SGD(3),
    "empty": lambda t, p: t.optim.SGD([]),
    "no tensor": lambda t, p: t.optim.SGD([p, 3]),
    "no tensor but a class": lambda t, p: t.optim.SGD([p, int]),
    "not a leaf": lambda t, p: t.optim.SGD([p * 2]),
    "set": lambda t, p: t.optim.SGD([{"params": {p}}]),
    "two groups": lambda t, p: t.optim.SGD([{"params": [p]}, {"params": [p]}]),
    "group type": lambda t, p: t.optim.SGD([p]).add_param_group([p]),
    "some names": lambda t, p: t.optim.SGD([("a", p), t.tensor([1.0])]),
    "names later": lambda t, p: t.optim.SGD([p]).add_param_group({"params": [("b", t.tensor([1.0]))]}),
    "names before": lambda t, p: t.optim.SGD([("a", p)]).add_param_group({"params": [t.tensor([1.0])]}),
    "nesterov": lambda t, p: t.optim.SGD([p], nesterov=True),
    "fused foreach": lambda t, p: t.optim.SGD([p], fused=True, foreach=True),
    "fused differentiable": lambda t, p: t.optim.Adam([p], fused=True, differentiable=True),
    "lr tensor": lambda t, p: t.optim.Adam([p], lr=t.tensor([1.0, 2.0])),
    "rho": lambda t, p: t.optim.Adadelta([p], rho=1.5),
    "etas": lambda t, p: t.optim.Rprop([p], etas=(1.1, 1.2)),
    "adafactor d": lambda t, p: t.optim.Adafactor([p], d=0.5),
    "adafactor decay": lambda t, p: t.optim.Adafactor([p], beta2_decay=0.5),
    "adafactor eps": lambda t, p: t.optim.Adafactor([p], eps=(None, -1.0)),
    "muon vector": lambda t, p: t.optim.Muon([t.tensor([1.0])]),
    "muon adjust": lambda t, p: t.optim.Muon([p], adjust_lr_fn="none"),
    "sparse adam lr": lambda t, p: t.optim.SparseAdam([p], lr=0.0),
    "int betas": lambda t, p: t.optim.Adam([p], betas=(0, 0.9)),
    "lbfgs groups": lambda t, p: t.optim.LBFGS([{"params": [p]}, {"params": [t.tensor([1.0])]}]),
    "lbfgs no closure": lambda t, p: t.optim.LBFGS([p]).step(),
}  # fmt: skip
NEGATIVE = [(name, key) for name, keys in {
    "SGD": "lr momentum weight_decay",
    "Adam": "lr eps weight_decay", "AdamW": "lr eps weight_decay", "NAdam": "lr eps weight_decay momentum_decay",
    "RAdam": "lr eps weight_decay", "Adamax": "lr eps weight_decay", "RMSprop": "lr eps weight_decay momentum alpha",
    "Adagrad": "lr eps weight_decay lr_decay initial_accumulator_value", "Adadelta": "lr eps weight_decay rho",
    "Rprop": "lr", "ASGD": "lr weight_decay", "LBFGS": "lr", "SparseAdam": "lr eps",
    "Adafactor": "lr weight_decay", "Muon": "lr momentum weight_decay",
}.items() for key in keys.split()]  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_pytorchs(name):
    tiny, reference = (error_of(library, ERRORS[name]) for library in LIBRARIES)
    assert tiny == reference


@pytest.mark.parametrize(("name", "key"), NEGATIVE)
def test_negative_options(name, key):
    tiny, reference = (error_of(t, lambda t, p: getattr(t.optim, name)([p], **{key: -0.5})) for t in LIBRARIES)
    assert tiny == reference


@pytest.mark.parametrize("name", ["Adam", "AdamW", "NAdam", "RAdam", "Adamax"])
@pytest.mark.parametrize("betas", [(-0.1, 0.9), (0.9, 1.0)])
def test_betas_out_of_range(name, betas):
    tiny, reference = (error_of(t, lambda t, p: getattr(t.optim, name)([p], betas=betas)) for t in LIBRARIES)
    assert tiny == reference


def test_duplicates_warn():
    p = tinytorch.tensor([1.0], requires_grad=True)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        tinytorch.optim.SGD([p, p])


def test_a_retained_result_of_an_op_may_be_optimized():
    p = tinytorch.tensor([1.0], requires_grad=True)
    result = p * 2
    result.retain_grad()
    tinytorch.optim.SGD([result])
    with pytest.raises(ValueError, match="non-leaf"):
        tinytorch.optim.SGD([p * 2])
