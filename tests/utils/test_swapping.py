"""torch.utils.swap_tensors: two tensors exchange everything but their identity."""

import pytest
import torch

import tinytorch


@pytest.mark.parametrize("T", [torch, tinytorch])
def test_everything_is_exchanged(T):
    parameter, plain = T.nn.Parameter(T.ones(2)), T.zeros(3, dtype=T.float64)
    parameter.grad, plain.note = T.full((2,), 5.0), "mine"
    layer = T.nn.Linear(1, 1)
    layer.weight = parameter
    T.utils.swap_tensors(parameter, plain)
    assert layer.weight is parameter and parameter.note == "mine" and parameter.grad is None
    assert parameter.dtype == T.float64 and parameter.shape == (3,) and not parameter.requires_grad
    assert isinstance(plain, T.nn.Parameter) and plain.grad.tolist() == [5.0, 5.0] and plain.tolist() == [1.0, 1.0]


def test_what_others_rely_on_is_not():
    a, b = tinytorch.ones(2, requires_grad=True), tinytorch.zeros(3)
    for compute in (lambda: a * a, lambda: b[:1]):
        kept = compute()
        for pair in ((a, b), (b, a)):
            with pytest.raises(RuntimeError, match="still there"):
                tinytorch.utils.swap_tensors(*pair)
        del kept
    with pytest.raises(TypeError):
        tinytorch.utils.swap_tensors(a, 3)
    tinytorch.utils.swap_tensors(a, b)


@pytest.mark.parametrize("T", [torch, tinytorch])
def test_conversion_by_swapping_keeps_the_parameter(T):
    T.__future__.set_swap_module_params_on_conversion(True)
    try:
        layer = T.nn.Linear(2, 3)
        weight = layer.weight
        layer.double().load_state_dict(T.nn.Linear(2, 3).double().state_dict())
        assert T.__future__.get_swap_module_params_on_conversion() and layer.weight is weight
        assert weight.dtype == T.float64
    finally:
        T.__future__.set_swap_module_params_on_conversion(False)
