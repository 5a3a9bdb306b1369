"""Control flow as functions, and the functions by the names of PyTorch's own library."""

import pickle

import pytest
import torch
from tinytorch._higher_order_ops.while_loop import while_loop as by_module

import tinytorch
from tinytorch._higher_order_ops import associative_scan, map, scan, while_loop


@pytest.mark.parametrize("n", range(1, 10))
@pytest.mark.parametrize("reverse", [False, True])
def test_running_results(n, reverse):
    tinytorch.manual_seed(n)
    x = tinytorch.randn(2, n, 3, dtype=tinytorch.float64, requires_grad=True)
    flip = (lambda x: x.flip(1)) if reverse else (lambda x: x)
    for combine, known in ((tinytorch.add, tinytorch.cumsum), (tinytorch.mul, tinytorch.cumprod)):
        found, expected = associative_scan(combine, x, 1, reverse=reverse), flip(known(flip(x), 1))
        tinytorch.testing.assert_close(found, expected)
        pair = [tinytorch.autograd.grad((y * y).sum(), x)[0] for y in (found, expected)]
        tinytorch.testing.assert_close(*pair)


def test_a_linear_recurrence_by_steps_and_by_pairs():
    tinytorch.manual_seed(0)
    a, b = tinytorch.rand(2, 7), tinytorch.rand(2, 7)
    last, h = scan(lambda h, ab: 2 * (ab[0] * h + ab[1],), tinytorch.zeros(2), (a, b), dim=1)
    pairs = associative_scan(lambda p, q: (p[0] * q[0], p[1] * q[0] + q[1]), (a, b), 1)
    tinytorch.testing.assert_close(pairs[1], h.T)
    assert tinytorch.equal(last, h[-1])
    backwards = scan(lambda c, x: (c + x, c), tinytorch.tensor(0), tinytorch.tensor([1, 2, 3]), reverse=True)
    assert (backwards[0].item(), backwards[1].tolist()) == (6, [5, 3, 0])
    with pytest.raises(ValueError, match="Combine_mode"):
        associative_scan(tinytorch.add, a, 1, combine_mode="fast")
    with pytest.raises(ValueError, match="at least 1"):
        associative_scan(tinytorch.add, [], 1)


def test_branches_and_loops():
    x = tinytorch.ones(2, requires_grad=True)
    for pred in (True, tinytorch.tensor(True), tinytorch.tensor([1])):
        tinytorch.cond(pred, tinytorch.sin, tinytorch.cos, (x,)).sum().backward()
    tinytorch.testing.assert_close(x.grad, 3 * tinytorch.cos(x.detach()))
    steps = by_module(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (tinytorch.tensor(0), tinytorch.ones(1)))
    assert [value.item() for value in steps] == [3, 8.0]
    assert [value.item() for value in while_loop(lambda i: i < 3, lambda i: i + 1, (tinytorch.tensor(0),))] == [3]
    assert map(lambda x, y: x + y, tinytorch.tensor([1, 2]), 1).tolist() == [2, 3]


@pytest.mark.parametrize(
    "arguments",
    [("x", len, len), ([1.0, 2.0], len, len), ([1.0], 3, len)],
)
def test_branches_refuse(arguments):
    messages = []
    for library in (torch, tinytorch):
        pred, *branches = arguments
        pred = library.tensor(pred) if isinstance(pred, list) else pred
        with pytest.raises(RuntimeError) as error:
            library.cond(pred, *branches, (library.ones(1),))
        messages.append(str(error.value))
    assert messages[0] == messages[1]


def test_names_of_the_library():
    for library in (torch, tinytorch):
        aten, x = library.ops.aten, library.arange(4.0)
        assert aten.add.Tensor is aten.add.Tensor and aten.add.Tensor is not aten.add.Scalar
        assert aten.add.Tensor(x, x).tolist() == aten.mul.Scalar(x, 2).tolist() == aten.add(x, x).tolist()
        assert aten.linalg_vector_norm.default(x).item() == x.norm().item() and aten.view.default(x, [2, 2]).shape == (
            2,
            2,
        )
        assert repr(aten.add) == "<OpOverloadPacket(op='aten.add')>" and aten.add.Tensor.__name__ == "add.Tensor"
        assert repr(aten.add.Tensor) == "<OpOverload(op='aten.add', overload='Tensor')>" and not hasattr(
            aten.add, "__x__"
        )
        rows, places = x.view(2, 2), library.tensor([1, 0])
        assert aten.index.Tensor(rows, [None, places]).tolist() == [[1, 0], [3, 2]]
        assert aten.slice.Tensor(rows, -1, 1).tolist() == aten.slice.Tensor(rows, 1, 1, 2, 1).tolist() == [[1], [3]]
        assert aten._to_copy.default(x, dtype=library.int32).dtype == library.int32 and aten.alias.default(x).equal(x)
        assert aten._softmax.default(x, 0, False).equal(x.softmax(0))
        assert aten._log_softmax.default(x, 0, False).equal(x.log_softmax(0))
        with pytest.raises(AttributeError, match="'_OpNamespace' 'aten' object has no attribute 'nonsense'"):
            aten.nonsense  # noqa: B018
        assert not hasattr(library.ops, "_nonsense_") or library is torch


def test_an_optimizer_spread_over_one_process():
    from tinytorch.distributed.optim import ZeroRedundancyOptimizer

    results = []
    for wrapped in (False, True):
        tinytorch.manual_seed(0)
        model = tinytorch.nn.Linear(3, 2)
        groups = [{"params": model.weight}, {"params": model.bias, "lr": 0.5}]
        make = tinytorch.optim.Adam
        optimizer = ZeroRedundancyOptimizer(groups[:1], make, lr=0.1) if wrapped else make(groups[:1], lr=0.1)
        optimizer.add_param_group(groups[1])
        scheduler = tinytorch.optim.lr_scheduler.StepLR(optimizer, 1)
        for _ in range(3):
            optimizer.zero_grad()
            model(tinytorch.ones(2, 3)).square().sum().backward()
            optimizer.step()
            scheduler.step()
            optimizer.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
        if wrapped:
            optimizer.consolidate_state_dict()
        results.append([*model.parameters(), *(group["lr"] for group in optimizer.param_groups)])
    assert all((a == b) if isinstance(a, float) else tinytorch.equal(a, b) for a, b in zip(*results, strict=True))
