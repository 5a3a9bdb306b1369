"""Training steps on tables, graphs, games, equations; see :mod:`tests.benchmarks.programs`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.benchmarks.program_steps import Step, training

__all__ = ["STEPS"]


def mlp(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn
    model = nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
    x, y = library.randn(100, 784), library.randint(0, 10, (100,))
    return training(library, model, lambda: nn.functional.cross_entropy(model(x), y))


def exclusive_or(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1), nn.Sigmoid())
    x, y = library.randn(4, 2), library.rand(4, 1)
    optimizer = library.optim.SGD(model.parameters(), lr=0.1)
    return training(library, model, lambda: nn.functional.mse_loss(model(x), y), optimizer)


def logistic_regression(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    model, x, y = library.nn.Linear(784, 10), library.randn(100, 784), library.randint(0, 10, (100,))
    optimizer = library.optim.SGD(model.parameters(), lr=0.1)
    return training(library, model, lambda: library.nn.functional.cross_entropy(model(x), y), optimizer)


def line_by_hand(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    w, x, y = library.randn(3, requires_grad=True), library.randn(100, 3), library.randn(100)

    def step() -> float:
        loss = ((x @ w - y) ** 2).mean()
        loss.backward()
        with library.no_grad():
            w.sub_(0.01 * w.grad)
            w.grad.zero_()
        return float(loss)

    return step


def polynomial_by_hand(library: Any) -> Callable[[], float]:
    """sin(x) by a cubic, PyTorch's first tutorial."""
    library.manual_seed(0)
    x = library.linspace(-3.14, 3.14, 2000)
    y = library.sin(x)
    a, b, c, d = coefficients = [library.randn((), requires_grad=True) for _ in range(4)]

    def step() -> float:
        loss = (a + b * x + c * x**2 + d * x**3 - y).pow(2).sum()
        loss.backward()
        with library.no_grad():
            for coefficient in coefficients:
                coefficient -= 1e-6 * coefficient.grad
                coefficient.grad = None
        return float(loss)

    return step


def line_by_lbfgs(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    model, x, y = library.nn.Linear(50, 1).double(), library.randn(500, 50).double(), library.randn(500, 1).double()
    optimizer = library.optim.LBFGS(model.parameters(), max_iter=10, history_size=5)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = library.nn.functional.mse_loss(model(x), y)
        loss.backward()
        return loss

    return lambda: float(optimizer.step(closure))


def variational_autoencoder(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn, F = library.nn, library.nn.functional

    class VAE(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.encode, self.mean, self.log_var = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
            self.decode, self.out = nn.Linear(20, 400), nn.Linear(400, 784)

        def forward(self, x: Any) -> Any:
            hidden = F.relu(self.encode(x))
            mean, log_var = self.mean(hidden), self.log_var(hidden)
            z = mean + library.randn_like(mean) * library.exp(0.5 * log_var)
            return library.sigmoid(self.out(F.relu(self.decode(z)))), mean, log_var

    model, x = VAE(), library.rand(128, 784)

    def loss() -> Any:
        image, mean, log_var = model(x)
        divergence = -0.5 * library.sum(1 + log_var - mean.pow(2) - log_var.exp())
        return F.binary_cross_entropy(image, x, reduction="sum") + divergence

    return training(library, model, loss)


def q_learning(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn
    model = nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))
    x, actions, wanted = library.randn(128, 4), library.randint(0, 2, (128, 1)), library.randn(128, 1)
    optimizer = library.optim.AdamW(model.parameters(), lr=1e-4, amsgrad=True)
    return training(
        library, model, lambda: nn.functional.smooth_l1_loss(model(x).gather(1, actions), wanted), optimizer
    )


def proximal_policy(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn
    model = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 4))
    x, actions, advantage = library.randn(64, 8), library.randint(0, 4, (64,)), library.randn(64)

    def loss() -> Any:
        policy = library.distributions.Categorical(logits=model(x))
        ratio = (policy.log_prob(actions) + 1.4).exp()
        gain = library.min(ratio * advantage, library.clamp(ratio, 0.8, 1.2) * advantage)
        return -gain.mean() - 0.01 * policy.entropy().mean()

    return training(library, model, loss)


def graph_convolution(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn, F = library.nn, library.nn.functional
    near = (library.rand(500, 500) < 0.02).float()
    near = near / (near.sum(1, keepdim=True) + 1)
    first, second = nn.Linear(200, 16), nn.Linear(16, 7)
    x, y = library.randn(500, 200), library.randint(0, 7, (500,))

    def loss() -> Any:
        hidden = F.dropout(F.relu(near @ first(x)))
        return F.nll_loss(F.log_softmax(near @ second(hidden), 1), y)

    return training(library, nn.ModuleList([first, second]), loss)


def graph_attention(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn, F = library.nn, library.nn.functional
    near, x, y = library.rand(200, 200) < 0.05, library.randn(200, 64), library.randint(0, 7, (200,))
    features, out = nn.Linear(64, 32, bias=False), nn.Linear(32, 7)
    attention = nn.Parameter(library.randn(64, 1) * 0.1)

    def loss() -> Any:
        h = features(x)
        scores = F.leaky_relu(h @ attention[:32] + (h @ attention[32:]).T, 0.2)
        weights = F.softmax(library.where(near, scores, -9e15 * library.ones_like(scores)), 1)
        return F.nll_loss(F.log_softmax(out(F.elu(weights @ h)), 1), y)

    parameters = [attention, *features.parameters(), *out.parameters()]
    return training(library, None, loss, library.optim.Adam(parameters, lr=1e-3))


def matrix_factorization(library: Any) -> Callable[[], float]:
    library.manual_seed(0)
    nn = library.nn
    users, films = nn.Embedding(1000, 32), nn.Embedding(1700, 32)
    who, what, rating = library.randint(0, 1000, (512,)), library.randint(0, 1700, (512,)), library.rand(512) * 5
    model = nn.ModuleList([users, films])
    return training(library, model, lambda: nn.functional.mse_loss((users(who) * films(what)).sum(1), rating))


def meta_learning(library: Any) -> Callable[[], float]:
    """MAML: the loss after a step of gradient descent, differentiated through that step."""
    library.manual_seed(0)
    shapes = ((1, 40), (40,), (40, 1), (1,))
    weights = [(library.randn(*shape) * 0.3).requires_grad_() for shape in shapes]
    x = library.randn(10, 1)

    def error(w: list[Any]) -> Any:
        return library.nn.functional.mse_loss(library.relu(x @ w[0] + w[1]) @ w[2] + w[3], library.sin(x))

    def loss() -> Any:
        grads = library.autograd.grad(error(weights), weights, create_graph=True)
        return error([w - 0.01 * g for w, g in zip(weights, grads, strict=True)])

    return training(library, None, loss, library.optim.Adam(weights, lr=1e-3))


def gradient_penalty(library: Any) -> Callable[[], float]:
    """The critic of a Wasserstein GAN: a second derivative in every step."""
    library.manual_seed(0)
    nn = library.nn
    model = nn.Sequential(
        nn.Linear(784, 256), nn.LeakyReLU(0.2), nn.Linear(256, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1)
    )
    images = library.randn(64, 784)

    def loss() -> Any:
        x = images.clone().requires_grad_(True)
        score = model(x)
        (slope,) = library.autograd.grad(score, x, library.ones_like(score), create_graph=True)
        return score.mean() + 10 * ((slope.norm(2, dim=1) - 1) ** 2).mean()

    return training(library, model, loss)


def differential_equation(library: Any) -> Callable[[], float]:
    """Burgers' equation: the network's own derivatives are the loss."""
    library.manual_seed(0)
    nn = library.nn
    hidden = [layer for _ in range(2) for layer in (nn.Linear(20, 20), nn.Tanh())]
    model = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), *hidden, nn.Linear(20, 1))
    points = library.rand(1000, 2)

    def loss() -> Any:
        x = points.clone().requires_grad_(True)
        u = model(x)
        (slopes,) = library.autograd.grad(u.sum(), x, create_graph=True)
        (curvature,) = library.autograd.grad(slopes[:, 0].sum(), x, create_graph=True)
        return (slopes[:, 1] + u[:, 0] * slopes[:, 0] - 0.01 * curvature[:, 0]).pow(2).mean()

    return training(library, model, loss)


STEPS: dict[str, Step] = {
    "MLP 784-100-10, batch 100": mlp,
    "exclusive or": exclusive_or,
    "logistic regression": logistic_regression,
    "line by hand": line_by_hand,
    "polynomial by hand": polynomial_by_hand,
    "line by L-BFGS": line_by_lbfgs,
    "variational autoencoder": variational_autoencoder,
    "deep Q-learning": q_learning,
    "proximal policy optimization": proximal_policy,
    "graph convolution, dense": graph_convolution,
    "graph attention": graph_attention,
    "matrix factorization": matrix_factorization,
    "meta-learning (MAML)": meta_learning,
    "gradient penalty (WGAN-GP)": gradient_penalty,
    "physics-informed network": differential_equation,
}
