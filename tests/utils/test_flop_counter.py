"""The same numbers of floating-point operations as PyTorch counts."""

import importlib

import pytest
import torch

import tinytorch

PROGRAMS = """
nn.Linear(6, 5)(x[0, 0])
nn.Linear(6, 5, bias=False)(x)
nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))(x.requires_grad_()[0])
nn.Conv2d(4, 8, 3, padding=1)(x)
nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 1, stride=2))(x.requires_grad_())
nn.ConvTranspose2d(4, 3, 2, stride=2)(x.requires_grad_())
nn.Conv3d(1, 3, 2)(x.unsqueeze(1))
nn.ConvTranspose3d(1, 3, 2)(x.unsqueeze(1).requires_grad_())
nn.Conv1d(4, 3, 2)(x[0].reshape(2, 4, 18))
x.requires_grad_() @ x.mT
x.requires_grad_()[0, 0] @ torch.ones(6, 3)
torch.bmm(x[0], x.requires_grad_()[1].mT)
torch.einsum("bchw,cd->bdhw", x, nn.Linear(3, 4).weight)
"""


@pytest.mark.parametrize("program", PROGRAMS.strip().splitlines())
def test_counts(program, capsys):
    counts = []
    for library in (torch, tinytorch):
        counter = importlib.import_module(f"{library.__name__}.utils.flop_counter").FlopCounterMode(display=False)
        names = {"torch": library, "nn": library.nn, "x": library.randn(2, 4, 6, 6)}
        with counter:
            eval(program, names).sum().backward()
        counts.append(counter.get_total_flops())
    assert counts[0] == counts[1] > 0
    assert capsys.readouterr().out == ""


def test_the_table(capsys):
    from tinytorch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode() as counter:
        tinytorch.ones(2, 3) @ tinytorch.ones(3, 4)
    table = capsys.readouterr().out
    assert " - aten.mm" in table and "48" in table and table.strip() == counter.get_table().strip()
    assert {str(op): count for op, count in counter.get_flop_counts()["Global"].items()} == {"aten.mm": 48}
    with pytest.raises(NotImplementedError, match="custom_mapping"):
        FlopCounterMode(custom_mapping={tinytorch.ops.aten.mm: len})
