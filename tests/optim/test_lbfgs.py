"""L-BFGS and its line search walk where PyTorch's walk."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import tinytorch
import tinytorch.optim
from tinytorch.optim.line_search import Point, cubic_minimum, strong_wolfe

LIBRARIES = [tinytorch, torch]


def rosenbrock(library, x, y):
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum() + (y * y * y * y - y).sum()


def quadratic(library, x, y):
    weights = library.tensor(np.linspace(0.5, 30.0, x.shape[0]))
    return (weights * (x - 1.0) ** 2).sum() + ((y - 2.0) ** 2).sum() * 3.0


def run(library, function, options, steps, resume_at=None, dtype=np.float64):
    rng = np.random.default_rng(5)
    params = [library.tensor(rng.standard_normal(shape).astype(dtype), requires_grad=True) for shape in ((5,), (2, 3))]
    optimizer = library.optim.LBFGS(params, **options)
    seen, calls = [], [0]

    def closure():
        calls[0] += 1
        optimizer.zero_grad()
        loss = function(library, *params)
        loss.backward()
        return loss

    for step in range(steps):
        if step == resume_at:
            saved = copy.deepcopy(optimizer.state_dict())
            optimizer = library.optim.LBFGS(params)
            optimizer.load_state_dict(saved)
        loss = optimizer.step(closure)
        seen.append((loss.item(), *[p.detach().numpy().copy() for p in params]))
    state = optimizer.state_dict()["state"][0]
    return seen, calls[0], state["func_evals"], state["n_iter"], optimizer


OPTIONS = [
    {"lr": 0.05},
    {"lr": 0.5, "max_iter": 3},
    {"lr": 0.3, "max_iter": 5, "history_size": 2},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 3, "lr": 0.7},
    {"line_search_fn": "strong_wolfe", "max_iter": 30, "max_eval": 7, "lr": 3.0},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-3, "tolerance_change": 1e-4},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("function", [quadratic, rosenbrock])
def test_trajectories(function, options):
    if function is rosenbrock and "line_search_fn" not in options:
        options = options | {"lr": options["lr"] * 1e-3}
    tiny, reference = (run(library, function, options, 3) for library in LIBRARIES)
    for found, expected in zip(tiny[0], reference[0], strict=True):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)
    assert tiny[1:4] == reference[1:4]  # as many evaluations and iterations
    assert tiny[0][-1][0] < tiny[0][0][0]


@pytest.mark.parametrize("line_search", [None, "strong_wolfe"])
def test_resuming(line_search):
    options = {"lr": 0.5, "max_iter": 4, "line_search_fn": line_search}
    whole, resumed = (run(tinytorch, quadratic, options, 5, resume_at=at) for at in (None, 2))
    for a, b in zip(whole[0], resumed[0], strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)


def test_state_has_pytorchs_names_and_types():
    states = [
        run(library, quadratic, {"lr": 0.3, "max_iter": 3}, 2)[4].state_dict()["state"][0] for library in LIBRARIES
    ]
    assert list(states[1]) == list(states[0])
    for name in states[0]:
        is_tensor = [isinstance(state[name], (tinytorch.Tensor, torch.Tensor)) for state in states]
        assert is_tensor[0] == is_tensor[1], name
    assert len(states[0]["old_dirs"]) == len(states[1]["old_dirs"]) > 0


def test_float32_stays_float32():
    _, _, _, _, optimizer = run(tinytorch, rosenbrock, {"line_search_fn": "strong_wolfe"}, 2, dtype=np.float32)
    state = optimizer.state_dict()["state"][0]
    assert all(p.dtype is tinytorch.float32 for p in optimizer.param_groups[0]["params"])
    assert state["d"].dtype is state["old_dirs"][0].dtype is tinytorch.float32


def test_parameters_without_gradient_stay():
    p, q = (tinytorch.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    optimizer = tinytorch.optim.LBFGS([p, q])

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert q.tolist() == [1.0, 2.0]
    assert p.tolist() != [1.0, 2.0]


def test_unknown_line_search():
    optimizer = tinytorch.optim.LBFGS([tinytorch.tensor([1.0], requires_grad=True)], line_search_fn="armijo")
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        optimizer.step(lambda: None)


@pytest.mark.parametrize("seed", range(20))
def test_line_search_ends_where_the_wolfe_conditions_hold(seed):
    rng = np.random.default_rng(seed)
    a, b, c = rng.uniform(0.2, 3.0, 3)

    def evaluate(t):
        loss = a * (t - b) ** 2 + 0.3 * np.cos(3 * c * t)
        slope = 2 * a * (t - b) - 0.9 * c * np.sin(3 * c * t)
        return Point(t, float(loss), np.array([slope]), np.float64(slope))

    start = evaluate(0.0)
    assert start.slope < 0
    point, calls = strong_wolfe(evaluate, start, rng.uniform(0.01, 10.0), 1.0)
    assert calls <= 26
    assert point.loss <= start.loss + 1e-4 * point.t * start.slope
    assert abs(point.slope) <= -0.9 * start.slope


@pytest.mark.parametrize("seed", range(5))
def test_cubic_minimum_is_pytorchs(seed):
    from torch.optim.lbfgs import _cubic_interpolate

    rng = np.random.default_rng(seed)
    for _ in range(50):
        x1, x2, f1, f2, g1, g2, low = rng.standard_normal(7)
        bounds = None if low < 0 else (low - 1, low + 1)
        tensors = [torch.tensor(v, dtype=torch.float64) for v in (f1, g1, f2, g2)]
        expected = _cubic_interpolate(x1, tensors[0], tensors[1], x2, tensors[2], tensors[3], bounds)
        nothing = np.zeros(1)
        found = cubic_minimum(Point(x1, f1, nothing, g1), Point(x2, f2, nothing, g2), bounds)
        assert float(found) == pytest.approx(float(expected), rel=1e-12)
