"""Checks of chapter 2: the tensor."""

from tinytorch.learn import quiz
from tinytorch.learn.checking import check_answers, check_gradient, leaf, numbers
from tinytorch.tensor import Tensor


def test_tensor_detach() -> None:
    x = leaf(numbers(3))
    y = x.exp()
    z = y.detach()
    assert not z.requires_grad and z.grad_fn is None, "a detached tensor is outside the graph"
    assert z._array is y._array, "a detached tensor shares the memory: nothing is copied"
    assert y.requires_grad, "detach() must not change the tensor itself"
    plain = Tensor._wrap(numbers(2))
    other = plain.detach()
    other += 1.0
    assert plain._version == other._version == 1, "both must count changes in place: they share one Memory"
    check_gradient(lambda a: a.sin() + a.exp().detach() - a.exp().detach(), numbers(3))


def test_quiz_leaf() -> None:
    a, k = leaf(0.5), Tensor._wrap(numbers())
    b = a.exp()
    c = b + k
    c.backward()
    b_grad, c_grad = b._grad, c._grad  # `.grad` of a non-leaf warns, as in PyTorch
    truth = {"a": a.grad is not None, "b": b_grad is not None, "k": k.grad is not None, "c": c_grad is not None}
    check_answers(quiz.leaf(), truth, c)
