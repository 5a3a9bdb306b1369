"""The examples in the kernels' docstrings."""
import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["layout", "masks", "memory", "windows", "conv_reference", "avg_pool"])
def test_examples(name):
    module = importlib.import_module(f"tinytorch.kernels.{name}")
    result = doctest.testmod(module)
    assert result.attempted > 0 and result.failed == 0
