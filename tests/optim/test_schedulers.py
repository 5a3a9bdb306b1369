"""Every scheduler gives PyTorch's learning rates to the last bit, over hundreds of steps and through saving."""

from __future__ import annotations

import copy
import itertools
import math
import warnings

import pytest
import torch

import tinytorch
import tinytorch.optim
from tinytorch.optim import lr_scheduler as tiny_scheduler

LIBRARIES = {"tiny": (tinytorch, tinytorch.optim), "torch": (torch, torch.optim)}


def make_optimizer(library, kind="SGD", lrs=(0.1, 0.0371), lr_tensor=False):
    torch_like, optim = library
    groups = []
    for lr in lrs:
        p = torch_like.tensor([1.0], requires_grad=True)
        p.grad = torch_like.tensor([0.5])
        groups.append({"params": [p], "lr": torch_like.tensor(lr) if lr_tensor else lr})
    options = {"momentum": 0.9} if kind in ("SGD", "RMSprop") else {}
    return getattr(optim, kind)(groups, **options)


def values(optimizer):
    return [(float(g["lr"]), g.get("momentum"), g.get("betas")) for g in optimizer.param_groups]


class Factor:
    """A callable object, whose attributes are part of the scheduler's state."""

    def __init__(self, base=0.97):
        self.base = base

    def __call__(self, epoch):
        return self.base ** (epoch % 17)


def shrink(epoch):
    return 0.95 if epoch % 3 else 1.01


def chained(optimizer, module):
    parts = [module.ConstantLR(optimizer, 0.3, 7), module.ExponentialLR(optimizer, 0.98)]
    return module.ChainedScheduler(parts, optimizer)


def sequential(optimizer, module):
    parts = [
        module.LinearLR(optimizer, 0.01, total_iters=9),
        module.CosineAnnealingLR(optimizer, 40, 1e-4),
        module.ExponentialLR(optimizer, 0.9),
    ]
    return module.SequentialLR(optimizer, parts, [10, 70])


def nested(optimizer, module):
    inner = module.SequentialLR(
        optimizer, [module.ConstantLR(optimizer, 0.5, 4), module.StepLR(optimizer, 3, 0.7)], [5]
    )
    return module.SequentialLR(optimizer, [inner, module.ExponentialLR(optimizer, 0.9)], [40])


SCHEDULES = {
    "step": lambda o, m: m.StepLR(o, 7),
    "step_gamma": lambda o, m: m.StepLR(o, step_size=3, gamma=0.93),
    "multistep": lambda o, m: m.MultiStepLR(o, [5, 20, 20, 61], gamma=0.37),
    "constant": lambda o, m: m.ConstantLR(o),
    "constant_20": lambda o, m: m.ConstantLR(o, factor=0.7, total_iters=20),
    "linear": lambda o, m: m.LinearLR(o),
    "linear_down": lambda o, m: m.LinearLR(o, start_factor=1.0, end_factor=0.0123, total_iters=90),
    "exponential": lambda o, m: m.ExponentialLR(o, 0.987),
    "polynomial": lambda o, m: m.PolynomialLR(o, 83, 1.7),
    "cosine": lambda o, m: m.CosineAnnealingLR(o, T_max=100),
    "cosine_up": lambda o, m: m.CosineAnnealingLR(o, T_max=13, eta_min=0.003),
    "restarts": lambda o, m: m.CosineAnnealingWarmRestarts(o, 11),
    "restarts_longer": lambda o, m: m.CosineAnnealingWarmRestarts(o, T_0=5, T_mult=2, eta_min=1e-3),
    "one_cycle": lambda o, m: m.OneCycleLR(o, max_lr=0.5, total_steps=160),
    "one_cycle_linear": lambda o, m: m.OneCycleLR(
        o, [0.5, 0.2], epochs=20, steps_per_epoch=8, anneal_strategy="linear", pct_start=0.45, div_factor=7.0,
        final_div_factor=13.0, base_momentum=[0.7, 0.75], max_momentum=0.99,
    ),
    "one_cycle_three": lambda o, m: m.OneCycleLR(o, 0.3, total_steps=155, three_phase=True, pct_start=0.31),
    "one_cycle_lr_only": lambda o, m: m.OneCycleLR(o, 0.3, total_steps=151, cycle_momentum=False),
    "cyclic": lambda o, m: m.CyclicLR(o, 0.01, 0.2, step_size_up=9),
    "cyclic_2": lambda o, m: m.CyclicLR(o, [0.01, 0.02], [0.2, 0.3], step_size_up=9, step_size_down=4, mode="triangular2"),
    "cyclic_exp": lambda o, m: m.CyclicLR(o, 0.01, 0.2, step_size_up=7, mode="exp_range", gamma=0.993),
    "cyclic_fn": lambda o, m: m.CyclicLR(
        o, 0.01, 0.2, step_size_up=7, scale_fn=lambda x: 1 / (5 ** (x * 0.0001)), scale_mode="iterations",
        cycle_momentum=False,
    ),
    "lambda": lambda o, m: m.LambdaLR(o, lambda epoch: 0.95**epoch),
    "lambda_each": lambda o, m: m.LambdaLR(o, [lambda epoch: epoch // 30, Factor()]),
    "multiplicative": lambda o, m: m.MultiplicativeLR(o, shrink),
    "multiplicative_each": lambda o, m: m.MultiplicativeLR(o, [shrink, Factor(0.999)]),
    "chained": chained,
    "sequential": sequential,
    "nested": nested,
}  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore:Detected call of")
KINDS = ["SGD", "Adam"]


def trajectory(library, build, kind, steps=150, by_hand=False, lr_tensor=False):
    optimizer = make_optimizer(library, kind, lr_tensor=lr_tensor)
    scheduler = build(optimizer, library[1].lr_scheduler)
    found = [values(optimizer)]
    for step in range(steps):
        optimizer.step()
        scheduler.step()
        assert [float(lr) for lr in scheduler.get_last_lr()] == [v[0] for v in values(optimizer)]
        found.append(values(optimizer))
        if by_hand and step in (17, 60):
            optimizer.param_groups[0]["lr"] *= 1.7
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SCHEDULES)
def test_values_are_equal_to_the_last_bit(name, kind):
    tiny, reference = (trajectory(library, SCHEDULES[name], kind) for library in LIBRARIES.values())
    assert tiny == reference
    assert len({v[0][0] for v in tiny}) > 1  # something was scheduled


@pytest.mark.parametrize("name", SCHEDULES)
def test_learning_rates_changed_by_hand(name):
    tiny, reference = (trajectory(library, SCHEDULES[name], "SGD", by_hand=True) for library in LIBRARIES.values())
    assert tiny == reference


@pytest.mark.parametrize("name", ["step", "linear", "cosine_up", "lambda", "exponential", "sequential"])
def test_learning_rate_in_a_tensor(name):
    tiny, reference = (
        [v[0] for step in trajectory(library, SCHEDULES[name], "Adam", lr_tensor=True) for v in step]
        for library in LIBRARIES.values()
    )
    assert tiny == pytest.approx(reference, rel=2e-5)  # float32 arithmetic
    optimizer = make_optimizer(LIBRARIES["tiny"], "Adam", lr_tensor=True)
    lr = optimizer.param_groups[0]["lr"]
    SCHEDULES[name](optimizer, tiny_scheduler).step()
    assert optimizer.param_groups[0]["lr"] is lr


def resumed(library, build, kind, save_at=37, steps=110):
    """The learning rates when the training is stopped and continued by fresh objects."""
    optimizer = make_optimizer(library, kind)
    scheduler = build(optimizer, library[1].lr_scheduler)
    found = []
    for step in range(steps):
        if step == save_at:
            saved = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(scheduler.state_dict())
            optimizer = make_optimizer(library, kind)
            scheduler = build(optimizer, library[1].lr_scheduler)
            optimizer.load_state_dict(saved[0])
            scheduler.load_state_dict(saved[1])
        optimizer.step()
        scheduler.step()
        found.append(values(optimizer))
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SCHEDULES)
def test_resuming_from_state_dicts(name, kind):
    tiny, reference = (resumed(library, SCHEDULES[name], kind) for library in LIBRARIES.values())
    assert tiny == reference
    assert tiny == trajectory(LIBRARIES["tiny"], SCHEDULES[name], kind, 110)[1:]


@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"one_cycle_linear", "cyclic_fn"}))
def test_state_dict_has_pytorchs_keys_and_travels(name):
    states = {}
    for key, library in LIBRARIES.items():
        optimizer = make_optimizer(library)
        scheduler = SCHEDULES[name](optimizer, library[1].lr_scheduler)
        for _ in range(20):
            optimizer.step()
            scheduler.step()
        states[key] = optimizer, scheduler
    tiny, reference = states["tiny"][1].state_dict(), states["torch"][1].state_dict()
    assert set(tiny) == set(reference)
    states["tiny"][1].load_state_dict(copy.deepcopy(reference))
    for _ in range(30):
        for optimizer, scheduler in states.values():
            optimizer.step()
            scheduler.step()
        assert values(states["tiny"][0]) == values(states["torch"][0])


@pytest.mark.parametrize("name", ["step", "multistep", "constant", "linear", "exponential", "polynomial", "cosine",
                                  "restarts", "restarts_longer", "lambda"])  # fmt: skip
def test_jumping_to_an_epoch(name):
    def jump(library):
        optimizer = make_optimizer(library)
        scheduler = SCHEDULES[name](optimizer, library[1].lr_scheduler)
        found = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for epoch in (3, 8, 21, 20, 64, 0):
                optimizer.step()
                scheduler.step(epoch)
                found.append(values(optimizer))
        return found

    assert jump(LIBRARIES["tiny"]) == jump(LIBRARIES["torch"])


def test_warm_restarts_take_fractions_of_epochs():
    def run(library):
        optimizer = make_optimizer(library)
        scheduler = library[1].lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 3, 2)
        found = []
        for batch in range(200):
            optimizer.step()
            scheduler.step(batch / 7)
            found.append(values(optimizer))
        return found

    assert run(LIBRARIES["tiny"]) == run(LIBRARIES["torch"])


@pytest.mark.parametrize("last_epoch", [0, 6, 30])
@pytest.mark.parametrize(
    "name", ["StepLR", "CosineAnnealingLR", "LinearLR", "ExponentialLR", "PolynomialLR", "ConstantLR"]
)
def test_going_on_by_last_epoch(name, last_epoch):
    options = {"StepLR": (4,), "CosineAnnealingLR": (20,), "ExponentialLR": (0.9,)}.get(name, ())

    def run(library):
        optimizer = make_optimizer(library)
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"] * 2
        scheduler = getattr(library[1].lr_scheduler, name)(optimizer, *options, last_epoch=last_epoch)
        found = [values(optimizer)]
        for _ in range(50):
            optimizer.step()
            scheduler.step()
            found.append(values(optimizer))
        return found

    assert run(LIBRARIES["tiny"]) == run(LIBRARIES["torch"])


PLATEAUS = [
    {},
    {"patience": 2, "factor": 0.5},
    {"mode": "max", "patience": 1, "threshold": 0.05},
    {"patience": 0, "cooldown": 3, "threshold_mode": "abs", "threshold": 0.01, "min_lr": [0.001, 0.02]},
    {"mode": "max", "threshold_mode": "abs", "threshold": 0.2, "patience": 3, "eps": 1e-3},
]


@pytest.mark.parametrize("options", PLATEAUS, ids=str)
def test_reduce_on_plateau(options):
    def run(library):
        optimizer = make_optimizer(library)
        scheduler = library[1].lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        found = []
        for step in range(150):
            optimizer.step()
            metric = math.exp(-step / 20) + 0.1 * math.sin(step * 1.7)
            scheduler.step(library[0].tensor(metric, dtype=library[0].float64) if step % 2 else metric)
            found.append((values(optimizer), scheduler.get_last_lr(), scheduler.num_bad_epochs, scheduler.best))
            if step == 70:
                state = copy.deepcopy(scheduler.state_dict())
                scheduler = library[1].lr_scheduler.ReduceLROnPlateau(optimizer)
                scheduler.load_state_dict(state)
        return found

    tiny = run(LIBRARIES["tiny"])
    assert tiny == run(LIBRARIES["torch"])
    assert tiny[-1][0] != tiny[0][0]


def error_of(library, build):
    """Type and text of the error that ``build`` raises."""
    with pytest.raises((ValueError, TypeError, KeyError, RuntimeError)) as caught:
        build(make_optimizer(library), library[1].lr_scheduler)
    return caught.type, str(caught.value)


ERRORS = {
    "no optimizer": lambda o, m: m.StepLR(None, 3),
    "lambdas": lambda o, m: m.LambdaLR(o, [shrink]),
    "multiplicative count": lambda o, m: m.MultiplicativeLR(o, [shrink]),
    "multiplicative type": lambda o, m: m.MultiplicativeLR(o, [3, 4]),
    "constant": lambda o, m: m.ConstantLR(o, 1.5),
    "linear start": lambda o, m: m.LinearLR(o, 0.0),
    "linear end": lambda o, m: m.LinearLR(o, 0.1, 1.1),
    "resume": lambda o, m: m.StepLR(o, 3, last_epoch=4),
    "T_0": lambda o, m: m.CosineAnnealingWarmRestarts(o, 0),
    "T_mult": lambda o, m: m.CosineAnnealingWarmRestarts(o, 2, 0.5),
    "eta_min": lambda o, m: m.CosineAnnealingWarmRestarts(o, 2, 1, "x"),
    "negative epoch": lambda o, m: m.CosineAnnealingWarmRestarts(o, 2).step(-1),
    "plateau factor": lambda o, m: m.ReduceLROnPlateau(o, factor=1.0),
    "plateau mode": lambda o, m: m.ReduceLROnPlateau(o, mode="low"),
    "plateau threshold": lambda o, m: m.ReduceLROnPlateau(o, threshold_mode="low"),
    "plateau min_lr": lambda o, m: m.ReduceLROnPlateau(o, min_lr=[1.0]),
    "one cycle steps": lambda o, m: m.OneCycleLR(o, 1.0),
    "one cycle total": lambda o, m: m.OneCycleLR(o, 1.0, total_steps=0),
    "one cycle epochs": lambda o, m: m.OneCycleLR(o, 1.0, epochs=-1, steps_per_epoch=2),
    "one cycle per epoch": lambda o, m: m.OneCycleLR(o, 1.0, epochs=1, steps_per_epoch=0),
    "one cycle pct": lambda o, m: m.OneCycleLR(o, 1.0, 10, pct_start=1.5),
    "one cycle anneal": lambda o, m: m.OneCycleLR(o, 1.0, 10, anneal_strategy="x"),
    "one cycle max_lr": lambda o, m: m.OneCycleLR(o, [1.0], 10),
    "cyclic mode": lambda o, m: m.CyclicLR(o, 0.1, 1.0, mode="x"),
    "cyclic base_lr": lambda o, m: m.CyclicLR(o, [0.1], 1.0),
    "sequential none": lambda o, m: m.SequentialLR(o, [], []),
    "sequential milestones": lambda o, m: m.SequentialLR(o, [m.StepLR(o, 3)], [3]),
    "sequential plateau": lambda o, m: m.SequentialLR(o, [m.ReduceLROnPlateau(o)], []),
    "sequential type": lambda o, m: m.SequentialLR(o, [3], []),
    "chained none": lambda o, m: m.ChainedScheduler([]),
    "chained plateau": lambda o, m: m.ChainedScheduler([m.ReduceLROnPlateau(o)]),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_pytorchs(name):
    tiny, reference = (error_of(library, ERRORS[name]) for library in LIBRARIES.values())
    assert tiny == reference


def test_too_many_steps_of_one_cycle():
    def run(optimizer, module):
        scheduler = module.OneCycleLR(optimizer, 1.0, total_steps=5)
        for _ in range(6):
            optimizer.step()
            scheduler.step()

    tiny, reference = (error_of(library, run) for library in LIBRARIES.values())
    assert tiny == reference


def test_momentum_is_needed_to_cycle_it():
    optimizer = tinytorch.optim.Adagrad([tinytorch.tensor([1.0], requires_grad=True)])
    for build in (
        lambda: tiny_scheduler.OneCycleLR(optimizer, 1.0, 10),
        lambda: tiny_scheduler.CyclicLR(optimizer, 0.1, 1),
    ):
        with pytest.raises(ValueError, match="must support momentum or beta1"):
            build()


def test_schedulers_of_two_optimizers_do_not_combine():
    one, two = make_optimizer(LIBRARIES["tiny"]), make_optimizer(LIBRARIES["tiny"])
    with pytest.raises(ValueError, match="to belong to the same optimizer"):
        tiny_scheduler.SequentialLR(one, [tiny_scheduler.StepLR(one, 2), tiny_scheduler.StepLR(two, 2)], [4])
    with pytest.raises(ValueError, match="to belong to the same optimizer"):
        tiny_scheduler.ChainedScheduler([tiny_scheduler.StepLR(one, 2), tiny_scheduler.StepLR(two, 2)])


def test_wrong_order_warns_and_right_order_does_not():
    optimizer = make_optimizer(LIBRARIES["tiny"])
    scheduler = tiny_scheduler.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        scheduler.step()
    optimizer = make_optimizer(LIBRARIES["tiny"])
    scheduler = tiny_scheduler.StepLR(optimizer, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            optimizer.step()
            scheduler.step()


def test_asking_for_the_next_value_by_hand_warns():
    scheduler = tiny_scheduler.StepLR(make_optimizer(LIBRARIES["tiny"]), 2)
    with pytest.warns(UserWarning, match="please use `get_last_lr"):
        scheduler.get_lr()
    with pytest.warns(UserWarning, match="epoch parameter"):
        scheduler.step(3)


def test_a_scheduler_of_ones_own():
    class Halve(tiny_scheduler.LRScheduler):
        def get_lr(self):
            return [base / 2**self.last_epoch for base in self.base_lrs]

    optimizer = make_optimizer(LIBRARIES["tiny"], lrs=(1.0, 3.0))
    scheduler = Halve(optimizer)
    seen = []
    for _ in range(3):
        seen.append(scheduler.get_last_lr())
        optimizer.step()
        scheduler.step()
    assert seen == [[1.0, 3.0], [0.5, 1.5], [0.25, 0.75]]


def test_plateau_with_a_group_added_later():
    optimizer = make_optimizer(LIBRARIES["tiny"])
    scheduler = tiny_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.1, 0.1])
    optimizer.add_param_group({"params": [tinytorch.tensor([1.0], requires_grad=True)]})
    with pytest.raises(RuntimeError, match="number of param groups"):
        for metric in itertools.repeat(1.0, 3):
            scheduler.step(metric)
