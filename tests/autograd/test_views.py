"""Views under autograd: random programs of views and writes give PyTorch's gradients, or raise where PyTorch raises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tinytorch
from tests.programs import same_outcome

#: Views of a tensor with two dimensions of size 1 to 4; every one works on every such tensor.
VIEWS = (
    "{0}.t()", "{0}[1:]", "{0}[:, ::2]", "{0}[:1]", "{0}.reshape(-1)[1:].unsqueeze(0)", "{0}.unsqueeze(0)[0]", "{0}[None, 0]", "{0}[..., -1:]",
    "{0}.narrow(0, 0, 1)", "{0}.transpose(0, 1)", "{0}.expand(2, *{0}.shape)[1]", "{0}.reshape(1, -1)", "{0}.detach()", "{0}.clone()",
    "{0}.split(1)[0]", "{0}.chunk(2, 1)[0]", "{0}.squeeze(0).reshape(-1, 1)", "{0}.permute(1, 0)", "{0}[:].reshape(-1, 1)", "{0} * 2", "{0}.exp()",
)  # fmt: skip
WRITES = (
    "{0}.mul_(2)", "{0}.add_(y[0, 0])", "{0}.sin_()", "{0}.zero_()", "{0}[0] = 3", "{0}[-1] += y[1, 1]", "{0}[:, 0] = y[0, 1]", "{0}.mul_({1}.sum())",
    "{0}.copy_({1}[:1, :1])", "{0}.t().add_(1)", "{0}[0, 0] *= 2", "{0}.masked_fill_({0}.detach() > 1, 0.5)", "{0}[T.tensor([0])] = y[2, 0]", "{0}.div_(y[2, 2])",
)  # fmt: skip
USES = (
    "r = r + ({0} * {0}).sum()",
    "r = r + ({0} * 3).sum()",
    "r = r + {0}.exp().mean()",
    "u = {0} * y[1, 0]; r = r + u.sum()",
)


@st.composite
def programs(draw: Any) -> str:
    """A few statements over tensors t0, t1, ...: views of earlier ones, writes into any of them, uses of any of them."""
    lines, tensors = ["t0 = x * 1", "r = 0"], ["t0"]
    for _ in range(draw(st.integers(2, 7))):
        kind = draw(st.sampled_from(["view", "view", "write", "write", "use"]))
        target = draw(st.sampled_from(tensors))
        if kind == "view":
            name = f"t{len(tensors)}"
            lines.append(f"{name} = {draw(st.sampled_from(VIEWS)).format(target)}")
            tensors.append(name)
        elif kind == "write":
            line = draw(st.sampled_from(WRITES)).format(target, draw(st.sampled_from(tensors)))
            lines.append(f"with T.no_grad(): {line}" if draw(st.integers(0, 9)) == 0 else line)
        else:
            lines.append(draw(st.sampled_from(USES)).format(target))
    return "\n".join([*lines, *[f"r = r + ({name} * {name}).sum()" for name in tensors]])


def _run(text: str) -> Any:
    code = compile(text, "<program>", "exec")

    def program(T: Any, x: Any, y: Any) -> Any:
        names = {"T": T, "x": x, "y": y}
        exec(code, names)
        return names["r"]

    return program


X = np.random.default_rng(0).uniform(0.2, 1.5, (3, 4))
Y = np.random.default_rng(1).uniform(0.2, 1.5, (3, 4))


def _raises_of_pytorch_alone(text: str) -> bool:
    """Whether PyTorch refuses only because memory overlaps, or because a view among several was read after a write.

    Both have one meaning here (see MORE_THAN_PYTORCH in tests/ops/test_inplace.py).
    """
    try:
        x, y = (torch.from_numpy(a.copy()).requires_grad_() for a in (X, Y))
        _run(text)(torch, x, y).backward()
    except Exception as error:
        return any(part in str(error) for part in ("refer to a single memory", "or another view of its base has been"))
    return False


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(programs())
def test_random_programs(text: str) -> None:
    if not _raises_of_pytorch_alone(text):
        same_outcome(_run(text), X, Y, second=False)


def test_views_share_memory_and_know_their_base() -> None:
    x = tinytorch.arange(12.0).reshape(3, 4)
    for view in (
        x.t(),
        x[1:],
        x[:, 1],
        x.view(-1),
        x.unsqueeze(0),
        x.expand(2, 3, 4),
        x.split(1)[0],
        x.unbind(1)[2],
        x[0][1:],
        x.T[1],
    ):
        assert view._base is not None and view._version == x._version
        assert np.shares_memory(view.numpy(), x.numpy())
    for copy in (
        x[[0, 1]],
        x[x > 2],
        x.clone(),
        x.t().reshape(-1),
        x.flip(0),
        x.repeat(1, 1),
        x + 0,
        x.t().contiguous(),
    ):
        assert not np.shares_memory(copy.numpy(), x.numpy())


def test_reshape_copies_only_where_it_must() -> None:
    for make in (
        lambda T: T.arange(12.0).reshape(3, 4),
        lambda T: T.arange(24.0).reshape(3, 8)[:, ::2],
        lambda T: T.arange(12.0).view(4, 3).t(),
    ):
        for shape in ((12,), (3, 2, 2), (3, 4, 1), (1, 12), (6, 2), (4, 3)):
            shared = []
            for T in (torch, tinytorch):
                x = make(T)
                view = x.reshape(shape)
                shared.append(np.shares_memory(x.numpy(), view.numpy()))
            assert shared[0] == shared[1], shape


@pytest.mark.parametrize("T", [torch, tinytorch], ids=["torch", "tinytorch"])
def test_grad_fn_of_a_view_after_a_write_to_its_base(T: Any) -> None:
    x = T.ones(3, 4, requires_grad=True)
    base = x * 1
    view = base[0]
    before = view.grad_fn
    base.mul_(2)
    assert view.grad_fn is not before
    assert view.requires_grad and view.tolist() == [2.0] * 4
    plain = T.zeros(3, 4)
    part = plain[1]
    plain.add_(x)
    assert part.requires_grad, "a view of a tensor that came to require grad"
    part.sum().backward()
    assert x.grad.tolist() == [[0.0] * 4, [1.0] * 4, [0.0] * 4]


def test_hooks_and_retained_gradients_survive_a_write() -> None:
    for T in (torch, tinytorch):
        x = T.ones(3, requires_grad=True)
        a = x * 2
        a.retain_grad()
        a.mul_(3)
        a.sum().backward()
        assert a.grad.tolist() == [1.0] * 3, T
        assert x.grad.tolist() == [6.0] * 3
