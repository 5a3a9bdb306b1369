"""Changes in place under autograd: gradients through them, versions that make backward raise, and what may not be changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare, compare_errors
from tests.ops.cases import real
from tests.programs import same_outcome

X = real(3, 4, low=0.5, high=2.0).make(np.random.default_rng(1), "float64", "rows")
Y = real(3, 4, low=0.5, high=2.0).make(np.random.default_rng(2), "float64", "rows")
ROW, ONE = Y[0].copy(), np.array(1.5)

#: Statements that change ``a``, a result of an op, in place; ``y`` is another leaf.
STATEMENTS = (
    "a += y", "a -= y", "a *= y", "a /= y", "a **= 2", "a %= 3", "a += 1", "a *= 2.5", "a.add_(y)", "a.add_(y, alpha=2)", "a.sub_(y)",
    "a.mul_(y)", "a.div_(y)", "a.div_(2, rounding_mode='trunc')", "a.pow_(3)", "a.neg_()", "a.reciprocal_()", "a.square_()", "a.exp_()",
    "a.log_()", "a.sqrt_()", "a.rsqrt_()", "a.abs_()", "a.sign_()", "a.sin_()", "a.cos_()", "a.tanh_()", "a.sigmoid_()", "a.relu_()",
    "a.floor_()", "a.ceil_()", "a.trunc_()", "a.round_()", "a.clamp_(0.8, 1.2)", "a.clamp_min_(1)", "a.clamp_max_(1)", "a.zero_()",
    "a.fill_(3)", "a.fill_(y.sum())", "a.copy_(y)", "a.copy_(y[0])", "a.masked_fill_(a > 1, 0)", "a.masked_fill_(a > 1, y.mean())",
    "a.remainder_(2)", "a.fmod_(2)", "a[0] = y[1]", "a[0] = 2", "a[1:] += y[1:]", "a[:, ::2] *= 3", "a[..., 1] = y[..., 0]", "a[a > 1] = 0",
    "a[T.tensor([0, 2])] = y[:2]", "a[T.tensor([0, 2])] += 1", "a[0, T.tensor([0, 2])] = y[0, :2]", "a[0][1] = 5", "a[0][1:] *= y[0, 1:]",
    "a.index_put_((T.tensor([1]),), y[:1])", "a.add_(a)", "a[0] = a[1]", "a.t().mul_(2)",
    "a.view(-1)[2:5] = 0", "a.relu_().mul_(y).add_(1)", "a[None, :, 0] = 7", "a[...] = y", "a[()] = y", "a[True] = 1", "a[[0, 1], [1, 1]] = y[0, :2]",
)  # fmt: skip


def _program(text: str, before: str = "a = x * 1", after: str = "a * a") -> Any:
    code = compile(f"{before}\n{text}", "<program>", "exec")
    result = compile(after, "<result>", "eval")

    def program(T: Any, *leaves: Any) -> Any:
        names = {"T": T, **dict(zip("xyz", leaves, strict=False))}
        exec(code, names)
        return eval(result, names)

    return program


@pytest.mark.parametrize("text", STATEMENTS)
def test_on_a_result(text: str) -> None:
    same_outcome(_program(text), X, Y)


@pytest.mark.parametrize("text", STATEMENTS)
def test_on_a_result_that_was_used_before(text: str) -> None:
    """Products save their factors, sums do not: only the former notice."""
    same_outcome(_program(text, "a = x * 1\nb = a * y", "a + b"), X, Y)
    same_outcome(_program(text, "a = x * 1\nb = a + y", "a * b"), X, Y)
    same_outcome(_program(text, "a = x.exp()", "a * 2"), X, Y)
    same_outcome(_program(text, "a = x.sqrt()\nb = a * 2", "a + b"), X, Y)


@pytest.mark.parametrize("text", STATEMENTS)
def test_on_a_leaf(text: str) -> None:
    assert same_outcome(_program(text, "a = x"), X, Y) == "program"


@pytest.mark.parametrize("text", STATEMENTS)
def test_without_recording(text: str) -> None:
    """On a leaf under no_grad, on detached memory, and on a tensor that needs no gradient and then gets one."""
    nested = "\n".join(f"    {line}" for line in text.splitlines())
    same_outcome(_program(f"with T.no_grad():\n{nested}", "a = x", "a * y"), X, Y)
    same_outcome(_program(f"with T.no_grad():\n{nested}", "a = x * 1\nb = a * y", "b + a"), X, Y)
    same_outcome(_program(text, "a = x.detach()\nb = x * y", "b * 1"), X, Y)
    same_outcome(_program(text, "a = x.detach().clone()", "a * x"), X, Y)


@pytest.mark.parametrize("text", STATEMENTS)
def test_on_views(text: str) -> None:
    """A write to a view reaches its base and the base's other views."""
    same_outcome(_program(text, "b = x * 1\na = b.view(3, 4)", "a * b"), X, Y)
    same_outcome(
        _program(text, "b = T.cat([x, y]) * 1\nc = b[1:]\na = c[:3]", "(a * 2).sum() + (b * b).sum() + c.sum()"), X, Y
    )
    same_outcome(_program(text, "b = x.t() * 1\na = b.t()\nd = b[0]", "(b * b).t(), a, d * d"), X, Y)
    same_outcome(_program(text, "a, b = T.stack([x, y]).unbind(0)", "a * b"), X, Y)


#: Whole programs: several writes, views of views, versions.
PROGRAMS = (
    "a = x * 1; v = a[0]; a.mul_(2); r = v * v",
    "a = x * 1; v = a[0]; w = v[1:]; v.mul_(2); w += 1; a[0, 2] = 7; r = w * v.sum() + a.sum()",
    "a = x * 1; v = a.t(); w = a.view(-1); v[0] = 5; w[3:6] *= y.view(-1)[3:6]; r = (a * a) + v.t()",
    "a = x * 1\nfor i in range(3): a[i] = a[i] * y[i] + (a[i - 1] if i else 0)\nr = a * a",
    "a = T.zeros(3, 4, dtype=x.dtype)\nfor i in range(3): a[i] = x[i] * (i + 1)\nr = a * y",
    "a = T.zeros(3, 4, dtype=x.dtype)\nfor i in range(3):\n    for j in range(4): a[i, j] = x[i, j] * y[j % 3, i]\nr = a",
    "a = x * 1; b = a * y; a += 1; r = b", "a = x * 1; b = a.exp(); b += 1; r = b", "a = x * 1; b = a.exp(); a += 1; r = b",
    "a = x * 1; b = a[0] * y[0]; a[1] = 0; r = b", "a = x * 1; b = a[0] * y[0]; a[0] = 0; r = b", "a = x * 1; v = a[0]; b = v * y[0]; a[1] += 1; r = b",
    "a = x * 1; d = a.detach(); d.mul_(2); r = a * y", "a = x * 1; b = a * y; d = a.detach(); d.mul_(2); r = b", "a = x * 1; b = a * y; a.data.mul_(2); r = b",
    "a = x * 1; p, q = a.split([1, 2]); p.mul_(2); r = a", "a = x * 1; p, q, s = a.unbind(0); q += 1; r = a", "a = x * 1; p, q = a.chunk(2, 1); p[0] = 1; r = a",
    "a = x.detach().clone(); p, q = a.split([1, 2]); p.mul_(2); r = a * y", "a = x.detach().clone(); p, q = a.split([1, 2]); p.mul_(y[:1]); r = a * y",
    "a = (x[0] * 1).expand(3, 4); a.mul_(2); r = a", "a = (x[0] * 1).expand(3, 4); b = a.clone(); b.mul_(2); r = b", "b = x[0] * 1; a = b.expand(3, 4); b.mul_(2); r = a * y",
    "a = x[0].expand(3, 4); a[0] = 1; r = a", "v = x[0]; v += 1; r = v", "v = x.view(-1); v.zero_(); r = v", "v = x.detach().view(-1); v.zero_(); r = x * y",
    "with T.no_grad(): x.mul_(2); x[0] = 1\nr = x * x", "b = x * y\nwith T.no_grad(): x.mul_(2)\nr = b", "b = x + y\nwith T.no_grad(): x.mul_(2)\nr = b * 1",
    "with T.no_grad(): v = (x * 1)[0]\nv.mul_(y[0]); r = v", "a = x * 1\nwith T.no_grad(): v = a[0]\nv.mul_(2); r = a", "a = x * 1\nwith T.no_grad(): v = a[0]; v.mul_(2)\nr = a * a",
    "a = x.detach().clone(); a.mul_(y); r = a * x", "a = T.ones(3, 4, dtype=x.dtype); v = a[1:]; v.mul_(x[1:]); r = a * y", "a = T.ones(3, 4, dtype=x.dtype); v = a[1:]; a.mul_(x); r = v * y[1:]",
    "a = T.ones(3, 4, dtype=x.dtype); a.requires_grad_(); a.mul_(x); r = a", "a = x * 1; a.requires_grad_(False); r = a", "a = x * 1; a.detach_(); a.mul_(2); r = a * y", "a = x * 1; v = a[0]; v.detach_(); r = a",
    "a = x * 1; b = a; a += 1; r = b * a", "a = x * 1; b = a; a = a + 1; r = b * a", "a = x * 1; v = a[0]; v = v + 1; r = a * v", "a = x * 1; a[0] += a[1]; a[1] += a[0]; r = a * a",
    "a = x.relu(); a += 1; r = a", "a = x.tanh(); a *= 2; r = a", "a = (x * 1).sigmoid_(); a += 1; r = a", "a = (x * 1).relu_(); b = a + 1; a.mul_(2); r = b", "a = (x * 1).tanh_().mul_(y); r = a",
    "a = x * 1; s = a.sum(0); a.zero_(); r = s * y", "a = x * 1; s = a.max(0)[0]; a.zero_(); r = s * y", "a = x * 1; s = a @ y.t(); a.zero_(); r = s", "a = x * 1; s = a.softmax(1); s += 1; r = s", "a = x * 1; s = a.std(0); a += 1; r = s",
    "a = x * 1; s = a.mean(0); a += 1; r = s * a", "a = x * 1; b = a.reshape(4, 3); b += 1; r = a * a", "a = x.t() * 1; b = a.reshape(-1); b += 1; r = b * b", "a = x * 1; b = a.contiguous(); b += 1; r = a", "a = x * 1; b = a.flatten(); b *= 2; r = a * a",
    "a = x * 1; b = a.to(T.float64); b += 1; r = a", "a = x * 1; b = a.squeeze().unsqueeze(0).transpose(1, 2); b *= 3; r = a * a", "a = x * 1; b = a.permute(1, 0)[1:3, ::2]; b.copy_(y.t()[1:3, ::2]); r = a * a",
    "a = x * 1; b = a.narrow(1, 1, 2); c = b.select(0, 1); c.fill_(2); r = a * a + b.sum()", "a = x * 1; a[a > 1] *= 2; r = a", "a = x * 1; m = a > 1; a[m] = y[m]; r = a * a", "a = x * 1; a.masked_fill_(y > 1, x.sum()); r = a",
    "a = x * 1; a.requires_grad_(); b = a.detach().requires_grad_(); c = b * 2; c[0] = 1; r = c * a", "a = x + y; a.add_(x).mul_(y).sub_(a.detach()); r = a", "a = x * 1; b = y * 1; a.copy_(b); b.zero_(); r = a * x",
    "a = x * 1; v = a[0]; b = a.clone(); b[0] = v; v.mul_(2); r = b * a", "x.grad = T.ones_like(x); x.grad.zero_(); r = x * y", "a = T.empty(3, 4, dtype=x.dtype); a.copy_(x); a[1].mul_(2); r = a * a",
    "a = x.half() * 1; a.add_(1); r = a.double()", "a = x.float(); a += y; r = a", "a = x.float() * 1; a[0] = y[0]; r = a", "a = x.long(); a += 1; r = x * a", "a = x.long(); a += 1.5; r = x * a", "a = x.long(); a += x; r = a", "a = x.long(); a /= 2; r = a",
    "a = x * 1; a += T.ones(2, 3, 4, dtype=x.dtype); r = a", "a = x[0] * 1; a += y; r = a", "a = x * 1; a.copy_(T.ones(5, 3, 4)); r = a", "a = x.sum(); a += y; r = a", "a = x > 1; a |= True; r = x * a", "a = x > 1; a += 1; r = x", "a = x * 1; a &= 1; r = a",
)  # fmt: skip


@pytest.mark.parametrize("text", PROGRAMS)
def test_program(text: str) -> None:
    same_outcome(_program(text, "r = None", "r"), X, Y)


#: (in place, the same without): PyTorch raises at these, because its saved value is overwritten or its memory overlaps. Here an
#: op that needs the old value keeps a copy of it, so they have a meaning, and must have the right gradient.
MORE_THAN_PYTORCH = (
    ("a = x * 1; a.mul_(a); r = a * y", "a = x * 1; r = a * a * y"),
    ("a = x * 1; a += a[0]; r = a * a", "a = x * 1; a = a + a[0]; r = a * a"),
    ("a = x * 1; a[:2] += a[1:]; r = a * a", "a = x * 1; a = T.cat([a[:2] + a[1:], a[2:]]); r = a * a"),
    ("a = x.sum(); a *= a; r = a", "a = x.sum(); r = a * a"),
    ("a = x * 1; p = a.split([1, 2])[1]; a.mul_(2); r = p * p", "a = x * 2; r = a[1:] * a[1:]"),
    ("a = x * 1; p = a.unbind(0)[1]; a.mul_(y); r = p * p", "a = x * y; r = a[1] * a[1]"),
)


@pytest.mark.parametrize(("text", "meaning"), MORE_THAN_PYTORCH, ids=[text for text, _ in MORE_THAN_PYTORCH])
def test_more_than_pytorch(text: str, meaning: str) -> None:
    in_place, plain = _program(text, "r = None", "r"), _program(meaning, "r = None", "r")
    compare(lambda T, x, y: (plain if T is torch else in_place)(T, x, y), X, Y)


def test_version_counts_changes_through_every_name() -> None:
    compare(_program("v = a[0]; d = a.detach(); n = [a._version]; v += 1; n += [a._version, v._version, d._version]; d += 1; "
                     "n += [a._version, v._version]; a.data += 1; n += [a._version]; a.zero_(); n += [v._version]",
                     "a = x * 1", "n"), X)  # fmt: skip


def test_error_names_op_shape_and_versions() -> None:
    x = tinytorch.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    y += 1
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation: \[torch.FloatTensor \[2\]\], which is output 0 of "
                                           r"ExpBackward0, is at version 1; expected version 0 instead"):  # fmt: skip
        y.backward(tinytorch.ones(2))


def test_misuse() -> None:
    compare_errors(
        lambda T, x: x.zero_(), X, match="a leaf Variable that requires grad is being used in an in-place operation."
    )
    compare_errors(
        lambda T, x: x[0].zero_(), X, match="a view of a leaf Variable that requires grad is being used in an in-place"
    )
    compare_errors(lambda T, x: (x * 1).unbind(0)[0].zero_(), X, match="returns multiple views")
    compare_errors(
        lambda T, x: x.detach().long().add_(1.5),
        X,
        match="result type Float can't be cast to the desired output type Long",
    )
    compare_errors(
        lambda T, x, y: x.detach().add_(y),
        ROW,
        X,
        match="output with shape [4] doesn't match the broadcast shape [3, 4]",
    )
    compare_errors(
        lambda T, x: x.detach().expand(3, 4).add_(1), ROW, match="more than one element of the written-to tensor"
    )


def test_numpy_shares_memory() -> None:
    array = np.zeros(3)
    t = tinytorch.from_numpy(array)
    t[0] = 5
    array[1] = 7
    assert t.tolist() == [5, 7, 0] and array.tolist() == [5, 7, 0]
    t.numpy()[2] = 9
    assert t.tolist() == [5, 7, 9]


def test_random_and_scalar_targets() -> None:
    same_outcome(_program("a = x.sum()\na += y.sum()\na *= y.sum()\nr = a", "r = 0", "r"), X, Y)
    same_outcome(lambda T, x: (x * 1).add_(2).mul_(x), ONE)


UNRECORDED = (
    "a += y", "a.add_(y, alpha=-0.5)", "a.sub_(2, alpha=3)", "a.mul_(y[0])", "a /= 3", "a.pow_(2)", "a.pow_(y)", "a.neg_()", "a.exp_()",
    "a.rsqrt_()", "a.sigmoid_()", "a.relu_()", "a.clamp_(0.8, 1.2)", "a.clamp_(min=1)", "a.clamp_(max=1)", "a.clamp_(1.5, 1)", "a.addcmul_(y, y, value=2)",
    "a.addcdiv_(y, y[0], value=2)", "a.lerp_(y, 0.3)", "a.lerp_(y, 0.7)", "a.fill_(2)", "a.zero_()", "a.copy_(y[0])", "a -= a[0].clone()",
    "a.t()[1:] *= 2", "a.add_(a)", "a.round_()", "a.floor_()",
)  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "int64"])
@pytest.mark.parametrize("text", UNRECORDED)
def test_without_a_graph(text: str, dtype: str) -> None:
    """The result is written over the old value; values, versions and errors are those of the recorded way."""
    outcomes = []
    for T in (torch, tinytorch):
        a, y = (T.from_numpy(v.astype(dtype).copy()) for v in (X * 3, Y * 3))
        names = {"T": T, "a": a, "y": y}
        address = a.data_ptr()
        try:
            exec(text, names)
        except Exception as error:
            outcomes.append((type(error), a._version))
        else:
            assert a.data_ptr() == address
            outcomes.append((np.round(a.numpy().astype(float), 12).tolist(), a._version))
    assert outcomes[0] == outcomes[1]


def test_large_operands_are_treated_in_blocks() -> None:
    rng = np.random.default_rng(0)
    x, y, z = (rng.standard_normal((3, 30_000)).astype(np.float32) for _ in range(3))
    for text in (
        "x.addcmul_(y, z, value=0.5)",
        "x.addcdiv_(y, z)",
        "x.add_(y, alpha=2)",
        "x.lerp_(y, 0.9)",
        "x.sigmoid_()",
        "x.relu_()",
        "x.t().add_(y.t(), alpha=2)",
    ):
        results = []
        for T in (torch, tinytorch):
            names = {name: T.from_numpy(value.copy()) for name, value in zip("xyz", (x, y, z), strict=True)}
            exec(text, names)
            results.append(names["x"].numpy())
        np.testing.assert_allclose(results[1], results[0], rtol=1e-5, atol=1e-6)
    numbers = tinytorch.ones(90_001)  # a block must not read what the one before has written
    numbers[1:].addcmul_(numbers[:-1], numbers[:-1])
    assert numbers[1:].eq(2).all()
