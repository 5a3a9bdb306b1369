"""Every layer: same text, same seed, so same weights to the bit; same results, gradients and second derivatives."""

from __future__ import annotations

import numpy as np
import pytest

from tests.nn.layers import assert_same_error, assert_same_state, both, build, compare_modules

WITH_PARAMETERS = [
    ("nn.Linear(5, 3)", (4, 5)),
    ("nn.Linear(5, 3, bias=False)", (2, 4, 5)),
    ("nn.Linear(5, 3)", (5,)),
    ("nn.Bilinear(4, 5, 3)", (2, 4), (2, 5)),
    ("nn.Bilinear(4, 5, 3, bias=False)", (2, 3, 4), (2, 3, 5)),
    ("nn.Conv1d(3, 4, 3)", (2, 3, 8)),
    ("nn.Conv1d(3, 6, 3, stride=2, padding=1, dilation=2, groups=3, bias=False)", (2, 3, 9)),
    ("nn.Conv2d(3, 4, 3)", (2, 3, 7, 6)),
    ("nn.Conv2d(3, 4, 3, padding=1)", (3, 6, 6)),
    ("nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2, bias=False)", (2, 4, 7, 6)),
    ("nn.Conv2d(3, 4, (3, 4), padding='same')", (2, 3, 5, 6)),
    ("nn.Conv2d(3, 4, 3, padding='valid')", (2, 3, 5, 6)),
    ("nn.Conv2d(3, 4, 3, padding=1, padding_mode='reflect')", (2, 3, 5, 6)),
    ("nn.Conv2d(3, 4, 3, padding=(2, 1), padding_mode='circular')", (2, 3, 5, 6)),
    ("nn.Conv2d(3, 4, (3, 4), padding='same', padding_mode='replicate')", (2, 3, 5, 6)),
    ("nn.Conv1d(3, 4, 3, padding=2, padding_mode='replicate')", (2, 3, 6)),
    ("nn.ConvTranspose1d(3, 4, 3, stride=2)", (2, 3, 5)),
    ("nn.ConvTranspose2d(3, 4, 3)", (2, 3, 5, 6)),
    ("nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2, bias=False)", (2, 4, 5, 4)),
    ("nn.BatchNorm1d(3)", (6, 3)),
    ("nn.BatchNorm1d(3, momentum=None)", (4, 3, 5)),
    ("nn.BatchNorm2d(3)", (4, 3, 5, 6)),
    ("nn.BatchNorm2d(3, eps=1e-3, momentum=0.3, affine=False)", (4, 3, 5, 6)),
    ("nn.BatchNorm2d(3, track_running_stats=False)", (4, 3, 5, 6)),
    ("nn.BatchNorm2d(3, bias=False)", (4, 3, 5, 6)),
    ("nn.InstanceNorm1d(3, affine=True)", (2, 3, 5)),
    ("nn.InstanceNorm2d(3)", (2, 3, 5, 4)),
    ("nn.InstanceNorm2d(3, affine=True, track_running_stats=True)", (3, 5, 4)),
    ("nn.LayerNorm(5)", (2, 3, 5)),
    ("nn.LayerNorm((3, 5), eps=1e-3, bias=False)", (2, 3, 5)),
    ("nn.LayerNorm([5], elementwise_affine=False)", (2, 5)),
    ("nn.GroupNorm(2, 4)", (3, 4, 5)),
    ("nn.GroupNorm(4, 4, affine=False)", (3, 4, 5, 2)),
    ("nn.RMSNorm(5)", (3, 5)),
    ("nn.RMSNorm((3, 5), eps=1e-2, elementwise_affine=False)", (2, 3, 5)),
    ("nn.PReLU()", (3, 4)),
    ("nn.PReLU(4, init=0.1)", (3, 4, 5)),
    ("nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3))", (2, 5)),
]

WITHOUT_PARAMETERS = [
    *[
        (f"nn.{name}()", (3, 4))
        for name in [
            "ReLU",
            "ReLU6",
            "LeakyReLU",
            "ELU",
            "CELU",
            "SELU",
            "GELU",
            "SiLU",
            "Mish",
            "Softplus",
            "Hardtanh",
            "Hardsigmoid",
            "Hardswish",
            "Sigmoid",
            "LogSigmoid",
            "Tanh",
            "Tanhshrink",
            "Softsign",
            "Softshrink",
            "Hardshrink",
            "GLU",
            "Identity",
            "Flatten",
        ]
    ],
    ("nn.ELU(0.7)", (3, 4)),
    ("nn.CELU(2.0)", (3, 4)),
    ("nn.LeakyReLU(0.2)", (3, 4)),
    ("nn.GELU('tanh')", (3, 4)),
    ("nn.Softplus(beta=2.0, threshold=1.0)", (3, 4)),
    ("nn.Hardtanh(-0.4, 0.3)", (3, 4)),
    ("nn.Threshold(0.1, -2.0)", (3, 4)),
    ("nn.Softshrink(0.2)", (3, 4)),
    ("nn.Hardshrink(0.2)", (3, 4)),
    ("nn.GLU(0)", (4, 3)),
    ("nn.RReLU().eval()", (3, 4)),
    ("nn.Softmax(1)", (3, 4)),
    ("nn.Softmin(0)", (3, 4)),
    ("nn.LogSoftmax(-1)", (3, 4)),
    ("nn.Softmax2d()", (2, 3, 4, 5)),
    ("nn.MaxPool1d(2)", (2, 3, 7)),
    ("nn.MaxPool1d(3, 2, 1, return_indices=True)", (2, 3, 7)),
    ("nn.MaxPool2d(2)", (2, 3, 6, 7)),
    ("nn.MaxPool2d((3, 2), stride=2, padding=1, ceil_mode=True, return_indices=True)", (2, 3, 6, 7)),
    ("nn.AvgPool1d(2)", (2, 3, 7)),
    ("nn.AvgPool2d(5)", (2, 3, 5, 5)),
    ("nn.AvgPool2d(3, 2, 1, count_include_pad=False)", (2, 3, 6, 7)),
    ("nn.AdaptiveAvgPool1d(3)", (2, 3, 7)),
    ("nn.AdaptiveAvgPool2d((3, None))", (2, 3, 7, 5)),
    ("nn.AdaptiveMaxPool1d(3)", (2, 3, 7)),
    ("nn.AdaptiveMaxPool2d(2)", (2, 3, 7, 5)),
    ("nn.Flatten(0, 1)", (2, 3, 4)),
    ("nn.Unflatten(1, (2, 3))", (2, 6, 4)),
    ("nn.Dropout(0.3)", (5, 6)),
    ("nn.Dropout(0.3).eval()", (5, 6)),
    ("nn.Dropout1d(0.4)", (5, 6, 3)),
    ("nn.Dropout2d(0.4)", (5, 6, 3, 2)),
    ("nn.Dropout3d(0.4)", (3, 4, 2, 2, 2)),
    ("nn.AlphaDropout(0.4)", (5, 6)),
    ("nn.LocalResponseNorm(3)", (2, 5, 3, 4)),
    ("nn.ZeroPad1d(2)", (2, 3, 4)),
    ("nn.ZeroPad2d((1, -1, 2, 0))", (2, 3, 4)),
    ("nn.ConstantPad1d((1, 2), 3.5)", (2, 3, 4)),
    ("nn.ConstantPad2d(1, 0.5)", (2, 3, 4)),
    ("nn.ReflectionPad1d(2)", (2, 3, 4)),
    ("nn.ReflectionPad2d((1, 2, 0, 1))", (2, 3, 4, 5)),
    ("nn.ReplicationPad1d(2)", (3, 4)),
    ("nn.ReplicationPad2d(3)", (2, 3, 4, 5)),
    ("nn.CircularPad1d((1, 3))", (2, 3, 4)),
    ("nn.CircularPad2d(2)", (2, 3, 4, 5)),
    ("nn.PixelShuffle(2)", (2, 8, 3, 4)),
    ("nn.PixelUnshuffle(2)", (2, 3, 4, 6)),
    ("nn.ChannelShuffle(2)", (2, 4, 3)),
    ("nn.Unfold(3, padding=1, stride=2)", (2, 3, 5, 6)),
    ("nn.Fold((4, 5), (2, 3), dilation=1)", (2, 12, 9)),
    ("nn.Upsample(scale_factor=2)", (2, 3, 4, 5)),
    ("nn.Upsample(size=7)", (2, 3, 4)),
    ("nn.Upsample(scale_factor=1.7, mode='nearest-exact')", (2, 3, 4)),
    ("nn.Upsample(scale_factor=(1.7, 0.6), mode='bilinear')", (2, 3, 4, 5)),
    ("nn.Upsample(scale_factor=1.7, mode='linear', recompute_scale_factor=True)", (2, 3, 4)),
    ("nn.Upsample(size=(3, 4, 5), mode='trilinear', align_corners=True)", (1, 2, 2, 3, 4)),
    ("nn.Upsample(size=(2, 3), mode='area')", (2, 3, 4, 5)),
    ("nn.UpsamplingBilinear2d(scale_factor=3)", (2, 3, 4, 5)),
    ("nn.UpsamplingNearest2d(size=(3, 9))", (2, 3, 4, 5)),
    ("nn.CosineSimilarity()", (3, 4), (3, 4)),
    ("nn.PairwiseDistance()", (3, 4), (3, 4)),
    ("nn.PairwiseDistance(p=1.0, keepdim=True)", (3, 4), (3, 4)),
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("text", "shapes"), [(text, shapes) for text, *shapes in WITH_PARAMETERS + WITHOUT_PARAMETERS])
def test_layer(text, shapes, dtype):
    ours, theirs = build(text)
    assert repr(ours) == repr(theirs)
    assert_same_state(ours, theirs)
    if dtype == "float64":
        ours, theirs = ours.double(), theirs.double()
    rng = np.random.default_rng(1)
    inputs = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    odd = text == "nn.Hardsigmoid()"  # PyTorch's has no second derivative, and a 1/6 of single precision
    compare_modules(ours, theirs, *inputs, second=dtype == "float64" and not odd, looser=100.0 if odd else 5.0)


@pytest.mark.parametrize(("text", "shapes"), [(text, shapes) for text, *shapes in WITH_PARAMETERS])
def test_layer_in_evaluation(text, shapes):
    ours, theirs = build(text)
    ours, theirs = ours.double(), theirs.double()
    rng = np.random.default_rng(1)
    inputs = [rng.standard_normal(shape) for shape in shapes]
    compare_modules(ours, theirs, *inputs)  # moves running statistics
    compare_modules(ours.eval(), theirs.eval(), *inputs)


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_initial_weights_are_pytorchs(seed):
    text = (
        "nn.Sequential(nn.Conv2d(3, 20, 5), nn.BatchNorm2d(20), nn.PReLU(20), nn.Conv1d(8, 9, 3), nn.ConvTranspose2d(6, 4, 3),"
        "nn.Linear(300, 100), nn.Bilinear(7, 8, 9), nn.Embedding(50, 17, padding_idx=3), nn.LayerNorm(5), nn.GroupNorm(2, 6),"
        "nn.Linear(3, 2, dtype=T.float64), nn.ConvTranspose1d(3, 4, 5, groups=1, bias=False))"
    )
    ours, theirs = build(text, seed)
    assert_same_state(ours, theirs)
    ours[5].reset_parameters()
    theirs[5].reset_parameters()
    assert_same_state(ours, theirs)


REPRS = [
    "nn.ReLU(inplace=True)", "nn.LeakyReLU(0.2, True)", "nn.ELU(inplace=True)", "nn.CELU(2.0, True)", "nn.SELU(True)",
    "nn.Hardtanh(-2, 2, True)", "nn.ReLU6(True)", "nn.Threshold(1, 2, True)", "nn.SiLU(True)", "nn.Mish(True)", "nn.RReLU()",
    "nn.RReLU(0.1, 0.2, True)", "nn.Hardswish(True)", "nn.Hardsigmoid(True)", "nn.Dropout(0.2, True)", "nn.Dropout2d()",
    "nn.Embedding(3, 4)", "nn.Embedding(5, 4, padding_idx=-1, max_norm=2.0, norm_type=1.0)", "nn.Embedding(3, 4, sparse=True)",
    "nn.Embedding(3, 4, scale_grad_by_freq=True)", "nn.AdaptiveAvgPool2d((None, 3))", "nn.MaxPool2d(3, 2, 1, 1)",
    "nn.AvgPool1d(2, 3)", "nn.MSELoss()", "nn.CrossEntropyLoss()", "nn.BCEWithLogitsLoss()", "nn.Softmax()",
    "nn.ConvTranspose2d(1, 2, 3, output_padding=1, stride=2, dilation=2)", "nn.Conv2d(2, 2, 1, groups=2, bias=False)",
    "nn.Sequential()", "nn.Sequential(nn.Sequential(nn.ReLU()), nn.Identity())", "nn.ModuleList()", "nn.ModuleDict()",
    "nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU(), nn.Sequential(nn.ReLU()), nn.Sequential(nn.ReLU())])",
    "nn.ModuleDict({'a': nn.ReLU(), 'b': nn.Sequential(nn.Tanh())})", "nn.CosineSimilarity()", "nn.BatchNorm1d(3, affine=False)",
    "nn.ParameterList([nn.Parameter(T.ones(2, 3)), T.zeros(1), 'text'])",
    "nn.ParameterDict({'a': nn.Parameter(T.ones(2, 3)), 'b': T.zeros(1, dtype=T.float64)})",
    "nn.Parameter(T.tensor([1.5, 2.0]))", "nn.Parameter(T.tensor([1.5, 2.0]), requires_grad=False)", "nn.Parameter()",
    "nn.Buffer(T.tensor([1.5, 2.0]))",
]  # fmt: skip


@pytest.mark.parametrize("text", REPRS)
def test_repr(text):
    ours, theirs = build(text)
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize(
    "text",
    [
        "nn.Conv2d(3, 4, 3, groups=2)", "nn.Conv2d(4, 3, 3, groups=2)", "nn.Conv2d(4, 4, 3, groups=0)",
        "nn.Conv2d(4, 4, 3, padding='same', stride=2)", "nn.ConvTranspose2d(2, 2, 3, padding_mode='reflect')",
        "nn.BatchNorm2d(3)(T.ones(2, 3))", "nn.BatchNorm1d(3)(T.ones(2, 3, 4, 5))", "nn.BatchNorm1d(3)(T.ones(1, 3))",
        "nn.Dropout(1.5)", "nn.GroupNorm(2, 3)", "nn.Hardtanh(1, -1)", "nn.Unflatten(1, 3)",
        "nn.Embedding(3, 2)(T.tensor([3]))", "nn.Embedding(3, 2)(T.tensor([-1]))", "nn.Bilinear(0, 1, 1)",
        "nn.Linear(3, 2)(T.ones(2, 4))", "nn.Softmax2d()(T.ones(2, 3))", "nn.GLU()(T.ones(3))",
        "nn.Embedding(3, 2, padding_idx=3)", "nn.TripletMarginLoss(margin=0)", "nn.PixelShuffle(2)(T.ones(1, 3, 2, 2))",
        "nn.PixelUnshuffle(2)(T.ones(1, 3, 3, 2))", "nn.PReLU(3)(T.ones(2, 4))", "nn.Module()(1)", "nn.Upsample(mode='nearest')(T.ones(1, 1, 2))",
        "nn.Upsample(2, mode='nearest', align_corners=True)(T.ones(1, 1, 2))", "nn.functional.interpolate(T.ones(1, 1, 2), 3, 2)",
    ],
)  # fmt: skip
def test_misuse(text):
    assert_same_error(lambda T: eval(text, {"nn": T.nn, "T": T}))


def test_padding_mode_error_names_the_choices():
    with pytest.raises(ValueError, match=r"padding_mode must be one of .* but got padding_mode='wrap'"):
        build("nn.Conv2d(3, 4, 3, padding_mode='wrap')")


def test_transposed_convolution_takes_an_output_size():
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 5))
    ours, theirs = build("nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1).double()")

    def forward(module, x):
        return module(x, output_size=(10, 9))

    class Sized:
        def __init__(self, module):
            self.module = module
            self.parameters, self.state_dict = module.parameters, module.state_dict

        def __call__(self, x):
            return self.module(x, output_size=(10, 9))

    compare_modules(Sized(ours), Sized(theirs), x)
    assert_same_error(lambda T: T.nn.ConvTranspose2d(3, 4, 3, stride=2)(T.ones(1, 3, 5, 5), output_size=(20, 9)))


def test_batch_norm_counts_batches():
    def run(T):
        bn = T.nn.BatchNorm1d(2, momentum=None)
        for i in range(4):
            bn(T.tensor([[1.0 + i, 2.0], [3.0, 4.0 * i]]))
        bn.eval()
        bn(T.tensor([[9.0, 9.0], [9.0, 9.0]]))
        return bn

    ours, theirs = both(run)
    assert int(ours.num_batches_tracked) == 4
    assert_same_state(ours, theirs, exactly=False)
    ours.reset_running_stats()
    theirs.reset_running_stats()
    assert_same_state(ours, theirs)


def test_rrelu_draws_pytorchs_slopes():
    x = np.random.default_rng(0).standard_normal((7, 9))
    ours, theirs = both(lambda T: T.nn.RReLU()(T.tensor(x)))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)


def test_embedding():
    indices = np.array([[0, 2, 2], [3, 1, 2]])
    for text in ("nn.Embedding(4, 5).double()", "nn.Embedding(4, 5, padding_idx=2).double()"):
        ours, theirs = build(text)
        compare_modules(ours, theirs, indices)
    ours, theirs = build("nn.Embedding(4, 5, max_norm=0.9, norm_type=1.0).double()")
    compare_modules(ours, theirs, indices, second=False)
    table = np.arange(6.0).reshape(3, 2)
    ours, theirs = both(lambda T: T.nn.Embedding.from_pretrained(T.tensor(table), padding_idx=1))
    assert repr(ours) == repr(theirs)
    assert_same_state(ours, theirs)
    assert not ours.weight.requires_grad


def test_in_place_activations():
    x = np.random.default_rng(0).standard_normal((3, 4))
    for name in [
        "ReLU",
        "LeakyReLU",
        "ELU",
        "SELU",
        "CELU",
        "Hardtanh",
        "ReLU6",
        "SiLU",
        "Mish",
        "Hardswish",
        "Hardsigmoid",
        "Dropout",
    ]:

        def run(T, name=name):
            leaf = T.tensor(x, requires_grad=True)
            y = leaf * 2
            z = getattr(T.nn, name)(inplace=True)(y)
            (z * T.arange(12.0, dtype=T.float64).reshape(3, 4)).sum().backward()
            return z is y, y.detach().numpy(), leaf.grad.numpy()

        ours, theirs = both(run)
        assert ours[0] and theirs[0], name
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-12, atol=1e-14, err_msg=name)
        rtol = 1e-7 if name == "Hardsigmoid" else 1e-12  # PyTorch's 1/6 has single precision
        np.testing.assert_allclose(ours[2], theirs[2], rtol=rtol, atol=1e-14, err_msg=name)
