"""Checks of chapter 8: modules."""

import numpy as np

from tinytorch import nn
from tinytorch.learn.checking import check_close, check_raises, numbers
from tinytorch.tensor import Tensor


class Scale(nn.Module):
    """Multiplies by a parameter."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(Tensor._wrap(np.array(factor)))
        self.register_buffer("calls", Tensor._wrap(np.array(0)))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


def test_module_getattr() -> None:
    layer = Scale(2.0)
    assert layer.weight is layer._parameters["weight"], "a parameter is found under its name"
    assert layer.calls is layer._buffers["calls"], "a buffer is found under its name"
    assert getattr(nn.Sequential(layer), "0") is layer, "a submodule is found under its name"
    check_raises(AttributeError, lambda: layer.weigth, "nothing has this name")


def test_module_train() -> None:
    model = nn.Sequential(Scale(2.0), nn.Sequential(nn.Dropout(0.5), nn.ReLU()))
    assert model.eval() is model, "eval() returns the module"
    assert not any(module.training for module in model.modules()), "evaluation mode has to reach all modules below"
    model.train()
    assert all(module.training for module in model.modules()), "training mode has to reach all modules below"
    check_raises(ValueError, lambda: model.train("yes"), "the mode is a bool")  # type: ignore[arg-type]


def test_sequential_forward() -> None:
    x = Tensor._wrap(numbers(3, 2))
    check_close("three layers that double", nn.Sequential(Scale(2.0), Scale(2.0), Scale(2.0))(x), x._array * 8)
    check_close("no layer at all", nn.Sequential()(x), x._array)
