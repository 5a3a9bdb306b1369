"""Anomaly detection: the op, its inputs and the user's line, for NaN and for errors of backward."""

from __future__ import annotations

import sys
import warnings

import pytest
import torch

import tinytorch as tt
from tinytorch import nn
from tinytorch.autograd.watching import watchers

pytestmark = pytest.mark.filterwarnings("ignore:Anomaly Detection", "ignore:Error detected")


def test_the_first_nan_in_backward_names_everything():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 3)

        def forward(self, x):
            return (self.fc(x) * 0).sqrt()  # the line that the error has to name

    with pytest.raises(RuntimeError) as caught, tt.autograd.detect_anomaly():
        (Net()(tt.ones(4, 2)) * 0).sum().backward()
    text = str(caught.value)
    assert text.startswith("Function 'SqrtBackward0' returned nan values in its 0th output.")
    assert "test_anomaly.py" in text and "in forward: return (self.fc(x) * 0).sqrt()" in text
    assert "x 4×3 float32, 0 .. 0" in text and "gradient: 4×3 float32" in text
    assert "mul (4×3) <- linear (4×3) in module 'fc'" in text


def test_message_and_warning_begin_as_pytorchs():
    for T in (torch, tt):
        x = T.zeros(2, requires_grad=True)
        with (
            pytest.raises(RuntimeError, match=r"^Function 'SqrtBackward0' returned nan values in its 0th output\."),
            pytest.warns(UserWarning, match="Error detected in SqrtBackward0. Traceback of forward call"),
            T.autograd.detect_anomaly(),
        ):
            (x.sqrt() * 0).sum().backward()


def test_forward_made_before_it_was_on():
    x = tt.zeros(2, requires_grad=True)
    y = (x.sqrt() * 0).sum()
    with (
        pytest.warns(UserWarning, match="No forward pass information"),
        pytest.raises(RuntimeError, match="not known"),
        tt.autograd.detect_anomaly(),
    ):
        y.backward()


def test_errors_of_backward_show_the_forward_line():
    x = tt.ones(3, requires_grad=True)
    with (
        pytest.raises(RuntimeError, match="modified by an inplace operation") as caught,
        pytest.warns(UserWarning, match=r"y = x \* 2|z = y\.exp"),
        tt.autograd.set_detect_anomaly(True),
    ):
        y = x * 2
        z = y.exp()
        z.add_(1)
        z.sum().backward()
    if sys.version_info >= (3, 11):
        assert "z = y.exp()" in caught.value.__notes__[0] and "exp" in caught.value.__notes__[0]


def test_users_functions():
    class Bad(tt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            return g * float("nan")

    x = tt.ones(2, requires_grad=True)
    with (
        pytest.raises(RuntimeError, match="Function 'BadBackward' returned nan values in its 0th output"),
        tt.autograd.detect_anomaly(),
    ):
        Bad.apply(x).sum().backward()


def test_forward_and_inf_on_request():
    x = tt.tensor([-1.0, 1.0])
    with tt.autograd.detect_anomaly():
        x.log()  # as in PyTorch, forward is not stopped
    with (
        pytest.raises(RuntimeError, match=r"(?s)'LogBackward0' returned nan values in forward.*x 2 float32, -1 .. 1"),
        tt.autograd.detect_anomaly(check_forward=True),
    ):
        x.log()
    with tt.autograd.detect_anomaly(check_forward=True):
        tt.zeros(2).log()
        x.masked_fill(x > 0, float("-inf")).softmax(0)
    with (
        pytest.raises(RuntimeError, match="returned inf values in forward"),
        tt.autograd.detect_anomaly(check_forward=True, check_inf=True),
    ):
        x.masked_fill(x > 0, float("-inf")).softmax(0)  # an infinity put in by hand is no anomaly
        tt.zeros(2).log()
    y = tt.zeros(2, requires_grad=True)
    with (
        pytest.raises(RuntimeError, match="'SqrtBackward0' returned inf values"),
        tt.autograd.detect_anomaly(check_inf=True),
    ):
        y.sqrt().sum().backward()


def test_the_forward_nan_is_named_when_backward_stops():
    x = tt.tensor([-1.0], requires_grad=True)
    with (
        pytest.raises(RuntimeError, match=r"forward:  log gave nan at .*test_anomaly.py") as caught,
        tt.autograd.detect_anomaly(),
    ):
        y = x.log()
        (y * x).sum().backward()
    assert "y = x.log()" in str(caught.value)


def test_switches():
    assert not tt.is_anomaly_enabled()
    with tt.autograd.set_detect_anomaly(True, check_nan=False):
        assert tt.is_anomaly_enabled() and not tt.is_anomaly_check_nan_enabled()
        x = tt.zeros(2, requires_grad=True)
        (x.sqrt() * 0).sum().backward()  # NaN is not looked for
        with tt.autograd.detect_anomaly():
            assert tt.is_anomaly_check_nan_enabled()
        assert not tt.is_anomaly_check_nan_enabled()
        with tt.autograd.set_detect_anomaly(False):
            assert not tt.is_anomaly_enabled()
        assert tt.is_anomaly_enabled()
    assert not tt.is_anomaly_enabled() and watchers == []
    tt.autograd.set_detect_anomaly(True)
    assert tt.is_anomaly_enabled()
    tt.autograd.set_detect_anomaly(False)
    assert watchers == []


def test_detect_anomaly_warns_once_made_as_pytorch():
    for T in (torch, tt):
        with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
            T.autograd.detect_anomaly()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with tt.autograd.set_detect_anomaly(True):
            pass


def test_second_derivatives_under_anomaly_detection():
    x = tt.tensor(2.0, requires_grad=True)
    with tt.autograd.detect_anomaly():
        (g,) = tt.autograd.grad(x**3, x, create_graph=True)
        g.backward()
    assert x.grad.item() == 12
