"""einops takes tensors of this library: the same results and gradients as with PyTorch's, as functions and as layers."""

import copy
import importlib
import subprocess
import sys

import einops
import einops.layers.tinytorch as ours
import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare

theirs = importlib.import_module("einops.layers.torch")  # after PyTorch, or the name stands for our own

EXPRESSIONS = {
    "rearrange": lambda T, x: einops.rearrange(x, "b c (h p) (w q) -> b (h w) (p q c)", p=2, q=2),
    "rearrange a list": lambda T, x: einops.rearrange([x, x * 2], "n b c h w -> b (n c) w h"),
    "reduce": lambda T, x: tuple(
        einops.reduce(x, "b c (h 2) w -> b h w", how) for how in ("max", "min", "mean", "sum")
    ),
    "prod": lambda T, x: einops.reduce(x, "b c h w -> c", "prod"),
    "any": lambda T, x: einops.reduce(x > 0, "b c h w -> b", "any"),
    "repeat": lambda T, x: einops.repeat(x, "b c h w -> (k b) c h w", k=3),
    "einsum": lambda T, x: einops.einsum(x, x, "b c h w, b d h w -> b c d"),
    "pack": lambda T, x: einops.pack([x, x[:, 0]], "b * w")[0],
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_functions(name):
    compare(EXPRESSIONS[name], np.random.default_rng(0).normal(size=(2, 3, 4, 4)))


def test_layers():
    def run(library, layers):
        library.manual_seed(0)
        model = library.nn.Sequential(
            layers.Rearrange("b c (h p) (w q) -> b (h w) (p q c)", p=2, q=2),
            layers.EinMix("b t c -> b t d", weight_shape="c d", bias_shape="d", c=12, d=5),
            layers.EinMix("b (t u) c -> b c u t", weight_shape="t", t=2),
            layers.Reduce("b c u t -> b c", "mean"),
        )
        out = copy.deepcopy(model)(library.randn(2, 3, 4, 4))
        return repr(model), list(model.state_dict()), out.tolist()

    printed, keys, values = run(tinytorch, ours)
    expected = run(torch, theirs)
    assert (printed, keys) == expected[:2]
    torch.testing.assert_close(torch.tensor(values), torch.tensor(expected[2]))


@pytest.mark.parametrize(
    "first",
    [
        "import tinytorch, einops",
        "import einops, tinytorch",
        "import sys; sys.modules['torch'] = None; import tinytorch, einops",
    ],
)
def test_without_pytorch_the_layers_go_by_its_name(first):
    program = (
        f"{first}, sys\n"
        "assert einops.rearrange(tinytorch.zeros(2, 3), 'a b -> b a').shape == (3, 2)\n"
        "from einops.layers.torch import Rearrange\n"
        "assert tinytorch.nn.Sequential(Rearrange('a b -> (a b)'))(tinytorch.zeros(2, 3)).shape == (6,)\n"
        "assert sys.modules.get('torch') is None\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
