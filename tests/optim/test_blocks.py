"""A formula applied in blocks gives the same bits as the formula applied to the whole arrays."""

from __future__ import annotations

import numpy as np
import pytest

from tinytorch.optim.adam import adam_update
from tinytorch.optim.blocks import PIECE_BYTES, update_in_blocks
from tinytorch.optim.sgd import sgd_update

ADAM = {
    "lr": 0.1,
    "beta1": 0.9,
    "beta2": 0.99,
    "eps": 1e-8,
    "weight_decay": 0.1,
    "decoupled": False,
    "maximize": True,
    "step": 3.0,
}
SGD = {
    "lr": 0.1,
    "momentum": 0.9,
    "dampening": 0.1,
    "weight_decay": 0.1,
    "nesterov": False,
    "maximize": False,
    "first": False,
}
EDGE = PIECE_BYTES // 4  # float32 elements in one block


@pytest.mark.parametrize("size", [0, 1, EDGE - 1, EDGE, EDGE + 1, 3 * EDGE + 17])
@pytest.mark.parametrize(("formula", "states", "options"), [(adam_update, 3, ADAM), (sgd_update, 1, SGD)])
def test_block_edges(formula, states, options, size):
    rng = np.random.default_rng(size)
    whole = [np.abs(rng.standard_normal(size, dtype=np.float32)) for _ in range(2 + states)]
    blocks, grad = [x.copy() for x in whole], whole[1].copy()
    formula(*whole, **options)
    update_in_blocks(formula, blocks[0], blocks[1], blocks[2:], options)
    for a, b in zip(whole, blocks, strict=True):
        assert a.dtype == b.dtype == np.float32
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(blocks[1], grad)


def test_one_memory_order_is_cut_across_shapes():
    seen = []

    def formula(p, g, state, none):
        seen.append((p.shape, g.shape, state.shape, none))
        p += g

    param = np.zeros((EDGE, 3, 2), np.float32).transpose(2, 1, 0)  # batch last, as the kernels like it
    grad = np.arange(param.size, dtype=np.float32).reshape(param.shape)
    update_in_blocks(formula, param, grad, [np.zeros_like(param), None], {})
    assert seen == [((EDGE,), (EDGE,), (EDGE,), None)] * 6
    np.testing.assert_array_equal(param, grad)


def test_complex_arrays_are_pairs_of_real_numbers():
    param, grad = np.zeros(3, np.complex64), np.array([1 + 2j, 3, 4j], np.complex64)

    def formula(p, g):
        assert p.dtype == g.dtype == np.float32
        p -= 2 * g

    update_in_blocks(formula, param, grad, [], {})
    np.testing.assert_array_equal(param, -2 * grad)
