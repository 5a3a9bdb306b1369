"""Where new tensors are put: `with torch.device(...)` and `set_default_device`, beside PyTorch."""

import pytest
import torch

import tinytorch

MADE = """
torch.ones(2); torch.arange(3); torch.rand(2); torch.tensor([1.0]); torch.as_tensor([1.0]); torch.full((2,), 3); torch.eye(2)
torch.linspace(0, 1, 3); torch.randperm(3); torch.hann_window(3); torch.empty_strided((2, 2), (2, 1)); torch.asarray([1.0])
torch.tril_indices(3, 3); torch.fft.fftfreq(3); torch.randint(3, (2,)); torch.scalar_tensor(1.0); torch.logspace(0, 1, 3)
torch.nn.Linear(2, 3).weight; torch.nn.BatchNorm2d(3).num_batches_tracked; torch.nn.LSTM(2, 3).weight_ih_l0
torch.nn.TransformerEncoderLayer(4, 2).linear1.bias; torch.nn.Conv2d(1, 2, 3).weight; torch.nn.Embedding(3, 2).weight
torch.nn.MultiheadAttention(4, 2).in_proj_weight; torch.nn.Parameter(torch.ones(2)); torch.zeros(2, device="cpu")
torch.ones_like(torch.ones(2, device="cpu")); torch.get_default_device(); torch.Tensor([1.0, 2.0])
torch.zeros(2).to(torch.float64); torch.zeros(2).to("meta")
"""


def made(T, where):
    results = {}
    for use in " ; ".join(MADE.strip().splitlines()).split(";"):
        with T.device(where):
            results[use] = repr(eval(use.strip(), {"torch": T}))
    return {use: text for use, text in results.items() if where == "meta" or "meta" in text}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("where", ["meta", "cpu"])
def test_what_is_made_on_a_device(where):
    torch.manual_seed(0)
    tinytorch.manual_seed(0)
    assert made(tinytorch, where) == made(torch, where)


@pytest.mark.parametrize("T", [torch, tinytorch])
def test_blocks_within_blocks(T):
    found = []

    def note():
        found.append((T.ones(1).device.type, T.get_default_device().type))

    note()
    with T.device("meta"):
        with T.device("cpu"):
            note()
            with T.device("meta"):
                note()
        note()
    try:
        T.set_default_device("meta")
        note()
        with T.device("cpu"):
            note()
        T.set_default_device("meta")
        note()
    finally:
        T.set_default_device("cpu")
    note()
    kinds = ["cpu", "cpu", "meta", "meta", "meta", "cpu", "meta", "cpu"]
    assert found == [(kind, kind) for kind in kinds]
    for use in (lambda: T.zeros(2, device="meta").to("cpu"), lambda: T.set_default_device("nowhere")):
        with pytest.raises((NotImplementedError, RuntimeError)):
            use()
