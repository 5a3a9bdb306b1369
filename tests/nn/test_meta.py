"""Modules on the meta device: a form without values, to be filled."""

import copy
import pickle

import pytest
import torch

import tinytorch


@pytest.mark.parametrize("T", [torch, tinytorch])
def test_a_form_without_values(T):
    model = T.nn.Sequential(T.nn.Linear(2, 3), T.nn.BatchNorm1d(3))
    form = copy.deepcopy(model).to("meta")
    weight = form[0].weight
    assert isinstance(weight, T.nn.Parameter) and weight.is_meta and str(weight.device) == "meta"
    assert repr(weight) == "Parameter containing:\ntensor(..., device='meta', size=(3, 2), requires_grad=True)"
    assert repr(form[1].num_batches_tracked) == "tensor(..., device='meta', size=(), dtype=torch.int64)"
    assert (weight.shape, weight.size(0), weight.dim(), weight.numel(), len(weight)) == ((3, 2), 3, 2, 6, 3)
    assert copy.deepcopy(form)[0].weight.is_meta and not form[0].weight.data.requires_grad
    assert form.double()[0].weight.is_meta if T is torch else pickle.loads(pickle.dumps(form))[0].bias.is_meta
    for use in (lambda: form(T.ones(4, 2)), weight.tolist, lambda: form.to("cpu"), weight.item):
        with pytest.raises((NotImplementedError, RuntimeError)):
            use()


@pytest.mark.parametrize("T", [torch, tinytorch])
def test_three_ways_to_values(T):
    model, x = T.nn.Sequential(T.nn.Linear(2, 3), T.nn.BatchNorm1d(3)).eval(), T.ones(4, 2)
    form = copy.deepcopy(model).to(device="meta")
    state = model.state_dict()
    assert T.equal(T.func.functional_call(form, {**state}, (x,)), model(x))
    with pytest.warns(UserWarning, match="no-op"):
        form.load_state_dict(state)
    assert form[0].weight.is_meta
    form.load_state_dict(state, assign=True)
    assert T.equal(form(x), model(x)) and form[0].weight.requires_grad
    filled = copy.deepcopy(model).to("meta").to_empty(device="cpu")
    filled.load_state_dict(state)
    assert T.equal(filled(x), model(x)) and filled[0].weight.requires_grad
    weight = model[0].weight
    assert model.to_empty(device="cpu")[0].weight is weight and weight.shape == (3, 2)


@pytest.mark.parametrize("T", [torch, tinytorch])
@pytest.mark.parametrize("layer", ["Linear(2, 3", "Conv2d(2, 3, 3", "BatchNorm2d(4", "LayerNorm(4", "Embedding(3, 2",
                                   "LSTM(2, 3", "MultiheadAttention(4, 2", "Bilinear(2, 3, 4", "PReLU("])  # fmt: skip
def test_layers_are_made_without_values(T, layer):
    comma = "" if layer.endswith("(") else ", "
    T.manual_seed(0)
    made = eval(f"T.nn.{layer}{comma}device='meta')")
    assert all(tensor.is_meta for tensor in made.state_dict().values())
    assert T.rand(1).item() == pytest.approx(0.49625658988952637)  # nothing was drawn
    real = eval(f"T.nn.{layer})")
    assert [(k, v.shape) for k, v in made.state_dict().items()] == [(k, v.shape) for k, v in real.state_dict().items()]
    made.load_state_dict(real.state_dict(), assign=True)
    assert not any(parameter.is_meta for parameter in made.parameters())
    made = eval(f"T.nn.{layer}{comma}device='meta')").to_empty(device="cpu")
    getattr(made, "reset_parameters", getattr(made, "_reset_parameters", None))()
    assert not any(tensor.is_meta for tensor in made.state_dict().values())
