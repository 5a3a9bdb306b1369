"""The benchmark beside other frameworks needs none of them."""

import importlib.util
import os
from collections.abc import Iterator
from unittest import mock

import numpy as np
import pytest
import torch

import tinytorch
from tests.benchmarks.others.__main__ import FRAMEWORKS, main, rows


@pytest.fixture(autouse=True)
def settings_restored() -> Iterator[None]:
    before = [(library, library.get_num_threads()) for library in (torch, tinytorch)]
    with mock.patch.dict(os.environ):
        yield
    for library, threads in before:
        library.set_num_threads(threads)


def test_missing_frameworks_are_named(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    main(["--only", "four numbers", "--blocks", "2", "--threads", "1"])
    printed = capsys.readouterr().out
    assert "| | PyTorch | tinytorch |\n" in printed
    assert sum(line.startswith("| 1,000 ops on four numbers") for line in printed.splitlines()) == 2
    for name, package in (("JAX", "jax"), ("tinygrad", "tinygrad"), ("HIPS autograd", "autograd")):
        assert f"{name} is not installed: pip install {package}\n" in printed


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda framework: framework.name)
def test_the_others_compute_the_same(framework):
    if framework.missing():
        pytest.skip(framework.missing())
    row = next(row for row in rows() if row.function == "mlp_step")
    theirs, ours = row.case().make(torch), row.case().make(framework.load())
    np.testing.assert_allclose([ours() for _ in range(4)], [theirs() for _ in range(4)], rtol=1e-3)
