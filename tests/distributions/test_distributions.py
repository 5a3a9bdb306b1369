"""Distributions beside PyTorch: same draws for the same seed, densities, moments, gradients, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import TOLERANCE, equal_tensors

COMPARED = ["binomial", "poisson", "standard_gamma", "sample_dirichlet", "StandardGamma", "StandardGammaGrad",
            "SampleDirichlet", "DirichletGrad"]  # fmt: skip


def vec(*values: float) -> Callable[[Any], Any]:
    """A parameter, made in whichever library asks."""
    return lambda T: T.tensor(values)


SPD = [[2.0, 0.5], [0.5, 1.0]]
#: name: its arguments, as functions of the library or plain numbers
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "normal": ("Normal", {"loc": vec(0.0, 1.0, -2.0), "scale": vec(1.0, 0.5, 3.0)}),
    "normal of numbers": ("Normal", {"loc": 0.5, "scale": 2.0}),
    "uniform": ("Uniform", {"low": vec(0.0, -1.0), "high": vec(1.0, 3.0)}),
    "exponential": ("Exponential", {"rate": vec(0.5, 2.0)}),
    "laplace": ("Laplace", {"loc": vec(0.0, 1.0), "scale": vec(1.0, 0.5)}),
    "cauchy": ("Cauchy", {"loc": vec(0.0, 1.0), "scale": vec(1.0, 0.5)}),
    "bernoulli": ("Bernoulli", {"probs": vec(0.2, 0.7, 0.5)}),
    "bernoulli logits": ("Bernoulli", {"logits": vec(-1.0, 0.3)}),
    "geometric": ("Geometric", {"probs": vec(0.2, 0.7)}),
    "categorical": ("Categorical", {"probs": lambda T: T.tensor([[1.0, 2.0, 3.0], [3.0, 1.0, 1.0]])}),
    "categorical logits": ("Categorical", {"logits": vec(0.1, 1.0, -1.0, 0.5)}),
    "one hot": ("OneHotCategorical", {"logits": vec(0.1, 1.0, -1.0)}),
    "one hot straight through": ("OneHotCategoricalStraightThrough", {"logits": vec(0.1, 1.0, -1.0)}),
    "poisson": ("Poisson", {"rate": vec(0.5, 4.0, 30.0, 0.0)}),
    "gamma": ("Gamma", {"concentration": vec(0.3, 1.0, 5.0, 40.0), "rate": vec(1.0, 2.0, 0.5, 1.0)}),
    "chi2": ("Chi2", {"df": vec(1.0, 5.0)}),
    "dirichlet": ("Dirichlet", {"concentration": lambda T: T.tensor([[0.5, 1.0, 2.0], [5.0, 3.0, 9.0]])}),
    "beta": ("Beta", {"concentration1": vec(0.5, 2.0, 9.0), "concentration0": vec(0.7, 3.0, 4.0)}),
    "beta of numbers": ("Beta", {"concentration1": 2.0, "concentration0": 3.0}),
    "student": ("StudentT", {"df": vec(3.0, 5.0), "loc": vec(0.0, 1.0), "scale": vec(1.0, 2.0)}),
    "f": ("FisherSnedecor", {"df1": vec(3.0, 6.0), "df2": vec(5.0, 9.0)}),
    "binomial": ("Binomial", {"total_count": 10, "probs": vec(0.2, 0.7, 0.9)}),
    "binomial of many": ("Binomial", {"total_count": 100, "probs": vec(0.2, 0.7, 0.98)}),
    "multinomial": ("Multinomial", {"total_count": 7, "probs": vec(0.2, 0.3, 0.5)}),
    "log normal": ("LogNormal", {"loc": vec(0.0, 1.0), "scale": vec(1.0, 0.25)}),
    "half normal": ("HalfNormal", {"scale": vec(1.0, 0.25)}),
    "half cauchy": ("HalfCauchy", {"scale": vec(1.0, 0.25)}),
    "gumbel": ("Gumbel", {"loc": vec(0.0, 1.0), "scale": vec(1.0, 0.25)}),
    "weibull": ("Weibull", {"scale": vec(1.0, 2.0), "concentration": vec(1.5, 0.8)}),
    "pareto": ("Pareto", {"scale": vec(1.0, 2.0), "alpha": vec(3.5, 4.0)}),
    "kumaraswamy": ("Kumaraswamy", {"concentration1": vec(1.5, 2.0), "concentration0": vec(3.5, 4.0)}),
    "inverse gamma": ("InverseGamma", {"concentration": vec(3.5, 2.5), "rate": vec(1.5, 4.0)}),
    "logistic normal": ("LogisticNormal", {"loc": vec(0.0, 0.3), "scale": vec(1.0, 0.5)}),
    "negative binomial": ("NegativeBinomial", {"total_count": vec(3.0, 5.0), "probs": vec(0.3, 0.6)}),
    "relaxed bernoulli": ("RelaxedBernoulli", {"temperature": vec(0.5), "probs": vec(0.3, 0.6)}),
    "relaxed categorical": ("RelaxedOneHotCategorical", {"temperature": vec(0.5), "logits": vec(0.3, 0.6, -1.0)}),
    "mvn covariance": ("MultivariateNormal", {"loc": vec(0.0, 1.0), "covariance_matrix": lambda T: T.tensor(SPD)}),
    "mvn precision": ("MultivariateNormal", {"loc": vec(0.0, 1.0), "precision_matrix": lambda T: T.tensor(SPD)}),
    "mvn batch": (
        "MultivariateNormal",
        {"loc": lambda T: T.arange(6.0).reshape(3, 2), "scale_tril": lambda T: T.tensor([[1.0, 0.0], [0.5, 2.0]])},
    ),
    "low rank": (
        "LowRankMultivariateNormal",
        {"loc": vec(0.0, 1.0, 2.0), "cov_factor": lambda T: T.tensor([[1.0], [0.5], [-1.0]]), "cov_diag": vec(1.0, 2.0, 0.5)},
    ),
    "von mises": ("VonMises", {"loc": vec(0.0, 1.0, -3.0, 9.0), "concentration": vec(0.3, 0.5, 3.0, 50.0)}),
    "von mises, nearly uniform, of numbers": ("VonMises", {"loc": 0.5, "concentration": 1e-6}),
    "continuous bernoulli": ("ContinuousBernoulli", {"probs": vec(0.1, 0.4995, 0.5, 0.9)}),
    "continuous bernoulli logits": ("ContinuousBernoulli", {"logits": vec(-2.0, 0.001, 3.0)}),
    "generalized pareto": (
        "GeneralizedPareto", {"loc": vec(0.0, 1.0, 2.0), "scale": vec(1.0, 2.0, 0.5), "concentration": vec(0.25, 0.0, -0.5)},
    ),
    "lkj": ("LKJCholesky", {"dim": 3, "concentration": vec(0.5, 1.0, 4.0)}),
    "lkj of a number": ("LKJCholesky", {"dim": 2, "concentration": 2.0}),
    "wishart covariance": ("Wishart", {"df": vec(3.0, 5.5), "covariance_matrix": lambda T: T.tensor(SPD)}),
    "wishart precision": ("Wishart", {"df": 4.0, "precision_matrix": lambda T: T.tensor(SPD)}),
    "wishart factor": ("Wishart", {"df": vec(4.0), "scale_tril": lambda T: T.tensor([[1.0, 0.0], [0.5, 2.0]])}),
}  # fmt: skip
APPROXIMATE = (
    "gamma",
    "chi2",
    "dirichlet",
    "beta",
    "student",
    "f",
    "inverse gamma",
    "wishart covariance",
    "wishart precision",
    "wishart factor",
)  # PyTorch's rsample gradients


def build(T: Any, case: str, requires_grad: bool = False) -> tuple[Any, list[Any]]:
    name, given = CASES[case]
    arguments = {key: value(T) if callable(value) else value for key, value in given.items()}
    leaves = [value for value in arguments.values() if isinstance(value, T.Tensor)]
    if requires_grad:
        for (
            leaf
        ) in leaves:  # PyTorch's gradient of a triangular factor has numbers above the diagonal, which is not read
            leaf.requires_grad_(case != "wishart factor" or leaf.dim() < 2)
        leaves = [leaf for leaf in leaves if leaf.requires_grad]
    return getattr(T.distributions, name)(**arguments), leaves


def both(case: str, requires_grad: bool = False) -> tuple[Any, Any]:
    return build(torch, case, requires_grad), build(tinytorch, case, requires_grad)


def looser(factor: float) -> dict[str, tuple[float, float]]:
    return {key: (r * factor, a * factor) for key, (r, a) in TOLERANCE.items()}


@pytest.mark.parametrize("case", CASES)
def test_draws_are_pytorchs(case):
    (theirs, _), (ours, _) = both(case)
    for shape in ((), (3,), (20, 2)):
        torch.manual_seed(7)
        tinytorch.manual_seed(7)
        expected, got = theirs.sample(shape), ours.sample(shape)
        assert got.shape == tuple(expected.shape) and not got.requires_grad
        equal_tensors(f"sample {shape}", got, expected)
    equal_tensors("what is drawn next", tinytorch.rand(4), torch.rand(4))


@pytest.mark.parametrize("case", CASES)
def test_densities_and_moments(case):
    (theirs, their_leaves), (ours, our_leaves) = both(case, requires_grad=True)
    assert repr(ours) == repr(theirs)
    assert (ours.batch_shape, ours.event_shape) == (tuple(theirs.batch_shape), tuple(theirs.event_shape))
    torch.manual_seed(3)
    value = theirs.sample((5,))
    ours_value = tinytorch.from_numpy(value.numpy().copy())
    for name in ("log_prob", "cdf"):
        try:
            expected = getattr(theirs, name)(value)
        except NotImplementedError:
            continue
        got = getattr(ours, name)(ours_value)
        equal_tensors(name, got, expected, looser(20))
        if name == "log_prob" and expected.requires_grad:
            compare_gradients(expected, their_leaves, got, our_leaves)
    for name in ("mean", "variance", "stddev", "mode"):
        try:
            expected = getattr(theirs, name)
        except NotImplementedError:
            continue
        equal_tensors(name, getattr(ours, name), expected, looser(20))
    try:
        expected = theirs.entropy()
    except NotImplementedError:
        return
    equal_tensors("entropy", ours.entropy(), expected, looser(20))
    equal_tensors("perplexity", ours.perplexity(), theirs.perplexity(), looser(20))


def compare_gradients(expected: Any, their_leaves: Any, got: Any, our_leaves: Any, limits: Any = None) -> None:
    weights = np.linspace(0.5, 1.5, max(expected.numel(), 1), dtype=np.float32).reshape(tuple(expected.shape))
    theirs = torch.autograd.grad(
        expected, their_leaves, torch.from_numpy(weights), retain_graph=True, allow_unused=True
    )
    ours = tinytorch.autograd.grad(got, our_leaves, tinytorch.from_numpy(weights), retain_graph=True, allow_unused=True)
    for our, their in zip(ours, theirs, strict=True):
        assert (our is None) == (their is None)
        if their is not None:
            equal_tensors("gradient", our, their, limits or looser(50))


@pytest.mark.parametrize("case", CASES)
def test_rsample_is_differentiable(case):
    (theirs, their_leaves), (ours, our_leaves) = both(case, requires_grad=True)
    assert ours.has_rsample == theirs.has_rsample
    if not theirs.has_rsample or not their_leaves or case.startswith("wishart"):  # PyTorch's own is broken
        return
    torch.manual_seed(11)
    tinytorch.manual_seed(11)
    expected, got = theirs.rsample((4,)), ours.rsample((4,))
    equal_tensors("rsample", got, expected)
    rough = {"float32": (5e-3, 1e-3)} if case in APPROXIMATE else None
    compare_gradients(expected, their_leaves, got, our_leaves, rough)


@pytest.mark.parametrize("case", [c for c in CASES if not c.endswith("of numbers")])
def test_expand(case):
    (theirs, _), (ours, _) = both(case)
    shape = (4, *theirs.batch_shape)
    expected, got = theirs.expand(shape), ours.expand(shape)
    assert got.batch_shape == tuple(expected.batch_shape) and got.event_shape == tuple(expected.event_shape)
    torch.manual_seed(5)
    tinytorch.manual_seed(5)
    drawn, ours_drawn = expected.sample((2,)), got.sample((2,))
    equal_tensors("sample", ours_drawn, drawn)
    equal_tensors("log_prob", got.log_prob(ours_drawn), expected.log_prob(drawn), looser(20))


def test_gradients_of_wishart_draws():
    """A draw is homogeneous in Σ of degree 1, in its factor of degree 2 (Euler's theorem)."""
    tinytorch.manual_seed(0)
    for name, degree in (("covariance_matrix", 1), ("scale_tril", 2)):
        matrix = tinytorch.tensor([[2.0, 0.0], [0.5, 1.0]]).requires_grad_()
        given = matrix @ matrix.mT if degree == 1 else matrix
        total = tinytorch.distributions.Wishart(4.0, **{name: given}).rsample((3,)).sin().sum()
        drawn = tinytorch.distributions.Wishart(4.0, **{name: given}).rsample((3,)).sum()
        (gradient,) = tinytorch.autograd.grad(drawn, given)
        assert float((gradient * given).sum()) == pytest.approx(degree * float(drawn), rel=1e-4) and total.requires_grad


KL = [
    ("normal", "normal"), ("uniform", "uniform"), ("exponential", "exponential"), ("laplace", "laplace"), ("bernoulli", "bernoulli"),
    ("geometric", "geometric"), ("categorical", "categorical"), ("one hot", "one hot straight through"), ("poisson", "poisson"),
    ("gamma", "gamma"), ("dirichlet", "dirichlet"), ("beta", "beta"), ("binomial", "binomial"), ("log normal", "log normal"),
    ("half normal", "half normal"), ("gumbel", "gumbel"), ("pareto", "pareto"), ("mvn covariance", "mvn precision"),
    ("low rank", "low rank"), ("exponential", "chi2"), ("chi2", "exponential"), ("uniform", "normal of numbers"),
    ("cauchy", "cauchy"), ("wishart precision", "wishart factor"),
]  # fmt: skip


PAIRS = {
    "Beta": (2.0, 3.0), "ContinuousBernoulli": (0.3,), "Exponential": (0.5,), "Gamma": (2.0, 3.0), "Gumbel": (0.5, 2.0),
    "Laplace": (0.5, 2.0), "Normal": (0.5, 2.0), "Pareto": (0.25, 3.0), "Uniform": (0.25, 0.75),
}  # fmt: skip


@pytest.mark.parametrize("p", PAIRS)
def test_kl_divergence_between_kinds(p):
    def divergence(T: Any, q: str) -> Any:
        first, second = (getattr(T.distributions, kind)(*map(T.tensor, PAIRS[kind])) for kind in (p, q))
        try:
            return T.distributions.kl_divergence(first, second)
        except NotImplementedError:
            return None

    for q in PAIRS:
        got, expected = divergence(tinytorch, q), divergence(torch, q)
        assert (got is None) == (expected is None), q
        if expected is not None:
            equal_tensors(f"{p} from {q}", got, expected, looser(50))


@pytest.mark.parametrize("p, q", KL)
def test_kl_divergence(p, q):
    (theirs_p, _), (ours_p, _) = both(p)
    (theirs_q, _), (ours_q, _) = both(q)
    try:
        expected = torch.distributions.kl_divergence(theirs_p, theirs_q)
    except NotImplementedError:
        with pytest.raises(NotImplementedError, match="KL"):
            tinytorch.distributions.kl_divergence(ours_p, ours_q)
        return
    equal_tensors("kl", tinytorch.distributions.kl_divergence(ours_p, ours_q), expected, looser(20))


def test_a_library_registers_the_divergence_of_its_own_base_class():
    class Base:
        pass

    class Both(Base, tinytorch.distributions.Normal):
        pass

    with pytest.raises(TypeError, match="type_p"):
        tinytorch.distributions.register_kl("Both", Base)
    tinytorch.distributions.register_kl(Both, Base)(lambda p, q: p.loc - q.loc)
    assert tinytorch.distributions.kl_divergence(Both(3.0, 1.0), Both(1.0, 1.0)) == 2


def test_independent_and_mixture():
    def program(T: Any) -> list[Any]:
        D = T.distributions
        loc = T.arange(6.0).reshape(3, 2)
        diagonal = D.Independent(D.Normal(loc, T.ones(3, 2)), 1)
        mixture = D.MixtureSameFamily(D.Categorical(T.tensor([0.2, 0.3, 0.5])), diagonal)
        scalar = D.MixtureSameFamily(D.Categorical(T.ones(4)), D.Normal(T.arange(4.0), 0.5))
        T.manual_seed(2)
        x, y = mixture.sample((6,)), scalar.sample((7,))
        assert repr(mixture).startswith("MixtureSameFamily(\n  Categorical(")
        return [
            x, y, mixture.log_prob(x), scalar.log_prob(y), mixture.mean, mixture.variance, scalar.cdf(y), diagonal.entropy(),
            diagonal.log_prob(x.unsqueeze(1)), D.kl_divergence(diagonal, diagonal), mixture.expand((4,)).log_prob(x[:4]),
        ]  # fmt: skip

    for got, expected in zip(program(tinytorch), program(torch), strict=True):
        equal_tensors("value", got, expected, looser(20))


TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "exp": lambda D: D.ExpTransform(),
    "sigmoid": lambda D: D.SigmoidTransform(),
    "tanh": lambda D: D.TanhTransform(),
    "softplus": lambda D: D.SoftplusTransform(),
    "affine": lambda D: D.AffineTransform(1.0, -2.0),
    "affine of vectors": lambda D: D.AffineTransform(1.0, 3.0, event_dim=1),
    "stick breaking": lambda D: D.StickBreakingTransform(),
    "corr cholesky": lambda D: D.CorrCholeskyTransform(),
    "composed": lambda D: D.ComposeTransform([D.AffineTransform(0.0, 0.5), D.TanhTransform(), D.AffineTransform(1.0, 2.0)]),
    "independent": lambda D: D.IndependentTransform(D.ExpTransform(), 1),
    "reshape": lambda D: D.ReshapeTransform((6,), (2, 3)),
    "power": lambda D: D.ComposeTransform([D.ExpTransform(), D.PowerTransform(2.0)]),
    "stack": lambda D: D.StackTransform([D.ExpTransform(), D.TanhTransform()], dim=0),
    "cat": lambda D: D.CatTransform([D.ExpTransform(), D.TanhTransform()], dim=1, lengths=[2, 4]),
    "cdf": lambda D: D.CumulativeDistributionTransform(D.Normal(0.0, 1.0)),
    "softmax": lambda D: D.SoftmaxTransform(),
    "lower cholesky": lambda D: D.LowerCholeskyTransform(),
}  # fmt: skip


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(name):
    x = np.random.default_rng(0).standard_normal((2, 2, 2) if name == "lower cholesky" else (2, 6)).astype(np.float32)
    results = []
    for T in (torch, tinytorch):
        transform = TRANSFORMS[name](T.distributions)
        value = T.from_numpy(x.copy())
        y = transform(value)
        found = [y, transform.inv(y)]
        try:
            sign = float(transform.sign)
        except NotImplementedError:
            sign = None
        if name not in ("softmax", "lower cholesky"):
            found += [transform.log_abs_det_jacobian(value, y), transform.inv.log_abs_det_jacobian(y, value)]
        facts = (
            tuple(transform.forward_shape(value.shape)), transform.bijective, transform.domain.event_dim,
            transform.codomain.event_dim, tuple(transform.inv.forward_shape(y.shape)), sign,
        )  # fmt: skip
        results.append((found, facts))
    (theirs, their_facts), (ours, our_facts) = results
    assert our_facts == their_facts
    for got, expected in zip(ours, theirs, strict=True):
        equal_tensors(name, got, expected, {"float32": (1e-4, 1e-5)})


def test_a_flow_trains_the_same():
    def program(T: Any) -> list[float]:
        T.manual_seed(0)
        D = T.distributions
        shift, log_scale = T.zeros(2, requires_grad=True), T.zeros(2, requires_grad=True)
        optimizer = T.optim.Adam([shift, log_scale], lr=0.05)
        data, losses = T.randn(64, 2) * 0.3 + 2, []
        for _ in range(20):
            base = D.Independent(D.Normal(T.zeros(2), T.ones(2)), 1)
            flow = D.TransformedDistribution(
                base, [D.AffineTransform(shift, log_scale.exp(), event_dim=1), D.SoftplusTransform()]
            )
            loss = -flow.log_prob(data).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    np.testing.assert_allclose(program(tinytorch), program(torch), 1e-4)


def test_constraints_and_their_transforms():
    for name in (
        "positive",
        "unit_interval",
        "real",
        "simplex",
        "lower_cholesky",
        "positive_definite",
        "corr_cholesky",
    ):
        theirs = getattr(torch.distributions.constraints, name)
        ours = getattr(tinytorch.distributions.constraints, name)
        assert repr(ours) == repr(theirs) and ours.event_dim == theirs.event_dim
        x = np.random.default_rng(1).standard_normal((3, 3)).astype(np.float32)
        expected = torch.distributions.transform_to(theirs)(torch.from_numpy(x))
        got = tinytorch.distributions.transform_to(ours)(tinytorch.from_numpy(x))
        equal_tensors(name, got, expected, looser(20))
        assert ours.check(got).tolist() == theirs.check(expected).tolist()


ERRORS: dict[str, Callable[[Any], Any]] = {
    "negative scale": lambda T: T.distributions.Normal(0.0, -1.0),
    "low above high": lambda T: T.distributions.Uniform(1.0, 0.0),
    "value outside": lambda T: T.distributions.Bernoulli(0.5).log_prob(T.tensor(0.3)),
    "both given": lambda T: T.distributions.Categorical(probs=T.ones(2), logits=T.ones(2)),
    "wrong event": lambda T: T.distributions.Dirichlet(T.ones(3)).log_prob(T.ones(2) / 2),
    "not positive definite": lambda T: T.distributions.MultivariateNormal(T.zeros(2), -T.eye(2)),
    "unknown pair": lambda T: T.distributions.kl_divergence(T.distributions.Poisson(1.0), T.distributions.Normal(0.0, 1.0)),
    "no rsample": lambda T: T.distributions.Bernoulli(0.5).rsample(),
    "no arithmetic": lambda T: T.distributions.Normal(0.0, 1.0).log_prob(1.0),
    "negative rate": lambda T: T.poisson(T.tensor([-1.0])),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name, monkeypatch):
    monkeypatch.setattr(torch.distributions.Distribution, "_validate_args", True)  # its compiler switches that off
    with pytest.raises(Exception) as theirs:
        ERRORS[name](torch)
    with pytest.raises(theirs.type) as ours:
        ERRORS[name](tinytorch)
    if theirs.type is ValueError:
        assert str(ours.value)[:40] == str(theirs.value)[:40]


def test_what_is_missing_says_so():
    with pytest.raises(AttributeError, match="nearest name there is: 'Wishart'"):
        tinytorch.distributions.Wischart  # noqa: B018


def test_arguments_can_go_unchecked():
    assert tinytorch.distributions.Normal(0.0, -1.0, validate_args=False).scale.item() == -1.0


def test_gamma_and_beta_gradients_are_exact():
    """The derivative of a draw by its parameter keeps the distribution function where it is."""
    special = pytest.importorskip("scipy.special")
    from tinytorch.kernels.gamma_grad import beta_draw_gradient, gamma_draw_gradient

    step = 1e-6
    for a, x in ((0.3, 0.05), (2.0, 3.0), (30.0, 25.0), (500.0, 520.0)):
        below = special.gammaincinv(a - step, special.gammainc(a, x))
        above = special.gammaincinv(a + step, special.gammainc(a, x))
        assert gamma_draw_gradient(np.array([a]), np.array([x]))[0] == pytest.approx(
            (above - below) / (2 * step), rel=1e-4
        )
    for a, b, x in ((0.5, 0.7, 0.2), (0.5, 0.7, 0.95), (5.0, 2.0, 0.8), (50.0, 60.0, 0.4)):
        level = special.betainc(a, b, x)
        below, above = special.betaincinv(a - step, b, level), special.betaincinv(a + step, b, level)
        got = beta_draw_gradient(np.array([a]), np.array([b]), np.array([x]))[0]
        assert got == pytest.approx((above - below) / (2 * step), rel=1e-4)


def test_a_subclass_with_its_own_expand():
    for library in (torch, tinytorch):

        class Plain(library.distributions.Normal):
            def expand(self, shape, _instance=None):
                return super().expand(shape, self._get_checked_instance(Plain, _instance))

        class OwnInit(Plain):
            def __init__(self, scale):
                super().__init__(0.0, scale)

        expanded = Plain(0.0, 2.0).expand((2, 3))
        assert type(expanded) is Plain and expanded.batch_shape == (2, 3) and expanded.mean.shape == (2, 3)
        with pytest.raises(NotImplementedError, match=r"custom \.expand"):
            OwnInit(1.0).expand((2,))


def test_expand_keeps_the_subclass():
    for library in (torch, tinytorch):
        D, ones = library.distributions, library.ones(2)
        for base, arguments in (
            (D.Gumbel, (0.0, ones)), (D.Kumaraswamy, (ones, 2 * ones)), (D.Pareto, (ones, ones)),
            (D.Weibull, (ones, ones)), (D.Independent, (D.Normal(library.zeros(3, 2), 1.0), 1)),
            (D.MixtureSameFamily, (D.Categorical(ones), D.Normal(library.zeros(2), 1.0))),
            (D.relaxed_bernoulli.LogitRelaxedBernoulli, (1.0, 0.5 * ones)),
            (D.relaxed_categorical.ExpRelaxedCategorical, (1.0, ones / 2)),
            (D.TransformedDistribution, (D.Normal(0.0, ones), D.ExpTransform())),
        ):  # fmt: skip
            own = type("Own", (base,), {})(*arguments)
            shape = (4, *own.batch_shape)
            expanded = own.expand(shape)
            assert type(expanded) is type(own) and expanded.batch_shape == shape
            assert expanded.event_shape == own.event_shape and expanded.sample().shape == shape + own.event_shape


@pytest.mark.parametrize("library", [torch, tinytorch])
def test_a_transform_with_parameters(library):
    class Scale(library.distributions.Transform, library.nn.Module):
        domain = codomain = library.distributions.constraints.real
        bijective = True

        def __init__(self):
            super().__init__(cache_size=1)
            self.log_scale = library.nn.Parameter(library.zeros(3))

        def __hash__(self):
            return library.nn.Module.__hash__(self)

        def _call(self, x):
            return x * self.log_scale.exp()

        def _inverse(self, y):
            return y * (-self.log_scale).exp()

        def log_abs_det_jacobian(self, x, y):
            return self.log_scale.expand(x.shape)

    scale = Scale()
    flow = library.distributions.TransformedDistribution(library.distributions.Normal(library.zeros(3), 1.0), scale)
    flow.log_prob(library.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert scale.log_scale.grad.tolist() == [0.0, 3.0, 8.0] and list(scale.state_dict()) == ["log_scale"]


def test_samples_of_numbers():
    for name, arguments in (
        ("GeneralizedPareto", (0.0, 1.0, 0.3)),
        ("ContinuousBernoulli", (0.3,)),
        ("Normal", (0.0, 1.0)),
    ):
        found = []
        for T in (torch, tinytorch):
            T.manual_seed(0)
            sample = getattr(T.distributions, name)(*[T.tensor(number) for number in arguments]).sample()
            found.append((tuple(sample.shape), round(sample.item(), 5)))
        assert found[0] == found[1], name
