"""Who shares memory with whom, where it is easily forgotten: dtype views, ``set_``, ``out=``, assigned ``.data``, gradients."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.programs import same_outcome

X, Y = np.arange(1.0, 7).reshape(2, 3), np.linspace(-1, 1, 6).reshape(2, 3)


def view_as_ints(T: Any, x: Any, y: Any) -> Any:
    w = x.detach().clone()
    loss = w * y
    w.view(T.int64).zero_()
    return loss


def view_as_ints_and_back(T: Any, x: Any, y: Any) -> Any:
    w = x.detach().clone().t()
    w.view(T.int64).view(T.float64).sqrt_()
    return w * y.t()


def other_memory(T: Any, x: Any, y: Any) -> Any:
    w = x.detach().clone()
    loss = w * y
    w.set_(T.zeros(2, 3, dtype=T.float64))
    return loss


def gradients_of_two_leaves(T: Any, x: Any, y: Any) -> Any:
    (x + y).sum().backward(create_graph=True)
    with T.no_grad():
        x.grad.zero_()
    return y.grad * x


def sum_twice(T: Any, x: Any, y: Any) -> Any:
    x.sum().backward(create_graph=True)  # an expanded 1
    x.backward(x)
    return x.grad.detach() * y


def frozen_since(T: Any, x: Any, y: Any) -> Any:
    loss = x * y
    x.requires_grad_(False)
    return loss


def retained_and_asked_for(T: Any, x: Any, y: Any) -> Any:
    z = x * y
    z.retain_grad()
    loss = (z * 3).sum()
    loss.backward(inputs=[z], retain_graph=True)
    loss.backward(retain_graph=True)
    return z.grad.detach() * x


def asked_for_and_changed_before_the_node(T: Any, x: Any, y: Any) -> Any:
    z = x * y
    z.grad_fn.register_prehook(lambda gradients: tuple(g * 3 for g in gradients))
    return T.autograd.grad(z.sum(), z, retain_graph=True)[0] * x + z


def leaf_that_is_a_view(T: Any, x: Any, y: Any) -> Any:
    leaf = x.detach()[0].requires_grad_()
    return leaf.neg_() * y


def parts_may_change(T: Any, x: Any, y: Any) -> Any:
    z = x * 1
    z.tensor_split(2)[1].mul_(y[1:])
    z.hsplit(3)[0].zero_()
    return z


def assigned_data(T: Any, x: Any, y: Any) -> Any:
    base = x * 1
    view = base[0]
    view.data = T.ones(3, dtype=T.float64)
    return view * y + base


class Tripled:
    """The body of a custom Function, whose backward is no derivative of its forward, so that it is seen whether it ran."""

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return sum(grad.reshape(ctx.shape) * (3 + place) for place, grad in enumerate(grads))


def custom(T: Any, forward: Callable[..., Any], x: Any, changes: bool = False) -> Any:
    def run(ctx: Any, x: Any) -> Any:
        ctx.shape = x.shape
        if changes:
            ctx.mark_dirty(x)
        return forward(x)

    return type("Tripled", (T.autograd.Function,), {**vars(Tripled), "forward": staticmethod(run)}).apply(x)


def dirty_view(T: Any, x: Any, y: Any) -> Any:
    z = x * y
    custom(T, lambda v: v.add_(1), z[:, 1:], changes=True)
    return z * y


def dirty_and_kept_to_itself(T: Any, x: Any, y: Any) -> Any:
    return custom(T, lambda z: z.add_(1) * 2, x * y, changes=True)


def viewed_by_a_function(T: Any, x: Any, y: Any) -> Any:
    return custom(T, lambda z: z.t(), x * y)


def viewed_by_a_function_and_changed(T: Any, x: Any, y: Any) -> Any:
    z = x * y
    return custom(T, lambda z: z.t(), z).mul_(2), z


def viewed_by_a_function_and_its_base_changed(T: Any, x: Any, y: Any) -> Any:
    z = x * y
    view = custom(T, lambda z: z.t(), z)
    z.mul_(2)
    return view * 1


def handed_through_and_changed(T: Any, x: Any, y: Any) -> Any:
    z = x * y
    custom(T, lambda z: z, z).mul_(2)
    return z


def handed_through(T: Any, x: Any, y: Any) -> Any:
    return custom(T, lambda z: z, x * y) * y


def viewed_without_grad_and_base_changed(T: Any, x: Any, y: Any) -> Any:
    z = x * y
    with T.no_grad():
        view = z[0]
    z.mul_(2)
    with T.no_grad():
        view.mul(2)
    return view * y


def leaf_viewed_without_grad_and_changed(T: Any, x: Any, y: Any) -> Any:
    with T.no_grad():
        view = x[0]
        x.mul_(2)
    return view * y


def constant_viewed_without_grad_and_changed(T: Any, x: Any, y: Any) -> Any:
    z = T.ones(2, 3, dtype=T.float64)
    with T.no_grad():
        view = z[0]
    z.mul_(2)
    return view * y


def windows_of_what_was_changed(T: Any, x: Any, y: Any) -> Any:
    z = x.reshape(6) * 1
    windows = z.unfold(0, 3, 1)
    with T.no_grad():
        z.mul_(2)
    return windows * 1, y * 1


def resized_to_the_same_size(T: Any, x: Any, y: Any) -> Any:
    z = x * 1
    T.nn.functional.interpolate(z[None, None], size=(2, 3)).mul_(2)
    return z * y


def raveled_and_changed(T: Any, x: Any, y: Any) -> Any:
    z = (x * 1).reshape(6)[::2]
    T.ravel(z).mul_(2)
    return z * y.reshape(6)[:3]


@pytest.mark.parametrize(
    "program",
    [dirty_view, dirty_and_kept_to_itself, viewed_by_a_function, viewed_by_a_function_and_changed, handed_through,
     viewed_by_a_function_and_its_base_changed, handed_through_and_changed, viewed_without_grad_and_base_changed,
     leaf_viewed_without_grad_and_changed, constant_viewed_without_grad_and_changed, windows_of_what_was_changed,
     resized_to_the_same_size, raveled_and_changed,
     view_as_ints, view_as_ints_and_back, other_memory, gradients_of_two_leaves, sum_twice, frozen_since, retained_and_asked_for,
     asked_for_and_changed_before_the_node, leaf_that_is_a_view, parts_may_change, assigned_data],
)  # fmt: skip
def test_as_in_pytorch(program: Callable[..., Any]) -> None:
    same_outcome(program, X, Y, second=False)


def smaller_out(T: Any) -> list[Any]:
    buffer = T.zeros(2, 3)
    whole = buffer[:]
    T.add(T.ones(3), 1, out=buffer)
    return [buffer.tolist(), whole.tolist()]


def beginning_of_a_buffer(T: Any) -> list[Any]:
    buffer = T.zeros(6)
    T.add(T.ones(3), 1, out=buffer[:0])
    return buffer.tolist()


def all_or_none(T: Any) -> Any:
    first, second = T.ones(2), T.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        T._foreach_add_([first, second], 1)
    return first.tolist()


def pickled_result(T: Any) -> Any:
    copy = pickle.loads(pickle.dumps(T.ones(2, requires_grad=True) * 2))
    return copy.tolist(), copy.requires_grad, copy.is_leaf


def copied_together(T: Any) -> Any:
    base = T.arange(6.0).view(2, 3)
    base.note = ["kept"]
    copied = copy.deepcopy({"column": base[:, 1], "turned": base.t(), "base": base, "wide": base[0, :1].expand(3)})
    copied["column"].zero_()
    copied["base"][0, 0] = 9
    copied["base"].note.append("of the copy")
    return [(t.tolist(), t.stride(), t.storage_offset()) for t in copied.values()], base.tolist(), base.note


def copied_with_its_buffers(T: Any) -> Any:
    layer = T.nn.BatchNorm1d(2)
    layer.register_buffer("both", T.zeros(4))
    layer.register_buffer("mean_alone", layer.both[:2])
    copied = copy.deepcopy(layer)
    copied.mean_alone.fill_(3)
    return copied.both.tolist(), layer.both.tolist()


@pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")
@pytest.mark.parametrize(
    "program",
    [smaller_out, beginning_of_a_buffer, all_or_none, pickled_result, copied_together, copied_with_its_buffers],
)
def test_same_values(program: Callable[..., Any]) -> None:
    assert program(tinytorch) == program(torch)


@pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")
def test_out_cannot_grow_away_from_those_who_see_it() -> None:
    out = tinytorch.zeros(2)
    seen = out[:]
    with pytest.raises(RuntimeError, match="not resizable"):
        tinytorch.add(tinytorch.ones(3), 1, out=out)
    del seen
    assert tinytorch.add(tinytorch.ones(3), 1, out=out).tolist() == out.tolist() == [2, 2, 2]


def test_view_of_a_base_with_other_memory() -> None:
    base = tinytorch.ones(2, 3, requires_grad=True) * 2
    view = base[1]
    base.data = tinytorch.zeros(2, 3)
    with pytest.raises(RuntimeError, match="make the view again"):
        view.mul_(2)


@pytest.mark.parametrize("shape", [((3,), (1, 3)), ((), (1,)), ((2, 3), (1, 2, 3))], ids=["vector", "scalar", "matrix"])
def test_copy_does_not_drop_dimensions(shape: Any) -> None:
    for library in (torch, tinytorch):
        with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
            library.zeros(shape[0]).copy_(library.ones(shape[1]))


def test_many_repeats_of_many() -> None:
    """The sum of these counts is more than 64 bits hold."""
    with pytest.raises(RuntimeError, match="memory"):
        tinytorch.arange(4).repeat_interleave(tinytorch.tensor([2**62] * 4))


def test_numpy_in_no_grad_mode() -> None:
    for library in (torch, tinytorch):
        x = library.ones(2, requires_grad=True)
        with pytest.raises(RuntimeError, match="requires grad"):
            x.numpy()
        with library.no_grad():
            assert x.numpy().tolist() == np.asarray(x).tolist() == [1, 1]
