"""Random masks fall on the elements that PyTorch's would: drawn in the order of PyTorch's memory, whatever the order here."""

import numpy as np
import pytest
import torch

import tinytorch

PROGRAMS = """
F.dropout(x.transpose(1, 2))
F.dropout(x.transpose(1, 2).contiguous())
F.dropout(x.transpose(1, 2).reshape(6, -1))
F.dropout(x.permute(2, 0, 1)[:, 1:].relu())
F.dropout(x.transpose(0, 1).unsqueeze(1) + 1)
F.dropout(x.chunk(2, -1)[1].transpose(0, 1))
F.dropout(x.unbind(1)[1].t())
F.dropout(x[None].expand(2, -1, -1, -1))
F.dropout(x.transpose(0, 1).double())
F.dropout(F.dropout(x.transpose(0, 1), 0.2) + x.transpose(0, 1))
F.dropout(x.transpose(0, 1) + x.transpose(0, 1).contiguous())
F.dropout(x.transpose(0, 1).contiguous() + x.transpose(0, 1))
F.dropout(x.transpose(1, 2).masked_fill(x.transpose(1, 2) > 0, 0.5))
F.dropout(F.gelu(x.transpose(0, 1)))
F.dropout(F.softmax(x.transpose(0, 1), -1))
F.dropout(x.detach().transpose(1, 2))
F.alpha_dropout(x.transpose(1, 2), 0.5, True)
F.dropout(nn.Linear(4, 4)(x.transpose(0, 1)))
F.dropout(nn.Conv1d(3, 5, 2)(x).transpose(1, 2))
F.dropout(nn.Conv1d(3, 5, 2)(x).flatten(1))
F.dropout(nn.Conv2d(1, 3, 2)(x[:, None]).permute(0, 2, 3, 1))
F.dropout(nn.Conv2d(1, 3, 2)(x[:, None]).detach().flatten(1))
F.dropout(nn.LSTM(4, 5, batch_first=True)(x)[0])
F.dropout(nn.LSTM(4, 5, batch_first=True)(x)[0][:, -1])
F.dropout(nn.GRU(4, 5, batch_first=True, bidirectional=True)(x)[0])
nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, dropout=0.3)(x)
nn.TransformerDecoderLayer(4, 2, 8, batch_first=True, dropout=0.3, norm_first=True)(x, x)
torch.rand_like(x.transpose(0, 1))
torch.randn_like(x.transpose(0, 1))
torch.randint_like(x.transpose(0, 1), 10)
"""


@pytest.mark.parametrize("program", PROGRAMS.strip().splitlines())
def test_the_same_elements_are_drawn(program):
    def run(library):
        library.manual_seed(0)
        x = library.from_numpy(np.random.default_rng(0).standard_normal((6, 3, 4), np.float32)).requires_grad_()
        names = {"torch": library, "nn": library.nn, "F": library.nn.functional, "x": x}
        return eval(program, names).detach().numpy()

    np.testing.assert_allclose(run(tinytorch), run(torch), rtol=1e-4, atol=1e-5)


def test_a_long_history_is_not_walked_to_its_end():
    x = tinytorch.ones(2, 3, requires_grad=True).t()
    for _ in range(300):
        x = x + 1
    assert tinytorch.nn.functional.dropout(x).shape == (3, 2)
