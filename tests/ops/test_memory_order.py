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
F.dropout(nn.Conv2d(4, 5, 2)(x[None].transpose(1, 3)))
F.dropout(nn.Conv2d(4, 5, 2)(torch.stack([x, x]).transpose(1, 3)))
F.dropout(nn.Conv2d(4, 5, 1)(torch.stack([x, x]).flatten(1, 2).transpose(1, 2).reshape(2, 4, 9, 2)))
torch.randn_like(F.max_pool2d(nn.BatchNorm2d(4)(torch.stack([x, x]).permute(0, 3, 1, 2)).relu(), 2))
torch.randn_like(F.interpolate(nn.GroupNorm(2, 4)(torch.stack([x, x]).permute(0, 3, 1, 2)), scale_factor=2))
torch.randn_like(F.avg_pool2d(F.pad(torch.stack([x, x]).permute(0, 3, 1, 2), (1, 1, 1, 1)), 2))
torch.randn_like(nn.ConvTranspose2d(4, 2, 2)(F.pad(torch.stack([x, x]).permute(0, 3, 1, 2), (1, 1, 1, 1), "reflect")))
torch.randn_like(F.adaptive_avg_pool2d(torch.stack([x, x]).permute(0, 3, 1, 2), 2).chunk(2, 1)[1].exp())
torch.randn_like(nn.Conv2d(4, 4, 1)(x[None].permute(0, 3, 1, 2)) + x[None].permute(0, 3, 1, 2).contiguous())
torch.randn_like(nn.Conv2d(4, 4, 1)(x[:1].transpose(1, 2).reshape(1, 4, 3, 1).expand(1, 4, 3, 5)))
torch.randn_like(nn.Conv2d(4, 4, 1)(x[:1].transpose(1, 2).reshape(1, 4, 1, 3).repeat(1, 1, 2, 1)))
torch.randn_like(nn.Conv2d(3, 4, 1)(x.flatten(0, 1)[None].reshape(1, 24, 3).transpose(1, 2).reshape(1, 3, 6, 4)))
torch.randn_like(nn.Conv2d(8, 4, 1)(torch.cat([torch.stack([x, x]).transpose(1, 3)] * 2, 1)).relu())
torch.randn_like(torch.cat([torch.cat([torch.stack([x, x]).transpose(1, 3)] * 2), torch.ones(4, 4, 3, 6)], 2))
torch.randn_like(torch.cat([torch.stack([x, x]).transpose(1, 3), torch.ones(2, 4, 3, 6)], 1))
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


RESULTS = """
F.conv1d(rows, T.ones(4, 3, 2))
F.conv3d(volumes, T.ones(4, 3, 2, 2, 2))
F.conv_transpose1d(rows, T.ones(3, 4, 2))
F.conv_transpose3d(volumes, T.ones(3, 4, 2, 2, 2))
F.avg_pool1d(rows, 2)
F.max_pool1d(rows, 2)
F.max_pool1d(rows, 2, return_indices=True)[1]
F.adaptive_avg_pool1d(rows, 2)
F.adaptive_max_pool1d(rows, 2)
F.avg_pool3d(volumes, 2)
F.interpolate(rows, 3, mode="area")
F.grid_sample(volumes[:, :, 0], T.zeros(2, 5, 4, 2), align_corners=False)
F.relu(F.conv1d(rows, T.ones(4, 3, 2)), inplace=True)
T.special.modified_bessel_k0(T.ones(()))
F.pad(volumes, (-1, 2, 1, 0, 0, 0), "replicate")
F.pad(volumes, (-1, -1, 0, 0, 0, 0), "replicate")
F.pad(rows, (-1, 1), "reflect")
F.conv3d(volumes[0], T.ones(4, 3, 2, 2, 2))
F.conv_transpose3d(volumes[0], T.ones(3, 4, 2, 2, 2))
F.max_pool3d(F.conv3d(volumes[0], T.ones(4, 3, 2, 2, 2)), 2)
T.multinomial(T.eye(3) + 1e-9, 2).sort()[0] * 0
T.masked_scatter(rows[0, :, None].expand(3, 2, 6), T.ones(6, dtype=T.bool), rows.detach())
rows[0, :, None].expand(3, 2, 6).clone()
rows[0].t().expand(2, 6, 3).clone().contiguous()
rows[0, :, :1].expand(2, 3, 4).double()
T.full_like(rows[0, 0, None, :, None].expand(2, 6, 3), 2.0)
T.roll(rows[0, :, None].expand(3, 2, 6), 1, 0)
F.pad(rows[0, :, None].expand(3, 2, 6), (1, 1))
rows[0, :, None].expand(3, 2, 6).index_fill(0, T.tensor([1]), 4.0)
T.ones(4, 2, 3, 1).transpose(1, 2) @ T.ones(4, 3, 2, 1).permute(0, 1, 3, 2)
T.linalg.lu_solve(T.eye(6) * 2, T.arange(1, 7, dtype=T.int32), rows[0], left=False)
"""


@pytest.mark.parametrize("text", RESULTS.split("\n")[1:-1])
@pytest.mark.parametrize("grad", [False, True])
def test_results_can_be_viewed(text, grad):
    """They are row-major to those who look, as PyTorch's."""
    found = []
    for T in (torch, tinytorch):
        rows = T.arange(2.0 * 3 * 6).reshape(2, 3, 6).requires_grad_(grad)
        volumes = T.arange(2.0 * 3 * 4**3).reshape(2, 3, 4, 4, 4).requires_grad_(grad)
        y = eval(text, {"T": T, "F": T.nn.functional, "rows": rows, "volumes": volumes})
        flat = y.view(-1)
        if y.requires_grad:
            (flat * T.arange(1.0, flat.numel() + 1)).sum().backward()
        grads = [leaf.grad.flatten().tolist() for leaf in (rows, volumes) if leaf.grad is not None]
        found.append((y.stride(), flat.tolist(), *grads))
    assert found[0][0] == found[1][0]
    for theirs, ours in zip(found[0][1:], found[1][1:], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5)


OF_TRANSPOSED = """
x.softmax(-1)
x.log_softmax(0)
x.cumprod(0)
x.masked_fill(x > 0, 0.0)
F.layer_norm(x, x.shape[-1:])
F.pad(x, (1, 1))
x.roll(1, 0)
x[..., [0, 1]]
x.index_select(-1, T.tensor([0, 1]))
x.repeat_interleave(2, -1)
x.repeat(*([2] * x.ndim))
T.cat([x, x], -1)
T.stack([x, x])
T.stack(x.unbind(0))
x.scatter(0, T.zeros(x.shape, dtype=T.int64), 1.0)
x.index_add(0, T.tensor([0]), x[:1])
x.sum(0)
x.mean(-1)
x.amax(1)
x.norm(dim=0)
x.logsumexp(0)
x.prod(0)
T.where(x > 0, x, 0.0)
"""


@pytest.mark.parametrize("text", OF_TRANSPOSED.split("\n")[1:-1])
def test_results_of_transposed_and_expanded_tensors_can_be_viewed(text):
    """Where PyTorch's can: NumPy's functions keep the order of what they are given, PyTorch's often do not."""
    for make in (
        lambda T: T.randn(4, 5).t(),
        lambda T: T.randn(3, 4, 5).transpose(1, 2),
        lambda T: T.randn(3, 4, 5).permute(1, 2, 0),
        lambda T: T.randn(1, 4, 2, 6).expand(2, 4, 2, 6),
        lambda T: T.randn(4, 1, 5).expand(4, 3, 5),
    ):
        for grad in (False, True):
            found = []
            for T in (torch, tinytorch):
                T.manual_seed(0)
                result = eval(text, {"T": T, "F": T.nn.functional, "x": make(T).requires_grad_(grad)})
                try:
                    found.append(result.view(-1).detach().numpy())
                except RuntimeError:
                    found.append(None)
            if found[0] is not None:
                assert found[1] is not None, (text, make(torch).stride(), grad)
                np.testing.assert_allclose(found[1], found[0], rtol=1e-5, atol=1e-6)


def test_memory_that_others_see_stays_where_it_is():
    for T in (torch, tinytorch):
        x = T.arange(6.0).reshape(2, 3)
        for seen in (x.t(), x.t().detach(), x.t().data, T.nn.Parameter(x.t()), T.from_numpy(x.numpy().T), x.t()[:]):
            with pytest.raises(RuntimeError, match="view size is not compatible"):
                seen.view(-1)
        with pytest.raises(RuntimeError, match="view size is not compatible"):
            (x.requires_grad_().t() * 2).view(-1)  # an elementwise op keeps the order


LOOKS = """
y.unsqueeze(1)
y[:, None, :, None]
y.squeeze()
y[1:3]
y[:, 1:]
y.split(2)[1]
y.unbind(0)[1]
y.flatten(2)
y.transpose(0, 1)
y.transpose(1, 2).transpose(2, 1)
y.narrow(0, 1, 2)
y[:, ::2]
"""


@pytest.mark.parametrize("text", LOOKS.split("\n")[1:-1])
def test_parts_of_results_can_be_viewed(text):
    """Images lie as C,H,W,N here: what is a view in PyTorch is a copy, which refuses to be written to."""
    for op in ("F.conv2d(x, w)", "F.max_pool2d(x, 2)", "T.stack([x, x * 2]).sum(0)", "x.transpose(1, 3).softmax(-1)"):
        for grad in (False, True):
            found = []
            for T in (torch, tinytorch):
                T.manual_seed(0)
                names = {"T": T, "F": T.nn.functional, "w": T.randn(4, 3, 3, 3)}
                names["x"] = x = T.randn(4, 3, 6, 6).requires_grad_(grad)
                names["y"] = eval(op, names)
                part = eval(text, names)
                try:
                    seen = part.view(*part.shape[:-2], -1) if part.ndim > 2 else part.view(-1)
                except RuntimeError:
                    found.append(None)
                    continue
                if grad:
                    (seen * T.arange(1.0, seen.numel() + 1).reshape(seen.shape)).sum().backward()
                found.append((seen.detach().tolist(), x.grad.tolist() if grad else None))
            assert (found[1] is None) == (found[0] is None), (op, grad)
            if found[0] is not None:
                for ours, theirs in zip(found[1], found[0], strict=True):
                    if theirs is not None:
                        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def test_a_view_that_is_a_copy_refuses_to_be_written_to():
    y = tinytorch.randn(3, 4, 5).transpose(0, 1).softmax(-1)
    with pytest.raises(RuntimeError, match="read-only"):
        y[1:3].view(-1).zero_()


REDUCTIONS = """
y.mean((2, 3)) ; y.sum((2, 3)) ; y.amax((2, 3)) ; y.std((2, 3)) ; y.flatten(2).mean(2) ; y.flatten(2).max(2)[0] ; y.mean(0)
T.flatten(T.nn.functional.adaptive_avg_pool2d(y, 1), 1) ; y.flatten(2).prod(2) ; y.sum(1) ; y.mean((2, 3), keepdim=True)
y.mean((2, 3)).view(-1) ; T.nn.functional.adaptive_max_pool2d(y, 1).reshape(2, 5) ; y.flatten(2).argmax(2)
"""


@pytest.mark.parametrize(
    "text", [text.strip() for line in REDUCTIONS.strip().splitlines() for text in line.split(" ; ")]
)
@pytest.mark.parametrize("recorded", [True, False])
def test_what_images_are_reduced_to_is_row_major(text, recorded):
    strides = []
    for T in (tinytorch, torch):
        with T.set_grad_enabled(recorded):
            y = T.nn.Conv2d(3, 5, 1)(T.ones(2, 3, 7, 7))
            result = eval(text, {"y": y, "T": T})
        strides.append((result.stride(), result.is_contiguous()))
    assert strides[0] == strides[1]
