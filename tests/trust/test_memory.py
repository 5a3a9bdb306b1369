"""Shorter versions of ``python -m tests.trust.memory``; exceptions and Ctrl-C in forward and backward leave nothing behind."""

import contextlib
import mmap
import sys

import numpy as np
import pytest

import tinytorch
from tests.trust.memory import assert_flat, collector_off, interrupt, live, small_training, train
from tinytorch import nn

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_training_is_flat():
    train(1_000, say=lambda line: None)


def test_interruptions_leave_nothing_and_none_is_lost(capfd):
    """A signal that is handled in a ``__del__`` is printed and forgotten; there must be no ``__del__`` at work."""
    for threads in (1, 2):
        before = tinytorch.get_num_threads()
        tinytorch.set_num_threads(threads)
        try:
            assert interrupt(60, seed=threads)
        finally:
            tinytorch.set_num_threads(before)
    assert "ignored" not in capfd.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
@pytest.mark.parametrize("where", ["forward", "backward", "hook of a module", "double backward", "optimizer"])
def test_exceptions_leave_nothing(where, error):
    def fail(*_):
        raise error("stop")

    class Failing(tinytorch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return fail() if where == "forward" else x * 2

        @staticmethod
        def backward(ctx, grad):
            return fail()

    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4 * 36, 3)
    )
    optimizer = tinytorch.optim.SGD(model.parameters(), 0.1)
    images = tinytorch.rand(8, 1, 8, 8)

    def attempt():
        y = model(images)
        if where in ("forward", "backward"):
            Failing.apply(y).sum().backward()
        elif where == "hook of a module":
            handle = model[3].register_forward_hook(fail)
            try:
                model(images)
            finally:
                handle.remove()
        elif where == "double backward":
            (grad,) = tinytorch.autograd.grad((y**2).sum(), model[0].weight, create_graph=True)
            grad.register_hook(fail)
            (grad**2).sum().backward()
        else:
            y.sum().backward()
            optimizer.step(fail)
        raise AssertionError("this should have failed")

    def attempts(times):
        for _ in range(times):
            with contextlib.suppress(error):
                attempt()
            optimizer.zero_grad()

    with collector_off():
        attempts(10)
        before = live()
        attempts(30)
        assert_flat(before, live())
    assert tinytorch.is_grad_enabled()


def test_the_checks_see_a_leak():
    step, model = small_training()
    kept = []
    with collector_off():
        step()
        before = live()
        for _ in range(60):
            kept.append(model[9].weight.sum())
        with pytest.raises(AssertionError, match="more objects"):
            assert_flat(before, live())
        before = live()
        kept.append(mmap.mmap(-1, 10_000_000, flags=mmap.MAP_PRIVATE))  # an array may lie where others were freed
        np.frombuffer(kept[-1], np.uint8).fill(1)
        with pytest.raises(AssertionError, match="more MB"):
            assert_flat(before, live())
