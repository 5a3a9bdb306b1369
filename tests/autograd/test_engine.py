"""The engine beside PyTorch's: the same program typed once, run under both libraries."""

import gc
import weakref

import numpy as np
import pytest
import torch

import tinytorch

BOTH = pytest.mark.parametrize("T", [torch, tinytorch], ids=["torch", "tinytorch"])


def same(program):
    """Run ``program(T)`` under both libraries; it returns numbers, arrays or tensors, which must agree."""
    expected, got = program(torch), program(tinytorch)
    assert len(expected) == len(got)
    for e, g in zip(expected, got, strict=True):
        if e is None or g is None:
            assert e is None and g is None
            continue
        e = e.detach().numpy() if isinstance(e, torch.Tensor) else np.asarray(e)
        g = g.detach().numpy() if isinstance(g, tinytorch.Tensor) else np.asarray(g)
        assert e.dtype == g.dtype and e.shape == g.shape
        np.testing.assert_allclose(g, e, rtol=1e-12)


def data(T, *shape, seed=0, requires_grad=True):
    array = np.random.default_rng(seed).standard_normal(shape)
    return T.tensor(array, requires_grad=requires_grad)


# ------------------------------------------------------------------------------------------ values


def test_a_tensor_used_several_times_adds_up():
    def program(T):
        a = data(T, 3)
        b = a + a
        c = b * b + b * a
        c.backward(data(T, 3, seed=1, requires_grad=False))
        return [a.grad]

    same(program)


def test_backward_twice_accumulates():
    def program(T):
        a = data(T, 3)
        (a * a).sum().backward()
        first = a.grad.clone()
        (a * 3).sum().backward()
        return [first, a.grad]

    same(program)


def test_retain_graph_walks_again():
    def program(T):
        a = data(T, 3)
        y = (a.exp() * a).sum()
        y.backward(retain_graph=True)
        y.backward()
        return [a.grad]

    same(program)


def test_several_starts():
    def program(T):
        a, b = data(T, 3), data(T, 3, seed=1)
        y, z = a * b, (a * a).sum()
        T.autograd.backward([y, z], [data(T, 3, seed=2, requires_grad=False), None])
        return [a.grad, b.grad]

    same(program)


def test_backward_into_chosen_inputs_only():
    def program(T):
        a, b = data(T, 3), data(T, 3, seed=1)
        (a * b).sum().backward(inputs=[a])
        return [a.grad, b.grad]

    same(program)


def test_grad_returns_and_touches_nothing():
    def program(T):
        a, b, c = data(T, 3), data(T, 3, seed=1), data(T, 3, seed=2)
        y = a * b
        z = (y * y).sum()
        grads = T.autograd.grad(z, [a, y, c], allow_unused=True, retain_graph=True)
        zeros = T.autograd.grad(z, [a, c], materialize_grads=True)
        return [*grads, *zeros, a.grad]

    same(program)


def test_grad_of_several_outputs():
    def program(T):
        a = data(T, 2, 3)
        outputs = [a.sum(0), (a * a).sum(1)]
        starts = [data(T, 3, seed=1, requires_grad=False), data(T, 2, seed=2, requires_grad=False)]
        return T.autograd.grad(outputs, a, starts)

    same(program)


def test_third_derivative():
    def program(T):
        x = data(T, 4)
        y = (x**4).sum()
        (g1,) = T.autograd.grad(y, x, create_graph=True)
        (g2,) = T.autograd.grad(g1.sum(), x, create_graph=True)
        (g3,) = T.autograd.grad((g2 * g2).sum(), x)
        return [g1, g2, g3]

    same(program)


def test_backward_with_create_graph_leaves_a_differentiable_grad():
    def program(T):
        x = data(T, 3)
        (x**3).sum().backward(create_graph=True)
        g = x.grad
        x.grad = None
        (g * g).sum().backward()
        return [g, x.grad]

    same(program)


def test_unused_outputs_of_an_op_count_zero():
    def program(T):
        x = data(T, 6, 2)
        parts = T.split(x, 2)
        (parts[0] * parts[2]).sum().backward()
        return [x.grad]

    same(program)


def test_gradient_dtype_is_the_leafs():
    def program(T):
        x = T.ones(3, dtype=T.float32, requires_grad=True)
        (x * T.ones(3, dtype=T.float64)).sum().backward()
        return [x.grad]

    same(program)


def test_grad_never_aliases():
    a, b = tinytorch.ones(3, requires_grad=True), tinytorch.ones(3, requires_grad=True)
    start = tinytorch.ones(3)
    (a + b).backward(start)
    assert not np.shares_memory(a.grad.numpy(), b.grad.numpy())
    assert not np.shares_memory(a.grad.numpy(), start.numpy())
    held = []
    c = tinytorch.ones(3, requires_grad=True)
    c.register_hook(lambda g: held.append(g))
    (c * 2).backward(start)
    assert not np.shares_memory(c.grad.numpy(), held[0].numpy())


# ------------------------------------------------------------------------------------------ hooks


def test_hooks_see_and_replace_gradients():
    def program(T):
        seen = []
        x = data(T, 3)
        y = x * 2
        z = y + x
        x.register_hook(lambda g: seen.append(g.clone()))
        y.register_hook(lambda g: g * 10)
        handle = z.register_hook(lambda g: g * 100)
        handle.remove()
        z.backward(T.ones(3, dtype=T.float64))
        return [x.grad, *seen]

    same(program)


def test_retain_grad():
    def program(T):
        x = data(T, 3)
        y = x * 2
        y.retain_grad()
        z = (y * y).sum()
        z.backward()
        return [x.grad, y.grad, z.is_leaf, y.retains_grad]

    same(program)


def test_post_accumulate_hook():
    def program(T):
        seen = []
        x = data(T, 3)
        x.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.clone()))
        (x * x).sum().backward()
        return [x.grad, *seen]

    same(program)


def test_node_hooks():
    def program(T):
        seen = []
        x = data(T, 3)
        y = x * x
        y.grad_fn.register_prehook(lambda grads: (grads[0] * 2,))
        y.grad_fn.register_hook(lambda grad_inputs, grad_outputs: seen.extend([*grad_inputs, *grad_outputs]))
        y.sum().backward()
        return [x.grad, seen[-1]]

    same(program)


def test_a_hook_may_run_backward_itself():
    x = tinytorch.ones(3, requires_grad=True)
    w = tinytorch.ones(3, requires_grad=True)

    @tinytorch.enable_grad()
    def hook(g):
        (w * g).sum().backward()

    x.register_hook(hook)
    (x * 2).sum().backward()
    assert w.grad.tolist() == [2, 2, 2]


# ------------------------------------------------------------------------------------------ errors


@BOTH
@pytest.mark.parametrize(
    ("program", "text"),
    [
        (lambda T: T.ones(2, requires_grad=True).exp().backward(), "implicitly created only for scalar"),
        (lambda T: T.ones(()).backward(), "does not require grad"),
        (lambda T: T.ones(2, requires_grad=True).exp().backward(T.ones(3)), "Mismatch in shape"),
        (lambda T: T.tensor([1, 2], requires_grad=True), "floating point"),
        (lambda T: T.tensor([1, 2]).requires_grad_(), "floating point"),
        (
            lambda T: T.autograd.grad(T.ones(1, requires_grad=True).sum(), T.ones(1, requires_grad=True)),
            "not have been used",
        ),
        (lambda T: T.autograd.grad(T.ones(1, requires_grad=True).sum(), T.ones(1)), "does not require grad"),
        (lambda T: setattr(T.ones(1, requires_grad=True).exp(), "requires_grad", False), "leaf"),
        (lambda T: T.ones(1, requires_grad=True).numpy(), "requires grad"),
        (lambda T: T.ones(1).register_hook(print), "doesn't require grad"),
        (lambda T: setattr(T.ones(1), "grad", T.ones(2)), "size"),
    ],
)
def test_misuse_raises_runtime_error(T, program, text):
    with pytest.raises(RuntimeError, match=text):
        program(T)


@BOTH
def test_a_freed_graph_says_so(T):
    x = T.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


@BOTH
def test_a_graph_that_saved_nothing_can_be_walked_again(T):
    x = T.ones(2, requires_grad=True)
    y = (x + x).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [4, 4]


def test_an_exception_in_backward_leaves_autograd_usable():
    x = tinytorch.ones(2, requires_grad=True)

    def fail(grad):
        raise KeyError("stop")

    y = x * 2
    y.register_hook(fail)
    with pytest.raises(KeyError):
        y.sum().backward()
    assert tinytorch.is_grad_enabled() and x.grad is None
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3, 3]


# ------------------------------------------------------------------------------------------ depth and memory


def test_a_chain_of_100000_ops():
    x = tinytorch.ones(1, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert x.grad.tolist() == [1.0]
    del y  # deletion must not recurse either


def test_a_graph_dies_by_reference_count():
    gc.collect()
    gc.disable()
    try:
        x = tinytorch.ones(3, requires_grad=True)
        y = (x.exp() * x).tanh()
        y.retain_grad()
        node = weakref.ref(y.grad_fn)
        z = y.sum()
        z.backward()
        del y, z
        assert node() is None
    finally:
        gc.enable()


def test_in_place_ops_make_no_cycles():
    gc.collect()
    gc.disable()
    try:
        x = tinytorch.ones(4, requires_grad=True)
        y = x * 1
        y.mul_(x)
        y[1:3] *= 2
        y[0] = x[0]
        node = weakref.ref(y.grad_fn)
        y.sum().backward()
        del y
        assert node() is None
    finally:
        gc.enable()


def test_saved_tensors_are_freed_while_walking():
    x = tinytorch.ones(1000, requires_grad=True)
    y = x.exp()
    saved = weakref.ref(y._array)
    z = y.sum()
    node = y.grad_fn
    del y
    assert saved() is not None
    z.backward()
    assert saved() is None and node is not None


# ------------------------------------------------------------------------------------------ node records


def test_nodes_record_what_readers_of_graphs_need():
    x = tinytorch.ones(2, 3, requires_grad=True)
    y = x * 2.0
    z = y.sum(dim=1)
    node = z.grad_fn
    assert node.name() == "SumBackward1"
    assert node.attributes == {"dim": (1,), "keepdim": False}
    assert node.number > y.grad_fn.number
    assert node.edges == ((y.grad_fn, 0),)
    assert y.grad_fn.next_functions[0][0].variable is x
    assert (x * x).grad_fn._saved_a is x
    assert x.exp().grad_fn.saved_by_name()["result"].shape == (2, 3)
    assert repr(node).startswith("<SumBackward1 object at 0x")


def test_reading_and_deleting_the_grad_attribute():
    x = tinytorch.ones(2, requires_grad=True)
    y = x * 2
    with pytest.warns(UserWarning, match="not a leaf"):
        assert y.grad is None
    y.retain_grad()
    y.sum().backward()
    assert y.grad.tolist() == [1, 1]
    del x.grad
    assert x.grad is None


def test_hooks_that_return_something_else():
    for hook, error in [
        (lambda g: g.double(), RuntimeError),
        (lambda g: g[:1], RuntimeError),
        (lambda g: 1, TypeError),
    ]:
        x = tinytorch.ones(2, requires_grad=True)
        x.register_hook(hook)
        with pytest.raises(error):
            x.sum().backward()
    for hook, error in [(lambda i, o: i[:1], RuntimeError), (lambda i, o: "a", TypeError)]:
        y = (tinytorch.ones(2, requires_grad=True) * tinytorch.ones(2, requires_grad=True)).sum(0)
        y.grad_fn.next_functions[0][0].register_hook(hook)
        with pytest.raises(error):
            y.backward()


def test_a_walk_keeps_what_the_nodes_at_its_end_have_saved():
    """From layer to layer: each walk ends at the input of a layer, and the next one goes on from there."""
    for T in (tinytorch, torch):
        x = T.ones(2, requires_grad=True)
        for make in (lambda x: x * x, lambda x: x.exp(), lambda x: (x * x).split(1)[0]):
            h = make(x)
            (g,) = T.autograd.grad((h * h).sum(), h)
            (from_h,) = T.autograd.grad(h, x, g)
            h = make(x)
            (at_once,) = T.autograd.grad((h * h).sum(), x)
            assert from_h.tolist() == at_once.tolist()
        h = x * x
        g, _ = T.autograd.grad((h * h).sum(), (h, x))  # this one goes through it
        with pytest.raises(RuntimeError, match="second time"):
            T.autograd.grad(h, x, g)


def test_saved_values_that_a_node_lists_are_there():
    x, w = tinytorch.ones(3, 4, requires_grad=True), tinytorch.ones(5, 4, requires_grad=True)
    results = [x * x, x.exp(), x.mean(), x @ w.t(), tinytorch.log_softmax(x, 1), x**2, x[0], x.max(1)[0], x / w.sum()]
    listed = []
    for node in (y.grad_fn for y in results):
        names = [name for name in dir(node) if name.startswith("_saved_")]
        listed.append(names)
        assert all(isinstance(getattr(node, name), tinytorch.Tensor) for name in names)
    assert listed[:2] == [["_saved_other", "_saved_self"], ["_saved_result"]]
