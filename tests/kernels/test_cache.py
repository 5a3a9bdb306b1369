"""How much is worked on together changes how long it takes, and nothing else."""

import numpy as np
import pytest
import torch

import tinytorch
from tinytorch.kernels import cache, conv_bands, products, threads


@pytest.fixture(params=[True, False])
def kind(request, monkeypatch):
    """Both kinds of processors, by name; what was kept for the other one is forgotten."""
    kept = (conv_bands.bands_for, products._pieces, products._pieces_transposed, cache.last_level_is_fast)
    monkeypatch.setattr(cache, "_vendor", lambda: "AuthenticAMD" if request.param else "GenuineIntel")
    for function in kept:
        function.cache_clear()
    yield request.param
    for function in kept:
        function.cache_clear()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_blocks_cover_all_rows_and_fit(kind, count):
    before = threads.get_num_threads()
    threads.set_num_threads(count)
    try:
        rows = np.empty((40, 1 << 15), np.float32)
        blocks = cache.channel_blocks(rows)
        assert [start for start, _ in blocks[1:]] == [stop for _, stop in blocks[:-1]]
        assert blocks[0][0] == 0 and blocks[-1][1] == 40
        assert max(rows[start:stop].nbytes for start, stop in blocks) <= 2 << 20
        assert cache.piece_size() in (1 << 17, 1 << 18, 1 << 19)
        assert cache.last_level_is_fast() is kind
    finally:
        threads.set_num_threads(before)


def losses(library):
    """Of three steps of a network of all sorts; both libraries draw the same numbers."""
    nn = library.nn
    library.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 40, 3, padding=1), nn.Hardswish(), nn.Conv2d(40, 40, 3, padding=1, groups=40),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(40, 300), nn.GELU(), nn.Linear(300, 5),
    )  # fmt: skip
    optimizer = library.optim.SGD(net.parameters(), lr=0.1)
    x, target = library.randn(32, 3, 28, 28), library.arange(32) % 5
    found = []
    for _ in range(3):
        loss = nn.functional.cross_entropy(net(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def test_a_network_learns_the_same_on_either_kind(kind):
    before = threads.get_num_threads()
    try:
        threads.set_num_threads(1)
        one = losses(tinytorch)
        threads.set_num_threads(2)
        two = losses(tinytorch)
    finally:
        threads.set_num_threads(before)
    assert one == two
    np.testing.assert_allclose(one, losses(torch), rtol=1e-5)
