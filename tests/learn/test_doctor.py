"""The gradient doctor: every mistake by its name, in arrays, in functions, and in gradcheck's error."""

import numpy as np
import pytest

import tinytorch
from tinytorch.autograd import Function, GradcheckError, gradcheck, gradgradcheck
from tinytorch.autograd.engine import _Walk
from tinytorch.learn.diagnosis import Row, diagnose, table
from tinytorch.learn.doctor import examine

X = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]])
SQUARE = X[:, :2]


def leaf(array, dtype=tinytorch.float64):
    return tinytorch.tensor(array, dtype=dtype, requires_grad=True)


def op(forward, backward):
    """A Function made of two lambdas."""
    return type("Op", (Function,), {"forward": staticmethod(lambda ctx, *x: (ctx.save_for_backward(*x), forward(*x))[1]),
                                    "backward": staticmethod(backward)})  # fmt: skip


@pytest.mark.parametrize(
    ("yours", "expected", "name"),
    [
        (X, X, "right"),
        (X.astype(np.float32), X, "right"),
        (X.astype(np.float32) * np.float32(1.0001), X, "float noise"),
        (-X, X, "sign flipped"),
        (2 * X, X, "doubled"),
        (X / 6, X, "off by a factor"),
        (X * 3, X, "off by a factor"),
        (X * 0.7, X, "off by a factor"),
        (-2 * X, X, "off by a factor"),
        (X * 0, X, "zero"),
        (None, X, "missing"),
        (X * np.nan, X, "not finite"),
        (X.T, X, "transposed"),
        (SQUARE.T, SQUARE, "transposed"),
        (X[:, ::-1], X, "permuted"),
        (X.reshape(-1), X, "permuted"),
        (X, X.sum(0), "not summed"),
        (X, X.sum(1, keepdims=True), "not summed"),
        (X[None], X, "not summed"),
        (X[:, :2], X, "wrong shape"),
        (X + np.eye(2, 3), X, "wrong"),
        (np.array(2.0), np.array(-2.0), "sign flipped"),
        (np.array(2.0), np.array(0.7), "wrong"),
        (np.zeros((0, 3)), np.zeros((0, 3)), "right"),
        (X * 0, X * 0, "right"),
    ],
)
def test_names(yours, expected, name):
    assert diagnose(yours, expected).name == name


def test_words_name_the_count():
    assert "its number of elements: a mean where a sum" in diagnose(X / 6, X).words
    assert "the size of dimension 1: a sum where a mean" in diagnose(X * 3, X).words
    assert "broadcast axes [0]" in diagnose(X, X.sum(0)).words
    assert "2 of 6 numbers differ, the first at [0, 0]" in diagnose(X + np.eye(2, 3), X).words


def test_one_branch_of_several():
    assert diagnose(X, X + X**2, uses=[X**2, X]).words.startswith("it is what use 2 of 2 contributes")


def test_table_shows_none_and_shapes():
    text = table([Row("a", None, X, diagnose(None, X)), Row("b", X.T, X, diagnose(X.T, X))])
    assert "None" in text and "[3, 2]" in text and "nan" in text


@pytest.mark.parametrize(
    ("backward", "name"),
    [
        (lambda ctx, g: -g * 2 * ctx.saved_tensors[0], "sign flipped"),
        (lambda ctx, g: g * 4 * ctx.saved_tensors[0], "doubled"),
        (lambda ctx, g: g * 2 * ctx.saved_tensors[0] / 6, "off by a factor"),
        (lambda ctx, g: g * 0, "zero"),
        (lambda ctx, g: None, "missing"),
        (lambda ctx, g: 2 * ctx.saved_tensors[0], "upstream ignored"),
    ],
)
def test_functions(backward, name):
    square = op(lambda x: x * x, backward)
    report = examine(lambda x: square.apply(x), leaf(X), names=["x"])
    assert report.findings == {"x": name}
    assert report.culprits[0].name == "Op.backward" and "test_doctor.py" in report.culprits[0].place


def test_the_culprit_is_found_among_many_ops():
    bad = op(lambda x: x.sin(), lambda ctx, g: g * ctx.saved_tensors[0].sin())
    report = examine(lambda a, b: (bad.apply(a.exp() @ b).tanh() + 1).log().sum(), (leaf(SQUARE), leaf(SQUARE)), "ab")
    assert not report.right and [culprit.name for culprit in report.culprits] == ["Op.backward"]


def test_an_error_of_a_backward_is_the_learners_to_see():
    bad = op(lambda x: x * 1, lambda ctx, g: g.no_such_method())
    with pytest.raises(AttributeError):
        examine(lambda x: bad.apply(x), leaf(X))


def test_gradients_of_the_wrong_inputs():
    bad = op(lambda a, b: a * b, lambda ctx, g: (g * ctx.saved_tensors[0], g * ctx.saved_tensors[1]))
    assert examine(lambda a, b: bad.apply(a, b), (leaf(X), leaf(X + 3)), "ab").findings == {
        "a": "swapped",
        "b": "swapped",
    }


def test_the_engine_is_named_when_every_op_is_right(monkeypatch):
    monkeypatch.setattr(_Walk, "_add", lambda self, present, gradient: gradient)
    report = examine(lambda x: x.exp() + x * x, leaf(X), names=["x"])
    assert report.findings == {"x": "only one branch"} and not report.culprits
    assert "autograd/engine.py" in str(report)


def test_right_gradients_are_right():
    report = examine(lambda a, b: (a @ b, (a * 2).sum(0)), (leaf(X), leaf(X.T)), "ab")
    assert report.right and report.culprits == [] and report.findings == {"a": "right", "b": "right"}


def test_float32_is_judged_in_float64():
    x = leaf(X, tinytorch.float32)
    assert not gradcheck(lambda x: x.exp(), x, raise_exception=False)  # finite differences in float32 are noise
    assert examine(lambda x: x.exp(), x).right


def test_gradcheck_explains():
    bad = op(lambda x: x.mean(), lambda ctx, g: g.expand(ctx.saved_tensors[0].shape))
    with pytest.raises(GradcheckError, match=r"(?s)Jacobian mismatch.*off by a factor.*read Op\.backward.*test_doctor"):
        gradcheck(lambda x: bad.apply(x), leaf(X), explain=True)
    with pytest.raises(GradcheckError) as plain:
        gradcheck(lambda x: bad.apply(x), leaf(X))
    assert "finding" not in str(plain.value)
    assert gradcheck(lambda x: x.mean(), leaf(X), explain=True)
    assert gradcheck(lambda x: bad.apply(x), leaf(X), explain=True, raise_exception=False) is False


def test_gradgradcheck_explains():
    flat = op(lambda x: x.exp(), lambda ctx, g: g * ctx.saved_tensors[0].exp().detach())
    with pytest.raises(GradcheckError, match=r"(?s)Jacobian mismatch.*gradient of"):
        gradgradcheck(lambda x: flat.apply(x), leaf(X), explain=True)
    assert gradgradcheck(lambda x: x.exp(), leaf(X), explain=True)


def test_functions_that_differentiate():
    def slope(x):
        return tinytorch.autograd.grad((x**3).sum(), x, create_graph=True)[0]

    assert examine(slope, leaf(X)).right


def test_complex_inputs_are_not_the_doctors():
    z = leaf(X).to(tinytorch.complex128).detach().requires_grad_()
    assert "real inputs" in str(examine(lambda z: (z * z).real, z))
