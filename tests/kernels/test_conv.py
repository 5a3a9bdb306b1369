"""Convolution kernels against PyTorch, and the clear versions against the fast one."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from tinytorch.kernels import conv, conv_reference, conv_small, threads
from tinytorch.kernels.conv_columns import Columns
from tinytorch.kernels.conv_few import bands_pay
from tinytorch.kernels.conv_reference import conv2d_im2col, conv2d_loop, conv2d_taps
from tinytorch.kernels.layout import is_chwn, to_chwn


def check(
    shape, weight_shape, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1, dtype=torch.float64, bias=True
):
    """Forward and both gradients equal PyTorch's, for a random cotangent; dtype, shape and memory order are right.

    Those of the kernels for large images, and for small ones.
    """
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    w = torch.randn(weight_shape, dtype=dtype, requires_grad=True)
    b = torch.randn(weight_shape[0], dtype=dtype) if bias else None
    y = F.conv2d(x, w, b, stride, padding, dilation, groups)
    gy = torch.randn_like(y)
    gx, gw = torch.autograd.grad(y, (x, w), gy)
    xa, wa, ga = x.detach().numpy(), w.detach().numpy(), gy.numpy()
    how = (stride, padding, dilation, groups)
    bias_array = None if b is None else b.numpy()
    got_y = conv.conv2d(xa, wa, bias_array, *how)
    got_x = conv.conv2d_input(ga, wa, tuple(shape), *how)
    got_w = conv.conv2d_weight(xa, ga, tuple(weight_shape), *how)
    both = conv.conv2d_gradients(xa, ga, wa, *how) or (got_x, got_w)
    assert all(is_chwn(got) or got.flags.c_contiguous for got in (got_y, got_x))
    small_y = conv_small.convolve(xa, wa, bias_array, y.shape[2:], *how)
    small_x = conv_small.input_gradient(ga, wa, tuple(shape), *how)
    small_w = conv_small.weight_gradient(xa, ga, tuple(weight_shape), *how)
    for got, want in (
        (got_y, y),
        (got_x, gx),
        (got_w, gw),
        *zip(both, (gx, gw), strict=True),
        (small_y, y),
        (small_x, gx),
        (small_w, gw),
    ):
        want = want.detach().numpy()
        assert got.shape == want.shape and got.dtype == want.dtype
        tolerance = 1e-12 if dtype == torch.float64 else 2e-6
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerance * max(1, want.size and np.abs(want).max()) * 50)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_arguments(data):
    draw = data.draw
    groups = draw(st.sampled_from([1, 1, 2, 3, 16]))  # with 16, a part of the cases goes by `conv_bands`
    channels, out = groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    kernel, stride, dilation = (draw(st.tuples(st.integers(1, 4), st.integers(1, 4))) for _ in range(3))
    padding = draw(st.tuples(st.integers(0, 4), st.integers(0, 4)))
    least = [max(1, d * (k - 1) + 1 - 2 * p) for d, k, p in zip(dilation, kernel, padding, strict=True)]
    size = [low + draw(st.integers(0, 6)) for low in least]
    n = draw(st.sampled_from([0, 1, 2, 5, 64, 300]))
    dtype = draw(st.sampled_from([torch.float32, torch.float64]))
    check((n, channels, *size), (out, channels // groups, *kernel), stride, padding, dilation, groups, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "shape, weight_shape, padding",
    [
        ((64, 1, 28, 28), (20, 1, 3, 3), (1, 1)),
        ((64, 20, 28, 28), (20, 20, 3, 3), (1, 1)),
        ((64, 20, 14, 14), (40, 20, 3, 3), (1, 1)),
        ((64, 40, 7, 7), (60, 40, 3, 3), (0, 0)),
        ((64, 60, 5, 5), (40, 60, 1, 1), (0, 0)),
        ((1, 3, 64, 64), (8, 3, 7, 7), (3, 3)),
        ((1000, 2, 6, 6), (3, 2, 3, 3), (1, 1)),
    ],
)
def test_shapes_that_networks_use(shape, weight_shape, padding, dtype):
    check(shape, weight_shape, padding=padding, dtype=dtype)


@pytest.mark.parametrize(
    "case",
    [
        {"shape": (4, 6, 9, 9), "weight_shape": (6, 1, 3, 3), "groups": 6, "padding": (1, 1)},  # depthwise
        {
            "shape": (4, 6, 9, 9),
            "weight_shape": (12, 1, 3, 3),
            "groups": 6,
            "stride": (2, 2),
        },  # depthwise, two for each
        {"shape": (4, 3, 10, 11), "weight_shape": (5, 3, 3, 3), "stride": (2, 3)},  # sizes that stride does not divide
        {
            "shape": (2, 3, 5, 5),
            "weight_shape": (4, 3, 2, 2),
            "stride": (4, 4),
            "padding": (1, 1),
        },  # stride beyond the kernel
        {"shape": (2, 3, 4, 4), "weight_shape": (4, 3, 1, 1), "padding": (2, 1)},  # more padding than kernel
        {"shape": (2, 3, 1, 9), "weight_shape": (4, 3, 1, 3), "padding": (0, 1)},  # one row
        {"shape": (3, 2, 6, 5), "weight_shape": (4, 2, 3, 5), "padding": (2, 0)},  # as wide as the image
        {"shape": (3, 2, 6, 5), "weight_shape": (4, 2, 6, 2), "stride": (3, 2)},  # as high
        {"shape": (3, 4, 6, 5), "weight_shape": (4, 2, 6, 5), "groups": 2},  # both
        {"shape": (2, 200, 3, 3), "weight_shape": (600, 200, 3, 3), "padding": (1, 1)},  # few pixels, many weights
        {"shape": (8, 3, 23, 23), "weight_shape": (5, 3, 5, 5), "stride": (6, 5), "padding": (2, 3)},  # gathered blocks
        {"shape": (0, 3, 5, 5), "weight_shape": (4, 3, 3, 3)},  # no image
        {"shape": (2, 3, 8, 8), "weight_shape": (4, 3, 3, 3), "bias": False},
        {"shape": (64, 8, 8, 8), "weight_shape": (8, 8, 4, 4), "stride": (4, 4)},  # patches side by side
        {
            "shape": (3, 4, 13, 9),
            "weight_shape": (8, 2, 3, 2),
            "stride": (2, 1),
            "padding": (3, 2),
            "dilation": (2, 3),
            "groups": 2,
        },
        {"shape": (16, 64, 28, 28), "weight_shape": (64, 1, 3, 3), "groups": 64, "padding": (1, 1)},
        {"shape": (2, 32, 57, 57), "weight_shape": (32, 1, 3, 3), "groups": 32, "padding": (1, 1), "stride": (2, 2)},
        {"shape": (2, 16, 15, 15), "weight_shape": (16, 1, 7, 7), "groups": 16, "padding": (3, 3), "stride": (3, 2)},
        {"shape": (3, 64, 14, 14), "weight_shape": (128, 4, 3, 3), "groups": 16, "padding": (1, 1), "dilation": (2, 1)},
        {"shape": (2, 16, 9, 9), "weight_shape": (32, 1, 1, 2), "groups": 16, "stride": (3, 3)},  # rows nobody reads
        {"shape": (1, 16, 200, 300), "weight_shape": (16, 1, 3, 11), "groups": 16},  # one group in several chunks
        {"shape": (0, 16, 5, 5), "weight_shape": (16, 1, 3, 3), "groups": 16},
        {"shape": (3, 6, 1, 75), "weight_shape": (6, 1, 1, 6), "groups": 6, "padding": (0, 3)},  # sequences
        {"shape": (1, 5, 1, 64), "weight_shape": (5, 1, 1, 31), "groups": 5, "padding": (0, 15)},
        {"shape": (2, 300, 1, 99), "weight_shape": (300, 1, 1, 5), "groups": 300, "dilation": (1, 4)},
        {"shape": (2, 3, 1, 16), "weight_shape": (3, 1, 1, 5), "groups": 3, "padding": (0, 20), "bias": False},
        {"shape": (1, 2, 1, 600), "weight_shape": (2, 1, 1, 2), "groups": 2, "padding": (0, 1)},
    ],
)
def test_corner_cases(case):
    check(**case)


def test_columns_are_gathered_three_ways():
    """The cases above are of no use if they all take the same way through `Columns`."""

    def ways(shape, kernel, out, dilation=(1, 1)):
        c = Columns(np.zeros(shape, np.float32), kernel, out, (1, 1), (0, 0), dilation)
        return c.pointwise, c.sliding

    assert ways((1, 3, 8, 8, 64), (1, 1), (8, 8)) == (True, False)
    assert ways((1, 3, 8, 8, 64), (3, 3), (6, 6)) == (False, True)
    assert ways((1, 3, 8, 8, 1), (3, 3), (6, 6)) == (False, False)
    assert ways((1, 3, 8, 8, 64), (3, 3), (4, 4), (2, 2)) == (False, False)


def test_blocks_cover_every_output_once():
    for out, n, kernel in itertools.product([(1, 1), (5, 5), (28, 28), (30, 7)], [1, 3, 64, 1000], [(1, 3), (3, 3)]):
        x = np.zeros((1, 16, out[0] + kernel[0] - 1, out[1] + kernel[1] - 1, n), np.float32)
        columns = Columns(x, kernel, out, (1, 1), (0, 0), (1, 1))
        y = np.zeros((1, 2, *out, n), np.float32)
        for block in columns.blocks:
            columns.output(y, block)[...] += 1
        assert (y == 1).all()


def test_memory_order_of_the_input_does_not_matter():
    x = np.random.default_rng(0).standard_normal((5, 4, 7, 6))
    w = np.random.default_rng(1).standard_normal((3, 4, 3, 3))
    want = conv.conv2d(x, w)
    for order in itertools.permutations(range(4)):
        back = np.argsort(order)
        lying = np.ascontiguousarray(x.transpose(order)).transpose(back)
        np.testing.assert_allclose(conv.conv2d(lying, w), want, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(conv.conv2d(x[:, :, ::-1][:, :, ::-1], w), want)


@pytest.mark.parametrize("padding, stride", [(0, 1), (1, 1), (2, 2), (0, 3)])
def test_loop_im2col_and_fast_agree(padding, stride):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((3, 2, 9, 10)), rng.standard_normal((4, 2, 3, 2))
    loop = np.stack(
        [[sum(conv2d_loop(image[c], kernel[c], padding, stride) for c in range(2)) for kernel in w] for image in x]
    )
    pads, steps = (padding, padding), (stride, stride)
    np.testing.assert_allclose(conv2d_im2col(x, w, pads, steps), loop, atol=1e-12)
    np.testing.assert_allclose(conv2d_taps(x, w, pads, steps), loop, atol=1e-12)
    np.testing.assert_allclose(conv.conv2d(x, w, None, steps, pads), loop, atol=1e-12)


@pytest.mark.parametrize("n", [3, 64])  # rows too short for a product for each kernel column, and long enough
@pytest.mark.parametrize("groups, channels, out", [(16, 1, 1), (5, 2, 4), (3, 4, 2), (1, 1, 7), (1, 20, 1)])
@pytest.mark.parametrize("padding, stride", [((0, 0), (1, 1)), ((1, 2), (2, 3)), ((4, 0), (1, 2))])
def test_taps_and_bands_agree_for_few_channels(n, groups, channels, out, padding, stride):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((n, groups * channels, 9, 10)), rng.standard_normal((groups * out, channels, 3, 2))
    assert bands_pay(channels, out, (3, 2)) or bands_pay(out, channels, (3, 2))
    want = conv2d_taps(x, w, padding, stride, groups)
    np.testing.assert_allclose(conv.conv2d(x, w, None, stride, padding, groups=groups), want, atol=1e-12)
    gy = rng.standard_normal(want.shape)  # the gradients by the adjoint identity: <gy, conv(x, w)> is linear in both
    gx = conv.conv2d_input(gy, w, x.shape, stride, padding, groups=groups)
    gw = conv.conv2d_weight(x, gy, w.shape, stride, padding, groups=groups)
    np.testing.assert_allclose([np.vdot(gx, x), np.vdot(gw, w)], np.vdot(gy, want), rtol=1e-10)


@pytest.mark.parametrize(
    "groups, channels, out, size, kernel, stride, padding, dilation",
    [
        (1, 3, 16, (20, 20), (5, 5), (1, 1), (2, 2), (1, 1)),
        (1, 3, 16, (23, 22), (7, 7), (2, 2), (3, 3), (1, 1)),
        (1, 1, 20, (9, 9), (3, 3), (1, 1), (1, 1), (1, 1)),
        (2, 1, 4, (15, 16), (3, 2), (2, 3), (0, 4), (2, 1)),
        (1, 2, 9, (8, 17), (1, 2), (3, 4), (0, 0), (1, 3)),  # pixels that nothing is sent to
        (1, 5, 6, (7, 7), (3, 3), (1, 1), (0, 0), (1, 1)),  # an image that grows
    ],
)
def test_spreading_products_and_convolving_the_gradient_agree(
    groups, channels, out, size, kernel, stride, padding, dilation, monkeypatch
):
    rng = np.random.default_rng(0)
    shape, w = (24, groups * channels, *size), rng.standard_normal((groups * out, channels, *kernel))
    how = (stride, padding, dilation, groups)
    g = to_chwn(rng.standard_normal(conv.conv2d(np.zeros(shape), w, None, *how).shape))
    growth = np.prod(size) / np.prod(g.shape[2:]) if stride == (1, 1) else 1
    assert conv.spread_pays(channels, out, g.shape[3] * len(g), growth)
    got = conv.conv2d_input(g, w, shape, *how, bias=np.arange(1.0, shape[1] + 1))
    monkeypatch.setattr(conv, "spread_pays", lambda *_: False)
    want = conv.conv2d_input(g, w, shape, *how, bias=np.arange(1.0, shape[1] + 1))
    assert is_chwn(got)
    np.testing.assert_allclose(got, want, atol=1e-11)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_reaches_only_the_windows_that_see_it(bad):
    line, w = torch.randn(2, 4, 40), torch.randn(4, 1, 5)
    line[1, 3, 20] = bad
    want, flat, flat_w = F.conv1d(line, w, padding=2, groups=4), line.numpy()[:, :, None], w.numpy()[:, :, None]
    assert conv.line_pays(flat, flat_w.shape, ((1, 1), (0, 2), (1, 1), 4))
    got = conv.conv2d(flat, flat_w, padding=(0, 2), groups=4)
    np.testing.assert_allclose(got[:, :, 0], want.numpy(), atol=1e-5)
    got = conv.conv2d_input(flat, flat_w[..., ::-1], flat.shape, padding=(0, 2), groups=4)
    np.testing.assert_allclose(got[:, :, 0], want.numpy(), atol=1e-5)
    assert conv.conv2d_gradients(flat, flat, flat_w, padding=(0, 2), groups=4) is None
    line[1, 3, 39], gy = bad, torch.randn(2, 4, 36)  # the last place, which only the last output's last tap sees
    want = torch.nn.grad.conv1d_weight(line, w.shape, gy, groups=4).numpy()
    got = conv.conv2d_weight(flat, gy.numpy()[:, :, None], flat_w.shape, groups=4)
    np.testing.assert_allclose(got[:, :, 0], want, atol=1e-4)
    x, w = torch.randn(2, 16, 12, 12), torch.randn(16, 1, 3, 3)
    x[1, 3, 5, 5] = bad
    want = F.conv2d(x, w, padding=1, groups=16)
    got = conv.conv2d(x.numpy(), w.numpy(), padding=(1, 1), groups=16)
    np.testing.assert_allclose(got, want.numpy(), atol=1e-5)
    want = F.conv_transpose2d(x, w, stride=2, groups=16).numpy()
    got = conv.conv2d_input(x.numpy(), w.numpy(), want.shape, (2, 2), groups=16)
    np.testing.assert_allclose(got, want, atol=1e-5)
    x[1, 3, 5, 11] = bad  # at the edge, where only some of the taps see it
    gy = torch.randn(2, 16, 12, 12)
    want = torch.nn.grad.conv2d_weight(x, w.shape, gy, padding=1, groups=16).numpy()
    got = conv.conv2d_weight(x.numpy(), gy.numpy(), tuple(w.shape), padding=(1, 1), groups=16)
    np.testing.assert_allclose(got, want, atol=1e-4)
    x[1, 3, 5, 11] = gy[0, 2, 6, 6] = bad
    assert conv.conv2d_gradients(x.numpy(), gy.numpy(), w.numpy(), padding=(1, 1), groups=16) is None


def test_transposed_convolution_with_bias_and_output_padding():
    for stride, extra in [((1, 1), (0, 0)), ((2, 2), (1, 1)), ((3, 2), (2, 0))]:
        x, w = torch.randn(2, 6, 5, 4, dtype=torch.float64), torch.randn(6, 2, 3, 2, dtype=torch.float64)
        b = torch.randn(4, dtype=torch.float64)
        want = F.conv_transpose2d(x, w, b, stride, 1, extra, groups=2).numpy()
        got = conv.conv2d_input(x.numpy(), w.numpy(), want.shape, stride, (1, 1), (1, 1), 2, bias=b.numpy())
        np.testing.assert_allclose(got, want, atol=1e-12)


@pytest.mark.parametrize("groups, channels, out", [(1, 20, 20), (64, 64, 64), (1, 3, 32)])
def test_bits_do_not_depend_on_the_number_of_threads(groups, channels, out):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, channels, 28, 28)).astype(np.float32)
    w = rng.standard_normal((out, channels // groups, 3, 3)).astype(np.float32)
    before = threads.get_num_threads()
    results = []
    try:
        for n in (1, 2, 5):
            threads.set_num_threads(n)
            y = conv.conv2d(x, w, padding=(1, 1), groups=groups)
            gx = conv.conv2d_input(y, w, x.shape, padding=(1, 1), groups=groups)
            gw = conv.conv2d_weight(x, y, w.shape, padding=(1, 1), groups=groups)
            both = conv.conv2d_gradients(x, y, w, padding=(1, 1), groups=groups) or ()
            results.append([a.tobytes() for a in (y, gx, gw, *both)])
    finally:
        threads.set_num_threads(before)
    assert results[0] == results[1] == results[2]


def test_the_three_versions_agree_where_they_are_timed(capsys):
    """The command beside the table of times in ``conv_reference``."""
    before = threads.get_num_threads()
    try:
        conv_reference.main()
    finally:
        threads.set_num_threads(before)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["loop", "im2col", "conv.conv2d"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [1, 3, 20])
def test_pointwise_convolution_of_row_major_images_stays_row_major(n, dtype):
    x, w = torch.randn(n, 12, 9, 10, dtype=dtype, requires_grad=True), torch.randn(5, 12, 1, 1, dtype=dtype)
    b, w = torch.randn(5, dtype=dtype), w.requires_grad_()
    y = F.conv2d(x, w, b)
    gy = torch.randn_like(y)
    gx, gw = torch.autograd.grad(y, (x, w), gy)
    xa, wa, ga = x.detach().numpy(), w.detach().numpy(), gy.numpy()
    got = (conv.conv2d(xa, wa, b.numpy()), conv.conv2d_input(ga, wa, xa.shape), conv.conv2d_weight(xa, ga, wa.shape))
    for ours, theirs in zip(got, (y, gx, gw), strict=True):
        assert ours.flags.c_contiguous and ours.dtype == xa.dtype
        np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-4 if dtype == torch.float32 else 1e-12)
    mixed = conv.conv2d_weight(to_chwn(xa), ga, wa.shape), conv.conv2d_weight(xa, to_chwn(ga), wa.shape)
    for ours in mixed:
        np.testing.assert_allclose(ours, gw.numpy(), atol=1e-4 if dtype == torch.float32 else 1e-12)
