"""The thirty networks of the benchmark compute, step by step, what they compute in PyTorch."""

import pytest
import torch

import tinytorch
from tests.benchmarks import programs_images, programs_numbers, programs_sequences

STEPS = {**programs_images.STEPS, **programs_sequences.STEPS, **programs_numbers.STEPS}


@pytest.mark.parametrize("name", [name for name in STEPS if "ResNet-18" not in name])
@pytest.mark.filterwarnings("ignore")
def test_the_first_losses_are_pytorchs(name):
    theirs, ours = STEPS[name](torch), STEPS[name](tinytorch)
    wanted = [theirs() for _ in range(3)]
    assert len(set(wanted)) > 1, "it learns nothing"
    assert [ours() for _ in range(3)] == pytest.approx(wanted, rel=1e-3)
