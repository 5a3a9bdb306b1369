"""The introduction's CNN, from its own text: the class below is executed under PyTorch and under tinytorch."""

# ruff: noqa: W293 - the class is kept as it was written

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

import tinytorch
import tinytorch.nn
import tinytorch.optim
from tests.nn.layers import assert_same_state, copy_state
from tinytorch.autograd import engine

SOURCE = """
class CNNExample(nn.Module):
    def __init__(self):
        super(CNNExample, self).__init__()
        # input shape: (batch_size, 1, 28, 28)
        self.block1 = nn.Sequential(
            nn.Conv2d(1, 20, 3, padding=1),
            nn.BatchNorm2d(20), # Batch norm helps with training stability and speed. Not crucial to understand.
            nn.ReLU(),
            
            nn.Conv2d(20, 20, 3, padding=1),
            nn.BatchNorm2d(20),
            nn.ReLU(),
            
            nn.Conv2d(20, 20, 3, padding=1),
            nn.BatchNorm2d(20),
            nn.ReLU(),
            
            nn.MaxPool2d(2, 2) # 28x28 -> 14x14
        )
        self.block2 = nn.Sequential(
            nn.Conv2d(20, 40, 3, padding=1),
            nn.BatchNorm2d(40),
            nn.ReLU(),
            
            nn.Conv2d(40, 40, 3, padding=1),
            nn.BatchNorm2d(40),
            nn.ReLU(),
            
            nn.Conv2d(40, 40, 3, padding=1),
            nn.BatchNorm2d(40),
            nn.ReLU(),
            
            nn.MaxPool2d(2, 2) # 14x14 -> 7x7
        )
        self.conv1 = nn.Sequential(
            nn.Conv2d(40, 60, 3), # 7x7 -> 5x5
            nn.BatchNorm2d(60),
            nn.ReLU()
        )
        self.conv2 = nn.Sequential(
            nn.Conv2d(60, 40, 1), # 5x5 -> 5x5
            nn.BatchNorm2d(40),
            nn.ReLU()
        )
        self.conv3 = nn.Sequential(
            nn.Conv2d(40, 20, 1), # 5x5 -> 5x5
            nn.BatchNorm2d(20),
            nn.ReLU()
        )
        # input to avg pool will be of shape (batch_size, 20, 5, 5)
        self.avg1 = nn.AvgPool2d(5)
        # (batch_size, 20, 1, 1)
        # flatten to (batch_size, 20)
        self.fc1 = nn.Linear(20, 10)
        # output shape: (batch_size, 10)
        
    def forward(self, x):

        c1 = self.block1(x)
        c2 = self.block2(c1)
        c3 = self.conv1(c2)
        c4 = self.conv2(c3)
        c5 = self.conv3(c4)
        c6 = self.avg1(c5)
        c6 = torch.flatten(c6, 1)
        c7 = self.fc1(c6)
        y = c7
        
        return y
"""

LIBRARIES = (tinytorch, torch)
EXAMPLE = Path(__file__).parents[2] / "examples" / "cnn_example.py"


def both_models(dtype="float64"):
    """The network in both libraries, with PyTorch's weights."""
    models = []
    for library in LIBRARIES:
        names = {"torch": library, "nn": library.nn}
        exec(SOURCE, names)
        library.manual_seed(3)
        models.append(names["CNNExample"]().to(getattr(library, dtype)))
    copy_state(models[1], models[0])
    return models


def batches(count, size, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal((size, 1, 28, 28)).astype(dtype), rng.integers(0, 10, size)) for _ in range(count)]


def losses(models, x, y):
    """Scores and loss of a batch in both libraries."""
    results = []
    for library, model in zip(LIBRARIES, models, strict=True):
        scores = model(library.tensor(x))
        results.append((scores, library.nn.CrossEntropyLoss()(scores, library.tensor(y))))
    return results


def assert_close(ours, theirs, tolerance, scale=None, name=""):
    """The largest error, relative to the largest number (or to ``scale``, if that is larger)."""
    a, b = ours.detach().numpy(), theirs.detach().numpy()
    assert a.dtype == b.dtype, name
    assert a.shape == b.shape, name
    largest = max(float(np.abs(b).max()), scale or 0.0)
    assert np.abs(a - b).max() <= tolerance * largest, f"{name}: {np.abs(a - b).max() / largest}"


def assert_close_gradients(ours, theirs, tolerance, names):
    # A bias before a batch-norm has gradient 0, and both libraries give rounding errors: small beside its weight's gradient.
    scale = 1e-2 * max(float(grad.abs().max()) for grad in theirs)
    for name, our, their in zip(names, ours, theirs, strict=True):
        assert_close(our, their, tolerance, scale, name)


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-4)])
def test_forward_loss_and_gradients(dtype, tolerance, training):
    models = both_models(dtype)
    for model in models:
        model.train(training)
    (ours, our_loss), (theirs, their_loss) = losses(models, *batches(1, 8, dtype)[0])
    assert_close(ours, theirs, tolerance)
    assert_close(our_loss, their_loss, tolerance)
    our_loss.backward()
    their_loss.backward()
    names = [name for name, _ in models[1].named_parameters()]
    assert names == [name for name, _ in models[0].named_parameters()]
    assert_close_gradients(
        [p.grad for p in models[0].parameters()], [p.grad for p in models[1].parameters()], tolerance, names
    )
    assert_same_state(*models, exactly=False)


def test_same_seed_gives_the_same_network():
    networks = []
    for library in LIBRARIES:
        names = {"torch": library, "nn": library.nn}
        exec(SOURCE, names)
        library.manual_seed(0)
        networks.append(names["CNNExample"]())
    assert_same_state(*networks)
    assert repr(networks[0]) == repr(networks[1])
    assert sum(p.numel() for p in networks[1].parameters()) == 69290


OPTIMIZERS = {
    "Adam": lambda T, parameters: T.optim.Adam(parameters, lr=1e-3),
    "SGD with momentum": lambda T, parameters: T.optim.SGD(parameters, lr=1e-2, momentum=0.9),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_twenty_steps(name):
    models = both_models()
    optimizers = [
        OPTIMIZERS[name](library, model.parameters()) for library, model in zip(LIBRARIES, models, strict=True)
    ]
    for x, y in batches(20, 4):
        for optimizer in optimizers:
            optimizer.zero_grad()
        for _, loss in losses(models, x, y):
            loss.backward()
        for optimizer in optimizers:
            optimizer.step()
    ours, theirs = models[0].state_dict(), models[1].state_dict()
    assert list(ours) == list(theirs)
    for key in theirs:
        np.testing.assert_allclose(ours[key].numpy(), theirs[key].numpy(), rtol=1e-7, atol=1e-9, err_msg=key)


def test_gradient_penalty():
    """The squared norm of the loss's gradient for the images, differentiated for the parameters, in training mode."""
    models = both_models()
    x, y = batches(1, 5)[0]
    grads = []
    for library, model in zip(LIBRARIES, models, strict=True):
        images = library.tensor(x, requires_grad=True)
        loss = library.nn.functional.cross_entropy(model(images), library.tensor(y))
        grad = (engine if library is tinytorch else torch.autograd).grad(loss, images, create_graph=True)[0]
        penalty = (grad * grad).sum()
        (loss + penalty).backward()
        grads.append([penalty.detach(), *[p.grad for p in model.parameters()]])
    names = ["penalty", *[name for name, _ in models[1].named_parameters()]]
    assert_close_gradients(*grads, 1e-9, names)


def test_hessian_vector_product():
    models = both_models()
    x, y = batches(1, 5)[0]
    products = []
    for library, model in zip(LIBRARIES, models, strict=True):
        rng = np.random.default_rng(1)
        autograd = engine if library is tinytorch else torch.autograd
        parameters = list(model.parameters())
        loss = library.nn.functional.cross_entropy(model(library.tensor(x)), library.tensor(y))
        grads = autograd.grad(loss, parameters, create_graph=True)
        along = sum((g * library.tensor(rng.standard_normal(tuple(g.shape)))).sum() for g in grads)
        products.append(autograd.grad(along, parameters))
    assert_close_gradients(*products, 1e-9, [name for name, _ in models[1].named_parameters()])


def test_example_is_the_source_and_runs(capsys):
    assert SOURCE.strip() in EXAMPLE.read_text(encoding="utf-8")
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    assert "the loop and nn.Conv2d agree" in capsys.readouterr().out


def test_every_node_remembers_its_module():
    model = both_models()[0]
    node = model(tinytorch.zeros(2, 1, 28, 28, dtype=tinytorch.float64)).grad_fn
    scopes = set()
    stack = [node]
    while stack:
        node = stack.pop()
        if hasattr(node, "scope"):
            scopes.add((node.name(), node.scope))
            stack += [function for function, _ in node.next_functions if function is not None]
    assert ("ConvolutionBackward0", "block1.0") in scopes
    assert ("NativeBatchNormBackward0", "block2.7") in scopes
    assert ("ReluBackward0", "conv3.2") in scopes
    assert {scope for name, scope in scopes if name == "ConvolutionBackward0"} == {
        "block1.0", "block1.3", "block1.6", "block2.0", "block2.3", "block2.6", "conv1.0", "conv2.0", "conv3.0"
    }  # fmt: skip
