"""Random programs over eight tensors that share memory, change in place, are differentiated and hooked: the same text for both libraries.

``program(seed, length)`` is a list of statements; ``first_difference(statements)`` runs them one by one in both libraries and compares all
tensors and gradients after each; ``shorter`` leaves out what a difference does not need.
"""

from __future__ import annotations

import copy
import pickle
import random
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

import tinytorch
from tests.trust.bad_calls import INTERNAL

__all__ = ["first_difference", "program", "shorter"]

NAMES = "abcdefgh"
SHAPES = ("(2, 3)", "(2, 3)", "(2, 3)", "(3, 2)", "(2, 2)", "(3,)", "(2,)", "()", "(1, 3)")

VIEWS = """
x[0] | x[1:] | x[..., 0] | x[:, ::2] | x[None] | x.t() | x.view(-1) | x.reshape(-1) | x.reshape(3, 2) | x.view(2, 3) | x.expand(2, *x.shape)
x.unsqueeze(0) | x.unsqueeze(-1) | x.squeeze() | x.transpose(0, -1) | x.diagonal() | x.chunk(2)[0] | x.unbind()[0] | x.split(1)[1] | x.T | x[()]
x.narrow(0, 0, 1) | x.select(0, 1) | x.as_strided((2,), (1,), 1) | x.detach() | x.data | x.view_as(x) | x.flatten() | x.movedim(0, -1) | x.mT
x.squeeze(0) | x.expand_as(y) | x.contiguous() | x.to(T.float64) | x[[0, 1]] | x.ravel() | x.permute(1, 0) | T.broadcast_to(x, (2, 2, 3))
T.split(x, [1, 1])[0] | x.tensor_split(2)[1] | T.atleast_2d(x) | x.unflatten(0, (1, -1)) | x.reshape_as(y) | x.detach().requires_grad_() | x[...]
x.detach().view(T.int64).view(T.float64) | T.hsplit(x, 1)[0] | T.broadcast_tensors(x, y)[0] | T.real(x) | x.double() | x.swapaxes(0, 1)
"""
VALUES = """
x.exp() | x.sin() | x.tanh() | x.sigmoid() | x.relu() | x + y | x * y | x - y | x / (y * y + 1) | x * 2 | x + 1 | x @ y | x.sum() | x.sum(0) | x.mean()
x.max() | x.max(0)[0] | x ** 2 | x.clone() | copy.deepcopy(x) | T.cat([x, x]) | T.stack([x, y]) | T.where(x > 0, x, y) | x.cumsum(0) | x.softmax(-1)
x.clamp(-1, 1) | x.abs() | T.maximum(x, y) | x.repeat(2) | x.flip(0) | x.roll(1) | x.index_select(0, T.tensor([1, 0])) | x.masked_fill(x > 0.5, 0.)
T.zeros_like(x) | T.empty_like(x).copy_(y) | T.addmm(x, y, z) | x.prod() | x.norm() | x.std() | x.log_softmax(0) | x.sort(0)[0] | x.tril()
x.float().double() | F.dropout(x, 0.0) | F.layer_norm(x, x.shape[-1:]) | pickle.loads(pickle.dumps(x)) | T.lerp(x, y, 0.3) | x.grad.clone() | x.grad
T.utils.checkpoint.checkpoint(lambda q: (q * q).exp(), x, use_reentrant=False) | Cube.apply(x) | Doubled.apply(x) | x.to(T.float64, copy=True)
T.nn.Parameter(x) | T.as_tensor(x) | T.outer(x, y) | F.linear(x, y) | F.leaky_relu(x, 0.1) | x.item() * y
"""
CHANGES = """
x.add_(1) | x.mul_(2) | x.mul_(y) | x.add_(y) | x.exp_() | x.zero_() | x.copy_(y) | x.fill_(0.5) | x[0] = y | x[0] = 3. | x[:, 0] = y | x[x > 0] = 0.
x += y | x *= 2 | x -= 1 | x **= 2 | x.clamp_(-1, 1) | x.relu_() | x.sigmoid_() | x.tanh_() | x.masked_fill_(x > 0, 1.) | x.squeeze_() | x.unsqueeze_(0)
x.index_add_(0, T.tensor([0]), y[:1]) | x.t_() | x.data.mul_(2) | x.data.zero_() | x.detach().add_(1)
x.addcmul_(y, z) | x.transpose_(-2, -1) | x.set_(y.detach()) | F.relu(x, inplace=True) | T.add(x, y, out=z) | T.mul(x, 2, out=z) | x.div_(2)
x.index_fill_(0, T.tensor([0]), 2.) | x.sub_(y) | x.pow_(2) | x.neg_() | x.lerp_(y, 0.5) | x.index_put_((T.tensor([0]),), y) | x.fill_diagonal_(0.)
x.cumsum_(0) | x.untyped_storage().copy_(y.untyped_storage()) | x.unbind()[0].mul_(2) | x[0].mul_(y) | x.view(-1)[0] = 4. | x.diagonal().add_(y)
x.fill_(y.sum()) | T.nn.init.constant_(x, 0.25) | T._foreach_add_([x, y], 1) | T._foreach_mul_([x], [y]) | x.sqrt_() | x.atan2_(y) | x[0] = float(y.sum())
"""
GRADIENTS = """
x.sum().backward() | x.sum().backward(retain_graph=True) | x.backward(T.ones_like(x)) | x.backward(y.detach()) | x.sum().backward(create_graph=True)
z = T.autograd.grad(x.sum(), y, allow_unused=True)[0] | z = T.autograd.grad(x.sum(), y, create_graph=True)[0] | x.sum().backward(inputs=[y])
T.autograd.backward([x.sum(), y.sum()]) | z = T.autograd.grad([x.sum(), y.sum()], [y, x], allow_unused=True, retain_graph=True)[0]
x.grad = None | x.grad.zero_() | x.grad.mul_(2) | x.grad = y.detach() | x.grad += 1 | z = x.grad | x.retain_grad() | z = x.grad.detach()
x.register_hook(lambda g: g * 2) | x.register_hook(lambda g: g.mul_(2)) | x.register_hook(lambda g: (y.data.add_(1), None)[1]) | x.register_hook(lambda g: y)
x.register_hook(lambda g: 1 / 0) | x.register_post_accumulate_grad_hook(forget) | x.grad_fn.register_hook(lambda received, sent: None)
x.grad_fn.register_prehook(lambda sent: tuple(g * 3 for g in sent)) | T.optim.SGD([x], lr=0.1).step() | T.nn.utils.clip_grad_norm_([x], 0.1)
"""
ARRAYS = """
n = x.detach().numpy() | n = x.numpy() | n *= 2 | n[...] = 0.5 | x = T.from_numpy(n) | x = T.tensor(n) | n = n.T | n = n[0] | n = n.copy()
x.copy_(T.from_numpy(n)) | x = T.from_numpy(n).requires_grad_() | n = np.asarray(x.detach())
"""


def _statements(table: str, result: str = "") -> list[str]:
    found = [part.strip() for line in table.strip().splitlines() for part in line.split(" | ")]
    return [result + statement for statement in found]


#: (how often, statements); in each ``x``, ``y``, ``z`` and ``r`` stand for any of the tensors.
KINDS = (
    (22, _statements(VIEWS, "r = ")), (24, _statements(VALUES, "r = ")), (30, _statements(CHANGES)), (16, _statements(GRADIENTS)),
    (4, _statements(ARRAYS)), (4, ["x = new({s}, True)", "x = new({s}, False)"]),
)  # fmt: skip
#: What a statement must not contain to be tried in no_grad mode: views made there are special in PyTorch (they require grad).
NOT_WITHOUT_GRAD = (
    "contiguous",
    "grad",
    "Doubled",
    "Parameter",
    "as_tensor",
    "t_(",
    "queeze_",
    "transpose_",
    "set_(",
    ".to(",
)
#: Where PyTorch raises, and computing is right: nothing that was saved, or only what did not change; overlaps that are copied first; the
#: storage of a tensor over a part of an array, which is the whole array here.
MORE_THAN_PYTORCH = (
    "second time",
    "refer to a single memory",
    "modified by an inplace operation",
    "view size is not",
    "invalid gradient",
    "size does not match, self was",
)
#: And where tinytorch does: memory that it cannot grow or that several elements share.
LESS_THAN_PYTORCH = (
    "not resizable",
    "single memory location",
    "modified by an inplace operation",
    "set_: a tensor that requires",
)


def program(seed: int, length: int = 25) -> list[str]:
    """Eight tensors and ``length`` statements."""
    draw = random.Random(seed)
    made = [f"{name} = new({draw.choice(SHAPES)}, {draw.random() < 0.6})" for name in NAMES]
    return [*made, *(_statement(draw) for _ in range(length))]


def _statement(draw: random.Random) -> str:
    (_, table), *_ = draw.choices(KINDS, [weight for weight, _ in KINDS])
    pattern = draw.choice(table)
    meant = {letter: draw.choice(NAMES) for letter in "xyzr"}
    statement = "".join(_replaced(pattern, meant)).replace("{s}", draw.choice(SHAPES))
    changes = not pattern.startswith("r = ") or table is KINDS[1][1]
    if (
        changes
        and table is not KINDS[-1][1]
        and draw.random() < 0.12
        and not any(w in pattern for w in NOT_WITHOUT_GRAD)
    ):
        return f"with T.no_grad(): {statement}"
    return statement


def _replaced(pattern: str, meant: dict[str, str]) -> Iterator[str]:
    """Single letters that are names: not those within a word, nor after a dot."""
    for i, letter in enumerate(pattern):
        before, after = pattern[i - 1 : i], pattern[i + 1 : i + 2]
        alone = not (before.isalnum() or (before and before in "_.{")) and not (after.isalnum() or after == "_")
        yield meant[letter] if alone and letter in meant else letter


class World:
    """The names that a program sees in one of the libraries."""

    def __init__(self, T: Any) -> None:
        made = 0

        def new(shape: tuple[int, ...], requires_grad: bool) -> Any:
            nonlocal made
            made += 1
            count = int(np.prod(shape, dtype=int))
            values = np.sin(np.arange(1, 1 + count).reshape(shape) * 0.7 + made)
            return T.tensor(values, dtype=T.float64).requires_grad_(requires_grad)

        class Cube(T.autograd.Function):  # type: ignore[misc, name-defined]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x)
                return x**3

            @staticmethod
            def backward(ctx: Any, grad: Any) -> Any:
                (x,) = ctx.saved_tensors
                return grad * 3 * x * x

        class Doubled(T.autograd.Function):  # type: ignore[misc, name-defined]
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                x.mul_(2)
                ctx.mark_dirty(x)
                return x

            @staticmethod
            def backward(ctx: Any, grad: Any) -> Any:
                return grad * 2

        def forget(leaf: Any) -> None:
            leaf.grad = None

        self.names: dict[str, Any] = {
            "T": T, "F": T.nn.functional, "np": np, "copy": copy, "pickle": pickle, "new": new, "Cube": Cube, "Doubled": Doubled,
            "forget": forget, "n": np.zeros((2, 3)),
        }  # fmt: skip

    def run(self, statement: str) -> Exception | None:
        """The error of the statement, if it raises one."""
        try:
            exec(statement, self.names)
        except Exception as error:
            return error
        return None


def first_difference(statements: list[str]) -> tuple[int, str] | None:
    """(which statement, what differs after it); None if nothing does, as far as the two can be compared."""
    theirs, ours = World(torch), World(tinytorch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, statement in enumerate(statements):
            their_error, our_error = theirs.run(statement), ours.run(statement)
            if (their_error is None) != (our_error is None):
                if any(words in str(their_error) for words in MORE_THAN_PYTORCH):
                    return None
                if any(words in str(our_error) for words in LESS_THAN_PYTORCH):
                    return None
                return number, f"{our_error!r}, PyTorch: {their_error!r}"
            if our_error is not None and INTERNAL.search(str(our_error)) and str(our_error) != str(their_error):
                return number, f"{our_error!r}, PyTorch: {their_error!r}"
            if their_error is not None and "backward" in statement:
                return None  # part of the gradients has been added up, in another order
            for name in (*NAMES, "n"):
                difference = _compare(ours.names.get(name), theirs.names.get(name))
                if difference == "cannot be compared":
                    return None
                if difference:
                    return number, f"{name}: {difference}"
    return None


def _compare(ours: Any, theirs: Any) -> str:
    if not isinstance(theirs, torch.Tensor):
        same = (
            ours.shape == theirs.shape and np.allclose(ours, theirs, rtol=1e-7, atol=1e-9, equal_nan=True)
            if isinstance(theirs, np.ndarray)
            else type(ours) is type(theirs)
        )
        return "" if same else f"{ours}, PyTorch: {theirs}"
    if theirs.numel() > 2000 or _is_special_view(theirs):
        return "cannot be compared"
    for what in ("shape", "requires_grad", "is_leaf"):
        mine, other = getattr(ours, what), getattr(theirs, what)
        if mine != other:
            return f"{what} {mine}, PyTorch: {other}"
    if not np.allclose(ours.tolist(), theirs.tolist(), rtol=1e-7, atol=1e-9, equal_nan=True):
        return f"{ours.tolist()}, PyTorch: {theirs.tolist()}"
    if (ours.grad is None) != (theirs.grad is None):
        return f"grad {ours.grad}, PyTorch: {theirs.grad}"
    if theirs.grad is not None and not np.allclose(
        ours.grad.tolist(), theirs.grad.tolist(), rtol=1e-7, atol=1e-9, equal_nan=True
    ):
        return f"grad {ours.grad.tolist()}, PyTorch: {theirs.grad.tolist()}"
    return ""


def _is_special_view(tensor: torch.Tensor) -> bool:
    """A view that PyTorch lets nobody look at any more, or one without history of a tensor that requires grad (made in no_grad mode)."""
    try:
        return bool(tensor._is_view() and tensor.is_leaf and tensor._base.requires_grad)  # type: ignore[union-attr]
    except RuntimeError:
        return True


def shorter(statements: list[str], found: tuple[int, str]) -> list[str]:
    """The statements that the difference needs."""
    statements = statements[: found[0] + 1]
    for position in reversed(range(len(statements) - 1)):
        fewer = statements[:position] + statements[position + 1 :]
        again = first_difference(fewer)
        if again is not None and again[0] == len(fewer) - 1:
            statements = fewer
    return statements
